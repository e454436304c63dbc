"""The sendmail command as programs call it: words, standard input, environment, and what arrives: envelope, header, body.

In a case "a@" … "e@" stand for addresses of that case alone, whose domain takes everything; so cases run side by side."""
import collections
import concurrent.futures
import email
import os
import re
import subprocess
import unittest

from harness import suite
from harness.instance import Instance
from harness.machines import BIN
from harness.wait import until

PLAIN = "To: a@\nSubject: plain\n\ntext\n"
CRON = ("From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@box> /bin/job\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\nX-Cron-Env: <HOME=/root>\n\nGr\u00fc\u00dfe\n")
PHP = "To: a@\r\nSubject: php\r\nX-PHP-Originating-Script: 0:mail.php\r\nFrom: web@example.test\r\n\r\none\ntwo\r\nthree\n"


class Case(collections.namedtuple("Case", "words message to sender status has hasnt body name environment says")):
    """to: letters of the recipients. sender: None for the caller's own. has, hasnt: of the message that arrives."""


def case(words, message=PLAIN, to="a", sender=None, status=0, has=(), hasnt=(), body=None, name="sendmail", environment=None, says=""):
    words = words.split() if isinstance(words, str) else words
    return Case(words, message, to if status == 0 else "", sender, status, has, hasnt, body, name, environment or {}, says)


CALLERS = [
    # cron and its like
    case("-FCronDaemon -i -B8BITMIME -oem a@", CRON, has=[r"^From: root", r"^X-Cron-Env: <HOME", "Gr\u00fc\u00dfe"]),
    case("-FCronDaemon -odi -oem -oi -or0s a@", CRON),
    case("-i -FCronDaemon -B8BITMIME -oem a@ b@", CRON, to="ab"),
    case("-FAnacron -odi a@", "From: Anacron <root>\nTo: a@\nSubject: Anacron job\n\nx\n", has=[r"^From: Anacron <root@example\.test>"]),
    case("-i a@", "Subject: Output from your job        4\nTo: root\n\nhello\n", body="hello\n"),
    case("-odi a@", "From: arpwatch (Arpwatch box)\nTo: root\nSubject: new station\n\n  hostname: x\n", body="  hostname: x\n"),
    case("-i -B8BITMIME a@", "Subject: systemd timer\n\n\u00e4\n"),
    case("-t", "From: mdadm monitoring <root>\nTo: a@\nSubject: DegradedArray event on /dev/md0\n\nThis is an automatically generated mail.\n",
         has=[r"^Date: ", r"^Message-Id: ", r"^From: mdadm monitoring <root@example\.test>"]),
    case("-t", "To: a@\nFrom: kit\nAuto-Submitted: auto-generated\nSubject: *** SECURITY information for box ***\n\nuser NOT in sudoers\n", has=[r"^Auto-Submitted: auto-gen"]),
    case("-oi -t", "To: a@\nSubject: apt-listchanges: news for box\nMIME-Version: 1.0\n\nnews\n"),
    case("-oi -t", "Subject: unattended-upgrades result\nTo: a@\nAuto-Submitted: auto-generated\nContent-Type: text/plain; charset=\"utf-8\"\n\nok\n"),
    case("-t", "To: a@\nTo: b@\nFrom: Logwatch\nSubject: Logwatch for box (Linux)\nAuto-Submitted: auto-generated\n\n #### Logwatch ####\n", to="ab"),
    # mail programs
    case("-i a@", has=[r"^To: a"]), case("-i -m a@"), case("-i -m -v a@"),
    case("-i -f b@ a@", sender="b"), case("-i -r b@ a@", sender="b"),
    case("-i -- a@ b@ c@", to="abc"), case("-i -m -v -f b@ -F Name -- a@", sender="b"),
    case("-oi -f b@ -t", sender="b"), case("-oi -fb@ -t", sender="b"),
    case("-oem -oi -- a@"), case("-oem -oi -f b@ -- a@", sender="b"),
    case("-oem -oi -f b@ -N failure,delay -R hdrs -B8BITMIME -- a@ c@", to="ac", sender="b"),
    case("-oem -oi -N never -- a@"), case("-oem -oi -B7BIT -- a@"),
    case("-f b@ -i a@ c@", to="ac", sender="b"), case("-i a@ b@ c@ d@ e@", to="abcde"),
    # web programs
    case("-t -i", PHP, has=[r"^X-PHP-Orig", r"^From: web@"], body="one\ntwo\nthree\n"),
    case("-t -i -fb@", PHP, sender="b"), case("-i -t", PHP), case("-t", PHP), case("-ti", PHP), case("-it -f b@", PHP, sender="b"),
    case("-oi -fb@ -t", PHP, sender="b"), case("-t -oi -oem", PHP), case("-t -oi -oem -fb@", PHP, sender="b"), case("-i -f b@ -- a@ c@", PHP, to="ac", sender="b"),
    case("-t -i -f b@", "To: a@\nCc: c@\nBcc: d@\nSubject: x\n\nx\n", to="acd", sender="b", hasnt=[r"^Bcc"]),
    # delivery agents and answering machines
    case("-oi a@"), case("-oi -f b@ a@", sender="b"), case("-i -f b@ -- a@", sender="b"),
    case(["-f", "<>", "--", "a@"], sender=""), case(["-f", "", "a@"], sender=""), case(["-f<>", "-i", "a@"], sender=""), case(["-oi", "-f", "<>", "-t"], sender=""),
    case(["-f", "<b@>", "a@"], sender="b"), case(["-f", "Some One <b@>", "a@"], sender="b"), case("-G -i -f b@ a@", sender="b"),
    case("-oi -t -N never -V env-1 -R full"),
    # one word with many addresses
    case(["a@,b@"], to="ab"), case(["a@, b@"], to="ab"), case(["Some One <a@>"]), case(["a@", "a@"]), case(["<a@>"]),
]

