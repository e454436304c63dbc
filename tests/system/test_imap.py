"""IMAP as real mail programs use it: searching, sorting, synchronizing, and many sessions on one mailbox at once."""
import email
import email.utils
import imaplib
import os
import random
import re
import threading
import time
import unittest
import zlib

from harness import clients, suite
from harness.instance import PASSWORD, Instance, certificate
from harness.machines import HERE, SCRATCH
from harness.wait import until

imaplib.Commands.update({name: ("AUTH", "SELECTED") for name in ("COMPRESS", "MOVE", "UNSELECT")})


def letter(subject, message_id=None, references=None, text="text"):
    fields = [f"From: {subject}@example.test", f"Subject: {subject}", "Date: Mon, 7 Feb 1994 21:52:25 +0000"]
    if message_id:
        fields.append(f"Message-ID: <{message_id}>")
    if references:
        fields.append("References: " + " ".join(f"<{each}>" for each in references))
    return ("\r\n".join([*fields, "", text]) + "\r\n").encode()


class Imap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("imap", settings={"message_size_limit": "20000000"})
        cls.names = [f"reader{number}" for number in range(12)]
        cls.suite.add_users(*cls.names)
        cls.suite.start()
        cls.home = f"{SCRATCH}/imap-home"
        os.makedirs(cls.home)

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def fresh(self):
        """A user with an empty mailbox."""
        return self.names.pop()

    def client(self, user, mailbox="INBOX"):
        client = clients.imap(self.suite, user, mailbox)
        self.addCleanup(self.leave, client)
        return client

    @staticmethod
    def leave(client):
        try:
            client.shutdown()
        except OSError:
            pass

    def fill(self, user, *letters):
        client = self.client(user, None)
        for each in letters:
            self.assertEqual(client.append("INBOX", None, None, each)[0], "OK")
        return client

    def ok(self, answer):
        self.assertEqual(answer[0], "OK", answer)
        return answer[1]

    def untagged(self, client, name):
        return client.response(name)[1]

    def run_client(self, *words, check=True, seconds=60, environment=None):
        return HERE.run(*words, environment={"HOME": self.home, "TERM": "xterm", **(environment or {})}, check=check, seconds=seconds)

    # --- Python's client

    def test_sort_and_thread(self):
        client = self.fill(self.fresh(), letter("b", "1@x"), letter("a", "2@x"), letter("Re: b", "3@x", ["1@x"]))
        client.select("INBOX")
        self.assertEqual(self.ok(client.sort("(SUBJECT)", "UTF-8", "ALL")), [b"2 1 3"])
        self.assertEqual(self.ok(client.sort("(REVERSE SUBJECT DATE)", "US-ASCII", "SUBJECT", "b")), [b"1 3"])
        self.assertEqual(self.ok(client.thread("REFERENCES", "UTF-8", "ALL")), [b"(1 3)(2)"])
        self.assertEqual(self.ok(client.uid("THREAD", "ORDEREDSUBJECT", "UTF-8", "ALL")), [b"(1 3)(2)"])

    def test_changes_since(self):
        user = self.fresh()
        client = self.fill(user, letter("one"), letter("two"), letter("three"))
        self.assertIn(b"CONDSTORE", self.ok(client.capability())[0])
        self.ok(client.enable("QRESYNC"))
        client.select("INBOX")
        validity = self.untagged(client, "UIDVALIDITY")[-1].decode()
        modseq = self.untagged(client, "HIGHESTMODSEQ")[-1].decode()
        other = self.client(user)
        other.store("2", "+FLAGS", r"\Flagged")
        other.store("3", "+FLAGS", r"\Deleted")
        other.expunge()
        typ, lines = client._simple_command("SELECT", "INBOX", f"(QRESYNC ({validity} {modseq}))")
        self.assertEqual(typ, "OK", lines)
        self.assertEqual(self.untagged(client, "VANISHED"), [b"(EARLIER) 3"])
        fetched = self.untagged(client, "FETCH")
        self.assertEqual(len(fetched), 1, fetched)
        self.assertRegex(fetched[0], rb"^2 \(UID 2 MODSEQ \(\d+\) FLAGS \(\\Flagged.*\)\)")

    def test_compression(self):
        client = self.client(self.fresh(), None)
        self.ok(client._simple_command("COMPRESS", "DEFLATE"))
        packer, unpacker = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        client.sock.sendall(packer.compress(b"a LIST \"\" *\r\nb LOGOUT\r\n") + packer.flush(zlib.Z_SYNC_FLUSH))
        heard = b""
        while b"b OK" not in heard:
            piece = client.sock.recv(65536)
            self.assertTrue(piece, heard)
            heard += unpacker.decompress(piece)
        self.assertIn(b'* LIST (\\HasNoChildren) "." INBOX\r\n', heard)

    def test_idle_hears_of_other_sessions_and_of_deliveries(self):
        user = self.fresh()
        waiting, other = self.fill(user, letter("one")), self.client(user)
        waiting.select("INBOX")
        waiting.send(b"i IDLE\r\n")
        self.assertEqual(waiting.readline()[:1], b"+")
        other.store("1", "+FLAGS", r"(\Flagged \Deleted)")
        self.assertIn(rb"\Flagged", waiting.readline())
        other.expunge()
        self.assertEqual(waiting.readline(), b"* 1 EXPUNGE\r\n")
        self.suite.sendmail("-i", f"{user}@example.test", message=b"Subject: new\n\nnew\n")
        self.assertEqual(waiting.readline(), b"* 1 EXISTS\r\n")
        waiting.send(b"DONE\r\n")

    def test_numbers_stay_while_they_are_used(self):
        user = self.fresh()
        first, second = self.fill(user, *[letter(str(number)) for number in range(5)]), self.client(user)
        first.select("INBOX")
        second.store("1:2", "+FLAGS", r"\Deleted")
        second.expunge()
        # RFC 3501 7.4.1: no EXPUNGE in answer to these.
        self.assertEqual(self.ok(first.search(None, "SUBJECT", '"4"')), [b"5"])
        fetched = self.ok(first.fetch("3", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
        self.assertIn(b"Subject: 2", fetched[0][1])
        self.assertEqual(self.untagged(first, "EXPUNGE"), [None])
        first.noop()
        self.assertEqual(self.untagged(first, "EXPUNGE"), [b"2", b"1"])

    # --- programs

    @suite.needs("curl")
    def test_curl(self):
        user = self.fresh()
        words = ["curl", "--silent", "--show-error", "--max-time", "30", "--cacert", certificate()[0], "--user", f"{user}@example.test:{PASSWORD}"]
        url = f"imaps://localhost:{self.suite.ports['imaps']}"
        HERE.write(f"{self.home}/letter", letter("hello"))
        self.run_client(*words, f"{url}/INBOX", "--upload-file", f"{self.home}/letter")
        self.assertEqual(self.run_client(*words, f"{url}/INBOX;UID=1").stdout, letter("hello"))
        self.assertEqual(self.run_client(*words, f"{url}/INBOX?SUBJECT%20hello").stdout, b"* SEARCH 1\r\n")
        self.assertEqual(self.run_client(*words, f"{url}/INBOX", "--request", "SORT (DATE) UTF-8 ALL").stdout, b"* SORT 1\r\n")
        self.assertEqual(self.run_client(*words, f"{url}/INBOX;UID=1;SECTION=TEXT").stdout, b"text\r\n")
        self.assertIn(b"STATUS INBOX (MESSAGES 1)", self.run_client(*words, url, "--request", "STATUS INBOX (MESSAGES)").stdout)

    @suite.needs("mbsync")
    def test_mbsync_all_folders(self):
        user = self.fresh()
        client = self.fill(user, letter("one"), letter("two"))
        self.ok(client.create("Work.2026"))
        self.ok(client.append("Work.2026", r"(\Seen)", None, letter("three")))
        HERE.write(f"{self.home}/mbsyncrc", f"IMAPAccount there\nHost localhost\nPort {self.suite.ports['imaps']}\nUser {user}@example.test\nPass {PASSWORD}\nSSLType IMAPS\n"
                   f"CertificateFile {certificate()[0]}\n\nIMAPStore far\nAccount there\n\nMaildirStore near\nPath {self.home}/near/\nInbox {self.home}/near/INBOX\n"
                   "SubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\nSyncState *\n")
        os.makedirs(f"{self.home}/near")
        mbsync = ("mbsync", "-c", f"{self.home}/mbsyncrc", "all")
        self.run_client(*mbsync)
        copies = [name for _, _, names in os.walk(f"{self.home}/near") for name in names if ".mbsync" not in name and ":2," in name or "_" in name and "." in name]
        self.assertGreaterEqual(len(copies), 3, copies)
        client.select("INBOX")
        client.store("1", "+FLAGS", r"\Deleted")
        client.expunge()
        self.run_client(*mbsync)
        self.run_client(*mbsync)
        inbox = os.listdir(f"{self.home}/near/INBOX/new") + os.listdir(f"{self.home}/near/INBOX/cur")
        self.assertEqual(len(inbox), 1, inbox)

    @suite.needs("offlineimap")
    def test_offlineimap(self):
        user = self.fresh()
        client = self.fill(user, letter("one", text="grüße"), letter("two"))
        self.ok(client.create("&1VyuAA-"))
        HERE.write(f"{self.home}/offlineimaprc", f"""[general]
accounts = a
metadata = {self.home}/offlineimap
ui = quiet
[Account a]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {self.home}/offline
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {self.suite.ports['imaps']}
ssl = yes
sslcacertfile = {certificate()[0]}
remoteuser = {user}@example.test
remotepass = {PASSWORD}
""")
        program = ("offlineimap", "-o", "-c", f"{self.home}/offlineimaprc")
        self.run_client(*program)
        inbox = f"{self.home}/offline/INBOX"
        names = [f"{part}/{name}" for part in ("new", "cur") for name in os.listdir(f"{inbox}/{part}")]
        self.assertEqual(len(names), 2, names)
        # A flag goes up, a message comes down.
        base = os.path.basename(names[0]).split(":")[0]
        os.rename(f"{inbox}/{names[0]}", f"{inbox}/cur/{base}:2,FS")
        self.ok(client.append("INBOX", None, None, letter("three")))
        self.run_client(*program)
        client.select("INBOX")
        self.assertEqual(len(self.ok(client.search(None, "FLAGGED", "SEEN"))[0].split()), 1)
        self.assertEqual(len(os.listdir(f"{inbox}/new")) + len(os.listdir(f"{inbox}/cur")), 3)

    @suite.needs("neomutt", "script")
    def test_neomutt_with_condstore(self):
        user = self.fresh()
        client = self.fill(user, letter("one"), letter("two"), letter("three"))
        HERE.write(f"{self.home}/neomuttrc", f"""set imap_user="{user}@example.test" imap_pass="{PASSWORD}"
set folder="imaps://localhost:{self.suite.ports['imaps']}/" spoolfile="+INBOX"
set certificate_file={certificate()[0]} ssl_ca_certificates_file={certificate()[0]} ssl_verify_host=yes
set header_cache={self.home}/mutt-cache imap_condstore=yes imap_qresync=yes quit=yes delete=yes confirmappend=no wait_key=no sort=threads
""")
        def neomutt(keys):
            self.run_client("script", "-qec", f"timeout --foreground 30 neomutt -n -F {self.home}/neomuttrc -e 'push {keys}'", "/dev/null")
        neomutt("<delete-pattern>~s<space>two<enter><flag-message><sync-mailbox><quit>")
        client.select("INBOX")
        self.assertEqual(self.ok(client.search(None, "ALL")), [b"1 2"])
        self.assertEqual(self.ok(client.search(None, "SUBJECT", "two")), [b""])
        # A second visit finds its cache and what changed since.
        self.ok(client.append("INBOX", None, None, letter("four")))
        neomutt("<delete-pattern>~s<space>four<enter><sync-mailbox><quit>")
        client.noop()
        self.assertEqual(self.ok(client.search(None, "SUBJECT", "four")), [b""])

    @suite.needs("perl")
    def test_mail_imapclient(self):
        user = self.fresh()
        HERE.write(f"{self.home}/client.pl", r"""
use strict; use Mail::IMAPClient; use IO::Socket::SSL;
my ($port, $user, $password, $ca) = @ARGV;
my $c = Mail::IMAPClient->new(Server => 'localhost', Port => $port, User => $user, Password => $password, Uid => 1,
                              Ssl => [SSL_ca_file => $ca]) or die "login: $@";
sub check { my ($what, $value) = @_; die "$what: " . $c->LastError . "\n" unless $value; $value }
check(create => $c->create('Box'));
my $uid = check(append => $c->append_string('Box', "Subject: x\r\nFrom: a\@b\r\n\r\nhello\r\n"));
check(select => $c->select('Box'));
check(flag => $c->set_flag('Flagged', $uid));
check(flags => grep { $_ eq '\\Flagged' } $c->flags($uid));
check(search => scalar(@{[$c->search('SUBJECT', 'x')]}) == 1);
check(sort => ($c->sort('(SUBJECT)', 'UTF-8', 'ALL'))[0] == $uid);
check(thread => $c->thread('REFERENCES', 'UTF-8', 'ALL'));
check("body: " . $c->body_string($uid), $c->body_string($uid) =~ /^hello\r?\n$/);
check(structure => $c->get_bodystructure($uid));
check(envelope => $c->get_envelope($uid)->subject eq 'x');
check(copy => $c->copy('INBOX', $uid));
check(move => $c->move('INBOX', $uid));
check(expunge => $c->expunge);
check(count => $c->message_count('INBOX') == 2);
check(delete => $c->close && $c->delete('Box'));
check(logout => $c->logout);
print "all is well\n";
""")
        if self.run_client("perl", "-MMail::IMAPClient", "-e1", check=False).returncode != 0:
            self.skipTest("Mail::IMAPClient is not installed")
        said = self.run_client("perl", f"{self.home}/client.pl", self.suite.ports["imaps"], f"{user}@example.test", PASSWORD, certificate()[0])
        self.assertEqual(said.stdout, b"all is well\n")

    # --- many at once

    def test_sessions_at_once_agree_in_the_end(self):
        user, seconds = self.fresh(), 6
        self.fill(user, *[letter(str(number)) for number in range(10)])
        failures = []

        def work(seed):
            chance = random.Random(seed)
            client = clients.imap(self.suite, user)
            end = time.monotonic() + seconds
            try:
                while time.monotonic() < end:
                    self.one_step(client, chance)
                client.logout()
            except Exception as failure:        # told by the main thread
                failures.append(f"session {seed}: {failure!r}")
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [], "\n".join(failures))
        views = []
        for _ in range(2):
            client = self.client(user)
            views.append(sorted(re.sub(rb" ?\\Recent", b"", each) for each in self.ok(client.fetch("1:*", "(UID FLAGS RFC822.SIZE)")) if each))
        self.assertEqual(views[0], views[1])

    def one_step(self, client, chance):
        """What any client may do; after it, what it was told of the mailbox must fit together."""
        before = self.known(client)
        step = chance.randrange(6)
        if step == 0 or before == 0:
            answer = client.append("INBOX", None, None, letter("new", text="x" * chance.randrange(3000)))
        elif step == 1:
            answer = client.store(str(chance.randint(1, before)), chance.choice(("+FLAGS", "-FLAGS", "FLAGS")), chance.choice((r"(\Seen)", r"(\Flagged $Key)", r"(\Deleted)")))
        elif step == 2:
            answer = client.expunge()
        elif step == 3:
            client.response("FETCH")
            answer = client.fetch(f"1:{before}", "(UID FLAGS)")
            pairs = sorted({tuple(map(int, each)) for line in answer[1] if line for each in re.findall(rb"^(\d+) \(UID (\d+) ", line)})
            # NO: some are gone, and the client has not heard of it yet.
            assert answer[0] == "NO" or [number for number, _ in pairs] == list(range(1, before + 1)), (answer, before)
            assert all(a[1] < b[1] for a, b in zip(pairs, pairs[1:])), pairs
        elif step == 4:
            answer = client.uid("SEARCH", "UNDELETED")
        else:
            answer = client.uid("COPY", "1:*", "INBOX") if before < 20 else client.noop()
        assert answer[0] in ("OK", "NO"), answer
        self.settle(client)

    @staticmethod
    def known(client):
        return getattr(client, "count", None) or Imap.settle(client)

    @staticmethod
    def settle(client):
        """How many messages the client thinks there are, from EXISTS and EXPUNGE alone."""
        exists = [int(each) for each in client.response("EXISTS")[1] if each]
        client.response("EXPUNGE")
        client.noop()
        exists += [int(each) for each in client.response("EXISTS")[1] if each]
        client.response("EXPUNGE")
        status = client.status("INBOX", "(MESSAGES)")
        client.count = int(re.search(rb"MESSAGES (\d+)", status[1][0]).group(1)) if not exists else exists[-1]
        # The largest number is asked for: it exists, or the client was told of what went.
        typ, found = client.search(None, "ALL")
        numbers = [int(each) for each in found[0].split()] if found and found[0] else []
        assert numbers == list(range(1, len(numbers) + 1)), found
        client.count = len(numbers)
        return client.count


if __name__ == "__main__":
    suite.main()
