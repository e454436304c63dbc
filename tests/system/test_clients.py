"""Real mail programs do their normal job, and what comes out is what went in, byte for byte."""
import email
import email.policy
import os
import re
import shlex
import shutil
import unittest

from harness import clients, suite
from harness.instance import PASSWORD, Instance, certificate, read_maildir
from harness.machines import HERE, ISOLATED, SCRATCH
from harness.wait import until

HEADER = b"From: Kitkat <kitkat@example.test>\nTo: Nougat <nougat@example.test>\nSubject: bytes\nMIME-Version: 1.0\n"
BODIES = {
    "plain": b"one\ntwo\n",
    "dots": b".\n..\n...\n.leading\nmiddle.\n.\nlast\n",
    "eight bit": "안녕 grüße\n".encode() + bytes(range(0x80, 0x100)) + b"\n",
    "long lines": b"x" * 998 + b"\n" + b"y" * 5000 + b"\nend\n",
    "empty": b"",
    "empty lines": b"\n\n\n",
    "From at line start": b"From here to eternity\n>From there\n",
    "tabs and blanks at line ends": b"a \nb\t\n \n\t\n",
    "one hundred thousand lines": b"0123456789 abcdefghijklmnopqrstuvwxyz\n" * 100000,
}
TEXTS = {name: BODIES[name].decode() for name in ("plain", "dots", "From at line start")} | {"Korean": "누가 씨,\n\n안녕히.\n"}


