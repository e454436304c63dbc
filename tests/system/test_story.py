"""The story: kitkat at aaa.com and nougat at bbb.com, two machines with a mail system each, and a name server between them."""
import email
import email.policy
import unittest

from harness import suite
from harness.dns import NameServer
from harness.instance import PASSWORD, STANDARD_PORTS, Instance, certificate, password_hash, read_maildir
from harness.machines import FurtherMachine, make_bridge
from harness.wait import until

SUBJECT = "안녕하세요 누가 씨, 킷캣이 보내는 첫 번째 편지입니다"
BODY = "누가 씨에게\n\n오늘은 날씨가 참 좋네요.\n.\n..점으로 시작하는 줄\nFrom 으로 시작하는 줄\n\n킷캣 드림\n"
ATTACHMENT = bytes(range(256)) * 40


def hosts_of_the_story():
    """The two machines and their mail systems; local users with Maildirs at home."""
    make_bridge("10.9.0.53/24")
    systems = []
    for name, number in (("aaa", 1), ("bbb", 2)):
        machine = FurtherMachine(name, nameserver="10.9.0.53")
        machine.join(f"10.9.0.{number}/24", f"port{number}")
        machine.run("hostname", f"mail.{name}.com", check=False)
        suite_ = Instance(name, machine=machine, ports=STANDARD_PORTS, hostname=f"mail.{name}.com", domain=f"{name}.com", settings={
            "mydestination": f"{name}.com, mail.{name}.com", "virtual_mailbox_domains": "", "virtual_mailbox_maps": "",
            "inet_interfaces": "all", "alias_maps": "hash:$config_directory/aliases",
            "minimal_backoff_time": "2s", "maximal_backoff_time": "4s", "smtp_connect_timeout": "5s"})
        suite_.write("users", "".join(f"{user}:{password_hash()}:{uid}:{uid}::{machine.home(user)}::\n" for user, uid in
                                      (("kitkat", 2001), ("nougat", 2002))))
        suite_.write("aliases", "postmaster: root\nroot: nougat\nwebmaster: admin1, admin2, admin3\n")
        suite_.command("newaliases")
        systems.append(suite_)
    return systems


