"""What was accepted is never lost: not when programs are killed at any moment, not when the disk is full."""
import os
import random
import re
import signal
import threading
import time
import unittest

from harness import clients, processes, suite
from harness.instance import Instance
from harness.machines import HERE, SCRATCH
from harness.wait import until

SECONDS_OF_KILLING = float(os.environ.get("ROOKPOST_KILL_SECONDS", "20"))
SEED = int(os.environ.get("ROOKPOST_KILL_SEED", str(random.randrange(1 << 30))))
RETRY = {"minimal_backoff_time": "1s", "maximal_backoff_time": "2s"}


def message(name, size=2000):
    line = b"0123456789" * 7 + b"\n"
    return f"From: kitkat@example.test\nTo: nougat@example.test\nSubject: {name}\n\n".encode() + line * (size // len(line)) + b"end\n"


class Injector(threading.Thread):
    """Sends numbered messages until told to stop; `accepted` are those that the suite said 250 (or exit status 0) to."""

    def __init__(self, system, name, send):
        super().__init__()
        self.system, self.label, self.send = system, name, send
        self.stop = threading.Event()
        self.accepted, self.refused = [], 0

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            name = f"{self.label}-{number}"
            try:
                taken = self.send(self.system, message(name))
            except (OSError, clients.smtplib.SMTPException):
                taken = False
            if taken:
                self.accepted.append(name)
            else:
                self.refused += 1
                self.stop.wait(0.02)


def by_smtp(system, content):
    with clients.smtp(system) as client:
        client.ehlo()
        client.mail("kitkat@example.test")
        client.rcpt("nougat@example.test")
        client.putcmd("data")
        if client.getreply()[0] != 354:
            return False
        client.send(content.replace(b"\n", b"\r\n") + b".\r\n")
        return client.getreply()[0] == 250


def by_sendmail(system, content):
    return system.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=content, check=False).returncode == 0


class Reader(threading.Thread):
    """Reads mail now and then, so that those programs run and are killed as well."""

    def __init__(self, system):
        super().__init__()
        self.system = system
        self.stop = threading.Event()
        self.times = 0

    def run(self):
        while not self.stop.wait(0.05):
            try:
                clients.imap(self.system, "kitkat").logout()
                clients.pop3(self.system, "kitkat").quit()
                self.times += 1
            except (OSError, EOFError, clients.imaplib.IMAP4.error, clients.poplib.error_proto):
                pass


def subjects(system):
    return [re.search(rb"(?m)^Subject: (.*)$", each).group(1).decode() for each in system.messages("nougat")]


class Kill(unittest.TestCase):
    def test_kill_9_at_random(self):
        chance = random.Random(SEED)
        print(f"seed {SEED}")
        system = Instance("killed", settings=RETRY).start()
        injectors = [Injector(system, "smtp1", by_smtp), Injector(system, "smtp2", by_smtp), Injector(system, "sendmail", by_sendmail)]
        reader = Reader(system)
        for each in (*injectors, reader):
            each.start()
        killed = {}
        try:
            deadline = time.monotonic() + SECONDS_OF_KILLING
            while time.monotonic() < deadline:
                time.sleep(chance.uniform(0.02, 0.4))       # between two blows; nothing is awaited
                victims = processes.of(system) if system.running() else []
                programs = sorted({each.program for each in victims})
                if not programs:
                    until(lambda: self.restarted(system), "the suite to start again")
                    continue
                # Each program as often as any other, and master seldom: without it nothing happens.
                program = chance.choice(programs)
                if program == "master" and chance.random() > 0.2:
                    continue
                victim = chance.choice([each for each in victims if each.program == program])
                try:
                    os.kill(victim.pid, signal.SIGKILL)
                    killed[program] = killed.get(program, 0) + 1
                except ProcessLookupError:
                    pass
        finally:
            for each in (*injectors, reader):
                each.stop.set()
            for each in (*injectors, reader):
                each.join()
        if not system.running():
            until(lambda: self.restarted(system), "the suite to start again")
        accepted = [name for each in injectors for name in each.accepted]
        print(f"accepted {len(accepted)}, refused {sum(each.refused for each in injectors)}, mail read {reader.times} times, killed {killed}")
        self.assertGreater(len(accepted), 20)
        self.assertGreaterEqual(set(killed), {"smtpd", "qmgr", "local-delivery", "auth", "imap-login", "pop3-login"})

        def missing():
            return set(accepted) - set(subjects(system))
        try:
            until(lambda: not missing(), lambda: f"all accepted messages; missing: {sorted(missing())[:20]}\n{system.log()[-3000:]}", seconds=60, pause=0.3)
            system.wait_until_queue_is_empty()
            self.assertEqual(clients.read_imap(system, "kitkat"), [])       # logins have come to life again as well
        finally:
            system.close()
        for content in system.messages("nougat"):
            self.assertTrue(content.endswith(b"\nend\n"), "a message is half-written")
        found = subjects(system)
        print(f"delivered {len(found)}, of them twice {len(found) - len(set(found))}")

    def restarted(self, system):
        return HERE.run("rookpost", "-c", system.etc, "start", check=False).returncode == 0


