"""Deliveries on this machine to real programs: commands of master.cf, of main.cf and of people's own files."""
import email
import glob
import json
import os
import re
import socket
import unittest

from harness import suite
from harness.instance import SERVICES, Instance, read_maildir
from harness.machines import HERE
from harness.wait import until

LETTER = b"From: sender@elsewhere.test\nTo: somebody@local.test\nSubject: a letter\n\nfirst line\n.dot\nFrom here\nlast line\n"

# Writes what it was started with, as whom, and what it read, into the file that its first argument names.
RECORDER = """\
import json, os, sys
with open(sys.argv[1] + ".new", "w") as file:
    json.dump({"words": sys.argv[2:], "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "folder": os.getcwd(),
               "environment": dict(os.environ), "input": sys.stdin.buffer.read().decode()}, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""

PIPES = """\
plain unix - n n - - pipe
  user=vmail argv=/usr/bin/python3 {recorder} {mail}/plain $sender $nexthop ${{user}} ${{extension}} $(domain) {{a b}} ${{recipient}}
dressed unix - n n - - pipe
  flags=BDFORXhu.> user=vmail:kitkat directory=/tmp eol=\\r\\n
  argv=/usr/bin/python3 {recorder} {mail}/dressed ${{recipient}} $original_recipient $size $queue_id
bouncing unix - n n - - pipe
  flags=q null_sender= user=vmail argv=/usr/bin/python3 {recorder} {mail}/bouncing <$sender> $recipient
small unix - n n - - pipe
  user=vmail size=50 argv=/bin/true
talking unix - n n - - pipe
  user=vmail argv=/bin/echo filed under letters
failing unix - n n - - pipe
  user=vmail argv=/bin/sh -c {{echo no such box >&2; exit 67}}
speaking unix - n n - - pipe
  user=vmail argv=/bin/sh -c {{echo 5.7.1 not for you; exit 1}}
later unix - n n - - pipe
  user=vmail argv=/bin/sh -c {{exit 75}}
missing unix - n n - - pipe
  user=vmail argv=/nonexistent/program
slow unix - n n - - pipe
  user=vmail argv=/bin/sleep 60
rooted unix - n n - - pipe
  user=root argv=/bin/true
owned unix - n n - - pipe
  user=rookpost argv=/bin/true
drop unix - n n - - pipe
  flags=DRXhu user=nougat argv=/usr/bin/maildrop -V 0 {mail}/filter
qmail unix - n n - - local
  -o qmail_files=yes
boxes unix - n n - - local
  -o home_mailbox=mbox -o mailbox_command_maps= -o enable_original_recipient=no
one unix - n n - 1 pipe
  user=vmail argv=/bin/sh -c {{mkdir {mail}/turn || exit 1; sleep 0.1; rmdir {mail}/turn}}
