"""POP3 by real clients: the dialogue, what is kept and what is removed, the login stage's limits, the PROXY protocol, and fail2ban."""
import os
import poplib
import re
import socket
import time
import unittest

from harness import clients, suite
from harness.instance import PASSWORD, SERVICES, STANDARD_PORTS, Instance, certificate, free_ports
from harness.machines import HERE, ISOLATED
from harness.wait import until

MANY = 50_000
STRANGER, GUESSER, CROWD, CALM = "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"


class Proxied:
    """A client as a proxy passes it on."""

    def __init__(self, port, address, header=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=40)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(header or f"PROXY TCP4 {address} 192.0.2.1 4711 110\r\n".encode())

    def __enter__(self):
        self.greeting = self.line()
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def line(self):
        return self.file.readline().decode().rstrip("\r\n")

    def ask(self, line):
        self.socket.sendall(line.encode() + b"\r\n")
        return self.line()

    def log_in(self, user="reader", password=PASSWORD):
        self.ask(f"USER {user}@example.test")
        return self.ask(f"PASS {password}")


class Pop3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.imap_port, cls.pop3_port = free_ports(2)
        services = SERVICES + (f"127.0.0.1:{cls.imap_port} inet n - n - - imap-login\n  -o haproxy=yes\n"
                               f"127.0.0.1:{cls.pop3_port} inet n - n - - pop3-login\n  -o haproxy=yes\n")
        cls.suite = Instance("pop3", services=services, settings={
            "haproxy_trusted_networks": "127.0.0.0/8", "disable_plaintext_auth": "no", "auth_failure_delay": "0", "mail_max_userip_connections": "3",
            "imap_log_compat": "dovecot", "pop3_lock_session": "no", "pop3_enable_last": "yes"})
        cls.suite.add_users("many", "reader")
        cls.suite.start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def inbox(self, user):
        return f"{self.suite.folder}/mail/{user}/Maildir"

    def fill(self, user, count, text="Subject: x\n\nbody\n", sized=True):
        folder = self.inbox(user)
        for part in ("", "/cur", "/new", "/tmp"):
            os.makedirs(folder + part, exist_ok=True)
        first = f"{folder}/tmp/first"
        with open(first, "w") as file:
            file.write(text)
        octets = len(text) + text.count("\n")
        size = f",S={len(text)},W={octets}" if sized else ""
        for number in range(count):
            os.link(first, f"{folder}/cur/{1700000000 + number}.M{number}P1.test{size}:2,")
        os.unlink(first)
        if ISOLATED:
            HERE.run("chown", "-R", str(self.suite.mail_uid), f"{self.suite.folder}/mail/{user}")
        return octets

    def test_capabilities_and_languages(self):
        client = poplib.POP3("localhost", self.suite.ports["pop3"], timeout=30)
        before = client.capa()
        self.assertLessEqual({"STLS", "USER", "SASL", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE", "UTF8", "LANG", "IMPLEMENTATION"}, set(before))
        self.assertEqual(before["EXPIRE"], ["NEVER"])
        self.assertTrue(client.utf8().startswith(b"+OK"))
        client.user("kitkat@example.test")
        client.pass_(PASSWORD)
        after = client.capa()
        self.assertFalse({"STLS", "USER", "SASL"} & set(after))
        self.assertEqual(client._longcmd("LANG")[1], [b"en English", b"i-default English"])
        client.quit()

    def test_fifty_thousand_messages(self):
        octets = self.fill("many", MANY)
        started = time.monotonic()
        client = clients.pop3(self.suite, "many")
        self.assertEqual(client.stat(), (MANY, MANY * octets))
        self.assertEqual(len(client.list()[1]), MANY)
        ids = client.uidl()[1]
        self.assertEqual(len(set(ids)), MANY)
        self.assertRegex(ids[0], rb"^1 00000001[0-9a-f]{8}$")
        self.assertEqual(client.top(MANY, 0)[1], [b"Subject: x", b""])
        client.quit()
        self.assertLess(time.monotonic() - started, 20)
        self.suite.wait_for_log(rf"pop3\(many@example\.test\)<\d+><\S+>: Disconnected: Logged out top=1/14, retr=0/0, del=0/{MANY}, size={MANY * octets}$")

    def test_quit_alone_removes(self):
        self.fill("nougat", 3)
        client = clients.pop3(self.suite, "nougat")
        client.retr(2)
        client.dele(2)
        client.close()                      # no QUIT
        client = clients.pop3(self.suite, "nougat")
        self.assertEqual(client.stat()[0], 3)
        client.retr(2)
        client.dele(1)
        self.assertEqual(client._shortcmd("LAST"), b"+OK 2")
        client.quit()
        client = clients.pop3(self.suite, "nougat")
        self.assertEqual(client.stat()[0], 2)
        self.assertEqual(client._shortcmd("LAST"), b"+OK 1")
        client.quit()

    @suite.needs("curl")
    def test_curl(self):
        self.fill("kitkat", 2)
        for url, words in ((f"pop3://localhost:{self.suite.ports['pop3']}/1", ["--ssl-reqd"]), (f"pop3s://localhost:{self.suite.ports['pop3s']}/1", [])):
            with self.subTest(url=url):
                done = HERE.run("curl", "-sS", "--cacert", certificate()[0], *words, "-u", f"kitkat@example.test:{PASSWORD}", url)
                self.assertEqual(done.stdout, b"Subject: x\r\n\r\nbody\r\n")

    def test_so_many_sessions_of_a_user_at_an_address_and_no_more(self):
        sessions = [Proxied(self.pop3_port, CROWD).__enter__() for _ in range(4)]
        self.assertEqual([each.log_in()[:4] for each in sessions], ["+OK "] * 3 + ["-ERR"])
        with Proxied(self.pop3_port, CALM) as other:
            self.assertEqual(other.log_in(), "+OK Logged in.")
        self.assertEqual(sessions[0].ask("QUIT"), "+OK Logging out.")
        until(lambda: sessions[3].log_in().startswith("+OK"), "a place")
        for each in sessions:
            each.__exit__()

    def test_the_proxy_says_who_it_is(self):
        with Proxied(self.imap_port, STRANGER) as client:
            self.assertTrue(client.greeting.startswith("* OK [CAPABILITY "))
            client.ask(f"a LOGIN reader@example.test {PASSWORD}")
        self.suite.wait_for_log(rf"imap-login: Login: user=<reader@example\.test>, method=PLAIN, rip={re.escape(STRANGER)}, lip=192\.0\.2\.1, mpid=\d+, session=<\S+>$")
        self.suite.wait_for_log(r"imap\(reader@example\.test\)<\d+><\S+>: Disconnected: Connection closed in=\d+ out=\d+$")
        version_2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes([203, 0, 113, 9, 192, 0, 2, 1]) + (4711).to_bytes(2, "big") + (110).to_bytes(2, "big")
        with Proxied(self.pop3_port, None, version_2) as client:
            self.assertEqual(client.log_in(), "+OK Logged in.")
            client.ask("QUIT")
        self.suite.wait_for_log(r"pop3-login: Login: user=<reader@example\.test>, method=PLAIN, rip=203\.0\.113\.9, lip=192\.0\.2\.1, ")
        for wrong in (b"QUIT\r\nQUIT\r\nQUIT\r\n", b"PROXY NONSENSE 1 2 3 4\r\n"):
            with self.subTest(wrong=wrong), Proxied(self.pop3_port, None, wrong) as client:
                self.assertEqual(client.greeting, "")

    def test_who_guesses_waits(self):
        """Each failure doubles the time before the next check; others are not made to wait."""
        times = []
        for password in ("one", "two", "three"):
            with Proxied(self.pop3_port, GUESSER) as client:
                started = time.monotonic()
                self.assertEqual(client.log_in(password=password), "-ERR [AUTH] Authentication failed.")
                times.append(time.monotonic() - started)
        self.assertLess(times[0], 1.5)
        self.assertGreater(times[1], 1.5)
        self.assertGreater(times[2], 3.5)
        started = time.monotonic()
        with Proxied(self.pop3_port, CALM) as client:
            self.assertEqual(client.log_in(), "+OK Logged in.")
        self.assertLess(time.monotonic() - started, 1.5)

    @suite.needs("fail2ban-regex")
    def test_fail2ban(self):
        addresses = [f"203.0.113.{last}" for last in (50, 51, 52)]
        for port, line in ((self.imap_port, "a LOGIN nobody@example.test wrong"), (self.pop3_port, "AUTH PLAIN AGtpdGthdAB3cm9uZw==")):
            for address in addresses:
                with Proxied(port, address) as client:
                    answer = client.ask(line)
                    self.assertTrue("AUTH" in answer, answer)
        self.suite.wait_for_log(r"(imap|pop3)-login: Disconnected.*\(auth failed, 1 attempts in \d+ secs\): user=<[^>]*>, method=PLAIN, rip=203\.0\.113\.5\d, lip=\S+, session=<\S+>$",
                                count=6)
        with open(f"{self.suite.folder}/ours", "w") as file:
            file.writelines(line + "\n" for line in self.suite.log().splitlines() if "rip=203.0.113.5" in line)
        report = HERE.run("fail2ban-regex", "--datepattern", "{^LN-BEG}%b %d %H:%M:%S", f"{self.suite.folder}/ours", "dovecot").stdout.decode()
        self.assertEqual(int(re.search(r"Failregex: (\d+) total", report).group(1)), 6, report)


if __name__ == "__main__":
    suite.main()
