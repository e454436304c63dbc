"""Mail filters: milters of our own that do each thing, and Debian's."""
import contextlib
import re
import smtplib
import socket
import socketserver
import threading
import unittest

from harness import clients, milter, suite
from harness.instance import SERVICES, Instance, free_ports
from harness.machines import HERE, SCRATCH
from harness.milter import ACCEPT, CONTINUE, Milter
from harness.wait import until

MESSAGE = b"Received: from far\n\tby away; Mon, 1 Jan 2024 00:00:00 +0000\nFrom: kitkat@example.test\nTo: nougat@example.test\nSubject: folded\n\tsubject\nX-Twice: one\nX-Twice: two\n\nfirst line\n.\nlast line\n"
BIG = b"Subject: big\n\n" + b"a line of a large message, seventy bytes in all and some more of them\n" * 20000


def split(message):
    """Header as a list of fields, and the body."""
    header, body = message.split(b"\n\n", 1)
    return [re.sub(r"\n\s+", " ", field) for field in re.split(r"\n(?=\S)", header.decode())], body


class Milters(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def start(self, *milters, **settings):
        self.suite = self.stack.enter_context(Instance(self.id().split(".")[-1], settings={"smtpd_milters": ", ".join(
            each if isinstance(each, str) else each.service for each in milters), "smtpd_error_sleep_time": "0", **settings}))
        for each in milters:
            if not isinstance(each, str):
                self.stack.enter_context(each)
        return self.suite

    def send(self, message=MESSAGE, sender="kitkat@elsewhere.test", recipients=("nougat@example.test",)):
        with clients.smtp(self.suite) as client:
            return clients.send(client, sender, list(recipients), message)

    def test_a_filter_sees_what_came(self):
        filter_ = Milter()
        self.start(filter_, milter_macro_defaults="{own}=value", milter_connect_macros="j {daemon_name} {own} v _")
        self.send()
        stored, = self.suite.wait_for_messages("nougat", 1)
        self.assertEqual(clients.body(stored), b"first line\n.\nlast line\n")
        until(lambda: filter_.heard("Q"), "end of the session")
        self.assertEqual("".join(letter for letter, _ in filter_.events), "OCHMRT" + len(filter_.headers()) * "L" + "NBEQ")
        self.assertRegex(filter_.heard("C")[0], rb"^localhost\x004..127\.0\.0\.1\0$")
        self.assertEqual(filter_.heard("H"), [b"client.test\0"])
        self.assertEqual(filter_.heard("M")[0].split(b"\0")[0], b"<kitkat@elsewhere.test>")
        self.assertIn(b"body=8bitmime", filter_.heard("M")[0].lower())
        self.assertEqual(filter_.heard("R"), [b"<nougat@example.test>\0"])
        # Not our own Received:, and folds as they are, divided by LF.
        self.assertEqual(filter_.headers()[0], ("Received", "from far\n\tby away; Mon, 1 Jan 2024 00:00:00 +0000"))
        self.assertIn(("Subject", "folded\n\tsubject"), filter_.headers())
        self.assertEqual(filter_.heard("B"), [b"first line\r\n.\r\nlast line\r\n"])
        self.assertEqual(filter_.macros["C"]["{own}"], "value")
        self.assertEqual(filter_.macros["C"]["j"], "mail.example.test")
        self.assertEqual(filter_.macros["C"]["_"], "localhost [127.0.0.1]")
        self.assertEqual(filter_.macros["R"]["{rcpt_mailer}"], "virtual")
        self.assertIn(filter_.macros["E"]["i"], self.suite.log())

    def test_all_that_a_filter_may_change(self):
        filter_ = Milter({"E": [milter.insert_header(0, "X-First", "0"), milter.add_header("X-Last", "a\n b"), milter.change_header(2, "X-Twice", "2"),
                                milter.change_header(1, "Subject", ""), milter.change_header(1, "X-New", "new"), milter.replace_body(b"other\n"),
                                milter.replace_body(b"body\n"), milter.change_sender("<other@elsewhere.test>"), milter.add_recipient("<kitkat@example.test>"),
                                milter.delete_recipient("<nougat@example.test>"), ACCEPT]})
        self.start(filter_)
        self.send()
        stored, = self.suite.wait_for_messages("kitkat", 1)
        fields, body = split(stored)
        self.assertEqual(body, b"other\nbody\n")
        received = next(i for i, field in enumerate(fields) if field.startswith("Received:"))
        self.assertEqual(fields[received + 1], "X-First: 0")
        self.assertTrue(fields[received + 2].startswith("Received: from far"))
        self.assertEqual([field for field in fields if field.startswith("X-Twice")], ["X-Twice: one", "X-Twice: 2"])
        self.assertEqual(fields[-2:], ["X-Last: a b", "X-New: new"])
        self.assertFalse([field for field in fields if field.startswith("Subject:")])
        self.assertIn("Return-Path: <other@elsewhere.test>", fields)
        self.suite.wait_until_queue_is_empty()
        self.assertEqual(self.suite.messages("nougat"), [])

    def test_a_large_message_grows_and_shrinks_in_its_file(self):
        filter_ = Milter({"E": [milter.add_header("X-Long", "x" * 900), milter.change_header(1, "Subject", ""), ACCEPT]})
        self.start(filter_)
        self.send(BIG)
        self.send(BIG.replace(b"Subject: big\n", b"Subject: " + 3000 * b"big " + b"\n"))
        for stored in self.suite.wait_for_messages("nougat", 2):
            self.assertTrue(clients.body(stored) == BIG.split(b"\n\n", 1)[1])
            self.assertTrue(b"\nX-Long: " + 900 * b"x" + b"\n" in stored)
        self.assertEqual(len(b"".join(filter_.heard("B"))), 2 * len(BIG.split(b"\n\n", 1)[1].replace(b"\n", b"\r\n")))

    def test_each_filter_sees_what_the_former_changed(self):
        first = Milter({"E": [milter.add_header("X-Seen", "first"), milter.replace_body(b"first\n"), ACCEPT]})
        second = Milter({"E": [milter.change_header(1, "X-Seen", "second"), ACCEPT]}, steps=0x100000)
        self.start(first, second)
        self.send()
        stored, = self.suite.wait_for_messages("nougat", 1)
        self.assertIn(b"\nX-Seen:second\n", stored)
        self.assertIn(("X-Seen", " first"), second.headers())
        self.assertEqual(second.heard("B"), [b"first\r\n"])

    def test_refusals(self):
        filter_ = Milter({"M": lambda data: [milter.reply("550 5.7.1 not you")] if b"spammer" in data else [CONTINUE],
                          "R": lambda data: [milter.TEMPFAIL] if b"later" in data else [CONTINUE],
                          "E": [milter.REJECT]})
        self.start(filter_)
        with clients.smtp(self.suite) as client:
            client.ehlo()
            self.assertEqual(client.mail("spammer@elsewhere.test"), (550, b"5.7.1 not you"))
            self.assertEqual(client.mail("kitkat@elsewhere.test")[0], 250)
            self.assertEqual(client.rcpt("later@example.test")[0], 550)     # our own rules come first
            self.assertEqual(client.rcpt("nougat+later@example.test"), (451, b"4.7.1 Service unavailable - try again later"))
            self.assertEqual(client.rcpt("nougat@example.test")[0], 250)
            self.assertEqual(client.data(b"Subject: x\r\n\r\nx\r\n"), (550, b"5.7.1 Command rejected"))
        self.suite.wait_for_log(r"smtpd\[\d+\]: NOQUEUE: milter-reject: MAIL from localhost\[127\.0\.0\.1\]: 550 5\.7\.1 not you; "
                                r"from=<spammer@elsewhere\.test> proto=ESMTP helo=<client\.test>$")
        self.suite.wait_for_log(r"cleanup\[\d+\]: \w+: milter-reject: END-OF-MESSAGE from localhost\[127\.0\.0\.1\]: 5\.7\.1 Command rejected; "
                                r"from=<kitkat@elsewhere\.test> to=<nougat@example\.test> proto=ESMTP helo=<client\.test>$")
        self.assertEqual(self.suite.queue(), [])

    def test_refused_at_connect(self):
        self.start(Milter({"C": [milter.reply("554 5.7.1 go away")]}))
        with self.assertRaises(smtplib.SMTPConnectError) as refusal:
            clients.smtp(self.suite)
        self.assertEqual(refusal.exception.smtp_code, 554)
        self.suite.wait_for_log(r"milter-reject: CONNECT from localhost\[127\.0\.0\.1\]: 554 5\.7\.1 go away; proto=SMTP$")

    def test_discard(self):
        self.start(Milter({"E": [milter.DISCARD]}))
        self.send()
        self.suite.wait_for_log(r"milter-discard: END-OF-MESSAGE from localhost\[127\.0\.0\.1\]: milter triggers DISCARD action; from=")
        self.suite.wait_until_queue_is_empty()
        self.assertEqual(self.suite.messages("nougat"), [])

    def test_quarantine_is_the_hold_queue(self):
        self.start(Milter({"E": [milter.quarantine("looks odd"), ACCEPT]}))
        self.send()
        held = until(self.suite.queue, "the message in the queue")
        self.assertEqual([each["queue_name"] for each in held], ["hold"])
        self.suite.wait_for_log(r"\w+: milter-hold: END-OF-MESSAGE from localhost\[127\.0\.0\.1\]: milter triggers HOLD action; from=<kitkat@elsewhere\.test>")
        self.assertEqual(self.suite.messages("nougat"), [])
        self.suite.command("postsuper", "-H", held[0]["queue_id"])
        self.suite.wait_for_messages("nougat", 1)

    def test_what_a_filter_adds_is_checked(self):
        answers = [milter.add_header("X-Quiet", "1"), milter.add_header("X-Other", "2"), milter.change_header(1, "X-Twice", "ISSUE"),
                   milter.add_header("X-Plain", "3"), ACCEPT]
        filter_ = Milter({"E": answers})
        self.start(filter_, milter_header_checks="regexp:{{/^X-Quiet:/ IGNORE}, {/^X-Other:/ REPLACE X-Another: 4}, {/^X-Twice: ISSUE/ PREPEND X-Before: 5}, "
                   "{/^X-Twice: one/ REJECT}, {/^X-Bad:/ REJECT no such thing}, {/^X-Spam:/ HOLD for a look}}", milter_connect_macros="{client_connections}",
                   smtpd_client_connection_count_limit="5", smtpd_client_event_limit_exceptions="")
        self.send()
        stored, = self.suite.wait_for_messages("nougat", 1)
        fields, _ = split(stored)
        self.assertEqual([field for field in fields if re.match("X-(?!Original-To)", field)], ["X-Before: 5", "X-Twice: ISSUE", "X-Twice: two", "X-Another: 4", "X-Plain: 3"])
        self.assertEqual(filter_.macros["C"]["{client_connections}"], "1")
        self.suite.wait_for_log(r"cleanup\[\d+\]: \w+: milter-header-replace: header X-Other: 2 from localhost\[127\.0\.0\.1\]; from=<kitkat@elsewhere\.test> to=<")
        answers[0] = milter.add_header("X-Bad", "6")
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.send()
        self.assertEqual((refused.exception.smtp_code, refused.exception.smtp_error), (550, b"5.7.1 no such thing"))
        self.suite.wait_for_log(r"\w+: milter-header-reject: header X-Bad: 6 from localhost\[127\.0\.0\.1\]; .*: 5\.7\.1 no such thing$")
        answers[0] = milter.add_header("X-Spam", "7")
        self.send()
        held = until(self.suite.queue, "the message in the queue")
        self.assertEqual([each["queue_name"] for each in held], ["hold"])

    def test_a_filter_that_is_not_there(self):
        self.start("inet:127.0.0.1:1")
        with clients.smtp(self.suite) as client:
            client.ehlo()
            self.assertEqual(client.mail("kitkat@elsewhere.test"), (451, b"4.7.1 Service unavailable - try again later"))
        self.suite.wait_for_log(r"warning: connect to Milter service inet:127\.0\.0\.1:1: Connection refused$")
        for stage in ("CONNECT", "EHLO", "MAIL"):
            self.suite.wait_for_log(rf"NOQUEUE: milter-reject: {stage} from localhost\[127\.0\.0\.1\]: 451 4\.7\.1 Service unavailable - try again later;")

    def test_a_filter_that_need_not_be_there(self):
        self.start("{ inet:127.0.0.1:1, connect_timeout=2s, default_action=accept }")
        self.send()
        self.suite.wait_for_messages("nougat", 1)

    def test_mail_of_local_users_has_filters_of_its_own(self):
        network, local = Milter(), Milter({"E": [milter.add_header("X-Local", "yes"), ACCEPT]})
        self.stack.enter_context(local)
        self.start(network, non_smtpd_milters=local.service)
        self.suite.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=b"Subject: x\n\nx\n")
        stored, = self.suite.wait_for_messages("nougat", 1)
        self.assertIn(b"\nX-Local: yes\n", stored)
        self.assertEqual(network.events, [])

    def test_filters_by_client(self):
        usual, other = Milter(), Milter()
        self.stack.enter_context(other)
        self.start(usual, smtpd_milter_maps=f"inline:{{{{127.0.0.1={other.service}}}}}")
        self.send()
        self.suite.wait_for_messages("nougat", 1)
        self.assertEqual(usual.events, [])
        self.assertEqual(len(other.heard("E")), 1)


