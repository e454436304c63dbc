"""Restriction lists and access tables with real tables and a real name server: who is refused, and what becomes of the rest."""
import smtplib
import unittest

from harness import clients, suite
from harness.dns import NameServer
from harness.instance import SERVICES, Instance
from harness.wait import until

MESSAGE = b"From: joe@good.test\nTo: nougat@example.test\nSubject: hello\n\nhello\n"
BEHIND_THE_FILTER = """\
scan unix - - n - - smtp
127.0.0.1:10026 inet n - n - - smtpd
  -o syslog_name=postfix/behind
  -o content_filter=
  -o mynetworks=127.0.0.0/8
  -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=
  -o smtpd_relay_restrictions=permit_mynetworks,reject
"""
SENDERS = """\
hold@good.test      HOLD for a look
discard@good.test   DISCARD
filter@good.test    FILTER scan:[127.0.0.1]:10026
redirect@good.test  REDIRECT kitkat@example.test
copied@good.test    BCC kitkat@example.test
marked@good.test    PREPEND X-Marked: yes
evil@good.test      REJECT we know you
later@good.test     450 4.2.0 not today
warned@good.test    WARN look at this
"""
RECIPIENTS = """\
listed@example.test     reject_rbl_client bl.test=127.0.0.[2..4]
spared@example.test     reject_rbl_client bl.test=127.0.0.9, permit
strict@example.test     careful
"""


@suite.needs_root
@suite.needs("nsd")
class Restrictions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dns = NameServer({"good.test": "@ MX 10 mail\nmail A 10.9.0.1\n",
                              "bl.test": "1.0.0.127 A 127.0.0.2\n1.0.0.127 TXT \"you know why\"\n",
                              "dom.test": "spam.good.test A 127.0.0.2\n"})
        cls.system = Instance("restrictions", services=SERVICES + BEHIND_THE_FILTER, settings={
            "mynetworks": "192.0.2.0/24", "smtpd_error_sleep_time": "0", "smtpd_hard_error_limit": "100",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "smtpd_sender_restrictions": "check_sender_access texthash:$config_directory/senders, reject_rhsbl_sender dom.test, reject_unknown_sender_domain",
            "smtpd_recipient_restrictions": "check_recipient_access texthash:$config_directory/recipients",
            "smtpd_data_restrictions": "reject_multi_recipient_bounce",
            "smtpd_restriction_classes": "careful", "careful": "warn_if_reject reject_unknown_sender_domain, reject_non_fqdn_helo_hostname",
            "smtpd_reject_footer": "\\c; see http://help.test/?a=$client_address"})
        cls.system.add_users("listed", "spared", "strict")
        cls.system.write("senders", SENDERS)
        cls.system.write("recipients", RECIPIENTS)
        cls.system.start()

    @classmethod
    def tearDownClass(cls):
        cls.system.close()
        cls.dns.close()

    def setUp(self):
        self.client = clients.smtp(self.system)
        self.client.ehlo()
        self.before = {user: len(self.system.messages(user)) for user in ("kitkat", "nougat")}

    def tearDown(self):
        self.client.close()

    def rcpt(self, sender, recipient="nougat@example.test"):
        self.client.rset()
        self.client.mail(sender)
        code, text = self.client.rcpt(recipient)
        return f"{code} {text.decode()}"

    def send(self, sender, recipient="nougat@example.test"):
        code, text = 0, b""
        self.assertEqual(self.rcpt(sender, recipient)[:3], "250")
        code, text = self.client.data(MESSAGE.replace(b"\n", b"\r\n"))
        self.assertEqual(code, 250, text)
        return text.decode().split()[-1]

    def new_messages(self, user, count=1):
        return self.system.wait_for_messages(user, self.before[user] + count)[self.before[user]:]

    def test_refusals_name_their_reason(self):
        footer = "; see http://help.test/?a=127.0.0.1"
        for sender, recipient, reply in (
                ("evil@good.test", "nougat@example.test", "554 5.7.1 <evil@good.test>: Sender address rejected: we know you"),
                ("later@good.test", "nougat@example.test", "450 4.2.0 <later@good.test>: Sender address rejected: not today"),
                ("joe@none.good.test", "nougat@example.test", "450 4.1.8 <joe@none.good.test>: Sender address rejected: Domain not found"),
                ("joe@spam.good.test", "nougat@example.test",
                 "554 5.7.1 Service unavailable; Sender address [joe@spam.good.test] blocked using dom.test"),
                ("joe@good.test", "listed@example.test", "554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using bl.test; you know why"),
                ("joe@good.test", "x@far.test", "554 5.7.1 <x@far.test>: Relay access denied"),
                ("joe@good.test", "nobody@example.test", "550 5.1.1 <nobody@example.test>: Recipient address rejected: User unknown in virtual mailbox table")):
            with self.subTest(sender=sender, recipient=recipient):
                self.assertEqual(self.rcpt(sender, recipient), reply + footer)
                self.system.wait_for_log(r"NOQUEUE: reject: RCPT from localhost\[127\.0\.0\.1\]: " + reply.split(":")[0].replace("[", r"\[") +
                                         rf".*; from=<{sender}> to=<{recipient}> proto=ESMTP helo=<client\.test>$")
        for recipient in ("spared@example.test", "strict@example.test"):
            self.assertEqual(self.rcpt("joe@good.test", recipient)[:3], "250")

    def test_a_bounce_has_one_recipient(self):
        self.client.mail("")
        self.client.rcpt("nougat@example.test")
        self.client.rcpt("kitkat@example.test")
        self.assertEqual(self.client.docmd("DATA")[1].decode().split(";")[0], "5.5.3 <DATA>: Data command rejected: Multi-recipient bounce")

    def test_held_mail_waits_for_its_release(self):
        queue_id = self.send("hold@good.test")
        until(lambda: [each["queue_name"] for each in self.system.queue() if each["queue_id"] == queue_id] == ["hold"], "the message in the hold queue")
        self.assertIn(f"{queue_id}!", self.system.command("mailq").stdout.decode())
        self.system.wait_for_log(r"NOQUEUE: hold: RCPT from \S+: <hold@good\.test>: Sender address for a look; from=<hold@good\.test>")
        self.system.command("postsuper", "-H", queue_id)
        self.new_messages("nougat")

    def test_discarded_mail_is_accepted_and_gone(self):
        queue_id = self.send("discard@good.test")
        self.system.wait_for_log(r"NOQUEUE: discard: RCPT from \S+: <discard@good\.test>: Sender address triggers DISCARD action;")
        self.send("joe@good.test")
        self.new_messages("nougat")
        self.assertNotIn(f"{queue_id}: from=", self.system.log())

    def test_filtered_mail_goes_through_the_filter_and_comes_back(self):
        queue_id = self.send("filter@good.test")
        self.system.wait_for_log(rf"postfix/\S+: {queue_id}: to=<nougat@example\.test>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:10026, .*status=sent")
        self.system.wait_for_log(r"postfix/behind/smtpd\S*: [0-9A-Za-z]+: client=localhost")
        self.new_messages("nougat")

    def test_redirected_copied_and_marked_mail(self):
        self.send("redirect@good.test")
        self.new_messages("kitkat")
        self.send("copied@good.test")
        self.new_messages("kitkat", 2)
        self.new_messages("nougat")
        self.send("marked@good.test")
        self.assertIn(b"\nX-Marked: yes\n", b"\n" + self.new_messages("nougat", 2)[-1].replace(b"\r\n", b"\n"))

    def test_a_warning_is_a_line_in_the_log(self):
        self.assertEqual(self.rcpt("warned@good.test")[:3], "250")
        self.system.wait_for_log(r"NOQUEUE: warn: RCPT from localhost\[127\.0\.0\.1\]: look at this; from=<warned@good\.test>")


