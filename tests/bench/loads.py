"""The loads: smtp-source and smtp-sink, calls of sendmail, clients that log in, clients that hold sessions open."""
import os
import signal
import socket
import subprocess
import time

from processes import Failure, until
from systems import DOMAIN, MAIL_UID, PASSWORD, RUN

SIZE = 4096
SENDER = "sender@sender.test"


class Sink:
    """smtp-sink, and how many messages it has."""

    def __init__(self, port, name):
        self.path = f"{RUN}/sink-{name}"
        with open(self.path, "wb") as output:
            self.process = subprocess.Popen(["/usr/sbin/smtp-sink", "-u", "nobody", "-c", f"127.0.0.1:{port}", "2000"],
                                            stdout=output, stderr=output, start_new_session=True)
        self.file = open(self.path, "rb")
        until(lambda: self.listens(port), f"smtp-sink listens at port {port}", 10)

    @staticmethod
    def listens(port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True
        except OSError:
            return False

    def messages(self):
        """It prints sess=N quit=N mesg=N, ever again."""
        end = self.file.seek(0, os.SEEK_END)
        self.file.seek(max(0, end - 200))
        numbers = self.file.read().split(b"mesg=")
        digits = bytes(numbers[-1]).strip() if len(numbers) > 1 else b"0"
        if not digits.isdigit() and len(numbers) > 2:
            digits = numbers[-2].split()[0]
        return int(digits) if digits.isdigit() else 0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.file.close()


def source(port, count, sessions, recipient, extra=()):
    """smtp-source, started; a connection a message."""
    return subprocess.Popen(["/usr/sbin/smtp-source", *extra, "-M", "client.test", "-l", str(SIZE), "-m", str(count), "-s", str(sessions), "-f", SENDER,
                             "-t", recipient, f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process, seconds):
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failure(f"smtp-source has not ended within {seconds} s") from None
    if process.returncode != 0:
        raise Failure("smtp-source: " + output.decode(errors="replace").strip()[-500:])


def _worker(answer, work, share, arguments):
    try:
        text = f"{work(share, *arguments) or 0}"
    except Exception as failure:        # the parent tells it
        text = f"{type(failure).__name__}: {failure}"
    os.write(answer, text.encode())
    os._exit(0)


def in_children(workers, seconds, work, *arguments):
    """Runs work(share, *arguments) in so many child processes at once. Returns the seconds they took together, and the sum of their answers."""
    started = time.monotonic()
    children = []
    for share in range(workers):
        answer, theirs = os.pipe()
        if (pid := os.fork()) == 0:
            signal.alarm(seconds)
            _worker(theirs, work, share, arguments)
        os.close(theirs)
        children.append((pid, answer))
    answers = []
    for pid, answer in children:
        answers.append(os.read(answer, 4096).decode())
        os.close(answer)
        os.waitpid(pid, 0)
    ended = time.monotonic()
    failures = [text or f"not ready within {seconds} s" for text in answers if not text.replace(".", "", 1).isdigit()]
    if failures:
        raise Failure(f"{len(failures)} of {workers} clients failed, one of them: {failures[0]}")
    return ended - started, sum(map(float, answers))


def call_sendmail(share, program, message, count):
    """As an ordinary user. Returns the seconds of CPU time that the calls took, with those of the programs they start."""
    os.setgroups([])
    os.setgid(MAIL_UID)
    os.setuid(MAIL_UID)
    null = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
    seconds = 0.0
    for _ in range(count):
        pid = os.posix_spawn(program, ["sendmail", "-t", "-i"], {"PATH": "/usr/sbin:/usr/bin:/bin", "LANG": "C"},
                             file_actions=[(os.POSIX_SPAWN_OPEN, 0, message, os.O_RDONLY, 0), null])
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            raise Failure(f"sendmail ended with status {os.waitstatus_to_exitcode(status)}")
        seconds += usage.ru_utime + usage.ru_stime
    return round(seconds, 6)


def write_message(path):
    line = "0123456789 " * 6 + "\n"
    with open(path, "w") as file:
        file.write(f"From: {SENDER}\nTo: someone@elsewhere.test\nSubject: a message of the usual size\n\n{line * (SIZE // len(line))}")
    os.chmod(path, 0o644)


class Client:
    """A line client that reads on until the awaited line has come."""

    def __init__(self, port, seconds=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def line(self):
        while b"\n" not in self.received:
            data = self.socket.recv(4096)
            if not data:
                raise Failure("the server hung up")
            self.received += data
        line, _, self.received = self.received.partition(b"\n")
        return line

    def tell(self, text, *expected):
        """Sends a line; reads up to the line that starts with the expected answer."""
        self.socket.sendall(text.encode() + b"\r\n")
        return self.until(*expected)

    def until(self, expected, refusals=()):
        while not (line := self.line()).startswith(expected):
            if refusals and line.startswith(refusals):
                raise Failure(f"awaited {expected!r}, got {line!r}")

    def timed(self, command):
        """Milliseconds until the tagged OK, however much comes before it."""
        started = time.monotonic()
        self.socket.sendall(f"t {command}\r\n".encode())
        tail = b""
        while b"\nt " not in tail or not tail.endswith(b"\n"):
            data = self.socket.recv(1 << 20)
            if not data:
                raise Failure(f"the server hung up at {command}")
            tail = (tail + data)[-4096:]
        if b"\nt OK" not in tail:
            raise Failure(f"{command}: {tail[-200:]!r}")
        return 1000 * (time.monotonic() - started)

    def leave(self):
        self.tell("x LOGOUT", b"x OK", (b"x NO", b"x BAD"))
        self.close()

    def close(self):
        self.socket.close()


def imap_login(port, user):
    client = Client(port)
    client.until(b"* OK", (b"* BYE", b"* NO"))
    client.tell(f"a LOGIN u{user}@{DOMAIN} {PASSWORD}", b"a OK", (b"a NO", b"a BAD", b"* BYE"))
    return client


def log_in_and_out(share, port, count, users):
    for number in range(count):
        client = imap_login(port, (share * count + number) % users)
        client.tell("b LOGOUT", b"b OK", (b"b NO", b"b BAD"))
        client.close()


def idle_imap(port, user):
    client = imap_login(port, user)
    client.tell("b SELECT INBOX", b"b OK", (b"b NO", b"b BAD"))
    client.tell("c IDLE", b"+", (b"c ",))
    return client


def idle_smtp(port, _):
    client = Client(port)
    client.until(b"220 ", (b"421", b"554"))
    client.tell("EHLO client.test", b"250 ", (b"4", b"5"))
    return client