class PolicyServer:
    """Answers with what is set, and keeps what it was asked."""

    def __init__(self):
        self.action, self.requests = "DUNNO", []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.service = f"inet:127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listening.accept()[0],), daemon=True).start()

    def serve(self, client):
        with client, client.makefile("rb") as stream:
            request = {}
            for line in stream:
                if line != b"\n":
                    name, value = line.decode().rstrip("\n").split("=", 1)
                    request[name] = value
                    continue
                self.requests.append(request)
                request = {}
                client.sendall(f"action={self.action}\n\n".encode())


class Policy(unittest.TestCase):
    def test_a_policy_service_is_told_all_and_obeyed(self):
        server = PolicyServer()
        self.addCleanup(server.listening.close)
        restrictions = f"check_policy_service {{ {server.service}, policy_context=test, timeout=5s }}, permit_mynetworks, reject"
        with Instance("policy", settings={"smtpd_recipient_restrictions": restrictions, "smtpd_end_of_data_restrictions":
                                          f"check_policy_service {server.service}", "smtpd_error_sleep_time": "0"}) as suite_:
            with clients.smtp(suite_) as client:
                clients.send(client, "kitkat@elsewhere.test", ["nougat@example.test"], MESSAGE)
                at_rcpt, at_end = server.requests
                for name, value in {"request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP", "client_address": "127.0.0.1",
                                    "client_name": "localhost", "helo_name": "client.test", "sender": "kitkat@elsewhere.test",
                                    "recipient": "nougat@example.test", "recipient_count": "0", "policy_context": "test", "encryption_keysize": "0",
                                    "server_address": "127.0.0.1", "server_port": str(suite_.ports["smtp"]), "queue_id": "", "sasl_username": "",
                                    "stress": "", "compatibility_level": "3.9"}.items():
                    self.assertEqual(at_rcpt[name], value, name)
                self.assertEqual(at_end["protocol_state"], "END-OF-MESSAGE")
                self.assertEqual(at_end["recipient_count"], "1")
                self.assertGreater(int(at_end["size"]), 100)
                self.assertEqual(at_end["instance"], at_rcpt["instance"])
                self.assertIn(at_end["queue_id"], suite_.log())
                server.action = "550 5.7.1 not today"
                client.mail("kitkat@elsewhere.test")
                self.assertEqual(client.rcpt("nougat@example.test"), (550, b"5.7.1 <nougat@example.test>: Recipient address rejected: not today"))
                server.action = "PREPEND X-Policy: seen"
                client.rset()
                clients.send(client, "kitkat@elsewhere.test", ["nougat@example.test"], MESSAGE)
                self.assertNotEqual(server.requests[-1]["instance"], at_end["instance"])
            # Two deliveries at once may overtake each other.
            marked = [b"\nX-Policy: seen\n" in message for message in suite_.wait_for_messages("nougat", 2)]
            self.assertEqual(sorted(marked), [False, True])

    def test_a_policy_service_that_is_not_there(self):
        with Instance("no-policy", settings={"smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.1:1",
                                             "smtpd_policy_service_try_limit": "1"}) as suite_:
            with clients.smtp(suite_) as client:
                client.ehlo()
                client.mail("kitkat@elsewhere.test")
                self.assertEqual(client.rcpt("nougat@example.test"),
                                 (451, b"4.3.5 <nougat@example.test>: Recipient address rejected: Server configuration problem"))
            suite_.wait_for_log(r"warning: problem talking to server inet:127\.0\.0\.1:1: Connection refused$")