"""


@suite.needs_root
class Local(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pipes = [line.split()[0] for line in PIPES.splitlines() if not line.startswith(" ")]
        cls.suite = Instance("local", services=SERVICES)
        cls.mail = f"{cls.suite.folder}/mail"
        recorder = HERE.write(f"{cls.suite.folder}/recorder.py", RECORDER)
        cls.suite.services = SERVICES + PIPES.replace("{recorder}", recorder).replace("{mail}", cls.mail)
        cls.suite.settings.update({
            "transport_maps": f"texthash:{cls.suite.etc}/transport", "relay_domains": ", ".join(f"{name}.test" for name in pipes),
            "slow_time_limit": "1s", "deliver_lock_attempts": "2", "dressed_destination_recipient_limit": "1", "one_destination_concurrency_limit": "20",
            "drop_destination_recipient_limit": "1", "export_environment": "TZ LANG=C",
            "mailbox_command_maps": f"texthash:{cls.suite.etc}/commands",
            "mailbox_transport_maps": "inline:{vmail=plain:}", "recipient_canonical_maps": "inline:{old@dressed.test=New.Name+Shop@Dressed.TEST}",
        })
        cls.suite.write_configuration()
        cls.suite.write("transport", "".join(f"{name}.test {name}:{name.title()}.Hop\n" for name in pipes))
        conf = HERE.write(f"{cls.suite.folder}/dovecot.conf", f"mail_location = maildir:~/lda\nbase_dir = {cls.suite.folder}/dovecot\nhostname = local.test\n"
                          "postmaster_address = postmaster@local.test\nlog_path = /dev/stderr\nssl = no\n")
        cls.suite.write("commands", 'kitkat /usr/bin/procmail -a "$EXTENSION"\nnougat /usr/bin/maildrop -d "$USER"\n'
                        f'admin1 /usr/lib/dovecot/dovecot-lda -c {conf} -f "$SENDER" -a "$ORIGINAL_RECIPIENT"\n')
        cls.suite.start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        printed = len(self.suite.log()) if hasattr(self, "suite") else 0
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"--- {self.id()}\n{self.suite.log()[printed:][-5000:]}")

    def send(self, *recipients, sender="Sender@elsewhere.test", letter=LETTER):
        self.suite.sendmail("-i", "-f", sender, *recipients, message=letter)

    def record(self, name):
        path = f"{self.mail}/{name}"
        until(lambda: os.path.exists(path), lambda: f"{path}\n{self.suite.log()[-3000:]}")
        with open(path) as file:
            found = json.load(file)
        os.remove(path)
        return found

    def log_of(self, address, service, dsn, text):
        return self.suite.wait_for_log(rf"to=<{address}>.*relay={service}, .*dsn={dsn}, status={text}")

    # --- pipe

    def test_a_pipe_gets_its_words_and_its_rights(self):
        self.send("Anna+Shop@plain.test", "ben@plain.test")
        got = self.record("plain")
        self.assertEqual(got["words"], ["Sender@elsewhere.test", "Plain.Hop", "Anna", "ben", "Shop", "", "plain.test", "plain.test", "a b",
                                        "Anna+Shop@plain.test", "ben@plain.test"])
        self.assertEqual((got["uid"], got["gid"], got["groups"]), (5000, 5000, [5000]))
        self.assertEqual(got["folder"], self.suite.spool)
        self.assertEqual(set(got["environment"]) - {"LC_CTYPE"}, {"PATH", "LANG"})
        head, body = got["input"].split("\n\n", 1)
        self.assertEqual(body, "first line\n.dot\nFrom here\nlast line\n")
        self.assertTrue(head.startswith("Received: "), head)
        self.log_of("ben@plain.test", "plain", "2.0.0", r"sent \(delivered via plain service\)")

    def test_flags_dress_the_message(self):
        self.send("old@dressed.test")
        got = self.record("dressed")
        self.assertEqual(got["words"][:2], ["new.name+shop@dressed.test", "old@dressed.test"])
        self.assertTrue(int(got["words"][2]) > len(LETTER))
        self.assertEqual((got["uid"], got["gid"], got["folder"]), (5000, 2001, "/tmp"))
        lines = got["input"].split("\r\n")
        self.assertTrue(lines[0].startswith("From Sender@elsewhere.test  "), lines[0])
        self.assertEqual(lines[1:4], ["Return-Path: <Sender@elsewhere.test>", "X-Original-To: old@dressed.test", "Delivered-To: New.Name+Shop@Dressed.TEST"])
        self.assertEqual(lines[-6:], ["first line", "..dot", ">From here", "last line", "", ""])
        self.assertNotIn("\n", got["input"].replace("\r\n", ""))
        with self.subTest("it must not go round in circles"):
            self.send("old@dressed.test", letter=b"Delivered-To: new.name+shop@dressed.test\n" + LETTER)
            self.log_of("New.Name.Shop@Dressed.TEST", "dressed", "5.4.6", r"bounced \(mail forwarding loop for New\.Name\+Shop@Dressed\.TEST\)")

    def test_a_pipe_can_stand_in_for_a_mailbox(self):
        self.send("vmail+box@local.test")
        self.assertEqual(self.record("plain")["words"], ["Sender@elsewhere.test", "mail.example.test", "vmail", "box", "local.test", "a b", "vmail+box@local.test"])
        self.log_of(r"vmail\+box@local.test", "plain", "2.0.0", r"sent \(delivered via plain service\)")

    def test_the_null_sender_can_be_empty(self):
        self.send('"a b"@bouncing.test', sender="<>")
        self.assertEqual(self.record("bouncing")["words"], ["<>", '"a b"@bouncing.test'])

    def test_what_a_command_says_is_what_the_log_says(self):
        cases = [("talking", "2.0.0", r"sent \(delivered via talking service \(filed under letters\)\)"),
                 ("small", "5.2.3", r"bounced \(message too large\)"),
                 ("failing", "5.1.1", r"bounced \(user unknown\. Command output: no such box ?\)"),
                 ("speaking", "5.7.1", r"bounced \(not for you\)"),
                 ("later", "4.3.0", r"deferred \(temporary failure\)"),
                 ("missing", "4.3.0", r"deferred \(temporary failure\. Command output: pipe: fatal: pipe_command: execvp /nonexistent/program: No such file or directory"),
                 ("slow", "4.3.0", r'deferred \(Command time limit exceeded: "/bin/sleep"\)')]
        for service, *_ in cases:
            self.send(f"x@{service}.test")
        for service, dsn, text in cases:
            with self.subTest(service=service):
                self.log_of(f"x@{service}.test", service, dsn, text)

    def test_commands_never_run_as_root_or_as_the_mail_system(self):
        self.send("x@rooted.test", "x@owned.test")
        self.suite.wait_for_log(r"postfix/pipe\[\d+\]: fatal: rooted: user= command-line attribute specifies root privileges")
        self.suite.wait_for_log(r"postfix/pipe\[\d+\]: fatal: owned: user= command-line attribute specifies mail system owner rookpost")
        self.suite.command("postsuper", "-d", "ALL")

    def test_no_more_commands_at_once_than_maxproc(self):
        for number in range(6):
            self.send(f"x{number}@one.test")
        self.suite.wait_for_log(r"relay=one, .*status=sent", count=6)

    # --- the programs people use

    @suite.needs("procmail", "maildrop", "bogofilter")
    def test_mailbox_commands(self):
        box = {user: HERE.home(user) for user in ("kitkat", "nougat", "admin1", "admin2")}
        HERE.write(f"{box['kitkat']}/.procmailrc", "DEFAULT=$HOME/other\n:0:\n* ^Subject: a letter\n$HOME/procmail-box\n", user="kitkat")
        HERE.write(f"{box['nougat']}/.mailfilter", "if (/^Subject: a letter/)\n{\n  to \"$HOME/maildrop-box\"\n}\n", user="nougat", mode=0o600)
        HERE.write(f"{box['admin2']}/.forward", '"|/usr/bin/bogofilter -p -e -u -d $HOME >> $HOME/bogo-box"\n', user="admin2")
        self.send("kitkat+x@local.test", "nougat@local.test", "admin2@local.test")
        for user, name in (("kitkat", "procmail-box"), ("nougat", "maildrop-box"), ("admin2", "bogo-box")):
            with self.subTest(name=name):
                path = f"{box[user]}/{name}"
                until(lambda: os.path.exists(path) and b"last line" in open(path, "rb").read(), lambda: f"{path}\n{self.suite.log()[-3000:]}")
                with open(path) as file:
                    letter = email.message_from_string(re.sub(r"\A(>?From .*\n)+", "", file.read()))
                self.assertEqual(letter["Subject"], "a letter")
                self.assertEqual(letter["Return-Path"], "<Sender@elsewhere.test>")
                self.assertEqual(letter["Delivered-To"], "kitkat+x@local.test" if user == "kitkat" else f"{user}@local.test")
        self.assertIn("X-Bogosity", letter)
        self.log_of(r"kitkat\+x@local.test", "local", "2.0.0", r'sent \(delivered to command: /usr/bin/procmail -a "\$EXTENSION"\)')

    @unittest.skipUnless(os.path.exists("/usr/lib/dovecot/dovecot-lda"), "dovecot-core is not installed")
    def test_dovecot_lda(self):
        home = HERE.home("admin1")
        self.send("admin1@local.test")
        until(lambda: read_maildir(f"{home}/lda"), lambda: self.suite.log()[-3000:])
        self.assertIn(b"last line", read_maildir(f"{home}/lda")[0])

    @suite.needs("maildrop")
    def test_maildrop_as_a_transport(self):
        HERE.write(f"{self.mail}/filter", f'to "{HERE.home("nougat")}/drop-box"\n', user="nougat", mode=0o600)
        self.send("nougat@drop.test")
        until(lambda: os.path.exists(f"{HERE.home('nougat')}/drop-box"), lambda: self.suite.log()[-3000:])
        self.log_of("nougat@drop.test", "drop", "2.0.0", r"sent \(delivered via drop service\)")

    def test_comsat_is_told_of_mail_in_an_mbox(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as comsat:
            comsat.bind(("127.0.0.1", 512))
            comsat.settimeout(20)
            self.send("kitkat@boxes.test")
            self.assertEqual(comsat.recv(100), b"kitkat@0\0")
            size = os.path.getsize(f"{HERE.home('kitkat')}/mbox")
            self.send("kitkat@boxes.test")
            self.assertEqual(comsat.recv(100), f"kitkat@{size}\0".encode())
        with open(f"{HERE.home('kitkat')}/mbox") as file:
            self.assertNotIn("X-Original-To", file.read())

    # --- .qmail files

    def test_dot_qmail_files(self):
        home = HERE.home("nougat")
        for name, text in {"list": f"# a list\n|/usr/bin/python3 {self.suite.folder}/recorder.py {home}/record\n./Maildir-q/\n./mbox-q\n&kitkat@example.test\n"
                                   "|exit 99\n./never\n", "list-owner": "&nougat\n", "default": "|echo 'Sorry, not here. (#5.2.9)'; exit 100\n./never\n"}.items():
            HERE.write(f"{home}/.qmail-{name}", text, user="nougat")
        self.send("nougat+list@qmail.test", "nougat+other@qmail.test", "kitkat+other@qmail.test")
        self.log_of(r"nougat\+list@qmail.test", "qmail", "2.0.0", r"sent \(delivered by \.qmail-list: did 2\+1\+2\)")
        self.log_of(r"nougat\+list@qmail.test", "qmail", "2.0.0", r"sent \(forwarded as ")
        self.log_of(r"nougat\+other@qmail.test", "qmail", "5.2.9", r"bounced \(Sorry, not here\. \(#5\.2\.9\)\)")
        self.log_of(r"kitkat\+other@qmail.test", "qmail", "5.1.1", r"bounced \(Sorry, no mailbox here by that name\. \(#5\.1\.1\)\)")
        with open(f"{home}/record") as file:
            got = json.load(file)
        self.assertEqual((got["uid"], got["folder"], got["environment"]["EXT"]), (2002, home, "list"))
        self.assertTrue(got["input"].startswith("Received: "), got["input"])
        letters = [*read_maildir(f"{home}/Maildir-q"), open(f"{home}/mbox-q", "rb").read()]
        for letter in letters:
            self.assertIn(b"Delivered-To: nougat+list@qmail.test\n", letter)
        self.assertTrue(letters[1].startswith(b"From Sender@elsewhere.test  "))
        self.assertFalse(os.path.exists(f"{home}/never"))
        [forwarded] = self.suite.wait_for_messages("kitkat", 1)
        self.assertIn(b"Return-Path: <nougat+list-owner@qmail.test>", forwarded)

    @suite.needs("mutt_dotlock")
    def test_a_mailbox_that_mutt_has_locked_waits(self):
        home = HERE.home("admin3")
        HERE.write(f"{home}/.forward", f"{home}/box\n", user="admin3")
        HERE.write(f"{home}/box", "", user="admin3", mode=0o600)
        HERE.run("mutt_dotlock", f"{home}/box", user="admin3")
        self.send("admin3@local.test")
        self.log_of("admin3@local.test", "local", "4.2.0", r"deferred \(cannot append message to file .*box\. unable to lock for exclusive access")
        HERE.run("mutt_dotlock", "-u", f"{home}/box", user="admin3")
        self.suite.command("postqueue", "-f")
        self.log_of("admin3@local.test", "local", "2.0.0", rf"sent \(delivered to file: {home}/box\)")
        self.assertFalse(glob.glob(f"{home}/box.lock"))


if __name__ == "__main__":
    suite.main()
