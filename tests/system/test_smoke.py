"""One message in by each door, out by each door."""
import unittest

from harness import clients, suite
from harness.instance import Instance

MESSAGE = b"From: kitkat@example.test\nTo: nougat@example.test\nSubject: smoke\n\nfirst line\n.\n..dots\n"


class Smoke(unittest.TestCase):
    def test_sendmail_to_mailbox_to_imap_and_pop3(self):
        with Instance() as suite_:
            suite_.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=MESSAGE)
            stored = suite_.wait_for_messages("nougat", 1)
            self.assertEqual(clients.body(stored[0]), b"first line\n.\n..dots\n")
            self.assertEqual([clients.body(each) for each in clients.read_imap(suite_, "nougat")], [b"first line\n.\n..dots\n"])
            self.assertEqual([clients.body(each) for each in clients.read_pop3(suite_, "nougat")], [b"first line\n.\n..dots\n"])
            suite_.wait_until_queue_is_empty()

    def test_smtp_and_submission_to_mailbox(self):
        with Instance("second") as suite_:
            with clients.smtp(suite_) as client:
                clients.send(client, "kitkat@example.test", ["nougat@example.test"], MESSAGE)
            with clients.submission(suite_, "kitkat") as client:
                clients.send(client, "kitkat@example.test", ["nougat@example.test"], MESSAGE)
            for stored in suite_.wait_for_messages("nougat", 2):
                self.assertEqual(clients.body(stored), b"first line\n.\n..dots\n")

    def test_nothing_but_master_cf_says_who_listens(self):
        with Instance("third", services="pickup unix n - n 60 1 pickup\nqmgr unix n - n 300 1 qmgr\nvirtual unix - n n - - virtual\n") as suite_:
            suite_.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=MESSAGE)
            suite_.wait_for_messages("nougat", 1)
            with self.assertRaises(OSError):
                clients.smtp(suite_)


if __name__ == "__main__":
    suite.main()