class Reinjector(socketserver.StreamRequestHandler):
    """What amavis is to Postfix: takes mail by SMTP, looks at it, and gives it back at another port."""

    def handle(self):
        def say(line):
            self.wfile.write(line + b"\r\n")
        say(b"220 filter ESMTP")
        sender, recipients = "", []
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                say(b"250-filter\r\n250 XFORWARD NAME ADDR PROTO HELO")
            elif verb == b"MAIL":
                sender, recipients = line.decode().split("<")[1].split(">")[0], []
                say(b"250 2.1.0 Ok")
            elif verb == b"RCPT":
                recipients.append(line.decode().split("<")[1].split(">")[0])
                say(b"250 2.1.5 Ok")
            elif verb == b"DATA":
                say(b"354 go on")
                content = b"".join(iter(self.rfile.readline, b".\r\n")).replace(b"\r\n.", b"\r\n")
                with smtplib.SMTP("127.0.0.1", self.server.next_port, local_hostname="filter.test") as client:
                    client.sendmail(sender, recipients, b"X-Scanned: yes\r\n" + content)
                self.server.seen.append((sender, recipients))
                say(b"250 2.0.0 from MTA: queued")
            else:
                say(b"221 Bye" if verb == b"QUIT" else b"250 2.0.0 Ok")
                if verb == b"QUIT":
                    return


