"""A name server: Debian's nsd with zones of the test."""
import socket

from harness.machines import HERE, SCRATCH
from harness.wait import until


class NameServer:
    """zones: {"aaa.com": "@ MX 10 mail\\nmail A 10.9.0.1\\n"}"""

    def __init__(self, zones, address="127.0.0.1", machine=HERE):
        self.folder = f"{SCRATCH}/nsd"
        self.address = address
        HERE.run("mkdir", "-p", self.folder)
        lines = [f'server:\n  ip-address: {address}\n  zonesdir: "{self.folder}"\n  database: ""\n  pidfile: ""\n  username: ""\n  zonelistfile: "{self.folder}/list"\n'
                 f'  xfrdfile: "{self.folder}/xfrd"\n  xfrdir: "{self.folder}"\n  server-count: 1\n  verbosity: 1\nremote-control:\n  control-enable: no\n']
        for name, records in zones.items():
            HERE.write(f"{self.folder}/{name}", f"$ORIGIN {name}.\n$TTL 5\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A {address}\n{records}")
            lines.append(f'zone:\n  name: "{name}"\n  zonefile: "{name}"\n')
        HERE.write(f"{self.folder}/nsd.conf", "".join(lines))
        self.log = open(f"{self.folder}/log", "wb")
        self.process = machine.start("nsd", "-d", "-c", f"{self.folder}/nsd.conf", stdout=self.log, stderr=self.log)
        until(self.answers, lambda: f"nsd to answer: {open(f'{self.folder}/log').read()}")

    def answers(self):
        """Whether it answers a question for the first zone's SOA."""
        if self.process.poll() is not None:
            raise AssertionError(f"nsd has ended: {open(f'{self.folder}/log').read()}")
        question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x06\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            try:
                client.sendto(question, (self.address, 53))
                return len(client.recv(512)) >= 12
            except OSError:
                return False

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
