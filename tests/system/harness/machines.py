"""Machines: the one this test runs on, and further ones in namespaces of their own, joined by a bridge."""
import os
import shutil
import subprocess

from harness import isolate

SCRATCH = os.environ.get("ROOKPOST_SCRATCH", "/tmp")
BIN = os.environ.get("ROOKPOST_BIN", "")
ISOLATED = os.environ.get("ROOKPOST_ISOLATED") == "yes"


def installed(*programs):
    """The first of the programs that is missing here, or None."""
    for program in programs:
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return program
    return None


class Machine:
    """Where commands run."""
    enter = []

    def __init__(self, name="here", homes=f"{SCRATCH}/home"):
        self.name = name
        self.homes = homes

    def home(self, user):
        return f"{self.homes}/{user}"

    def _words(self, words, user):
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user and os.geteuid() == 0 else []
        return [*self.enter, *become, *map(str, words)]

    def _environment(self, user, more):
        environment = {"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
                       "HOME": self.home(user) if user else SCRATCH, "USER": user or "root", "LOGNAME": user or "root"}
        return {**environment, **(more or {})}

    def run(self, *words, user=None, input=b"", environment=None, check=True, seconds=60):
        done = subprocess.run(self._words(words, user), input=input, capture_output=True, timeout=seconds, cwd=SCRATCH,
                              env=self._environment(user, environment))
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(map(str, words))}: status {done.returncode}\n"
                                 f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}")
        return done

    def start(self, *words, user=None, environment=None, **more):
        return subprocess.Popen(self._words(words, user), cwd=SCRATCH, env=self._environment(user, environment), **more)

    def write(self, path, text, user=None, mode=0o644):
        with open(path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        os.chmod(path, mode)
        if user:
            shutil.chown(path, user, user)
        return path


HERE = Machine()


def make_bridge(address):
    """Joins the machines that are to come, and this one, which has the address."""
    HERE.run("ip", "link", "add", "bridge", "type", "bridge")
    HERE.run("ip", "address", "add", address, "dev", "bridge")
    HERE.run("ip", "link", "set", "bridge", "up")


class FurtherMachine(Machine):
    """A machine of its own network and its own /etc. Its users are those of isolate.PEOPLE, with homes of its own."""

    def __init__(self, name, nameserver="127.0.0.1"):
        super().__init__(name, homes=f"{SCRATCH}/{name}-home")
        etc = f"{SCRATCH}/{name}-etc"
        isolate.make_etc(etc, self.homes, nameserver)
        # It lives as long as its pipe is open, and so never longer than this process.
        self.holder = subprocess.Popen(["unshare", "--net", "--uts", "--mount", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdin.write(b"ready\n")
        self.holder.stdin.flush()
        self.holder.stdout.readline()
        self.enter = ["nsenter", f"--target={self.holder.pid}", "--net", "--uts", "--mount"]
        self.run("ip", "link", "set", "lo", "up")
        for file in os.listdir(etc):
            if os.path.exists(f"/etc/{file}"):
                self.run("mount", "--bind", f"{etc}/{file}", os.path.realpath(f"/etc/{file}"))

    def join(self, address, port):
        """Plugs the machine into this one's bridge under that address."""
        HERE.run("ip", "link", "add", port, "type", "veth", "peer", "name", "wire", "netns", self.holder.pid)
        HERE.run("ip", "link", "set", port, "master", "bridge", "up")
        self.run("ip", "address", "add", address, "dev", "wire")
        self.run("ip", "link", "set", "wire", "up")

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
