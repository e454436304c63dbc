"""A mail filter that speaks the Milter protocol (version 6), and does what a test says."""
import socket
import struct
import threading

ACTIONS, NO_STEPS = 0x1FF, 0


def text(*words):
    return b"".join(word.encode() + b"\0" for word in words)


def add_header(name, value):
    return b"h" + text(name, value)


def insert_header(index, name, value):
    return b"i" + struct.pack(">I", index) + text(name, value)


def change_header(index, name, value):
    return b"m" + struct.pack(">I", index) + text(name, value)


def replace_body(body):
    return b"b" + body


def change_sender(address, *arguments):
    return b"e" + text(address, *arguments)


def add_recipient(address, *arguments):
    return (b"2" if arguments else b"+") + text(address, *arguments)


def delete_recipient(address):
    return b"-" + text(address)


def quarantine(reason):
    return b"q" + text(reason)


def reply(line):
    return b"y" + text(line)


ACCEPT, CONTINUE, REJECT, TEMPFAIL, DISCARD = b"a", b"c", b"r", b"t", b"d"


class Milter:
    """answers: for a letter of the protocol ("C" connect, "H" helo, "M" mail, "R" rcpt, "T" data, "L" header, "N" end of header, "B" body, "E" end
    of message, "U" unknown) the packets to answer with, the verdict last; or a function of the event's data. Elsewhere it says: continue."""

    def __init__(self, answers=None, steps=NO_STEPS):
        self.answers, self.steps = answers or {}, steps
        self.events = []        # (letter, data) of all sessions
        self.macros = {}
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.service = f"inet:127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def heard(self, letter):
        return [data for each, data in self.events if each == letter]

    def headers(self):
        return [tuple(part.decode() for part in data.split(b"\0")[:2]) for data in self.heard("L")]

    def accept(self):
        try:
            while True:
                client, _ = self.listening.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()
        except OSError:
            pass

    def serve(self, client):
        with client, client.makefile("rb") as stream:
            while True:
                head = stream.read(4)
                if len(head) < 4:
                    return
                packet = stream.read(struct.unpack(">I", head)[0])
                letter, data = chr(packet[0]), packet[1:]
                if letter == "D":
                    words = data[1:].decode().split("\0")
                    self.macros.setdefault(chr(data[0]), {}).update(zip(words[::2], words[1::2]))
                    continue
                self.events.append((letter, data))
                if letter == "Q":
                    return
                if letter == "A":
                    continue
                for answer in self.answer(letter, data):
                    client.sendall(struct.pack(">I", len(answer)) + answer)

    def answer(self, letter, data):
        if letter == "O":
            return [b"O" + struct.pack(">III", 6, ACTIONS, self.steps)]
        answers = self.answers.get(letter, [CONTINUE])
        return answers(data) if callable(answers) else answers

    def close(self):
        self.listening.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
