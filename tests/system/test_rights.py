"""What each program may do, seen from outside: users, seccomp, capabilities, open files, and who listens."""
import os
import unittest

from harness import clients, processes, suite
from harness.instance import Instance
from harness.isolate import PEOPLE, SYSTEM_USERS
from harness.machines import HERE
from harness.wait import until

HELLO = b"Subject: hello\n\nhello\n"
ROOKPOST, ROOKNULL, VMAIL = SYSTEM_USERS["rookpost"], SYSTEM_USERS["rooknull"], PEOPLE["vmail"]
WITH_NO_RIGHTS = ("smtpd", "smtp-client", "imap-login", "pop3-login")


@suite.needs_root
class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("rights", settings={"relayhost": "[127.0.0.1]:1"}).start()
        cls.sessions = [clients.smtp(cls.suite), clients.imap(cls.suite, "nougat"), clients.pop3(cls.suite, "kitkat")]
        cls.suite.sendmail("nougat@example.test", "far@elsewhere.test", message=HELLO)
        cls.suite.wait_for_messages("nougat", 1)
        until(lambda: any(each["queue_name"] == "deferred" for each in cls.suite.queue()), "a deferred message")

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def running(self, *programs):
        found = [each for each in processes.of(self.suite) if each.program in programs]
        self.assertEqual({each.program for each in found}, set(programs))
        return found

    def test_programs_of_the_network_run_as_rooknull_without_any_right(self):
        for each in self.running(*WITH_NO_RIGHTS):
            with self.subTest(program=each.program):
                status = each.status()
                self.assertEqual(each.uids(), {ROOKNULL})
                self.assertEqual({int(gid) for gid in status["Gid"].split()}, {ROOKNULL})
                self.assertLessEqual({int(gid) for gid in status["Groups"].split()}, {ROOKNULL})
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(status["Seccomp"], "2")
                self.assertEqual({int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}, {0})

    def test_the_others_run_as_their_owner(self):
        for each in self.running("qmgr"):
            self.assertEqual(each.uids(), {ROOKPOST})
            self.assertEqual(each.status()["NoNewPrivs"], "1")
            self.assertEqual(each.status()["Seccomp"], "2")
        for program in ("imapd", "pop3d"):
            owners = [each.uids() for each in self.running(program)]
            self.assertIn({VMAIL}, owners, program)

    def test_programs_of_the_network_hold_no_file_of_queue_or_mailbox(self):
        for each in self.running(*WITH_NO_RIGHTS):
            for path in each.open_files():
                self.assertFalse(path.startswith((f"{self.suite.folder}/mail", *(f"{self.suite.spool}/{queue}/" for queue in
                                                                               ("incoming", "active", "deferred", "hold", "maildrop")))), f"{each.program}: {path}")

    def test_rooknull_can_open_neither_queue_nor_mailboxes_nor_passwords(self):
        messages = []
        for folder, _, names in os.walk(self.suite.spool):
            messages += [f"{folder}/{name}" for name in names if f"{self.suite.spool}/deferred" in folder or f"{self.suite.spool}/active" in folder]
        self.assertTrue(messages)
        boxes = [f"{self.suite.maildir('nougat')}/{folder}/{name}" for folder in ("new", "cur") for name in os.listdir(f"{self.suite.maildir('nougat')}/{folder}")]
        self.assertTrue(boxes)
        for path in [*messages, *boxes, self.suite.maildir("nougat")]:
            with self.subTest(path=path):
                self.assertNotEqual(HERE.run("cat", path, user="rooknull", check=False).returncode, 0)
        for folder in ("incoming", "active", "deferred", "hold", "corrupt", "maildrop"):
            with self.subTest(folder=folder):
                self.assertNotEqual(HERE.run("ls", f"{self.suite.spool}/{folder}", user="rooknull", check=False).returncode, 0)

    def test_other_users_do_not_reach_the_private_sockets(self):
        for user in ("kitkat", "vmail"):
            self.assertNotEqual(HERE.run("ls", f"{self.suite.spool}/private", user=user, check=False).returncode, 0)

    def test_the_queue_manager_has_no_network(self):
        inodes = set()
        for table in ("tcp", "tcp6", "udp", "udp6"):
            with open(f"/proc/self/net/{table}") as file:
                inodes |= {line.split()[9] for line in file.readlines()[1:]}
        for each in self.running("qmgr"):
            sockets = {path[len("socket:["):-1] for path in each.open_files() if path.startswith("socket:[")}
            self.assertEqual(sockets & inodes, set())

    def test_nothing_listens_that_master_cf_does_not_name(self):
        self.assertEqual(processes.listening_ports(), set(self.suite.ports.values()))

    def test_core_dumps_and_debuggers_are_kept_out(self):
        for each in self.running(*WITH_NO_RIGHTS, "qmgr"):
            # A process that is not dumpable has root as the owner of its /proc files.
            self.assertEqual(os.stat(f"/proc/{each.pid}/environ").st_uid, 0, each.program)


if __name__ == "__main__":
    suite.main()
