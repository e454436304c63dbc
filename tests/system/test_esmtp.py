"""The protocol side of smtpd with real processes: XCLIENT, XFORWARD, the PROXY protocol, LMTP, ETRN, limits over all processes, smuggling."""
import smtplib
import socket
import struct
import subprocess
import unittest

from harness import suite
from harness.instance import SERVICES, Instance, free_ports
from harness.wait import until

MORE_SERVICES = """\
127.0.0.1:{proxied} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
  -o smtpd_upstream_proxy_timeout=2s
127.0.0.1:{lmtp} inet n - n - - smtpd
  -o smtpd_protocol=lmtp
127.0.0.1:{limited} inet n - n - - smtpd
  -o smtpd_client_event_limit_exceptions=
  -o smtpd_authorized_xclient_hosts=
  -o smtpd_client_connection_count_limit=5
127.0.0.1:{rates} inet n - n - - smtpd
  -o smtpd_client_event_limit_exceptions=
  -o smtpd_authorized_xclient_hosts=
  -o smtpd_client_connection_rate_limit=12
  -o smtpd_client_message_rate_limit=6
127.0.0.1:{strict} inet n - n - - smtpd
  -o smtpd_forbid_bare_newline=reject
  -o smtpd_forbid_bare_newline_exclusions=
"""
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c"