class ContentFilter(unittest.TestCase):
    def test_mail_goes_through_a_content_filter_once(self):
        back = free_ports(1)[0]
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Reinjector)
        server.daemon_threads = True
        server.next_port, server.seen = back, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        services = SERVICES + f"127.0.0.1:{back} inet n - n - - smtpd\n" \
            "  -o content_filter=\n  -o smtpd_milters=\n  -o smtpd_recipient_restrictions=permit_mynetworks,reject\n" \
            "  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_milters,no_address_mappings\n"
        with Milter() as filter_, Instance("content-filter", services=services, settings={
                "content_filter": f"smtp:[127.0.0.1]:{server.server_address[1]}", "smtpd_milters": filter_.service,
                "virtual_alias_maps": f"inline:{{{{alias@example.test=nougat@example.test}}}}", "always_bcc": "kitkat@example.test"}) as suite_:
            with clients.smtp(suite_) as client:
                clients.send(client, "kitkat@elsewhere.test", ["alias@example.test"], MESSAGE)
            stored, = suite_.wait_for_messages("nougat", 1)
            copy, = suite_.wait_for_messages("kitkat", 1)
            for each in stored, copy:
                self.assertEqual(each.count(b"\nX-Scanned: yes\n"), 1)
            suite_.wait_until_queue_is_empty()
            self.assertEqual(len(filter_.heard("E")), 1)
            self.assertEqual(sorted(sum((recipients for _, recipients in server.seen), [])), ["kitkat@example.test", "nougat@example.test"])
            suite_.wait_for_log(r"to=<nougat@example\.test>, orig_to=<alias@example\.test>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+, .*"
                                r"status=sent \(250 2\.0\.0 from MTA")


