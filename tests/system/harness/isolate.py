"""Runs one test file. As root: on a machine of its own (namespaces of network, mounts and processes), with its own users, name service and
no way to the network outside. Otherwise: here, as the caller. Exit status 77: skipped."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
SYSTEM_USERS = {"rookpost": 901, "rooknull": 902}
PEOPLE = {"kitkat": 2001, "nougat": 2002, "admin1": 2003, "admin2": 2004, "admin3": 2005, "vmail": 5000}


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def bind(source, target):
    subprocess.run(["mount", "--bind", source, os.path.realpath(target)], check=True)


def make_etc(folder, homes, nameserver="127.0.0.1", hosts=""):
    """Files that stand in for /etc's on the test's machines: only the users of the tests, only the name server of the tests."""
    os.makedirs(folder, exist_ok=True)
    with open("/etc/passwd") as file:
        passwd = "".join(line for line in file if 0 <= int(line.split(":")[2]) < 900 or line.startswith("nobody:"))
    with open("/etc/group") as file:
        group = "".join(line for line in file if 0 <= int(line.split(":")[2]) < 900 or line.startswith("nogroup:"))
    for name, number in SYSTEM_USERS.items():
        passwd += f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
    for name, number in PEOPLE.items():
        passwd += f"{name}:x:{number}:{number}:{name.title()} Tester:{homes}/{name}:/bin/sh\n"
    for name, number in {**SYSTEM_USERS, **PEOPLE, "rookpost-drop": 903}.items():
        group += f"{name}:x:{number}:\n"
    write(f"{folder}/passwd", passwd)
    write(f"{folder}/group", group)
    write(f"{folder}/hosts", "127.0.0.1 localhost\n::1 localhost\n" + hosts)
    write(f"{folder}/resolv.conf", f"nameserver {nameserver}\noptions timeout:1 attempts:2\n")
    for name, number in PEOPLE.items():
        if not os.path.exists(f"{homes}/{name}"):
            os.makedirs(f"{homes}/{name}", mode=0o700)
            os.chown(f"{homes}/{name}", number, number)


def mount_etc(folder):
    for name in ("passwd", "group", "hosts", "resolv.conf"):
        if os.path.exists(f"/etc/{name}"):
            bind(f"{folder}/{name}", f"/etc/{name}")


def may_isolate():
    return subprocess.run(["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode == 0


def furnish(scratch):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.makedirs(f"{scratch}/home")
    make_etc(f"{scratch}/machine-etc", f"{scratch}/home")
    mount_etc(f"{scratch}/machine-etc")
    # The build folder may lie where other users cannot go.
    os.makedirs(f"{scratch}/bin")
    bind(os.environ["ROOKPOST_BIN"], f"{scratch}/bin")
    os.environ["ROOKPOST_BIN"] = f"{scratch}/bin"


def first_process(test):
    """Process 1 of the new machine: reaps what is left to it. When it ends, the kernel ends everything it started."""
    furnish(os.environ["ROOKPOST_SCRATCH"])
    child = os.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-B", *test])
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) & 0xFF


def main():
    test = sys.argv[1:]
    os.environ.setdefault("ROOKPOST_BIN", os.path.realpath(os.path.join(os.path.dirname(__file__), "../../../build/bin")))
    os.environ["PYTHONPATH"] = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))
    if os.environ.get("ROOKPOST_ISOLATED") == "starting":
        os.environ["ROOKPOST_ISOLATED"] = "yes"
        return first_process(test)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # and so to the end of this function, which cleans up
    scratch = tempfile.mkdtemp(prefix="rookpost-test-")
    os.chmod(scratch, 0o755)
    os.environ["ROOKPOST_SCRATCH"] = scratch
    run = [sys.executable, "-B", *test]
    if os.geteuid() == 0 and may_isolate():
        os.environ["ROOKPOST_ISOLATED"] = "starting"
        run = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B", __file__, *test]
    elif os.geteuid() == 0:
        print("no namespaces here: the test runs without root's rights")
        os.chown(scratch, 65534, 65534)
        run = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *run]
    try:
        return subprocess.run(run).returncode
    finally:
        if "ROOKPOST_KEEP" in os.environ:
            print("kept:", scratch)
        else:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
