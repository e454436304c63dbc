"""Processes: a family's CPU time and memory, starting, and ending by number."""
import os
import signal
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A row could not be measured; the text says why."""


def _stat(pid):
    """Parent, and CPU ticks of its own and of the children it has waited for; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[1]), sum(int(field) for field in fields[11:15])


def family(root):
    """The process and all its descendants: {pid: CPU ticks}."""
    known = {int(name): stat for name in os.listdir("/proc") if name.isdigit() and (stat := _stat(name))}
    children = {}
    for pid, (parent, _) in known.items():
        children.setdefault(parent, []).append(pid)
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        if pid in known:
            found[pid] = known[pid][1]
            waiting += children.get(pid, [])
    return found


def cpu_seconds(root):
    return sum(family(root).values()) / TICKS


def memory_kib(root):
    """PSS: a page that several processes share is counted once."""
    total = 0
    for pid in family(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError, StopIteration):
            pass                # it ended meanwhile
    return total


def until(condition, what, seconds, pause=0.005):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)
    return value


def end(process, seconds=15):
    """SIGTERM to the eldest, which ends its family in good order; what stays is killed, one by one."""
    rest = family(process.pid)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            rest = family(process.pid)
    for pid in rest:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