class Proxied(socketserver.StreamRequestHandler):
    """A before-queue filter: what it answers is what the client hears; it keeps the lines it was given."""

    def handle(self):
        server, lines = self.server, []
        server.sessions.append(lines)
        self.wfile.write(b"220 filter ESMTP\r\n")
        for line in self.rfile:
            line = line.rstrip(b"\r\n").decode()
            lines.append(line)
            verb = line[:4].upper()
            refusal = next((reply for part, reply in server.refusals.items() if part in line), None)
            if verb == "EHLO":
                self.wfile.write(b"250-filter\r\n250-8BITMIME\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n")
            elif refusal == "":
                return
            elif refusal:
                self.wfile.write(refusal.encode() + b"\r\n")
            elif verb == "DATA":
                self.wfile.write(b"354 go on\r\n")
                content = b"".join(iter(self.rfile.readline, b".\r\n"))
                server.contents.append(content)
                self.wfile.write(self.give_on(lines, content) + b"\r\n")
            else:
                self.wfile.write(b"221 2.0.0 Bye\r\n" if verb == "QUIT" else b"250 2.1.0 fine\r\n")

    def give_on(self, lines, content):
        if b"EICAR" in content:
            return b"554-5.7.1 This message has a virus\r\n554 5.7.1 of a sort"
        with smtplib.SMTP("127.0.0.1", self.server.next_port, local_hostname="filter.test") as client:
            client.ehlo()
            for line in lines:
                if line[:4] in ("MAIL", "RCPT", "XFOR"):
                    client.docmd(line)
            client.docmd("DATA")
            client.send(b"X-Scanned: yes\r\n" + content + b".\r\n")
            code, text = client.getreply()
        return str(code).encode() + b" 2.0.0 from the next: " + text


