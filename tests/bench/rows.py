"""The rows: what is measured, on whom, and how."""
import time

import loads
from processes import Failure, until
from systems import Dovecot, MAILBOXES, Postfix, RUN, Rookpost, SESSIONS

RATE, CPU, MEMORY = "a second", "ms CPU each", "KiB PSS each"


class Row:
    """A row of the table. Each participant is started once, warmed up, and measured round by round, in turns."""
    systems = ()                # constructors: purpose and ports differ
    units = (RATE, CPU)
    restart = False             # a fresh start for every round
    patience = 0                # seconds that what is under way may take

    def __init__(self, name, title, count):
        self.name, self.title, self.count = name, title, count

    def prepare(self, system):
        pass

    def warm_up(self, system):
        self.measure(system, max(20, self.count // 20))

    def measure(self, system, count):
        """Returns {unit: value}."""
        raise NotImplementedError

    def close(self):
        pass


def costs(system, count, work):
    """Runs work(), which returns the seconds that count; the CPU time goes on until it has returned."""
    before = system.cpu()
    seconds = work()
    return {RATE: count / seconds, CPU: 1000 * (system.cpu() - before) / count}


class Relay(Row):
    def __init__(self, sessions, count):
        super().__init__(f"relay-{sessions}", f"relay, {sessions} session{'s' * (sessions > 1)}", count)
        self.sessions = sessions
        self.sinks = {}
        self.systems = (lambda: Rookpost("relay", smtp=2501, sink=2601), lambda: Postfix("relay", smtp=2502, sink=2602))

    def prepare(self, system):
        self.sinks[system.name] = loads.Sink(system.sink, system.name)

    def measure(self, system, count):
        sink = self.sinks[system.name]

        def work():
            goal = sink.messages() + count
            started = time.monotonic()
            source = loads.source(system.smtp, count, self.sessions, "someone@elsewhere.test")
            until(lambda: sink.messages() >= goal or source.poll() not in (None, 0),
                  lambda: f"smtp-sink has {sink.messages() + count - goal} of {count}", self.patience)
            seconds = time.monotonic() - started
            loads.finish(source, self.patience)
            system.wait_for_removed(count, self.patience)
            return seconds
        return costs(system, count, work)

    def close(self):
        for sink in self.sinks.values():
            sink.stop()
        self.sinks = {}


class Accept(Row):
    """The queue empties by itself, into nothing, while messages come in; the CPU time includes it."""

    def __init__(self, sessions, count):
        super().__init__(f"accept-{sessions}", f"acceptance, {sessions} session{'s' * (sessions > 1)}", count)
        self.sessions = sessions
        self.systems = (lambda: Rookpost("discard", smtp=2501), lambda: Postfix("discard", smtp=2502))

    def measure(self, system, count):
        def work():
            started = time.monotonic()
            loads.finish(loads.source(system.smtp, count, self.sessions, "someone@elsewhere.test"), self.patience)
            seconds = time.monotonic() - started
            system.wait_for_removed(count, self.patience)
            return seconds
        return costs(system, count, work)


class Maildir(Row):
    """SMTP in, Maildir out; ten mailboxes. Dovecot has no queue: its row is LMTP in, Maildir out."""
    recipient, extra = "box@bench.test", ("-N",)

    def __init__(self, count):
        super().__init__("maildir", f"delivery to {MAILBOXES} Maildirs, 20 sessions", count)
        self.systems = (lambda: Rookpost("maildir", smtp=2501), lambda: Postfix("maildir", smtp=2502), lambda: Dovecot("maildir", lmtp=2503))

    def measure(self, system, count):
        def work():
            before = system.delivered()
            started = time.monotonic()
            if system.lmtp:
                loads.finish(loads.source(system.lmtp, count, 20, self.recipient, (*self.extra, "-L")), self.patience)
            else:
                loads.finish(loads.source(system.smtp, count, 20, self.recipient, self.extra), self.patience)
                system.wait_for_removed(count, self.patience)
            seconds = time.monotonic() - started
            if system.delivered() != before + count:
                raise Failure(f"{system.delivered() - before} of {count} messages are in the mailboxes")
            return seconds
        return costs(system, count, work)


class Sendmail(Row):
    """Rates count the calls; the queue empties meanwhile, into nothing. The CPU time of the commands is added to the system's."""

    def __init__(self, at_once, count):
        title = "sendmail -t, one after the other" if at_once == 1 else f"sendmail -t, {at_once} at once"
        super().__init__(f"sendmail-{at_once}", title, count)
        self.at_once = at_once
        self.systems = (lambda: Rookpost("discard", smtp=2501), lambda: Postfix("discard", smtp=2502))

    def measure(self, system, count):
        count -= count % self.at_once
        message = f"{RUN}/message"
        loads.write_message(message)

        calls = 0

        def work():
            nonlocal calls
            seconds, calls = loads.in_children(self.at_once, self.patience, loads.call_sendmail, system.sendmail, message, count // self.at_once)
            system.wait_for_removed(count, self.patience)
            return seconds
        result = costs(system, count, work)
        result[CPU] += 1000 * calls / count
        return result


class Idle(Row):
    """Memory with all sessions open, divided by their number: the programs' own share is in it."""
    units = (MEMORY,)
    restart = True

    def __init__(self, protocol, count):
        super().__init__(f"idle-{protocol}", f"{count} idle {protocol.upper()} sessions", min(count, SESSIONS))
        self.open = loads.idle_smtp if protocol == "smtp" else loads.idle_imap
        self.port = protocol
        if protocol == "smtp":
            self.systems = (lambda: Rookpost("discard", smtp=2501), lambda: Postfix("discard", smtp=2502))
        else:
            self.systems = (lambda: Rookpost("imap", imap=2511), lambda: Dovecot("imap", imap=2513))

    def prepare(self, system):
        if self.port == "imap":
            system.fill_mailboxes(self.count)

    def warm_up(self, system):
        self.open(getattr(system, self.port), 0).close()

    def measure(self, system, count):
        clients = []
        try:
            for number in range(count):
                clients.append(self.open(getattr(system, self.port), number))
            time.sleep(1)
            return {MEMORY: system.memory() / count}
        except (OSError, Failure) as failure:
            raise Failure(f"session {len(clients) + 1} of {count}: {failure}") from failure
        finally:
            for client in clients:
                client.close()


class Login(Row):
    users, at_once = 100, 8

    def __init__(self, count):
        super().__init__("imap-login", "IMAP login and logout, 8 at once", count)
        self.systems = (lambda: Rookpost("imap", imap=2511), lambda: Dovecot("imap", imap=2513))

    def prepare(self, system):
        system.fill_mailboxes(self.users)

    def measure(self, system, count):
        count -= count % self.at_once
        return costs(system, count, lambda: loads.in_children(self.at_once, self.patience, loads.log_in_and_out, system.imap,
                                                              count // self.at_once, self.users)[0])


class Folder(Row):
    """One folder with very many messages, delivered long ago and never looked at; then as a mail program opens it day by day."""
    FIRST, LIST, AGAIN = "ms SELECT, first", "ms FETCH ENVELOPE, first", "ms FETCH ENVELOPE, again"
    SELECT, CHANGED, SORT, FROM = "ms SELECT, again", "ms SELECT, a flag later", "ms SORT DATE", "ms SEARCH FROM"
    units = (FIRST, LIST, SELECT, CHANGED, AGAIN, SORT, FROM)
    restart = True

    def __init__(self, count):
        super().__init__("folder", f"IMAP, a folder of {count:,} messages", count)
        self.systems = (lambda: Rookpost("imap", imap=2511), lambda: Dovecot("imap", imap=2513))

    def prepare(self, system):
        system.fill_mailboxes(1, self.count)

    def warm_up(self, system):
        pass

    def measure(self, system, count):
        def opened():
            client = loads.imap_login(system.imap, 0)
            return client, client.timed("SELECT INBOX")
        listing = "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"
        first, result = opened()
        result = {self.FIRST: result, self.LIST: first.timed(listing)}
        first.leave()
        client, result[self.SELECT] = opened()
        client.timed("STORE 7 +FLAGS (\\Flagged)")
        client.leave()
        client, result[self.CHANGED] = opened()
        result[self.AGAIN] = client.timed(listing)
        result[self.SORT] = client.timed("SORT (DATE) UTF-8 ALL")
        result[self.FROM] = client.timed("SEARCH FROM sender.test")
        client.close()
        return result


def all_rows(quick):
    def some(many, few):
        return few if quick else many
    return [*(Relay(sessions, some(2000 if sessions == 1 else 6000, 300)) for sessions in (1, 20, 100)),
            *(Accept(sessions, some(2000 if sessions == 1 else 6000, 300)) for sessions in (1, 20, 100)),
            Maildir(some(4000, 300)), Sendmail(1, some(500, 50)), Sendmail(8, some(1200, 80)),
            Idle("smtp", some(1000, 100)), Idle("imap", some(1000, 100)), Login(some(4000, 200)), Folder(some(50000, 2000))]