@suite.needs_root
class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aaa, cls.bbb = hosts_of_the_story()
        cls.dns = NameServer({name: f"@ MX 10 mail\nmail A {address}\n" for name, address in (("aaa.com", "10.9.0.1"), ("bbb.com", "10.9.0.2"))},
                             address="10.9.0.53")
        cls.aaa.start()
        cls.bbb.start()

    @classmethod
    def tearDownClass(cls):
        for each in (cls.aaa, cls.bbb):
            each.close()
            each.machine.close()
        cls.dns.close()

    def setUp(self):
        self.printed = {each: len(each.log()) for each in (self.aaa, self.bbb)}

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for each in (self.aaa, self.bbb):
                print(f"--- {self.id()}: log of {each.name}\n{each.log()[self.printed[each]:][-6000:]}")

    # --- the people's tools

    def inbox(self, system, user):
        return [email.message_from_bytes(each, policy=email.policy.default) for each in read_maildir(f"{system.machine.home(user)}/Maildir")]

    def wait_for_subject(self, system, user, subject, seconds=40):
        def found():
            return next((each for each in self.inbox(system, user) if each["Subject"] == subject), None)
        return until(found, lambda: f"{subject!r} for {user}; there are {[each['Subject'] for each in self.inbox(system, user)]}", seconds, pause=0.1)

    def mutt(self, system, sender, recipient, subject, body="hello\n", attachments=()):
        settings = [f"set sendmail='{system.machine.run('sh', '-c', 'command -v sendmail').stdout.decode().strip()} -oem -oi'", "set copy=no", f"set from={sender}", "set use_from=yes",
                    "set use_envelope_from=yes", "set charset=utf-8", "set send_charset=us-ascii:utf-8", "set crypt_use_gpgme=no"]
        words = [word for setting in settings for word in ("-e", setting)]
        files = ["-a", *attachments, "--"] if attachments else ["--"]
        system.machine.run("mutt", "-n", "-F", "/dev/null", *words, "-s", subject, *files, recipient, user=sender.split("@")[0], input=body.encode(),
                           environment={"MAIL_CONFIG": system.etc})

    def check_letter(self, letter):
        self.assertEqual(letter["Subject"], SUBJECT)
        text = letter.get_body().get_content()
        self.assertEqual(text.replace("\r\n", "\n"), BODY)
        self.assertEqual([each.get_content() for each in letter.iter_attachments()], [ATTACHMENT])

    # --- the chapters

    @suite.needs("mutt", "mbsync", "fetchmail")
    def test_1_a_korean_letter_with_an_attachment(self):
        attachment = self.aaa.machine.write(f"{self.aaa.folder}/picture.bin", ATTACHMENT)
        self.mutt(self.aaa, "kitkat@aaa.com", "nougat@bbb.com", SUBJECT, BODY, [attachment])
        self.check_letter(self.wait_for_subject(self.bbb, "nougat", SUBJECT))
        with self.subTest("mbsync"):
            home = self.bbb.machine.home("nougat")
            self.bbb.machine.write(f"{home}/mbsyncrc", f"""
IMAPAccount there
Host localhost
User nougat
Pass {PASSWORD}
SSLType STARTTLS
CertificateFile {certificate()[0]}

IMAPStore far
Account there

MaildirStore near
Inbox {home}/copy/
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
""", user="nougat", mode=0o600)
            self.bbb.machine.run("mbsync", "-c", f"{home}/mbsyncrc", "all", user="nougat")
            copies = [email.message_from_bytes(each, policy=email.policy.default) for each in read_maildir(f"{home}/copy")]
            self.check_letter(next(each for each in copies if each["Subject"] == SUBJECT))
        with self.subTest("fetchmail"):
            self.bbb.machine.write(f"{home}/fetchmailrc", f"poll localhost proto pop3 user nougat password {PASSWORD} sslproto tls1.2+ sslcertfile {certificate()[0]} "
                                   f"keep mda \"cat > {home}/fetched\"\n", user="nougat", mode=0o600)
            self.bbb.machine.run("fetchmail", "-f", f"{home}/fetchmailrc", "--nosyslog", "--pidfile", f"{home}/fetchmail.pid", user="nougat")
            with open(f"{home}/fetched", "rb") as file:
                self.check_letter(email.message_from_binary_file(file, policy=email.policy.default))

    @suite.needs("mutt")
    def test_2_a_host_that_is_down_gets_its_mail_later(self):
        self.bbb.stop()
        self.mutt(self.aaa, "kitkat@aaa.com", "nougat@bbb.com", "while you were away")
        self.aaa.wait_for_log(r"to=<nougat@bbb\.com>.*status=deferred")
        until(lambda: "onnection refused" in self.aaa.command("mailq").stdout.decode(), lambda: self.aaa.command("mailq").stdout.decode())
        self.assertIn("nougat@bbb.com", self.aaa.command("mailq").stdout.decode())
        self.bbb.start()
        self.wait_for_subject(self.bbb, "nougat", "while you were away")
        self.aaa.wait_until_queue_is_empty()
        self.assertEqual(self.aaa.command("mailq").stdout, b"Mail queue is empty\n")

    @suite.needs("mutt")
    def test_3_an_unknown_user_comes_back_as_a_bounce(self):
        self.mutt(self.aaa, "kitkat@aaa.com", "nobody-here@bbb.com", "who are you")
        bounce = self.wait_for_subject(self.aaa, "kitkat", "Undelivered Mail Returned to Sender")
        # RFC 3464: multipart/report with words, a machine-readable part, and the message.
        self.assertEqual(bounce.get_content_type(), "multipart/report")
        self.assertEqual(bounce.get_param("report-type"), "delivery-status")
        self.assertEqual(bounce["Auto-Submitted"], "auto-replied")
        words, status, original = list(bounce.iter_parts())
        self.assertIn("nobody-here@bbb.com", words.get_content())
        self.assertRegex(words.get_content().lower(), r"user unknown|unknown|no such")
        self.assertEqual(status.get_content_type(), "message/delivery-status")
        fields = status.as_string()
        self.assertRegex(fields, r"(?m)^Reporting-MTA: dns; ?mail\.aaa\.com$")
        self.assertRegex(fields, r"(?m)^Final-Recipient: rfc822; ?nobody-here@bbb\.com$")
        self.assertRegex(fields, r"(?m)^Action: failed$")
        self.assertRegex(fields, r"(?m)^Status: 5\.1\.1$")
        self.assertRegex(fields, r"(?m)^Diagnostic-Code: smtp; ?550")
        self.assertIn("who are you", original.as_string())
        self.aaa.wait_until_queue_is_empty()

    @suite.needs("mutt")
    def test_4_an_alias_with_three_members(self):
        self.mutt(self.aaa, "kitkat@aaa.com", "webmaster@bbb.com", "to all three")
        for user in ("admin1", "admin2", "admin3"):
            self.wait_for_subject(self.bbb, user, "to all three")
            self.assertEqual(len(self.inbox(self.bbb, user)), 1)

    @suite.needs("mutt")
    def test_5_a_forward_file_sends_a_copy_back(self):
        forward = self.bbb.machine.write(f"{self.bbb.machine.home('nougat')}/.forward", "\\nougat, kitkat@aaa.com\n", user="nougat")
        try:
            self.mutt(self.aaa, "kitkat@aaa.com", "nougat@bbb.com", "keep and return")
            self.wait_for_subject(self.bbb, "nougat", "keep and return")
            self.wait_for_subject(self.aaa, "kitkat", "keep and return")
        finally:
            self.bbb.machine.run("rm", forward)

    @suite.needs("mutt")
    def test_6_a_loop_of_forwards_ends_in_a_bounce(self):
        forwards = [self.aaa.machine.write(f"{self.aaa.machine.home('admin1')}/.forward", "admin1@bbb.com\n", user="admin1"),
                    self.bbb.machine.write(f"{self.bbb.machine.home('admin1')}/.forward", "admin1@aaa.com\n", user="admin1")]
        try:
            before = len(self.aaa.log().splitlines()) + len(self.bbb.log().splitlines())
            self.mutt(self.aaa, "kitkat@aaa.com", "admin1@bbb.com", "round and round")

            def bounced():
                return next((each for each in self.inbox(self.aaa, "kitkat") if "round and round" in each.as_string()
                             and each.get_content_type() == "multipart/report"), None)
            bounce = until(bounced, "the bounce of a loop", seconds=60, pause=0.2)
            self.assertRegex(bounce.as_string(), r"(?i)loop|too many hops")
            for each in (self.aaa, self.bbb):
                each.wait_until_queue_is_empty()
            # A storm would show in the log.
            self.assertLess(len(self.aaa.log().splitlines()) + len(self.bbb.log().splitlines()) - before, 1500)
        finally:
            self.aaa.machine.run("rm", *forwards)

    def test_7_the_logs_tell_the_story(self):
        log = self.aaa.log()
        self.assertRegex(log, r"(?m)postfix/smtp\[\d+\]: \w+: to=<nougat@bbb\.com>, relay=mail\.bbb\.com\[10\.9\.0\.2\]:25, delay=[\d.]+, "
                              r"delays=[\d./]+, dsn=2\.\d\.\d, status=sent \(250 ")
        self.assertRegex(log, r"(?m)postfix/bounce\[\d+\]: \w+: sender non-delivery notification: \w+$")


if __name__ == "__main__":
    suite.main()
