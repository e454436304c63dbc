"""Tables behind servers: sqlite, PostgreSQL, OpenLDAP, Redis and memcached, asked by postmap and by programs in their sandboxes."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import unittest

from harness import clients, suite
from harness.instance import Instance, free_ports
from harness.machines import BIN, HERE, ISOLATED, SCRATCH
from harness.wait import until

POSTGRES = next((folder for folder in ("/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin") if os.path.isdir(folder)), "")
SLAPD_CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
database mdb
suffix "dc=example,dc=test"
rootdn "cn=admin,dc=example,dc=test"
rootpw chocolate
directory {folder}
"""
ENTRIES = """\
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: uid=ldap,dc=example,dc=test
objectClass: inetOrgPerson
uid: ldap
cn: by ldap
sn: (one*)
mail: nougat@example.test

dn: cn=two,dc=example,dc=test
objectClass: groupOfNames
cn: two
member: uid=ldap,dc=example,dc=test
member: cn=two,dc=example,dc=test
"""


def module(name):
    return unittest.skipUnless(os.path.exists(f"{BIN}/modules/rookpost-{name}.so"), f"rookpost-{name}.so is not built")


class Tables(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.folder = f"{SCRATCH}/{self.id().split('.')[-1]}.tables"
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, text):
        return HERE.write(f"{self.folder}/{name}", text)

    def serve(self, *words, port, user=None):
        server = HERE.start(*words, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.stack.callback(self.end, server)

        def answers():
            self.assertIsNone(server.poll(), f"{words[0]} has ended")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
        until(answers, f"{words[0]} listens")
        return server

    @staticmethod
    def end(server):
        if server.poll() is None:
            server.send_signal(signal.SIGINT)      # PostgreSQL would wait for its clients at SIGTERM
            server.wait(20)

    def asked(self, table, key):
        environment = {"MAIL_CONFIG": self.configuration}
        return HERE.run(f"{BIN}/postmap", "-q", key, table, check=False, environment=environment)

    @property
    def configuration(self):
        folder = f"{self.folder}/etc"
        if not os.path.isdir(folder):
            os.mkdir(folder)
            HERE.write(f"{folder}/main.cf", f"daemon_directory = {BIN}\nmyhostname = mail.example.test\ncompatibility_level = 3.9\n")
        return folder

    def check(self, table, **answers):
        for key, expected in answers.items():
            done = self.asked(table, key)
            self.assertEqual((done.stdout.decode(), done.returncode), (f"{expected}\n" if expected else "", 0 if expected else 1), (key, done.stderr))

    def delivers(self, table, key):
        """The programs of the suite find what the table says, from within their sandboxes."""
        with Instance(self.id().split(".")[-1], settings={"virtual_alias_maps": f"proxy:{table}", "transport_maps": table,
                                                          "smtpd_error_sleep_time": "0"}) as self.suite:
            with clients.smtp(self.suite) as client:
                clients.send(client, "kitkat@example.test", [f"{key}@example.test"], b"Subject: table\n\nx\n")
            self.suite.wait_for_messages("nougat", 1)
            yield

    def postgres(self, port):
        user = "kitkat" if ISOLATED else None
        server = self.serve(f"{POSTGRES}/postgres", "-D", f"{self.folder}/data", "-k", self.folder, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c",
                            "fsync=off", user=user, port=port)
        until(lambda: HERE.run(f"{POSTGRES}/pg_isready", "-h", self.folder, "-p", port, check=False).returncode == 0, "postgres is ready")
        return server

    @module("pgsql")
    @unittest.skipUnless(POSTGRES, "postgresql is not installed")
    @suite.needs_root
    def test_pgsql(self):
        port, = free_ports(1)
        HERE.run(f"{POSTGRES}/initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "mail", "-N", user="kitkat")
        server = self.postgres(port)
        HERE.run(f"{POSTGRES}/psql", "-h", self.folder, "-p", port, "-U", "mail", "postgres", "-c",
                 "CREATE TABLE aliases (name TEXT, target TEXT); INSERT INTO aliases VALUES ('pg@example.test', 'nougat@example.test'), "
                 "('two@example.test', 'a@b'), ('two@example.test', 'c@d'), ('o''hara@example.test', 'nougat@example.test')")
        common = "user = mail\ndbname = postgres\ntimeout = 3\nquery = SELECT target FROM aliases WHERE name = '%s'\ndomain = example.test\n"
        inet = "pgsql:" + self.write("inet.cf", f"hosts = inet:127.0.0.1:{port}\n" + common)
        self.check(inet, **{"pg@example.test": "nougat@example.test", "two@example.test": "a@b,c@d", "o'hara@example.test": "nougat@example.test",
                            "x' OR 'a'='a@example.test": "", "none@example.test": "", "pg": ""})
        unix = "pgsql:" + self.write("unix.cf", f"hosts = 127.0.0.1:1 unix:{self.folder}/.s.PGSQL.{port}\n" + common)
        self.check(unix, **{"PG@example.test": "nougat@example.test"})
        bad = self.asked("pgsql:" + self.write("bad.cf", f"hosts = 127.0.0.1:{port}\nuser = mail\ndbname = postgres\nquery = SELECT x FROM nowhere\n"), "a")
        self.assertIn(b'relation "nowhere" does not exist', bad.stderr)
        for _ in self.delivers(inet, "pg"):
            self.end(server)
            with clients.smtp(self.suite) as client:
                client.ehlo()
                client.mail("kitkat@example.test")
                self.assertEqual(client.rcpt("pg@example.test")[0], 451)
                self.suite.wait_for_log(rf"table pgsql:{inet[6:]}: inet:127\.0\.0\.1:{port}: .*Connection refused")
                self.postgres(port)
                until(lambda: client.rcpt("pg@example.test")[0] == 250, "the table answers again", pause=0.3)

    @module("ldap")
    @suite.needs("slapd", "slapadd")
    def test_ldap(self):
        port, = free_ports(1)
        conf = self.write("slapd.conf", SLAPD_CONF.format(folder=self.folder))
        HERE.run("slapadd", "-f", conf, "-l", self.write("entries.ldif", ENTRIES))
        self.serve("slapd", "-f", conf, "-h", f"ldap://127.0.0.1:{port}", "-d", "0", port=port)
        common = (f"server_host = ldap://127.0.0.1:1 127.0.0.1\nserver_port = {port}\nsearch_base = dc=example,dc=test\nbind_dn = cn=admin,dc=example,dc=test\n"
                  "bind_pw = chocolate\ntimeout = 3\n")
        people = "ldap:" + self.write("people.cf", common + "query_filter = (uid=%u)\nresult_attribute = mail\ndomain = example.test\n")
        self.check(people, **{"ldap@example.test": "nougat@example.test", "none@example.test": "", "*@example.test": "", "ldap)(uid=*@example.test": ""})
        groups = "ldap:" + self.write("groups.cf", common + "query_filter = (cn=%s)\nresult_attribute = mail\nspecial_result_attribute = member\n")
        self.check(groups, two="nougat@example.test", one="")
        refused = self.asked("ldap:" + self.write("bad.cf", common.replace("chocolate", "vanilla") + "query_filter = (uid=%s)\n"), "ldap")
        self.assertIn(b"bind: Invalid credentials", refused.stderr)
        for _ in self.delivers(people, "ldap"):
            pass

    @module("redis")
    @suite.needs("redis-server", "redis-cli")
    def test_redis(self):
        port, = free_ports(1)
        self.serve("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--requirepass", "chocolate", "--dir", self.folder, port=port)
        tell = ["redis-cli", "-p", port, "-a", "chocolate", "--no-auth-warning"]
        HERE.run(*tell, "SET", "alias:redis@example.test", "nougat@example.test")
        HERE.run(*tell, "HSET", "people", "kit", "kat")
        table = "redis:" + self.write("redis.cf", f"hosts = 127.0.0.1:{port}\npassword = chocolate\nkey_format = alias:%s\n")
        self.check(table, **{"Redis@example.test": "nougat@example.test", "none": "", "a b\r\nc": ""})
        self.check("redis:" + self.write("hash.cf", f"hosts = 127.0.0.1:{port}\npassword = chocolate\nhash = people\nresult_format = <%s>\n"), kit="<kat>")
        refused = self.asked("redis:" + self.write("bad.cf", f"hosts = 127.0.0.1:{port}\npassword = vanilla\n"), "kit")
        self.assertIn(b"AUTH: WRONGPASS", refused.stderr)
        for _ in self.delivers(table, "redis"):
            pass

    @suite.needs("memcached")
    def test_memcache(self):
        port, = free_ports(1)
        self.serve("memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", *(["-u", "nobody"] if os.geteuid() == 0 else []), port=port)
        slow = self.write("slow", "memcache@example.test nougat@example.test\n")
        table = "memcache:" + self.write("memcache.cf", f"memcache = inet:127.0.0.1:{port}\nkey_format = m:%s\nbackup = texthash:{slow}\n")
        self.check(table, **{"memcache@example.test": "nougat@example.test", "none": ""})
        os.remove(slow)
        self.check(table, **{"Memcache@example.test": "nougat@example.test"})
        self.write("slow", "memcache@example.test kitkat@example.test\n")
        for _ in self.delivers(table, "memcache"):
            pass

    @module("sqlite")
    @suite.needs("sqlite3")
    def test_sqlite(self):
        base = f"{self.folder}/users.db"
        HERE.run("sqlite3", base, "CREATE TABLE aliases (name TEXT, target TEXT); INSERT INTO aliases VALUES ('sqlite@example.test', 'nougat@example.test')")
        table = "sqlite:" + self.write("sqlite.cf", f"dbpath = {base}\nquery = SELECT target FROM aliases WHERE name = '%u@%d'\n")
        self.check(table, **{"sqlite@example.test": "nougat@example.test", "sqlite": ""})
        wrong = self.asked("sqlite:" + self.write("wrong.cf", f"dbpath = {base}\nno sign\n"), "x")
        self.assertIn(f'{self.folder}/wrong.cf, line 2: expected "name = value"'.encode(), wrong.stderr)
        types = HERE.run(f"{BIN}/postconf", "-c", self.configuration, "-m").stdout.decode().split()
        self.assertIn("sqlite", types)
        self.assertNotIn("mongodb", types)
        for _ in self.delivers(table, "sqlite"):
            pass


if __name__ == "__main__":
    suite.main()
