"""The log is an interface: the tools of Debian that read Postfix's log count what really happened."""
import base64
import os
import re
import unittest

from harness import clients, suite
from harness.instance import PASSWORD, Instance, trust
from harness.machines import HERE

HELLO = b"From: kitkat@example.test\nTo: nougat@example.test\nSubject: hello\n\nhello\n"
DELIVERED, BY_SENDMAIL, REJECTED, DEFERRED, BOUNCED, WRONG_PASSWORDS = 7, 2, 3, 2, 1, 4


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("logs", settings={"mynetworks": "192.0.2.0/24", "relayhost": "[127.0.0.1]:1", "smtpd_error_sleep_time": "0",
                                               "auth_failure_delay": "0", "transport_maps": "inline:{{bounce.test=error:5.1.1 no such place}}"}).start()
        with clients.smtp(cls.suite) as client:
            for _ in range(DELIVERED - BY_SENDMAIL):
                clients.send(client, "kitkat@elsewhere.test", "nougat@example.test", HELLO)
            for _ in range(REJECTED):
                client.ehlo()
                client.mail("spammer@elsewhere.test")
                client.rcpt("victim@elsewhere.test")
                client.rset()
        for _ in range(BY_SENDMAIL):
            cls.suite.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=HELLO)
        for _ in range(DEFERRED):
            cls.suite.sendmail("-i", "-f", "kitkat@example.test", "far@elsewhere.test", message=HELLO)
        for _ in range(BOUNCED):
            cls.suite.sendmail("-i", "-f", "kitkat@example.test", "nobody@bounce.test", message=HELLO)
        for _ in range(WRONG_PASSWORDS):
            client = clients.smtplib.SMTP("localhost", cls.suite.ports["submission"], local_hostname="client.test")
            client.starttls(context=trust())
            client.ehlo()
            client.docmd("AUTH", "PLAIN " + base64.b64encode(f"\0kitkat@example.test\0{PASSWORD}?".encode()).decode())
            client.close()
        cls.suite.wait_for_log(r"status=sent", count=DELIVERED)
        cls.suite.wait_for_log(r"status=deferred", count=DEFERRED)
        cls.suite.wait_for_log(r"status=bounced", count=BOUNCED)
        cls.suite.wait_for_messages("kitkat", BOUNCED)
        cls.suite.wait_for_log(r"removed", count=DELIVERED + 2 * BOUNCED)
        cls.suite.close()

    def test_every_line_has_the_form_of_syslog_and_postfix(self):
        for line in self.suite.log().splitlines():
            self.assertRegex(line, r"^\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ postfix(/\w+)+\[\d+\]: \S")

    @suite.needs("pflogsumm")
    def test_pflogsumm(self):
        report = HERE.run("pflogsumm", self.suite.log_file).stdout.decode()

        def total(word):
            return int(re.search(rf"(?m)^ +(\d+) +{word}", report).group(1))
        bounces_delivered = BOUNCED
        self.assertEqual({word: total(word) for word in ("received", "delivered", "deferred", "bounced", "rejected")},
                         {"received": DELIVERED + DEFERRED + BOUNCED, "delivered": DELIVERED + bounces_delivered, "deferred": DEFERRED, "bounced": BOUNCED,
                          "rejected": REJECTED}, report)

    @suite.needs("fail2ban-regex")
    def test_fail2ban(self):
        for mode, expected in (("normal", REJECTED), ("auth", WRONG_PASSWORDS)):
            with self.subTest(mode=mode):
                report = HERE.run("fail2ban-regex", "--datepattern", "{^LN-BEG}%b %d %H:%M:%S", self.suite.log_file, f"postfix[mode={mode}]").stdout.decode()
                self.assertEqual(int(re.search(r"Failregex: (\d+) total", report).group(1)), expected, report)

    def test_logwatch(self):
        folders = [f"{base}/usr/share/logwatch" for base in ("", os.environ.get("LOGWATCH", ""))]
        folder = next((each for each in folders if os.path.exists(f"{each}/scripts/services/postfix")), None)
        if not folder:
            self.skipTest("logwatch is not installed")
        done = HERE.run("perl", f"-I{folder}/lib", f"{folder}/scripts/services/postfix", "--detail", "10", "--long_queue_ids", self.suite.log_file, check=False)
        report = done.stdout.decode() + done.stderr.decode()
        unmatched = report.partition("**Unmatched Entries**")[2]
        # A program that Postfix does not have, and that logwatch therefore cannot know.
        self.assertEqual([line for line in unmatched.splitlines() if line.strip() and "postfix/auth[" not in line], [])

        def total(words):
            found = re.search(rf"(?m)^ +(\d+) +{words}", report)
            return int(found.group(1)) if found else report
        self.assertEqual(total("Delivered"), DELIVERED + BOUNCED)
        self.assertEqual(total("Rejected"), REJECTED)
        self.assertEqual(total("Deferred"), DEFERRED)


if __name__ == "__main__":
    suite.main()
