"""Bad input: clear replies, limits that hold, memory that stays flat, and other sessions that do not notice."""
import os
import random
import socket
import threading
import time
import unittest

from harness import clients, processes, suite
from harness.instance import PASSWORD, Instance
from harness.wait import until

HELLO = b"From: kitkat@example.test\nTo: nougat@example.test\nSubject: hello\n\nhello\n"
NOISE = random.Random(25)


class Peer:
    """A client that says what it likes."""

    def __init__(self, port, seconds=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the other side has hung up."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def line(self):
        while b"\n" not in self.received:
            if not self.more():
                break
        line, _, self.received = self.received.partition(b"\n")
        return line.rstrip(b"\r")

    def reply(self):
        """One SMTP reply, its last line."""
        while True:
            line = self.line()
            if line[3:4] != b"-":
                return line

    def more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.received += data
        return bool(data)

    def until_closed(self):
        while self.more():
            pass
        return self.received

    def ask(self, command):
        self.send(command + b"\r\n")
        return self.reply()


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("hostile", settings={"smtpd_error_sleep_time": "0", "message_size_limit": "1000000", "smtpd_timeout": "5s",
                                                  "login_timeout": "5s", "smtpd_client_connection_count_limit": "0", "auth_failure_delay": "0"}).start()
        clients.smtp(cls.suite).quit()
        clients.imap(cls.suite, "nougat").logout()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def setUp(self):
        self.neighbour = clients.smtp(self.suite)
        self.pids = self.servers()

    def tearDown(self):
        """An ordinary session that was there all the time works on, and no program has died."""
        try:
            alive = self.neighbour.noop()[0] == 250
        except clients.smtplib.SMTPServerDisconnected:
            alive = False
        if not alive:
            self.neighbour = clients.smtp(self.suite)       # its own time was up
        before = len(self.suite.messages("nougat"))
        clients.send(self.neighbour, "kitkat@example.test", "nougat@example.test", HELLO)
        self.neighbour.quit()
        self.suite.wait_for_messages("nougat", before + 1)
        self.assertLessEqual(self.pids, self.servers())
        self.assertNotIn("killed by signal", self.suite.log())
        self.assertNotIn("throttling", self.suite.log())

    def servers(self):
        return {each.pid for each in processes.of(self.suite) if each.program in ("smtpd", "imap-login", "pop3-login", "qmgr")}

    def memory(self, program):
        return sum(each.kilobytes() for each in processes.of(self.suite) if each.program == program)

    def peer(self, service="smtp", greet=True):
        peer = Peer(self.suite.ports[service])
        if greet:
            self.greeting = peer.line()
        return peer

    # --- SMTP

    def test_binary_noise(self):
        for _ in range(20):
            with self.peer() as peer:
                peer.send(NOISE.randbytes(100000))
                answers = peer.until_closed() if peer.send(b"\r\nQUIT\r\n") else peer.received
                for line in answers.splitlines():
                    self.assertRegex(line, rb"^(500|501|502|503|421|554|221)[ -]")

    def test_an_endless_line(self):
        before = self.memory("smtpd")
        with self.peer() as peer:
            for _ in range(500):
                if not peer.send(b"A" * 65536):
                    break
            self.assertLess(self.memory("smtpd") - before, 8000)
            peer.send(b"\r\nQUIT\r\n")
            self.assertRegex(peer.until_closed(), rb"^(500|501|421) ")

    def test_thousands_of_bad_commands(self):
        with self.peer() as peer:
            peer.send(b"NONSENSE\r\n" * 5000)
            answers = peer.until_closed().splitlines()
        self.assertLessEqual(len(answers), 25)
        self.assertRegex(answers[-1], rb"^421 4\.7\.0 .*too many errors")
        self.suite.wait_for_log(r"too many errors after ")

    def test_endless_noop_and_rset(self):
        with self.peer() as peer:
            peer.ask(b"EHLO x")
            for number in range(200):
                reply = peer.ask(b"NOOP")
                if not reply.startswith(b"250"):
                    break
            self.assertTrue(reply.startswith(b"421"), reply)

    def test_pipelining_where_it_is_not_allowed(self):
        with self.peer() as peer:
            peer.send(b"EHLO x\r\n" + b"NOOP\r\nRSET\r\n" * 3000)
            self.assertRegex(peer.until_closed().splitlines()[-1], rb"^(421|554) ")

    def test_commands_in_the_wrong_order(self):
        with self.peer() as peer:
            for command, code in [(b"DATA", b"503"), (b"RCPT TO:<nougat@example.test>", b"503"), (b"EHLO x", b"250"), (b"RCPT TO:<nougat@example.test>", b"503"),
                                  (b"MAIL FROM:<kitkat@example.test>", b"250"), (b"MAIL FROM:<kitkat@example.test>", b"503"), (b"DATA", b"554"),
                                  (b"MAIL FROM:<" + b"a" * 3000 + b"@example.test>", b"50"), (b"BDAT x", b"521"), (b"QUIT", b"")]:
                with self.subTest(command=command[:40]):
                    reply = peer.ask(command)
                    self.assertTrue(reply.startswith(code), reply)

    def test_no_relay_for_strangers(self):
        with Instance("strangers", settings={"mynetworks": "192.0.2.0/24"}) as suite_, Peer(suite_.ports["smtp"]) as peer:
            peer.line()
            self.assertTrue(peer.ask(b"EHLO x").startswith(b"250"))
            self.assertTrue(peer.ask(b"MAIL FROM:<a@elsewhere.test>").startswith(b"250"))
            for recipient in (b"far@elsewhere.test", b"far%elsewhere.test@example.test", b"@example.test:far@elsewhere.test", b"elsewhere.test!far",
                              b'"far@elsewhere.test"@example.test', b"far@elsewhere.test@example.test", b"nobody@example.test"):
                self.assertRegex(peer.ask(b"RCPT TO:<" + recipient + b">"), rb"^5", recipient)
            self.assertTrue(peer.ask(b"RCPT TO:<nougat@example.test>").startswith(b"250"))

    def test_disconnect_inside_data_leaves_nothing(self):
        for cut in (b"", b"Subject: half\r\n", b"Subject: half\r\n\r\nbody\r\n.", b"Subject: half\r\n\r\nbody\r\n.\r"):
            with self.peer() as peer:
                for command in (b"EHLO x", b"MAIL FROM:<kitkat@example.test>", b"RCPT TO:<nougat@example.test>", b"DATA"):
                    peer.ask(command)
                peer.send(cut)
        self.suite.wait_for_log(r"lost connection after DATA", count=4)
        self.suite.wait_until_queue_is_empty()
        until(lambda: not os.listdir(f"{self.suite.spool}/incoming"), lambda: f"an empty incoming/: {os.listdir(f'{self.suite.spool}/incoming')}")
        self.assertFalse([each for each in self.suite.messages("nougat") if b"half" in each])

    def test_only_a_proper_dot_ends_a_message(self):
        """SMTP smuggling: after a false end the rest is content, not commands."""
        smuggled = b"MAIL FROM:<root@example.test>\r\nRCPT TO:<kitkat@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n"
        strangers = Instance("smuggling", settings={"mynetworks": "192.0.2.0/24"}).start()
        for number, false_end in enumerate((b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n\x00.\r\n")):
            with self.subTest(end=false_end), Peer(strangers.ports["smtp"]) as peer:
                peer.line()
                for command in (b"EHLO x", b"MAIL FROM:<kitkat@example.test>", b"RCPT TO:<nougat@example.test>", b"DATA"):
                    peer.ask(command)
                peer.send(b"Subject: outer %d\r\n\r\ninner" % number + false_end + smuggled + b"\r\n.\r\n")
                self.assertRegex(peer.reply(), rb"^(250|5\d\d) ")
                reply = peer.ask(b"QUIT")
                self.assertTrue(reply.startswith(b"221"), reply)
        strangers.wait_until_queue_is_empty()
        self.assertEqual(strangers.messages("kitkat"), [])
        strangers.remove()

    def test_commands_before_starttls_are_forgotten(self):
        with self.peer() as peer:
            peer.ask(b"EHLO x")
            peer.send(b"STARTTLS\r\nMAIL FROM:<kitkat@example.test>\r\nRCPT TO:<nougat@example.test>\r\nRSET\r\n")
            self.assertRegex(peer.until_closed().splitlines()[0], rb"^(220|5\d\d|421) ")
            self.assertNotIn(b"250 2.1.0", peer.received)

    def test_a_message_too_large(self):
        with self.peer() as peer:
            peer.ask(b"EHLO x")
            self.assertTrue(peer.ask(b"MAIL FROM:<kitkat@example.test> SIZE=2000000").startswith(b"552"))
            for command in (b"MAIL FROM:<kitkat@example.test>", b"RCPT TO:<nougat@example.test>", b"DATA"):
                peer.ask(command)
            peer.send((b"x" * 78 + b"\r\n") * 40000 + b".\r\n")
            self.assertTrue(peer.reply().startswith(b"552"))
            self.assertTrue(peer.ask(b"QUIT").startswith(b"221"))

    def test_endless_header_and_too_many_recipients(self):
        with self.peer() as peer:
            peer.ask(b"EHLO x")
            peer.ask(b"MAIL FROM:<kitkat@example.test>")
            codes = {peer.ask(b"RCPT TO:<nougat+%d@example.test>" % number)[:3] for number in range(1100)}
            self.assertIn(b"452", codes)
            peer.ask(b"RSET")
            for command in (b"MAIL FROM:<kitkat@example.test>", b"RCPT TO:<nougat@example.test>", b"DATA"):
                peer.ask(command)
            peer.send(b"X-Endless: " + b"y" * 900000 + b"\r\n\r\nbody\r\n.\r\n")
            self.assertRegex(peer.reply(), rb"^(250|5\d\d) ")

    def test_clients_that_send_a_byte_a_second_or_nothing(self):
        slow = [self.peer() for _ in range(40)]
        silent = [self.peer(greet=False) for _ in range(200)]
        started = time.monotonic()
        stop = threading.Event()

        def drip():
            while not stop.wait(1):
                for peer in slow:
                    peer.send(b"E")
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            while time.monotonic() - started < 4:
                begin = time.monotonic()
                with clients.smtp(self.suite) as client:
                    clients.send(client, "kitkat@example.test", "nougat@example.test", HELLO)
                self.assertLess(time.monotonic() - begin, 3)
            for peer in silent:
                self.assertRegex(peer.until_closed().splitlines()[-1], rb"^421 ")
        finally:
            stop.set()
            dripping.join()
            for peer in slow + silent:
                peer.socket.close()
        self.suite.wait_for_log(r"timeout after CONNECT from")

    def test_many_connections_cost_little(self):
        before = self.memory("smtpd")
        peers = [self.peer() for _ in range(500)]
        self.assertLess((self.memory("smtpd") - before) / len(peers), 64)
        for peer in peers:
            peer.socket.close()

    # --- IMAP and POP3

    def imap_peer(self, user=None):
        peer = self.peer("imap")
        if user:
            peer.send(f'a login "{user}@example.test" "{PASSWORD}"\r\n'.encode())
            while not (line := peer.line()).startswith(b"a "):
                self.assertTrue(line, "the server hung up at login")
            self.assertTrue(line.startswith(b"a OK"), line)
        return peer

    def test_imap_noise(self):
        for service in ("imap", "pop3"):
            for _ in range(10):
                with self.peer(service) as peer:
                    peer.send(NOISE.randbytes(60000) + b"\r\n")
                    peer.until_closed()
                    for line in peer.received.splitlines():
                        self.assertRegex(line, rb"^(\*|\+|-ERR|[^ ]+ (BAD|NO))")

    def test_imap_disconnect_inside_a_literal(self):
        before = len(clients.read_imap(self.suite, "kitkat"))
        for _ in range(5):
            with self.imap_peer("kitkat") as peer:
                peer.send(b"b append INBOX {1000}\r\n")
                self.assertTrue(peer.line().startswith(b"+"))
                peer.send(b"Subject: half\r\n\r\n")
        self.assertEqual(len(clients.read_imap(self.suite, "kitkat")), before)

    def test_imap_literals_of_absurd_size(self):
        before = self.memory("imap-login")
        for size in (b"99999999999999999999999", b"4294967296", b"-1", b"18446744073709551615", b"9999999"):
            with self.subTest(size=size), self.peer("imap") as peer:
                peer.send(b"a login {" + size + b"}\r\n")
                self.assertRegex(peer.line(), rb"^(a (BAD|NO)|\* (BAD|BYE))")
        with self.imap_peer("nougat") as peer:
            peer.send(b"b append INBOX {99999999999}\r\n")
            self.assertRegex(peer.line(), rb"^(b (BAD|NO)|\* BYE)")
        self.assertLess(self.memory("imap-login") - before, 4000)

    def test_imap_endless_line(self):
        for user in (None, "nougat"):
            with self.subTest(user=user), self.imap_peer(user) as peer:
                before = self.memory("imapd") + self.memory("imap-login")
                for _ in range(300):
                    if not peer.send(b"x" * 65536):
                        break
                self.assertLess(self.memory("imapd") + self.memory("imap-login") - before, 8000)

    def test_imap_many_wrong_passwords(self):
        with self.peer("imap") as peer:
            for number in range(50):
                if not peer.send(b'a%d login "nougat@example.test" wrong\r\n' % number):
                    break
                if not peer.line():
                    break
            else:
                self.fail("fifty guesses on one connection")

    def test_pop3_in_any_order(self):
        with self.peer("pop3") as peer:
            for command in (b"RETR 1", b"LIST", b"DELE 99999999999999999999", b"TOP", b"PASS x", b"USER", b"\x00\xff", b"A" * 4000):
                peer.send(command + b"\r\n")
                line = peer.line()
                if not line:
                    break
                self.assertTrue(line.startswith(b"-ERR"), line)


if __name__ == "__main__":
    suite.main()