class BeforeQueueFilter(unittest.TestCase):
    def start(self, **settings):
        back = free_ports(1)[0]
        self.filter = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxied)
        self.filter.daemon_threads, self.filter.next_port = True, back
        self.filter.sessions, self.filter.contents, self.filter.refusals = [], [], {}
        threading.Thread(target=self.filter.serve_forever, daemon=True).start()
        self.addCleanup(self.filter.server_close)
        self.addCleanup(self.filter.shutdown)
        services = SERVICES.replace("{smtp} inet n - n - - smtpd\n", "{smtp} inet n - n - - smtpd\n  -o smtpd_proxy_filter="
                                    f"127.0.0.1:{self.filter.server_address[1]}\n" + "".join(f"  -o {name}={value}\n" for name, value in settings.items()))
        services += f"127.0.0.1:{back} inet n - n - - smtpd\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n"
        self.suite = Instance(self.id().split(".")[-1], services=services, settings={"smtpd_error_sleep_time": "0"})
        self.suite.__enter__()
        self.addCleanup(self.suite.close)
        return self.suite

    def check_passage(self):
        with clients.smtp(self.suite) as client:
            client.ehlo()
            client.mail("kitkat@elsewhere.test", ["BODY=8BITMIME"])
            self.assertEqual(client.rcpt("nobody@example.test")[0], 550)
            client.rcpt("nougat@example.test")
            code, text = client.data(MESSAGE.replace(b"\n", b"\r\n"))
            self.assertEqual(code, 250)
            self.assertRegex(text, rb"^2\.0\.0 from the next: 2\.0\.0 Ok: queued as \w+$")
        stored, = self.suite.wait_for_messages("nougat", 1)
        fields, body = split(stored)
        self.assertEqual(body, b"first line\n.\nlast line\n")
        self.assertIn("X-Scanned: yes", fields)
        received = [field for field in fields if field.startswith("Received:")]
        self.assertEqual(len(received), 3)
        self.assertRegex(received[1], r"^Received: from client\.test \(localhost \[127\.0\.0\.1\]\) by mail\.example\.test \(\S+\) with ESMTP for <nougat@example\.test>; ")
        given, = self.filter.sessions
        until(lambda: given[-1] == "QUIT", "the end of the session with the filter")
        self.assertEqual([line.split()[0] for line in given], ["EHLO", "XFORWARD", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual(given[0], "EHLO mail.example.test")
        self.assertRegex(given[1], r"^XFORWARD NAME=localhost ADDR=127\.0\.0\.1 PORT=\d+ HELO=client\.test IDENT=\[UNAVAILABLE\] PROTO=ESMTP SOURCE=LOCAL$")
        self.assertRegex(given[2], r"(?i)^MAIL FROM:<kitkat@elsewhere\.test> BODY=8BITMIME$")
        self.assertIn(b"\r\n..\r\n", self.filter.contents[0])
        self.suite.wait_for_log(r"smtpd\[\d+\]: NOQUEUE: client=localhost\[127\.0\.0\.1\]$")
        self.suite.wait_for_log(r"smtpd\[\d+\]: \w{10,}: client=localhost\[127\.0\.0\.1\], orig_client=localhost\[127\.0\.0\.1\]$")
        self.suite.wait_for_log(r"smtpd\[\d+\]: proxy-accept: END-OF-MESSAGE: 250 2\.0\.0 from the next: 2\.0\.0 Ok: queued as \w+; "
                                r"from=<kitkat@elsewhere\.test> to=<nougat@example\.test> proto=ESMTP helo=<client\.test>$")

    def check_refusal(self):
        with clients.smtp(self.suite) as client:
            client.ehlo()
            client.mail("kitkat@elsewhere.test")
            client.rcpt("nougat@example.test")
            self.assertEqual(client.data(b"Subject: x\r\n\r\nEICAR\r\n"), (554, b"5.7.1 This message has a virus\n5.7.1 of a sort"))
            self.assertEqual(client.noop()[0], 250)
        self.suite.wait_for_log(r"proxy-reject: END-OF-MESSAGE: 554 5\.7\.1 This message has a virus.* of a sort; from=<kitkat@elsewhere\.test>")
        self.assertEqual(self.suite.queue(), [])

    def test_what_comes_goes_through_the_filter(self):
        self.start()
        self.check_passage()

    def test_at_its_own_speed(self):
        self.start(smtpd_proxy_options="speed_adjust")
        self.check_passage()
        with clients.smtp(self.suite) as client:
            clients.send(client, "kitkat@elsewhere.test", ["nougat@example.test"], BIG)
        self.assertTrue(clients.body(self.suite.wait_for_messages("nougat", 2)[-1]) == BIG.split(b"\n\n", 1)[1])
        self.filter.refusals = {"RCPT": "452 4.2.2 full"}
        with clients.smtp(self.suite) as client, self.assertRaises(smtplib.SMTPDataError) as refused:
            clients.send(client, "kitkat@elsewhere.test", ["nougat@example.test"], MESSAGE)
        self.assertEqual(refused.exception.smtp_error, b"4.2.2 full")
        self.suite.wait_until_queue_is_empty()

    def test_the_filter_refuses(self):
        self.start()
        self.check_refusal()
        self.filter.refusals = {"nougat@": "553 5.1.0 not for him", "bad@": "550 5.7.1 not from you"}
        with clients.smtp(self.suite) as client:
            client.ehlo()
            client.mail("kitkat@elsewhere.test")
            self.assertEqual(client.rcpt("nougat@example.test"), (553, b"5.1.0 not for him"))
            client.rset()
            self.assertEqual(client.mail("bad@elsewhere.test")[0], 250)
            self.assertEqual(client.rcpt("kitkat@example.test"), (550, b"5.7.1 not from you"))
        self.suite.wait_for_log(r'warning: proxy 127\.0\.0\.1:\d+ rejected "RCPT T[Oo]:<nougat@example\.test>": "553 5\.1\.0 not for him"$')

    def test_the_filter_is_gone(self):
        self.start()
        self.filter.refusals = {"DATA": ""}
        with clients.smtp(self.suite) as client, self.assertRaises(smtplib.SMTPDataError) as refused:
            clients.send(client, "kitkat@elsewhere.test", ["nougat@example.test"], MESSAGE)
        self.assertEqual((refused.exception.smtp_code, refused.exception.smtp_error), (451, b"4.3.0 Error: queue file write error"))
        self.suite.wait_for_log(r"warning: lost connection with proxy 127\.0\.0\.1:\d+$")
        self.filter.shutdown()
        self.filter.server_close()
        with clients.smtp(self.suite) as client:
            client.ehlo()
            client.mail("kitkat@elsewhere.test")
            self.assertEqual(client.rcpt("nougat@example.test"), (451, b"4.3.0 Error: queue file write error"))
        self.suite.wait_for_log(r"warning: connect to proxy filter 127\.0\.0\.1:\d+: Connection refused$")


@suite.needs("opendkim", "opendkim-genkey")
class OpenDkim(unittest.TestCase):
    """One signs what our users submit, another verifies what strangers send."""

    def opendkim(self, name, settings):
        port = free_ports(1)[0]
        path = HERE.write(f"{SCRATCH}/{name}.conf", f"Syslog no\nBackground no\nRequireSafeKeys no\nUserID root\nSocket inet:{port}@127.0.0.1\nPidFile {SCRATCH}/{name}.pid\n{settings}\n")
        process = HERE.start("opendkim", "-f", "-x", path)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        until(lambda: listens(port), f"{name} listens")
        return f"inet:127.0.0.1:{port}"

    def test_sign_and_verify(self):
        HERE.run("opendkim-genkey", "-D", SCRATCH, "-d", "example.test", "-s", "one")
        with open(f"{SCRATCH}/one.txt") as file:
            record = "".join(re.findall(r'"([^"]*)"', file.read()))
        HERE.write(f"{SCRATCH}/keys", f"one._domainkey.example.test {record}\n")
        HERE.run("chmod", "600", f"{SCRATCH}/one.private")
        signer = self.opendkim("signer", f"Mode s\nDomain example.test\nSelector one\nKeyFile {SCRATCH}/one.private\nMacroList {{auth_type}}")
        verifier = self.opendkim("verifier", f"Mode v\nTestPublicKeys {SCRATCH}/keys\nAuthservID mail.example.test\nInternalHosts csl:192.0.2.1")
        services = re.sub(r"(\{submission\} .*\n)", rf"\1  -o smtpd_milters={signer}\n", SERVICES)
        with Instance("dkim", settings={"smtpd_milters": verifier}, services=services) as suite_:
            with clients.submission(suite_, "kitkat") as client:
                clients.send(client, "kitkat@example.test", ["nougat@example.test"], MESSAGE)
            signed, = suite_.wait_for_messages("nougat", 1)
            self.assertIn(b"\nDKIM-Signature: v=1;", signed)
            again = signed[signed.index(b"DKIM-Signature:"):]
            with clients.smtp(suite_) as client:
                clients.send(client, "kitkat@example.test", ["nougat@example.test"], again)
                clients.send(client, "kitkat@example.test", ["nougat@example.test"], again.replace(b"last line", b"lost line"))
            good, bad = suite_.wait_for_messages("nougat", 3)[1:]
            self.assertRegex(good, rb"Authentication-Results: mail\.example\.test;\s+dkim=pass")
            self.assertRegex(bad, rb"Authentication-Results: mail\.example\.test;\s+dkim=fail")


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


if __name__ == "__main__":
    suite.main()
