"""Runs the rows inside the machine that tests/bench/run has made, and prints the table."""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time

import loads
import profiles
from processes import Failure
from rows import RATE, all_rows
from systems import RUN

PATIENCE, WARM_UP_PATIENCE = 180, 30        # seconds that one measurement may take


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures Rookpost against Debian's Postfix and Dovecot.")
    parser.add_argument("--quick", action="store_true", help="few messages, one round: shows that everything works, no more")
    parser.add_argument("--rounds", type=int, help="how often each is measured (3; with --quick 1)")
    parser.add_argument("--json", metavar="FILE", help="every round's figures")
    parser.add_argument("--profile", action="store_true", help="after each row, where Rookpost's CPU time goes (needs perf)")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--relative-to", default=".", help=argparse.SUPPRESS)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a row, or how several begin: relay, accept-20, idle …; all without")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    known = all_rows(chosen.quick)
    if chosen.list:
        print("\n".join(f"{row.name:12} {row.title}" for row in known))
    for word in chosen.rows:
        if not any(row.name.startswith(word) for row in known):
            parser.error(f"no row is named {word}; --list shows them")
    chosen.known = [row for row in known if not chosen.rows or any(row.name.startswith(word) for word in chosen.rows)]
    return chosen


def say(text):
    print(text, file=sys.stderr, flush=True)


class Participant:
    """One system in one row: its rounds so far, or why it has failed. The others go on without it."""

    def __init__(self, row, make, stack):
        self.row, self.make, self.stack = row, make, stack
        self.label = make().label
        self.system, self.results, self.failure = None, [], None

    def attempt(self, work):
        if self.failure:
            return
        try:
            work()
        except (Failure, OSError) as failure:
            self.failure = f"{self.label}: {failure}"
            say(f"  FAILED {self.row.title}, {self.failure}")
            for line in self.system.last_words().splitlines() if self.system else ():
                say(f"    {line[:220]}")

    def prepare(self):
        self.system = self.make()
        self.stack.callback(self.system.stop)
        self.row.patience = WARM_UP_PATIENCE
        self.system.start()
        self.row.prepare(self.system)
        self.row.warm_up(self.system)

    def measure(self, number):
        if self.row.restart:
            self.prepare()
        self.row.patience = PATIENCE
        result = self.row.measure(self.system, self.row.count)
        say(f"  {self.row.title}: round {number}, {self.label}: " + ", ".join(f"{value:.4g} {unit}" for unit, value in result.items()))
        self.results.append(result)
        if self.row.restart:
            self.system.stop()


def take_turns(row, rounds):
    """The participants, ours first, with their results."""
    with contextlib.ExitStack() as stack:
        stack.callback(row.close)
        participants = [Participant(row, make, stack) for make in row.systems]
        for each in participants:
            if not row.restart:
                each.attempt(each.prepare)
        for number in range(1, rounds + 1):
            for each in participants:
                each.attempt(lambda: each.measure(number))
    return participants


def profile(row):
    """One more measurement of ours, watched."""
    with contextlib.ExitStack() as stack:
        stack.callback(row.close)
        ours = Participant(row, row.systems[0], stack)
        ours.attempt(ours.prepare)
        if not ours.failure:
            with profiles.watching(ours.system.pids(), f"{RUN}/perf.data"):
                ours.attempt(lambda: row.measure(ours.system, row.count))
        return ours.failure or profiles.report(f"{RUN}/perf.data")


def lines_of(row, participants):
    """(title, unit, ours, peer's name, peer's, ratio); None for what could not be measured."""
    def median(participant, unit):
        return statistics.median(each[unit] for each in participant.results) if participant.results else None
    ours, *peers = participants
    for peer in peers:
        for unit in row.units:
            mine, theirs = median(ours, unit), median(peer, unit)
            better, worse = (mine, theirs) if unit == RATE else (theirs, mine)
            yield row.title, unit, mine, peer.label, theirs, better / worse if better is not None and worse else None


def figure(value):
    return "failed" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_table(lines):
    table = [("", "", "Rookpost", "", "peer", "ratio")]
    shown = None
    for title, unit, mine, label, theirs, ratio in lines:
        table.append(("" if title == shown else title, unit, figure(mine), label, figure(theirs), "-" if ratio is None else f"{ratio:.2f}"))
        shown = title
    widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
    for cells in table:
        print("  ".join(text.ljust(width) if column in (0, 1, 3) else text.rjust(width)
                        for column, (text, width) in enumerate(zip(cells, widths))).rstrip())


def generator_limit(quick):
    """smtp-source straight into smtp-sink: what no mail system can surpass here."""
    limits = {}
    for sessions in (1, 20, 100):
        sink, count = loads.Sink(2600, "limit"), 300 if quick else 3000
        try:
            started = time.monotonic()
            loads.finish(loads.source(2600, count, sessions, "someone@elsewhere.test"), 60)
            limits[sessions] = count / (time.monotonic() - started)
        finally:
            sink.stop()
    return limits


def machine():
    with open("/proc/loadavg") as file:
        load = file.read().split()[0]
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libc6"], capture_output=True, text=True).stdout
    return {"processors": os.cpu_count(), "kernel": os.uname().release, "libc": version, "load before": load,
            "file system": subprocess.run(["stat", "-f", "-c", "%T", RUN], capture_output=True, text=True).stdout.strip()}


def run(chosen):
    facts = machine()
    say("  " + ", ".join(f"{name} {value}" for name, value in facts.items()))
    limits = generator_limit(chosen.quick)
    lines, failures, record, profiled = [], [], {}, []
    for row in chosen.known:
        participants = take_turns(row, chosen.rounds)
        record[row.name] = {each.label: each.results for each in participants}
        lines += lines_of(row, participants)
        failures += [f"{row.title}, {each.failure}" for each in participants if each.failure]
        if chosen.profile:
            profiled.append((row.title, profile(row)))
    print()
    print_table(lines)
    print("\nThe load alone (smtp-source straight into smtp-sink): " +
          ", ".join(f"{sessions} session{'s' * (sessions > 1)} {figure(rate)} a second" for sessions, rate in limits.items()))
    for title, text in profiled:
        print(f"\nWhere Rookpost's CPU time goes, {title}:\n{text}")
    if not chosen.profile:
        print("Where the CPU time goes: --profile" + ("" if profiles.perf() else ", with perf installed (Debian: linux-perf)"))
    for failure in failures:
        print(f"\nFAILED {failure}")
    if chosen.json:
        with open(os.path.join(chosen.relative_to, chosen.json), "w") as file:
            json.dump({"machine": facts, "load alone": limits, "failures": failures, "rounds": record,
                       "table": [dict(zip(("row", "unit", "ours", "peer", "theirs", "ratio"), line)) for line in lines]}, file, indent=1)
    return 1 if failures else 0


def main():
    chosen = arguments()
    if chosen.check or chosen.list:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    try:
        return run(chosen)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
