"""What people and scripts type: sendmail and its exit statuses, the queue commands, postconf, postmap, rookpost."""
import os
import re
import unittest

from harness import clients, processes, suite
from harness.instance import Instance
from harness.wait import until

HELLO = b"From: kitkat@example.test\nTo: nougat@example.test\nSubject: hello\n\nhello\n"


class Sendmail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("sendmail", settings={"message_size_limit": "20000"}).start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def status(self, *words, message=HELLO):
        return self.suite.sendmail(*words, message=message, check=False).returncode

    def delivered(self, *words, message, **more):
        """The one message that a call of sendmail puts into nougat's mailbox."""
        before = len(self.suite.messages("nougat"))
        self.suite.sendmail(*words, message=message, **more)
        return self.suite.wait_for_messages("nougat", before + 1)[-1]

    def test_exit_statuses(self):
        for expected, words, message in [
            (0, ["nougat@example.test"], HELLO),
            (0, ["-t"], HELLO),
            (0, ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "nougat@example.test"], HELLO),
            (0, ["-oem", "-oi", "-f", "kitkat@example.test", "-N", "failure", "-R", "hdrs", "-B8BITMIME", "--", "nougat@example.test"], HELLO),
            (0, ["-odi", "-om", "-L", "tag", "-h", "3", "nougat@example.test"], HELLO),
            (64, [], HELLO),
            (64, ["-t"], b"Subject: nobody\n\nx\n"),
            (64, ["-B9BIT", "nougat@example.test"], HELLO),
            (64, ["-Z", "nougat@example.test"], HELLO),
            (69, ["nougat@example.test"], HELLO + b"x" * 70 + b"\n" + b"y" * 30000),
        ]:
            with self.subTest(words=words, expected=expected):
                self.assertEqual(self.status(*words, message=message), expected)

    def test_t_takes_recipients_from_the_header_and_drops_bcc(self):
        got = self.delivered("-t", message=b"From: kitkat@example.test\nTo: undisclosed-recipients:;\nBcc: Nougat <nougat@example.test>\nSubject: bcc\n\nx\n")
        self.assertNotIn(b"bcc:", got.lower())
        self.assertIn(b"undisclosed-recipients:;", got)

    def test_dot_ends_the_message_unless_i(self):
        self.assertEqual(clients.body(self.delivered("nougat@example.test", message=b"Subject: dot\n\none\n.\ntwo\n")), b"one\n")
        self.assertEqual(clients.body(self.delivered("-i", "nougat@example.test", message=b"Subject: dot\n\none\n.\ntwo\n")), b"one\n.\ntwo\n")

    def test_missing_headers_are_added(self):
        got = self.delivered("-F", "Kit Kat", "-f", "kitkat@example.test", "nougat@example.test", message=b"Subject: few\n\nx\n")
        for pattern in (rb"^Date: ", rb"^Message-I[dD]: <", rb"^From: .*Kit Kat.*kitkat@example\.test", rb"^Received: .*from userid"):
            self.assertRegex(got, re.compile(pattern, re.M | re.S))

    def test_line_ends_of_php(self):
        got = self.delivered("-t", "-i", message=b"To: nougat@example.test\r\nSubject: mixed\r\n\r\nunix line\ndos line\r\nlast\n")
        self.assertEqual(clients.body(got), b"unix line\ndos line\nlast\n")

    def test_bs_speaks_smtp(self):
        before = len(self.suite.messages("nougat"))
        dialogue = b"EHLO x\r\nMAIL FROM:<kitkat@example.test>\r\nRCPT TO:<nougat@example.test>\r\nDATA\r\nSubject: bs\r\n\r\nx\r\n.\r\nQUIT\r\n"
        replies = self.suite.sendmail("-bs", message=dialogue).stdout.decode().splitlines()
        self.assertTrue(replies[0].startswith("220 "), replies)
        self.assertTrue(replies[-1].startswith("221 "), replies)
        self.suite.wait_for_messages("nougat", before + 1)


class SuiteDown(unittest.TestCase):
    def test_sendmail_waits_in_maildrop(self):
        with Instance("down") as suite_:
            suite_.stop()
            done = suite_.sendmail("nougat@example.test", message=HELLO)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(len(os.listdir(f"{suite_.spool}/maildrop")), 1)
            self.assertIn(b"down", suite_.command("mailq", check=False).stdout + suite_.command("mailq", check=False).stderr)
            suite_.start()
            suite_.wait_for_messages("nougat", 1)
            until(lambda: not os.listdir(f"{suite_.spool}/maildrop"), "an empty maildrop")


