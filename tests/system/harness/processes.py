"""The processes of a mail system, as /proc shows them. On a machine of our own these are all there are."""
import os


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))

    def status(self):
        with open(f"/proc/{self.pid}/status") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)

    def kilobytes(self):
        return int(self.status()["VmRSS"].split()[0])

    def uids(self):
        return {int(each) for each in self.status()["Uid"].split()}

    def open_files(self):
        found = []
        for descriptor in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{self.pid}/fd/{descriptor}"))
            except FileNotFoundError:
                pass
        return found


def alive(pid):
    """Not so when it has ended and only waits for its parent to notice."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def of(instance):
    """Master and its descendants."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rsplit(") ", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
    master = instance.master_pid()
    found = []
    for pid in parents:
        at = pid
        while at not in (0, 1, master) and at in parents:
            at = parents[at]
        if at == master and at in parents:
            try:
                found.append(Process(pid))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass            # ended meanwhile
    return found


def listening_ports():
    ports = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/self/net/{table}") as file:
            for line in file.readlines()[1:]:
                columns = line.split()
                if columns[3] == "0A":
                    ports.add(int(columns[1].rsplit(":", 1)[1], 16))
    return ports
