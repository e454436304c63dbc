"""Where a system's CPU time goes, by perf, when it is installed."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time


def perf():
    return shutil.which("perf")


@contextlib.contextmanager
def watching(pids, path):
    """Samples the processes while the block runs; their later children too."""
    if not perf():
        yield
        return
    process = subprocess.Popen([perf(), "record", "--quiet", "--event", "cpu-clock", "--freq", "499", "--output", path, "--pid",
                                ",".join(map(str, pids))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    try:
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait()


def report(path, lines=20):
    if not perf():
        return "perf is not installed (Debian: linux-perf)"
    if not os.path.exists(path):
        return "perf could not watch the processes"
    text = ""
    for by in ("comm", "comm,symbol"):
        found = subprocess.run([perf(), "report", "--stdio", "--input", path, "--sort", by], capture_output=True, text=True).stdout
        found = [re.sub(r"(\s+-)+\s*$", "", line).rstrip() for line in found.splitlines() if line.strip() and not line.startswith("#")]
        text += "\n".join(found[:lines]) + "\n"
    return text