class Peer:
    """One connection, line by line."""

    def __init__(self, port, first=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.sendall(first)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            lines.append(line.rstrip(b"\r\n").decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        return self.reply()


class Esmtp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ports = dict(zip(("proxied", "lmtp", "limited", "rates", "strict"), free_ports(5)))
        services = SERVICES + MORE_SERVICES.format(**cls.ports)
        cls.suite = Instance("esmtp", services=services, settings={
            "smtpd_error_sleep_time": "0", "smtpd_authorized_xclient_hosts": "127.0.0.0/8", "smtpd_authorized_xforward_hosts": "127.0.0.0/8",
            "smtpd_client_connection_count_limit": "0", "smtpd_peername_lookup": "no", "relay_domains": "away.test",
            "fast_flush_domains": "away.test", "transport_maps": "inline:{away.test=smtp:[127.0.0.1]:1}"}).start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def deliver(self, peer, recipient="nougat@example.test", subject="x"):
        for command in ("MAIL FROM:<kitkat@example.test>", f"RCPT TO:<{recipient}>"):
            self.assertRegex(peer.ask(command), "^250 ")
        self.assertRegex(peer.ask("DATA"), "^354 ")
        return peer.ask(f"Subject: {subject}\r\n\r\nhello\r\n.")

    def newest(self, subject):
        return until(lambda: next((each.decode() for each in self.suite.messages("nougat") if f"Subject: {subject}\r\n".encode() in each
                                   or f"Subject: {subject}\n".encode() in each), None), f"a message {subject}")

    def test_xclient(self):
        with Peer(self.suite.ports["smtp"]) as peer:
            peer.reply()
            self.assertIn("XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT", peer.ask("EHLO x"))
            self.assertRegex(peer.ask("XCLIENT NAME=spike.test ADDR=198.51.100.7 PORT=1234 PROTO=ESMTP HELO=spike"), "^220 ")
            self.assertRegex(peer.ask("MAIL FROM:<kitkat@example.test>"), "^250 ")
            self.assertRegex(peer.ask("RCPT TO:<far@elsewhere.test>"), "^554 5.7.1 .*Relay access denied")
            self.assertRegex(peer.ask("RSET"), "^250 ")
            self.assertRegex(self.deliver(peer, subject="by-xclient"), "^250 2.0.0 Ok: queued as ")
            self.assertRegex(peer.ask("QUIT"), "^221 ")
        self.assertIn("Received: from spike (spike.test [198.51.100.7])", self.newest("by-xclient"))
        self.suite.wait_for_log(r"client=spike\.test\[198\.51\.100\.7\]$")
        self.suite.wait_for_log(r"disconnect from spike\.test\[198\.51\.100\.7\] ehlo=1 xclient=1 mail=2 rcpt=1/2 data=1 rset=1 quit=1 commands=8/9$")

    def test_xforward(self):
        with Peer(self.suite.ports["smtp"]) as peer:
            peer.reply()
            self.assertIn("XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT", peer.ask("EHLO x"))
            self.assertRegex(peer.ask("XFORWARD NAME=spike.test ADDR=198.51.100.9 IDENT=ABC123"), "^250 ")
            self.assertRegex(self.deliver(peer, subject="by-xforward"), "^250 ")
        self.newest("by-xforward")
        self.suite.wait_for_log(r"client=unknown\[127\.0\.0\.1\], orig_queue_id=ABC123, orig_client=spike\.test\[198\.51\.100\.9\]$")

    def test_proxy_protocol(self):
        headers = {"v1": b"PROXY TCP4 198.51.100.11 127.0.0.1 4711 25\r\n",
                   "v2": V2 + socket.inet_aton("198.51.100.12") + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 4711, 25)}
        for version, header in headers.items():
            with self.subTest(version=version), Peer(self.ports["proxied"], header) as peer:
                self.assertRegex(peer.reply(), "^220 ")
                self.assertRegex(peer.ask("EHLO x"), "^250")
                self.assertRegex(self.deliver(peer, subject=f"proxied-{version}"), "^250 ")
                self.assertIn(f"[198.51.100.1{1 if version == 'v1' else 2}]", self.newest(f"proxied-{version}"))
        with Peer(self.ports["proxied"], b"EHLO client.example\r\n") as peer:
            self.assertRegex(peer.reply(), "^421 4.3.0 ")
        with Peer(self.ports["proxied"]) as peer:
            self.assertRegex(peer.reply(), "^421 4.3.0 ")
        self.suite.wait_for_log(r"warning: haproxy read: timeout error$")

    def test_lmtp(self):
        client = smtplib.LMTP("127.0.0.1", self.ports["lmtp"], local_hostname="client.test")
        refused = client.sendmail("kitkat@example.test", ["nougat@example.test", "nobody@example.test", "kitkat@example.test"],
                                  b"Subject: by-lmtp\r\n\r\nhello\r\n")
        self.assertEqual(list(refused), ["nobody@example.test"])
        client.quit()
        self.assertRegex(self.newest("by-lmtp"), r"(?s)by mail\.example\.test .*with LMTP id ")

    def test_etrn(self):
        with Peer(self.suite.ports["smtp"]) as peer:
            peer.reply()
            self.assertIn("ETRN", peer.ask("EHLO x"))
            self.assertRegex(self.deliver(peer, "far@away.test"), "^250 ")
            self.suite.wait_for_log(r"to=<far@away\.test>,.* status=deferred")
            self.assertEqual(peer.ask("ETRN elsewhere.test"), "459 <elsewhere.test>: service unavailable")
            self.assertEqual(peer.ask("ETRN away.test"), "250 Queuing started")
        self.suite.wait_for_log(r"to=<far@away\.test>,.* status=deferred", count=2)
        self.suite.command("postsuper", "-d", "ALL", check=False)

    def test_connections_are_counted_over_all_processes(self):
        peers = []
        try:
            greetings = []
            for _ in range(12):
                peers.append(Peer(self.ports["limited"]))
                greetings.append(peers[-1].reply())
            self.assertEqual([each[:3] for each in greetings], ["220"] * 5 + ["421"] * 7)
            self.assertRegex(greetings[-1], r"^421 4\.7\.0 mail\.example\.test Error: too many connections from 127\.0\.0\.1$")
        finally:
            for each in peers:
                each.__exit__()
        self.suite.wait_for_log(rf"warning: Connection concurrency limit exceeded: 6 from unknown\[127\.0\.0\.1\] for service 127\.0\.0\.1:{self.ports['limited']}$")
        until(lambda: self.greeting("limited").startswith("220"), "room for a connection again")

    def greeting(self, service):
        with Peer(self.ports[service]) as peer:
            return peer.reply()

    def test_rates_are_counted_over_all_processes(self):
        answers, greetings = [], []
        peers = []
        for _ in range(14):
            peers.append(Peer(self.ports["rates"]))
            greetings.append(peers[-1].reply())
        for peer, greeting in zip(peers, greetings):
            if greeting.startswith("220"):
                peer.ask("EHLO x")
                answers.append(peer.ask("MAIL FROM:<kitkat@example.test>")[:3])
            peer.__exit__()
        self.assertEqual([each[:3] for each in greetings], ["220"] * 12 + ["421"] * 2)
        self.assertEqual(answers, ["250"] * 6 + ["450"] * 6)
        self.suite.wait_for_log(r"warning: Connection rate limit exceeded: 13 from unknown\[127\.0\.0\.1\] for service ")
        self.suite.wait_for_log(r"warning: Message delivery request rate limit exceeded: 7 from unknown\[127\.0\.0\.1\] for service ")
        self.suite.command("rookpost", "reload")
        self.suite.wait_for_log(rf"postfix/anvil\[\d+\]: statistics: max connection rate 14/60s for \(127\.0\.0\.1:{self.ports['rates']}:127\.0\.0\.1\) at ")

    def test_bare_newlines(self):
        with Peer(self.ports["strict"]) as peer:
            peer.reply()
            peer.ask("EHLO x")
            for command in ("MAIL FROM:<kitkat@example.test>", "RCPT TO:<nougat@example.test>", "DATA"):
                peer.ask(command)
            self.assertEqual(peer.ask("Subject: bare\r\n\r\nx\n.\nMAIL FROM:<root@example.test>\r\n."),
                             "550 5.5.2 mail.example.test Error: bare <LF> received")
            self.assertRegex(peer.ask("QUIT"), "^221 ")
        self.suite.wait_for_log(r"reject: END-OF-MESSAGE from unknown\[127\.0\.0\.1\]: 550 5\.5\.2 mail\.example\.test Error: bare <LF> received; from=<kitkat@example\.test>")

    @suite.needs("swaks")
    def test_swaks(self):
        for extra in (["--protocol", "ESMTP"], ["--xclient", "NAME=spike.test ADDR=198.51.100.20"], ["--pipeline"]):
            with self.subTest(extra=extra):
                done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(self.suite.ports["smtp"]), "--from", "kitkat@example.test", "--to",
                                       "nougat@example.test", "--header", "Subject: swaks", "--helo", "client.test", *extra], capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    suite.main()