PASSED_OVER = ["-n", "-d", "-d9", "-d8.99,38.9", "-m", "-om", "-oem", "-oep", "-oeq", "-oew", "-oee", "-odi", "-odb", "-odq", "-G", "-x", "-c", "-s", "-T", "-J", "-E", "-v", "-vv",
               "-Ac", "-Am", "-A m", "-h3", "-h 3", "-pESMTP", "-p UUCP", "-Ltag", "-L tag", "-oMs box", "-oMrSMTP", "-OTimeout.queuewarn=4h", "-O DeliveryMode=b",
               "-Dlog", "-em", "-e m", "-bm", "-ba", "-U", "-o7", "-o8", "-oT5d", "-N failure", "-Nsuccess,delay", "-R full", "-Rhdrs", "-V id", "-O IgnoreDots=no",
               "-O smtputf8=no", "-oi -oem -odb", "-XV", "-X /tmp/x", "-N sometimes", "-R some"]

INPUTS = [
    case("a@", "Subject: dot\n\none\n.\ntwo\n", body="one\n"), case("-i a@", "Subject: dot\n\none\n.\ntwo\n", body="one\n.\ntwo\n"),
    case("-oi a@", "Subject: dot\n\n..\n.x\n.\n", body="..\n.x\n.\n"), case("a@", "Subject: dot\n\n..\n.x\n", body="..\n.x\n"), case("a@", "Subject: dot\n\none\n.", body="one\n"),
    case("a@", "Subject: dot\r\n\r\none\r\n.\r\ntwo\r\n", body="one\n"), case("-O IgnoreDots=yes a@", "\n.\nx\n", body=".\nx\n"),
    case("a@", "", body=""), case("a@", "\n", body=""), case("a@", "no header\n", body="no header\n"), case("a@", "Subject: no body", body=""),
    case("a@", "Subject: cut\nnot a header\n\ntext\n", body="not a header\n\ntext\n"), case("a@", "Subject: nul\n\na\0b\n", body="ab\n"),
    case("a@", "Subject: end\n\nno line end", body="no line end\n"), case("a@", "Subject: mixed\r\n\none\r\ntwo\n", body="one\ntwo\n"),
    case("a@", "From b@example.test Mon Nov 23 01:00:00 2026\nSubject: mbox\n\nx\n", has=[r"^Subject: mbox"], hasnt=[r"^From b@"], body="x\n"),
    case("a@", ">From b Mon Nov 23 01:00:00 2026\nReturn-Path: <z@z.test>\nSubject: mbox\n\nx\n", has=[r"^Subject: mbox"], hasnt=[r"z@z\.test"]),
    case("a@", "Return-Path: <z@z.test>\nBcc: z@z.test\nResent-Bcc: y@z.test\nContent-Length: 3\nSubject: x\n\nx\n", hasnt=[r"z\.test", r"^Content-Length"]),
    case("-i a@", "Subject: long\n\n" + "x" * 5000 + "\n"), case("a@", "Subject: long\n\n" + "x" * 70000 + "\n.\nmore\n"),
    case("-t", "To: =?utf-8?q?J=C3=BCrgen?= <a@>, \"Doe, John\" <b@>\nCc: group: c@, d@;\nSubject: lists\n\nx\n", to="abcd"),
    case("-t", "To: undisclosed-recipients:;\nBcc: a@\n\nx\n", hasnt=[r"^Bcc"]), case("-t", "To: a@\n\t, b@,\n c@ (a comment, really)\n\nx\n", to="abc"),
    case("-t", "tO: a@\nCC:b@\nbCc : c@\n\nx\n", to="abc"), case("-t b@", "To: a@\n\nx\n", to="ab"), case("-t a@", "To: a@\n\nx\n"),
    case("-t", "To: z@z.test\nResent-To: a@\nResent-Bcc: b@\nResent-From: c@\n\nx\n", to="ab", hasnt=[r"^Resent-Bcc"]),
    case("-t", "Apparently-To: z@z.test\nTo: a@\n\nx\n"), case("-t", "To:\nCc:\nBcc: a@\n\nx\n"), case("-t", "To: a@\n\nTo: z@z.test\n"), case("-t", "From b Mon Nov 23\nTo: a@\n\nx\n"),
    case("-t", "X: 1\nTo: a@\nnot a header\nTo: z@z.test\n\nx\n"),
    # who it is from
    case("-F Someone a@", "Subject: x\n\nx\n", has=[r"^From: Someone <root@example\.test>"]), case(["-F", "Doe, John", "a@"], "\nx\n", has=[r'^From: "Doe, John" <root@']),
    case(["-F", "J\u00fcrgen", "a@"], "\nx\n", has=[r"^From: =\?utf-8\?\w\?.*\?= <root@"]), case("-FX a@", "From: b@\n\nx\n", has=[r"^From: b\d+@"], hasnt=[r"^From: X"]),
    case("a@", "\nx\n", environment={"NAME": "From Env"}, has=[r"^From: From Env <root@"]), case("-f b@ -F Full a@", "\nx\n", sender="b", has=[r"^From: Full <b\d+@example\.test>"]),
    case(["-F", "Bad\nBcc: z@z.test", "a@"], "\nx\n", hasnt=[r"^Bcc"]), case("a@", "\nx\n", environment={"NAME": "Bad\r\nX-Evil: 1"}, hasnt=[r"^X-Evil"]),
    case("-f kit a@", sender="kit@example.test"), case("a@", "From: kit\n\nx\n", has=[r"^From: kit@example\.test"]),
    case("a@", has=[r"^Received: by mail\.example\.test .*from userid 0"]), case("a@", environment={"LOGNAME": "liar", "USER": "liar"}, hasnt=["liar"]),
    case("-f b@ a@", "Date: Mon, 1 Jan 2024 00:00:00 +0000\nMessage-ID: <own@x>\n\nx\n", sender="b", has=[r"^Date: Mon, 1 Jan 2024", r"^Message-ID: <own@x>"]),
    # other names, and words that open no hole
    case("a@", "From b@ Mon Nov 23 01:00:00 2026 remote from far\nSubject: x\n\nx\n.\ny\n", name="rmail", sender="far!b", body="x\n.\ny\n"),
    case("-f b@ a@", "Subject: x\n\nx\n", name="rmail", sender="b"), case("-i a@", name="exim"), case("-t b@", "To: a@, b@\n\nx\n", name="exim"),
    case("-oi -oem -t", name="exim"), case(["-f", "<>", "-t"], name="exim", sender=""), case("a@", environment={"MAIL_DEBUG": "1", "MAIL_VERBOSE": "1", "IFS": "x"}),
    case(["a@", "$(touch /tmp/x)@example.test"], to="a"), case(["a@", "`id`@example.test"]), case(["-V", "x" * 101, "a@"]), case(["-V", "a\nb", "a@"]),
]