@suite.needs_root
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.spool = f"{SCRATCH}/small"
        os.makedirs(self.spool)
        HERE.run("mount", "-t", "tmpfs", "-o", "size=3m,mode=755", "tmpfs", self.spool)
        # No limit on size: else 452 comes as soon as one and a half largest messages do not fit.
        self.system = Instance("full", settings={**RETRY, "message_size_limit": "0"}, spool=f"{self.spool}/spool").start()
        clients.smtp(self.system).quit()

    def tearDown(self):
        self.system.close()
        HERE.run("umount", "-l", self.spool)

    def fill(self, leave):
        """Takes all space of the small disk but so many bytes."""
        state = os.statvfs(self.spool)
        with open(f"{self.spool}/filler", "wb") as file:
            file.write(b"x" * max(0, state.f_bavail * state.f_bsize - leave))

    def code(self, content):
        """The reply to a message: of the command that refused it, or of the end of its content."""
        with clients.smtp(self.system) as client:
            client.ehlo()
            for code, _ in (client.mail("kitkat@example.test"), client.rcpt("nougat@example.test"), client.docmd("data")):
                if code >= 400:
                    return code
            client.send(content.replace(b"\n", b"\r\n") + b".\r\n")
            return client.getreply()[0]

    def test_a_full_disk_gives_452_and_loses_nothing(self):
        accepted, refused = [], []
        for leave in (400_000, 100_000, 8192, 0):
            self.fill(leave)
            for number in range(8):
                for size in (200_000, 1000):
                    name = f"full-{leave}-{number}-{size}"
                    code = self.code(message(name, size))
                    self.assertIn(code, (250, 452), name)
                    (accepted if code == 250 else refused).append(name)
            done = self.system.sendmail("-i", "-f", "kitkat@example.test", "nougat@example.test", message=message(f"sendmail-{leave}", 500_000), check=False)
            self.assertIn(done.returncode, (0, 75), done.stderr)
            (accepted if done.returncode == 0 else refused).append(f"sendmail-{leave}")
            os.unlink(f"{self.spool}/filler")
        print(f"accepted {len(accepted)}, refused {len(refused)}")
        self.assertTrue([name for name in refused if name.endswith("-1000")], "even small messages were refused when there was no space at all")
        self.assertTrue(accepted)
        self.assertEqual(self.code(message("afterwards")), 250)
        accepted.append("afterwards")
        until(lambda: set(accepted) <= set(subjects(self.system)), lambda: f"missing: {set(accepted) - set(subjects(self.system))}\n{self.system.log()[-3000:]}", 60)
        self.system.wait_until_queue_is_empty()
        self.assertEqual(set(subjects(self.system)) & set(refused), set())
        for content in self.system.messages("nougat"):
            self.assertTrue(content.endswith(b"\nend\n"), "a message is half-written")


if __name__ == "__main__":
    suite.main()