def curl_words(suite_, user):
    return ["curl", "--silent", "--show-error", "--max-time", "30", "--cacert", certificate()[0], "--user", f"{user}@example.test:{PASSWORD}"]


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("clients", settings={"message_size_limit": "20000000"})
        cls.suite.add_users("reader")
        cls.suite.start()
        cls.home = f"{SCRATCH}/client-home"
        os.makedirs(cls.home)

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def write(self, name, text):
        return HERE.write(f"{self.home}/{name}", text, mode=0o600)

    def run_client(self, *words, input=b"", environment=None, **more):
        return HERE.run(*words, input=input, environment={"HOME": self.home, "MAIL_CONFIG": self.suite.etc, **(environment or {})}, **more)

    def arrived(self, send, user="nougat"):
        """The one message that send() brings."""
        known = set(self.suite.messages(user))
        send()

        def new():
            return [each for each in self.suite.messages(user) if each not in known]
        return until(new, lambda: f"a message for {user}\n{self.suite.log()[-3000:]}")[0]

    def check_bytes(self, send, names=tuple(BODIES)):
        for name in names:
            with self.subTest(body=name):
                got = clients.body(self.arrived(lambda: send(HEADER + b"\n" + BODIES[name])))
                self.assertTrue(got == BODIES[name], f"{name}: {len(got)} bytes came for {len(BODIES[name])}: {got[:200]!r} …")

    def check_text(self, send):
        """For programs that write the message themselves: what a reader sees is what was typed."""
        for name, text in TEXTS.items():
            with self.subTest(text=name):
                letter = email.message_from_bytes(self.arrived(lambda: send(text)), policy=email.policy.default)
                self.assertEqual(letter.get_body().get_content().replace("\r\n", "\n"), text)

    # --- sending

    def test_sendmail(self):
        self.check_bytes(lambda message: self.suite.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=message))

    def test_smtplib(self):
        def send(message):
            with clients.smtp(self.suite) as client:
                clients.send(client, "kitkat@example.test", "nougat@example.test", message)
        self.check_bytes(send)

    def test_smtplib_submission(self):
        def send(message):
            with clients.submission(self.suite, "kitkat") as client:
                clients.send(client, "kitkat@example.test", "nougat@example.test", message)
        self.check_bytes(send, ["plain", "dots", "one hundred thousand lines"])

    def test_bdat_in_small_pieces(self):
        def send(message):
            content = message.replace(b"\n", b"\r\n")
            step = max(7, len(content) // 50)
            with clients.smtp(self.suite) as client:
                client.ehlo()
                client.mail("kitkat@example.test", ["body=8bitmime"])
                client.rcpt("nougat@example.test")
                for start in range(0, len(content), step):
                    piece = content[start:start + step]
                    client.send(f"BDAT {len(piece)}\r\n".encode() + piece)
                    self.assertEqual(client.getreply()[0], 250)
                client.send("BDAT 0 LAST\r\n")
                self.assertEqual(client.getreply()[0], 250)
        self.check_bytes(send)

    @suite.needs("curl")
    def test_curl_sends(self):
        def send(message):
            HERE.write(f"{self.home}/message", message.replace(b"\n", b"\r\n"))
            self.run_client(*curl_words(self.suite, "kitkat"), "--ssl-reqd", f"smtp://localhost:{self.suite.ports['submission']}/client.test", "--mail-from",
                            "kitkat@example.test", "--mail-rcpt", "nougat@example.test", "--upload-file", f"{self.home}/message")
        self.check_bytes(send, ["plain", "dots", "eight bit", "empty", "empty lines", "one hundred thousand lines"])

    @suite.needs("swaks")
    def test_swaks(self):
        def send(message):
            HERE.write(f"{self.home}/message", message.removesuffix(b"\n"))      # swaks adds one
            self.run_client("swaks", "--server", f"localhost:{self.suite.ports['submission']}", "-tls", "--auth", "PLAIN", "--auth-user", "kitkat@example.test",
                            "--auth-password", PASSWORD, "--from", "kitkat@example.test", "--to", "nougat@example.test", "--data", f"@{self.home}/message",
                            "--helo", "client.test")
        self.check_bytes(send, ["plain", "dots"])
        for mechanism in ("PLAIN", "LOGIN"):
            self.run_client("swaks", "--server", f"localhost:{self.suite.ports['submissions']}", "-tlsc", "--auth", mechanism, "--auth-user",
                            "kitkat@example.test", "--auth-password", PASSWORD, "--from", "kitkat@example.test", "--to", "nougat@example.test",
                            "--quit-after", "RCPT", "--helo", "client.test")
        refused = self.run_client("swaks", "--server", f"localhost:{self.suite.ports['submissions']}", "-tlsc", "--auth", "PLAIN", "--auth-user",
                                  "kitkat@example.test", "--auth-password", "wrong", "--to", "nougat@example.test", "--helo", "client.test", check=False)
        self.assertIn(b"535 5.7.8", refused.stdout)

    @suite.needs("msmtp")
    def test_msmtp(self):
        self.write("msmtprc", f"account default\nhost localhost\nport {self.suite.ports['submission']}\ntls on\ntls_trust_file {certificate()[0]}\nauth plain\n"
                              f"user kitkat@example.test\npassword {PASSWORD}\nfrom kitkat@example.test\n")
        self.check_bytes(lambda message: self.run_client("msmtp", "-C", f"{self.home}/msmtprc", "nougat@example.test", input=message),
                         [name for name in BODIES if name != "empty"])

    @suite.needs("mutt")
    def test_mutt(self):
        sendmail = HERE.run("sh", "-c", "command -v sendmail").stdout.decode().strip()
        words = ["-n", "-F", "/dev/null", "-e", f"set sendmail='{sendmail} -oem -oi'", "-e", "set copy=no", "-e", "set from=kitkat@example.test", "-e",
                 "set charset=utf-8", "-e", "set crypt_use_gpgme=no", "-e", "set use_envelope_from=yes"]
        self.check_text(lambda text: self.run_client("mutt", *words, "-s", "text", "--", "nougat@example.test", input=text.encode()))
        attachment = bytes(range(256)) * 300
        HERE.write(f"{self.home}/data.bin", attachment)
        letter = email.message_from_bytes(self.arrived(lambda: self.run_client("mutt", *words, "-s", "file", "-a", f"{self.home}/data.bin", "--",
                                                                              "nougat@example.test", input=b"")), policy=email.policy.default)
        self.assertEqual([each.get_content() for each in letter.iter_attachments() if each.get_filename()], [attachment])

    @suite.needs("s-nail")
    def test_s_nail(self):
        sendmail = HERE.run("sh", "-c", "command -v sendmail").stdout.decode().strip()
        self.check_text(lambda text: self.run_client("s-nail", "-:", "/", "-S", f"mta={sendmail}", "-S", "ttycharset=utf-8", "-r", "kitkat@example.test",
                                                     "-s", "text", "nougat@example.test", input=text.encode()))

    @suite.needs("php")
    def test_php_mail(self):
        sendmail = HERE.run("sh", "-c", "command -v sendmail").stdout.decode().strip()
        script = ('exit(mail("nougat@example.test", "text", file_get_contents("php://stdin"), "From: kitkat@example.test\\r\\nMIME-Version: 1.0\\r\\n'
                  'Content-Type: text/plain; charset=utf-8\\r\\nContent-Transfer-Encoding: 8bit", "-fkitkat@example.test") ? 0 : 1);')
        # PHP ends the text with a line end of its own.
        self.check_text(lambda text: self.run_client("php", "-n", "-d", f"sendmail_path={sendmail} -t -i", "-r", script, input=text.removesuffix("\n").encode()))

    @suite.needs("git")
    def test_git_send_email(self):
        if HERE.run("git", "send-email", "--help", check=False).returncode == 1 or not os.path.exists("/usr/lib/git-core/git-send-email"):
            self.skipTest("git-email is not installed")
        repository = f"{self.home}/repository"
        identity = {"GIT_AUTHOR_NAME": "Kitkat", "GIT_AUTHOR_EMAIL": "kitkat@example.test", "GIT_COMMITTER_NAME": "Kitkat",
                    "GIT_COMMITTER_EMAIL": "kitkat@example.test", "GIT_CONFIG_GLOBAL": "/dev/null"}

        def git(*words):
            return self.run_client("git", "-C", repository, *words, environment=identity)
        self.run_client("git", "init", "-q", repository, environment=identity)
        HERE.write(f"{repository}/file", "one\n.\n..two\nFrom three\n")
        git("add", "file")
        git("commit", "-q", "-m", "file: begin\n\nFrom the first day.\n.\nend")
        git("format-patch", "-q", "--root", "-o", f"{self.home}/patches")
        patch = f"{self.home}/patches/{os.listdir(f'{self.home}/patches')[0]}"
        sendmail = HERE.run("sh", "-c", "command -v sendmail").stdout.decode().strip()
        by_smtp = ["--smtp-server=localhost", f"--smtp-server-port={self.suite.ports['submission']}", "--smtp-encryption=tls",
                   f"--smtp-ssl-cert-path={certificate()[0]}", "--smtp-user=kitkat@example.test", f"--smtp-pass={PASSWORD}", "--smtp-domain=client.test"]
        with open(patch, "rb") as file:
            expected = clients.body(file.read())
        for transport in ([f"--smtp-server={sendmail}"], by_smtp):
            with self.subTest(transport=transport[0]):
                got = self.arrived(lambda: git("send-email", "--quiet", "--confirm=never", "--from=Kitkat <kitkat@example.test>", "--to=nougat@example.test", "--suppress-cc=all",
                                               *transport, patch))
                self.assertEqual(clients.body(got), expected)

    # --- reading

    def fill(self):
        """kitkat's mailbox with one message of each body; what lies there."""
        if not self.suite.messages("kitkat"):
            for body in BODIES.values():
                self.suite.sendmail("-i", "-f", "nougat@example.test", "kitkat@example.test", message=HEADER + b"\n" + body)
            self.suite.wait_for_messages("kitkat", len(BODIES))
        return sorted(self.suite.messages("kitkat"))

    def check_copies(self, copies, without=rb"(?!)"):
        """without: header lines that the client adds."""
        def cleaned(message):
            header, rest = message.replace(b"\r\n", b"\n").split(b"\n\n", 1)
            kept = [line for line in re.split(rb"\n(?![ \t])", header) if not re.match(without, line)]
            return b"\n".join(kept) + b"\n\n" + rest
        got, expected = sorted(map(cleaned, copies)), sorted(map(cleaned, self.suite.messages("kitkat")))
        self.assertEqual(len(got), len(expected))
        for ours, theirs in zip(expected, got):
            self.assertTrue(ours == theirs, f"expected {ours[:1200]!r} … ({len(ours)}), got {theirs[:1200]!r} … ({len(theirs)})")

    def test_imaplib_and_poplib(self):
        self.fill()
        self.check_copies(clients.read_imap(self.suite, "kitkat"))
        self.check_copies(clients.read_pop3(self.suite, "kitkat"))

    def test_imaplib_does_all_that_it_can(self):
        client = clients.imap(self.suite, "nougat")
        self.assertEqual(client.create("Projects/Rookpost" if b'"/"' in client.list()[1][0] else "Projects.Rookpost")[0], "OK")
        folder = [each.split()[-1].strip(b'"').decode() for each in client.list()[1] if b"Rookpost" in each][0]
        content = b"Subject: appended\r\n\r\n.\r\nbody\r\n"
        self.assertEqual(client.append(folder, r"(\Flagged)", None, content)[0], "OK")
        self.assertEqual(client.select(folder)[1], [b"1"])
        self.assertEqual(client.fetch("1", "(BODY[] FLAGS)")[1][0][1], content)
        self.assertEqual(client.store("1", "+FLAGS", r"(\Seen keyword)")[0], "OK")
        self.assertEqual(client.search(None, "FLAGGED", "KEYWORD", "keyword", "SUBJECT", "append")[1], [b"1"])
        self.assertEqual(client.uid("COPY", "1:*", "INBOX")[0], "OK")
        self.assertEqual(client.status("INBOX", "(MESSAGES UIDNEXT)")[0], "OK")
        client.store("1", "+FLAGS", r"\Deleted")
        self.assertEqual(client.expunge()[1], [b"1"])
        self.assertEqual(client.select("INBOX")[0], "OK")
        self.assertEqual(client.rename(folder, "Old")[0], "OK")
        self.assertEqual(client.subscribe("Old")[0], "OK")
        self.assertEqual(client.delete("Old")[0], "OK")
        client.logout()

    def test_poplib_deletes_at_quit_only(self):
        for _ in range(2):
            self.suite.sendmail("-i", "reader@example.test", message=HEADER + b"\nx\n")
        self.suite.wait_for_messages("reader", 2)
        client = until(lambda: self.login_pop3("reader"), "a login of the new user")
        self.assertEqual(len(client.uidl()[1]), 2)
        self.assertEqual(client.top(1, 0)[0][:3], b"+OK")
        client.dele(1)
        client.close()                          # no QUIT: nothing is removed
        client = until(lambda: self.login_pop3("reader"), "the mailbox to be free")
        self.assertEqual(client.stat()[0], 2)
        client.dele(1)
        client.quit()
        self.assertEqual(len(self.suite.messages("reader")), 1)

    def login_pop3(self, user):
        try:
            return clients.pop3(self.suite, user)
        except clients.poplib.error_proto:
            return None

    @suite.needs("curl")
    def test_curl_reads(self):
        self.fill()
        count = len(BODIES)
        for url in (f"imaps://localhost:{self.suite.ports['imaps']}/INBOX;MAILINDEX=%d", f"pop3s://localhost:{self.suite.ports['pop3s']}/%d"):
            with self.subTest(url=url):
                self.check_copies([self.run_client(*curl_words(self.suite, "kitkat"), url % number).stdout for number in range(1, count + 1)])

    @suite.needs("mbsync")
    def test_mbsync_both_ways(self):
        self.fill()
        self.write("mbsyncrc", f"IMAPAccount there\nHost localhost\nPort {self.suite.ports['imap']}\nUser kitkat@example.test\nPass {PASSWORD}\nSSLType STARTTLS\n"
                               f"CertificateFile {certificate()[0]}\n\nIMAPStore far\nAccount there\n\nMaildirStore near\nInbox {self.home}/mbsync/\nSubFolders Verbatim\n\n"
                               "Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Both\nExpunge Both\nSyncState *\n")
        self.run_client("mbsync", "-c", f"{self.home}/mbsyncrc", "all")
        self.check_copies(read_maildir(f"{self.home}/mbsync"), without=rb"X-TUID:")
        # Flags and removals travel in both directions.
        name = next(each for each in os.listdir(f"{self.home}/mbsync/new") + os.listdir(f"{self.home}/mbsync/cur"))
        folder = "new" if os.path.exists(f"{self.home}/mbsync/new/{name}") else "cur"
        os.rename(f"{self.home}/mbsync/{folder}/{name}", f"{self.home}/mbsync/cur/{name.split(':')[0]}:2,F")
        self.run_client("mbsync", "-c", f"{self.home}/mbsyncrc", "all")
        client = clients.imap(self.suite, "kitkat")
        flagged = client.search(None, "FLAGGED")[1][0].split()
        self.assertEqual(len(flagged), 1)
        client.store(flagged[0], "-FLAGS", r"\Flagged")
        client.logout()
        self.run_client("mbsync", "-c", f"{self.home}/mbsyncrc", "all")
        self.assertEqual([each for each in os.listdir(f"{self.home}/mbsync/cur") if "F" in each.split(":2,")[-1]], [])

    @suite.needs("fetchmail")
    def test_fetchmail(self):
        self.fill()
        for protocol, port in (("pop3", "pop3s"), ("imap", "imaps")):
            with self.subTest(protocol=protocol):
                inbox = f"{self.home}/fetched-{protocol}"
                os.makedirs(inbox)
                self.write("fetchmailrc", f"poll localhost proto {protocol} service {self.suite.ports[port]} user kitkat@example.test password {PASSWORD} ssl sslcertck "
                                          f"sslcertfile {certificate()[0]} keep fetchall no rewrite mda \"sh -c 'cat > {inbox}/$$'\"\n")
                self.run_client("fetchmail", "-f", f"{self.home}/fetchmailrc", "--nosyslog", "--invisible", "--pidfile", f"{self.home}/fetchmail.pid")
                copies = []
                for name in os.listdir(inbox):
                    with open(f"{inbox}/{name}", "rb") as file:
                        copies.append(file.read())
                self.check_copies(copies, without=rb"(?i)(X-)?(Status|X-Status):")

    @suite.needs("getmail")
    def test_getmail(self):
        self.fill()
        for kind, port in (("SimplePOP3SSLRetriever", "pop3s"), ("SimpleIMAPSSLRetriever", "imaps")):
            with self.subTest(kind=kind):
                inbox = f"{self.home}/{kind}"
                for folder in ("", "-getmail", "/new", "/cur", "/tmp"):
                    os.makedirs(inbox + folder)
                    if ISOLATED:
                        shutil.chown(inbox + folder, "kitkat")      # getmail delivers nothing as root
                self.write("getmailrc", f"[retriever]\ntype = {kind}\nserver = localhost\nport = {self.suite.ports[port]}\nusername = kitkat@example.test\npassword = {PASSWORD}\n"
                                        f"ca_certs = {certificate()[0]}\n[destination]\ntype = Maildir\npath = {inbox}/\n[options]\nread_all = true\ndelivered_to = false\n"
                                        "received = false\nverbose = 0\n")
                os.chmod(f"{self.home}/getmailrc", 0o644)
                self.run_client("getmail", "--getmaildir", f"{inbox}-getmail", "--rcfile", f"{self.home}/getmailrc", user="kitkat" if ISOLATED else None)
                self.check_copies(read_maildir(inbox), without=rb"(Return-Path|X-getmail-retrieved-from-mailbox):")

    @suite.needs("mutt")
    def test_mutt_reads_over_imap(self):
        self.fill()
        save = f"{self.home}/saved"
        commands = f"<delete-pattern>~A<enter><undelete-pattern>~A<enter><tag-pattern>~A<enter><tag-prefix><copy-message>{save}<enter><exit>"
        words = ["-n", "-F", "/dev/null", "-e", "set ssl_starttls=yes ssl_force_tls=yes", "-e", f"set certificate_file={certificate()[0]}", "-e",
                 f"set imap_user=kitkat@example.test imap_pass={PASSWORD} crypt_use_gpgme=no confirmappend=no confirmcreate=no quit=yes mbox_type=Maildir "
                 "wait_key=no delete=no copy=yes header_cache='' mail_check_stats=no", "-e", f"push '{commands}'",
                 "-f", f"imaps://localhost:{self.suite.ports['imaps']}/INBOX"]
        self.run_client("script", "-qec", shlex.join(["mutt", *words]), "/dev/null", environment={"TERM": "xterm"})
        self.check_copies(read_maildir(save), without=rb"(Status|X-Status|Content-Length|Lines):")


if __name__ == "__main__":
    suite.main()