OTHERS = [
    case("", status=64, says="Recipient addresses must be specified on the command line or via the -t option"),
    case("-t", "Subject: x\n\nTo: a@\n", status=64, says="No recipient addresses found in message header"), case("-t", "", status=64),
    case("-Z a@", status=64), case("-B9BIT a@", status=64, says="8BITMIME"), case("-f", status=64), case("-bz", status=64, says="unsupported: -bz"), case("-b", status=64),
    case("a@ -t", status=64), case("-bp a@", status=64, says="requires no recipient"), case("-bi a@", status=64), case("-q a@", status=64), case("-bs a@", status=64),
    case("-t -bv", status=64), case("-qI", status=64), case("-qz", status=64), case("-oA -bi", status=64), case("-O smtputf8=x a@", status=64),
    case(["-f", "a b@c d@e, f@g", "a@"], status=65), case("-C /nowhere a@", status=78),
    case("-i a@", "Subject: big\n\n" + ("x" * 70 + "\n") * 20000, status=69, says="File too big"), case("-i -t", "To: a@\n\n" + ("x" * 70 + "\n") * 20000, status=69),
    case("-bh", to=""), case("-bH", to=""), case("", name="hoststat", to=""), case("", name="purgestat", to=""), case("-bp", to="", says="Mail queue is empty|Kbytes in"),
    case("", name="mailq", to="", says="Mail queue is empty|Kbytes in"), case("-Ac -v", name="mailq", to=""), case("-bP", to="", says="entries="), case("-bC", to=""),
    case("-bi", to=""), case("", name="newaliases", to=""), case("-I", to=""), case("-q", to=""), case("-q30m", to=""), case("-qf", to=""), case("-qSsomebody", to=""),
    case("-q!Snobody", to=""), case("-qRexample.test", to=""), case("", name="runq", to=""),
    case("-bv nougat@example.test", to="", says="deliverable: mailer virtual"), case("-bv no-such@local.test", status=67, says="User unknown"),
    case("-bt -f x nougat@example.test", to="", says="virtual mailbox"),
    case("-bt", "3,0 nougat@example.test\n/parse far@away.test\n/map static:x y\n$m\n$j\n$=w\n/nonsense\n\x01\n/quit\nmore\n", to="",
         says=r"(?s)ADDRESS TEST MODE.*transport +virtual.*default.*returns x.*example\.test.*mail\.example\.test.*Unknown"),
    case("-bV", name="exim", to="", says="Rookpost version"), case("-bpc", name="exim", to="", says=r"^\d+$"), case("-bp", name="exim", to=""),
    case("-bP primary_hostname", name="exim", to="", says=r"^primary_hostname = mail\.example\.test$"), case("-bP nonsense_name", name="exim", status=1),
    case("-bt nougat@example.test", name="exim", to="", says="transport = virtual"), case("-bt no-such@local.test", name="exim", status=2, says="undeliverable"),
    case("-bv nougat@example.test", name="exim", to="", says="verified"), case("-qff", name="exim", to=""), case("-Mrm", name="exim", status=64),
    case("-Mrm ../x", name="exim", status=64), case("-bh 1.2.3.4", name="exim", status=64, says="rookpost explain"), case("-be x", name="exim", status=64),
    case("-bs", "EHLO x\r\nMAIL FROM:<b@>\r\nRCPT TO:<a@>\r\nDATA\r\nSubject: bs\r\n\r\nx\r\n.\r\nQUIT\r\n", sender="b", says=r"(?s)^220 .*\n221 "),
    case("-bs -i -t", "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n", sender=""), case("-bs", "NONSENSE\r\nQUIT\r\n", to="", says="502 |500 "),
]


