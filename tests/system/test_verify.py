"""Address verification with real probes: to mailboxes of our own, and to the mail server of a domain that real DNS names."""
import socketserver
import threading
import unittest

from harness import clients, suite
from harness.dns import NameServer
from harness.instance import Instance
from harness.wait import until

SERVICES = """\
{smtp} inet n - n - - smtpd
qmgr unix n - n 300 1 qmgr
smtp unix - - n - - smtp
local unix - n n - - local
virtual unix - n n - - virtual
"""


class MailHost(socketserver.StreamRequestHandler):
    """Knows joe alone; remembers what it was told."""
    heard = []

    def handle(self):
        self.say("220 mx.good.test ESMTP")
        for line in self.rfile:
            line = line.decode().strip()
            self.heard.append(line)
            if line == "QUIT":
                return self.say("221 2.0.0 Bye")
            if line.startswith("RCPT") and "joe@" not in line:
                self.say("550 5.1.1 who is that?")
            else:
                self.say("250 2.1.5 Ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


@suite.needs_root
@suite.needs("nsd")
class Verification(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dns = NameServer({"good.test": "@ MX 10 mail\nmail A 127.0.0.1\n"})
        cls.host = Server(("127.0.0.1", 0), MailHost)
        threading.Thread(target=cls.host.serve_forever, daemon=True).start()
        cls.system = Instance("verify", services=SERVICES, settings={
            "mynetworks": "192.0.2.0/24", "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "100",
            "smtp_tcp_port": str(cls.host.server_address[1]), "smtp_address_preference": "ipv4",
            "smtpd_sender_restrictions": "reject_unverified_sender", "unverified_sender_reject_code": "550",
            "smtpd_recipient_restrictions": "reject_unverified_recipient", "unverified_recipient_reject_code": "550",
            "local_recipient_maps": "", "smtpd_relay_restrictions": "reject_unauth_destination"})
        cls.system.start()

    @classmethod
    def tearDownClass(cls):
        cls.system.close()
        cls.host.shutdown()
        cls.host.server_close()
        cls.dns.close()

    def setUp(self):
        self.client = clients.smtp(self.system)
        self.client.ehlo()

    def tearDown(self):
        self.client.close()

    def rcpt(self, sender, recipient):
        self.client.rset()
        self.client.mail(sender)
        code, text = self.client.rcpt(recipient)
        return f"{code} {text.decode()}"

    def test_senders_are_asked_for_where_their_mail_goes(self):
        port = self.host.server_address[1]
        self.assertEqual(self.rcpt("joe@good.test", "nougat@example.test")[:3], "250")
        self.assertEqual(self.rcpt("spam@good.test", "nougat@example.test"),
                         "550 5.1.7 <spam@good.test>: Sender address rejected: undeliverable address: "
                         "host mail.good.test[127.0.0.1] said: 550 5.1.1 who is that? (in reply to RCPT TO command)")
        self.assertNotIn("DATA", MailHost.heard)
        self.assertIn("MAIL FROM:<double-bounce@example.test>", MailHost.heard)
        self.system.wait_for_log(rf"to=<joe@good\.test>, relay=mail\.good\.test\[127\.0\.0\.1\]:{port}, .* dsn=2\.1\.5, status=deliverable \(250 2\.1\.5 Ok\)")
        self.system.wait_for_log(r"to=<spam@good\.test>, .* dsn=5\.1\.1, status=undeliverable \(host mail\.good\.test")
        self.assertEqual(self.system.queue(), [])

    def test_recipients_of_our_own(self):
        for recipient, reply in (("kitkat@example.test", "250"), ("root@local.test", "250"), ("postmaster@local.test", "250"),
                                 ("nobody-here@local.test", '550 5.1.1 <nobody-here@local.test>: Recipient address rejected: '
                                  'undeliverable address: unknown user: "nobody-here"')):
            with self.subTest(recipient=recipient):
                self.assertTrue(self.rcpt("", recipient).startswith(reply), recipient)
        self.system.wait_for_log(r"to=<kitkat@example\.test>, relay=virtual, .* status=deliverable \(delivers to maildir\)")
        self.system.wait_for_log(r"to=<postmaster@local\.test>, relay=local, .* status=deliverable \(aliased to root\)")
        self.assertEqual(self.system.messages("kitkat"), [])

    def test_what_was_found_out_outlives_the_queue_manager(self):
        def probes():
            return self.system.log().count("to=<keep@good.test>")
        self.assertEqual(self.rcpt("keep@good.test", "nougat@example.test")[:3], "550")
        self.assertEqual(probes(), 1)
        stored = ("postmap", "-q", "keep@good.test", f"btree:{self.system.settings['data_directory']}/verify_cache")
        until(lambda: self.system.command(*stored, check=False).stdout.startswith(b"2:"), "the answer on disk")
        self.system.stop()
        self.system.start()
        self.client = clients.smtp(self.system)
        self.client.ehlo()
        self.assertEqual(self.rcpt("keep@good.test", "nougat@example.test")[:3], "550")
        self.assertEqual(probes(), 1)


if __name__ == "__main__":
    suite.main()