@suite.needs_root
class AtOnce(unittest.TestCase):
    def refused_at(self, **lists):
        """What a client hears at the greeting, HELO and MAIL."""
        settings = {"mynetworks": "192.0.2.0/24", "smtpd_delay_reject": "no", **lists}
        with Instance(f"atonce-{next(iter(lists))}", settings=settings) as system:
            client = smtplib.SMTP(timeout=30)
            heard = [client.connect("127.0.0.1", system.ports["smtp"]), client.docmd("EHLO client.test"), client.docmd("MAIL FROM:<joe@good.test>")]
            heard.append(client.docmd("QUIT"))
            log = system.wait_for_log(r"NOQUEUE: reject: (\w+) from localhost\[127\.0\.0\.1\]: ").group(1)
            return [code for code, _ in heard], heard[0][1].decode(), log
        return None

    def test_the_client_at_the_greeting(self):
        codes, greeting, where = self.refused_at(smtpd_client_restrictions="check_client_access inline:{{127.0.0 = REJECT go away}}")
        self.assertEqual(codes, [554, 503, 503, 221])
        self.assertEqual(greeting, "5.7.1 <localhost[127.0.0.1]>: Client host rejected: go away")
        self.assertEqual(where, "CONNECT")

    def test_helo_at_helo(self):
        codes, _, where = self.refused_at(smtpd_helo_restrictions="reject")
        self.assertEqual((codes[:2], where), ([220, 554], "EHLO"))

    def test_the_sender_at_mail(self):
        codes, _, where = self.refused_at(smtpd_sender_restrictions="reject")
        self.assertEqual((codes, where), ([220, 250, 554, 221], "MAIL"))


if __name__ == "__main__":
    suite.main()