def cases():
    return [*CALLERS, *[case(flag.split() + ["a@"]) for flag in PASSED_OVER], *INPUTS, *OTHERS]


class Callers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("callers", settings={"message_size_limit": "1000000"})
        cls.suite.write("mailboxes", "nougat@example.test nougat/Maildir/\n@example.test nougat/Maildir/\n")
        cls.suite.start()
        cls.names = f"{cls.suite.folder}/names"
        os.mkdir(cls.names)
        for name in {each.name for each in cases()}:
            os.symlink(f"{BIN}/sendmail", f"{cls.names}/{name}")

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def call(self, number, each):
        own = lambda text: re.sub(r"(?:(?<=-f)|(?<![\w.$`)]))([a-e])@(?![\w.])", rf"\g<1>{number}@example.test", text)
        environment = {"PATH": os.environ["PATH"], "MAIL_CONFIG": self.suite.etc, **each.environment}
        return subprocess.run([f"{self.names}/{each.name}", *map(own, each.words)], input=own(each.message).encode(), env=environment, capture_output=True, timeout=60)

    def arrived(self):
        """By the recipient's local part: the messages."""
        found = collections.defaultdict(list)
        for message in self.suite.messages("nougat"):
            found[re.search(rb"(?mi)^(?:X-Original-To|Delivered-To): (.*?)@", message)[1].decode()].append(message)
        return found

    def check(self, number, each, messages):
        for letter in "abcde":
            self.assertEqual(len(messages.get(f"{letter}{number}", [])), int(letter in each.to), f"messages for {letter}@")
        for letter in each.to:
            message = messages[f"{letter}{number}"][0]
            text = message.decode(errors="replace")
            header, _, body = text.partition("\n\n")
            sender = "root" if each.sender is None else f"{each.sender}{number}" if re.fullmatch("[a-e]", each.sender) else each.sender
            wanted = f"<{sender}>" if not sender or "@" in sender or "!" in sender else f"<{sender}@example.test>"
            if sender != "far!b":
                self.assertEqual(email.message_from_bytes(message)["Return-Path"], wanted)
            for pattern in each.has:
                self.assertRegex(text, re.compile(pattern, re.M | re.S))
            for pattern in each.hasnt:
                self.assertNotRegex(header, re.compile(pattern, re.M | re.I))
            if each.body is not None:
                self.assertEqual(body, each.body)

    def test_everybody(self):
        table = list(enumerate(cases(), 1))
        self.assertGreaterEqual(len(table), 150)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            done = dict(zip((number for number, _ in table), pool.map(lambda one: self.call(*one), table)))
        expected = sum(len(each.to) for _, each in table)
        try:
            until(lambda: sum(map(len, self.arrived().values())) >= expected, lambda: "all mail", seconds=20)
        except AssertionError:
            pass        # the cases say which is missing
        messages = self.arrived()
        for number, each in table:
            with self.subTest(number=number, name=each.name, words=each.words, message=each.message[:100]):
                said = (done[number].stdout + done[number].stderr).decode(errors="replace").replace("\r\n", "\n")
                self.assertEqual(done[number].returncode, each.status, said[-1000:])
                if each.says:
                    self.assertRegex(said, re.compile(each.says, re.M))
                self.check(number, each, messages)


if __name__ == "__main__":
    suite.main()