class Queue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Nothing listens at port 1.
        cls.suite = Instance("queue", settings={"relayhost": "[127.0.0.1]:1", "minimal_backoff_time": "600s"}).start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def setUp(self):
        self.suite.command("postsuper", "-d", "ALL")
        until(lambda: self.suite.queue() == [], "an empty queue")

    def defer(self):
        """Puts in a message that cannot go out; its queue id."""
        self.suite.sendmail("-f", "kitkat@example.test", "far@elsewhere.test", message=HELLO)
        until(lambda: [each for each in self.suite.queue() if each["queue_name"] == "deferred"],
              lambda: f"a deferred message\n{self.suite.queue()}\n{self.suite.log()[-2000:]}")
        return self.suite.queue()[0]["queue_id"]

    def test_an_empty_queue(self):
        self.assertEqual(self.suite.command("mailq").stdout, b"Mail queue is empty\n")

    def test_mailq_says_why(self):
        queue_id = self.defer()
        listing = self.suite.command("mailq").stdout.decode()
        self.assertRegex(listing, r"(?m)^----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------$")
        self.assertRegex(listing, rf"(?m)^{queue_id} +\d+ \w{{3}} \w{{3}} [ \d]\d \d\d:\d\d:\d\d  ?kitkat@example\.test$")
        self.assertRegex(listing, r"(?m)^ *\(.*127\.0\.0\.1.*[Cc]onnection refused.*\)$")
        self.assertRegex(listing, r"(?m)^ +far@elsewhere\.test$")
        self.assertRegex(listing, r"(?m)^-- \d+ Kbytes in 1 Request\.$")
        entry = self.suite.queue()[0]
        self.assertEqual([each["address"] for each in entry["recipients"]], ["far@elsewhere.test"])
        self.assertIn("onnection refused", entry["recipients"][0]["delay_reason"])

    def test_hold_release_requeue_delete(self):
        queue_id = self.defer()
        done = self.suite.command("postsuper", "-h", queue_id)
        self.assertIn(b"Placed on hold: 1 message", done.stdout + done.stderr)
        until(lambda: self.suite.queue()[0]["queue_name"] == "hold", "hold")
        self.assertIn(f"{queue_id}!", self.suite.command("mailq").stdout.decode())
        self.suite.command("postsuper", "-H", queue_id)
        until(lambda: self.suite.queue()[0]["queue_name"] != "hold", "not on hold")
        done = self.suite.command("postsuper", "-r", queue_id)
        self.assertIn(b"Requeued: 1 message", done.stdout + done.stderr)
        until(lambda: len(self.suite.queue()) == 1, "the message again")
        done = self.suite.command("postsuper", "-d", "-", input=self.suite.queue()[0]["queue_id"].encode() + b"\n")
        self.assertIn(b"Deleted: 1 message", done.stdout + done.stderr)
        until(lambda: self.suite.queue() == [], "an empty queue")

    def test_postcat_shows_envelope_and_content(self):
        queue_id = self.defer()
        whole = self.suite.command("postcat", "-q", queue_id).stdout.decode()
        self.assertIn("sender: kitkat@example.test", whole)
        self.assertIn("recipient: far@elsewhere.test", whole)
        self.assertIn("Subject: hello", whole)
        header = self.suite.command("postcat", "-hq", queue_id).stdout.decode()
        self.assertIn("Subject: hello", header)
        self.assertNotIn("recipient: far", header)
        self.assertEqual(self.suite.command("postcat", "-bq", queue_id).stdout.strip(), b"hello")

    def test_trace_qshape_and_exim_tell_of_it(self):
        queue_id = self.defer()
        story = self.suite.command("rookpost", "trace", queue_id).stdout.decode()
        for expected in ("received from local user", "put off for <far@elsewhere.test>", "lies in deferred", "Connection refused"):
            self.assertIn(expected, story)
        self.assertEqual(self.suite.command("rookpost", "trace", "4jXqCT07bhzG", check=False).returncode, 1)
        self.assertRegex(self.suite.command("qshape", "deferred").stdout.decode(), r"(?m)^ +TOTAL 1 1  0 .*\n +elsewhere\.test 1 1 ")
        self.assertRegex(self.suite.command("exim", "-bp").stdout.decode(), rf"(?m)^ 0m +\d+ {queue_id} <kitkat@example\.test>\n          far@elsewhere\.test$")
        self.suite.command("exim", "-Mf", queue_id)
        self.assertIn("*** frozen ***", self.suite.command("exim", "-bp").stdout.decode())

    def test_explain_names_the_deciding_line(self):
        told = self.suite.command("rookpost", "explain", "nougat@example.test").stdout.decode()
        self.assertRegex(told, r"class +virtual mailbox")
        self.assertRegex(told, r"by texthash:.*/mailboxes, line 2: ")
        self.assertRegex(self.suite.command("rookpost", "explain", "far@away.test").stdout.decode(), r"next hop +\[127\.0\.0\.1\]:1")

    def test_flush_tries_again(self):
        queue_id = self.defer()
        tries = len(re.findall(rf"{queue_id}: to=<far@elsewhere\.test>", self.suite.log()))
        self.suite.command("postqueue", "-i", queue_id)
        self.suite.wait_for_log(rf"{queue_id}: to=<far@elsewhere\.test>.*status=deferred", count=tries + 1)
        self.suite.command("rookpost", "flush")
        self.suite.wait_for_log(rf"{queue_id}: to=<far@elsewhere\.test>.*status=deferred", count=tries + 2)


