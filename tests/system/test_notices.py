"""What senders are told: of failures, delays and deliveries, and the postmaster's copies; with real mail through the whole suite."""
import email
import smtplib
import unittest

from harness import clients, suite
from harness.instance import Instance

SETTINGS = {
    "bounce_template_file": "", "smtpd_error_sleep_time": "0", "delay_warning_time": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "2s",
    "transport_maps": "inline:{{slow.test = retry:4.4.1 the road is closed} {shut.test = error:5.1.1 nobody of that name}}",
    "notify_classes": "bounce, delay, 2bounce", "bounce_notice_recipient": "nougat@example.test", "delay_notice_recipient": "nougat@example.test",
    "smtpd_reject_unlisted_recipient": "no", "queue_run_delay": "1s",
}
TEMPLATES = """\
failure_template = <<END
Charset: us-ascii
From: robot@example.test (Our Robot)
Subject: It came back
Postmaster-Subject: Copy of what came back

Dear friend of $myhostname,
END
"""


class Notices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("notices", settings=SETTINGS)
        cls.suite.settings["bounce_template_file"] = cls.suite.write("bounce.cf", TEMPLATES) or f"{cls.suite.etc}/bounce.cf"
        cls.suite.write_configuration()
        cls.suite.start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def setUp(self):
        self.before = {user: len(self.suite.messages(user)) for user in ("kitkat", "nougat")}

    def send(self, recipient, *rcpt_options, mail_options=(), sender="kitkat@example.test"):
        with smtplib.SMTP("127.0.0.1", self.suite.ports["smtp"], local_hostname="client.test", timeout=30) as client:
            client.ehlo()
            self.assertTrue(client.has_extn("dsn"))
            self.assertEqual(client.mail(sender, mail_options)[0], 250)
            self.assertEqual(client.rcpt(recipient, rcpt_options)[0], 250)
            self.assertEqual(client.data(b"From: kitkat@example.test\r\nSubject: the original\r\n\r\nits body\r\n")[0], 250)

    def told(self, user="kitkat", count=1):
        raw = self.suite.wait_for_messages(user, self.before[user] + count)[self.before[user]:]
        return [email.message_from_bytes(each) for each in raw]

    def report(self, notice):
        """The fields of the one recipient."""
        self.assertEqual(notice.get_content_type(), "multipart/report")
        words, status, original = notice.get_payload()
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        return words.get_payload(), status.get_payload()[1], original

    def test_success_where_it_was_asked_for(self):
        self.send("nougat@example.test", "NOTIFY=SUCCESS", "ORCPT=rfc822;Nougat@example.test", mail_options=("ENVID=abc", "RET=FULL"))
        notice, = self.told()
        self.assertEqual(notice["Subject"], "Successful Mail Delivery Report")
        self.assertIn("Original-Envelope-Id: abc", str(notice.get_payload()[1].get_payload()[0]))
        words, fields, original = self.report(notice)
        self.assertEqual(fields["Action"], "delivered")
        self.assertEqual(fields["Original-Recipient"], "rfc822;Nougat@example.test")
        self.assertEqual(original.get_content_type(), "text/rfc822-headers")
        self.assertIn("Subject: the original", original.get_payload())

    def test_failure_in_our_own_words_and_a_copy_for_the_postmaster(self):
        self.send("somebody@shut.test", mail_options=("RET=HDRS",))
        notice, = self.told()
        self.assertEqual(notice["From"], "robot@example.test (Our Robot)")
        self.assertEqual(notice["Subject"], "It came back")
        words, fields, original = self.report(notice)
        self.assertIn("Dear friend of mail.example.test,", words)
        self.assertEqual((fields["Action"], fields["Status"]), ("failed", "5.1.1"))
        self.assertEqual(original.get_content_type(), "text/rfc822-headers")
        copy, = self.told("nougat")
        self.assertEqual(copy["Subject"], "Copy of what came back")

    def test_never_means_never(self):
        self.send("somebody@shut.test", "NOTIFY=NEVER")
        self.send("somebody@shut.test", "NOTIFY=FAILURE")
        notice, = self.told()
        self.assertEqual(notice["Subject"], "It came back")
        self.assertEqual(len(self.suite.messages("kitkat")), self.before["kitkat"] + 1)

    def test_a_delay_is_told_once(self):
        self.send("somebody@slow.test")
        notice, = self.told()
        self.assertEqual(notice["Subject"], "Delayed Mail (still being retried)")
        words, fields, original = self.report(notice)
        self.assertEqual((fields["Action"], fields["Status"]), ("delayed", "4.4.1"))
        self.assertTrue(fields["Will-Retry-Until"])
        self.assertEqual(self.told("nougat")[0]["Subject"], "Postmaster Warning: Delayed Mail")
        self.assertEqual(self.suite.log().count("sender delay notification"), 1)
        self.suite.command("postsuper", "-d", "ALL", "deferred")


if __name__ == "__main__":
    suite.main()