class Configuration(unittest.TestCase):
    def setUp(self):
        self.suite = Instance("configuration")

    def tearDown(self):
        self.suite.remove()

    def postconf(self, *words):
        return self.suite.command("postconf", *words).stdout.decode()

    def test_postconf_reads_and_edits(self):
        self.assertEqual(self.postconf("-h", "myhostname"), "mail.example.test\n")
        self.assertEqual(self.postconf("-d", "queue_run_delay"), "queue_run_delay = 300s\n")
        self.suite.write("main.cf", "# kept\nmyhostname = a.example.test\n" + "queue_directory = %s\n" % self.suite.spool)
        self.postconf("-e", "myhostname = b.example.test", "relayhost=[127.0.0.1]:1")
        with open(f"{self.suite.etc}/main.cf") as file:
            self.assertEqual(file.read(), f"# kept\nmyhostname = b.example.test\nqueue_directory = {self.suite.spool}\nrelayhost = [127.0.0.1]:1\n")
        self.assertIn("relayhost = [127.0.0.1]:1\n", self.postconf("-n"))
        self.postconf("-X", "relayhost")
        self.assertNotIn("relayhost", self.postconf("-n"))
        self.assertRegex(self.postconf("-M", "qmgr/unix"), r"^qmgr +unix +n +- +n +300 +1 +qmgr\n$")

    def test_a_broken_configuration_is_refused_with_its_line(self):
        for file, text, expected in [("main.cf", "myhostname = x.test\nminimal_backoff_time = soon\n", r"main\.cf:2: .*minimal_backoff_time"),
                                     ("master.cf", "smtp inet n -\n", r"master\.cf:1: ")]:
            with self.subTest(file=file):
                suite_ = Instance("broken")
                suite_.write(file, text)
                done = suite_.command("rookpost", "start", check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr.decode(), expected)
                suite_.remove()

    def test_postmap(self):
        table = f"{self.suite.etc}/table"
        self.suite.write("table", "one\tfirst value\n# comment\nTwo  second\n    continued\n")
        for kind in ("hash", "btree"):
            with self.subTest(kind=kind):
                self.suite.command("postmap", f"{kind}:{table}")
                self.assertEqual(self.suite.command("postmap", "-q", "one", f"{kind}:{table}").stdout, b"first value\n")
                self.assertEqual(self.suite.command("postmap", "-q", "two", f"{kind}:{table}").stdout, b"second    continued\n")
                self.assertEqual(self.suite.command("postmap", "-q", "three", f"{kind}:{table}", check=False).returncode, 1)
                self.assertEqual(sorted(self.suite.command("postmap", "-s", f"{kind}:{table}").stdout.splitlines()),
                                 [b"one\tfirst value", b"two\tsecond    continued"])

    def test_postmap_writes_what_others_read(self):
        table = f"{self.suite.etc}/table"
        self.suite.write("table", "one first\n")
        self.suite.command("postmap", f"hash:{table}")
        script = "use DB_File; tie %h, 'DB_File', $ARGV[0], O_RDONLY, 0, $DB_HASH or die $!; print map { s/\\0$//r } %h"
        self.assertEqual(self.suite.machine.run("perl", "-e", script, f"{table}.db").stdout, b"onefirst")

    def test_newaliases(self):
        self.suite.write("aliases", "postmaster: root\nteam: a, b\n")
        self.suite.command("newaliases")
        self.assertEqual(self.suite.command("postmap", "-q", "team", f"hash:{self.suite.etc}/aliases").stdout, b"a, b\n")


class Life(unittest.TestCase):
    def test_start_status_reload_stop(self):
        suite_ = Instance("life")
        self.assertEqual(suite_.command("rookpost", "status", check=False).returncode, 1)
        self.assertNotEqual(suite_.command("rookpost", "stop", check=False).returncode, 0)
        suite_.start()
        try:
            self.assertEqual(suite_.command("rookpost", "status").returncode, 0)
            self.assertNotEqual(suite_.command("rookpost", "start", check=False).returncode, 0)
            with clients.smtp(suite_) as client:
                client.helo("early.test")
                suite_.command("rookpost", "reload")
                suite_.wait_for_log(r"reload -- version")
                clients.send(client, "kitkat@example.test", "nougat@example.test", HELLO)     # a session outlives a reload
            suite_.wait_for_messages("nougat", 1)
            pid = suite_.master_pid()
        finally:
            suite_.stop()
        until(lambda: not processes.alive(pid), "the end of master", 5)
        suite_.remove()


if __name__ == "__main__":
    suite.main()
