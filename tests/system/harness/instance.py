"""A mail system: its folder, its configuration, its ports, its log, its queue."""
import functools
import json
import os
import re
import shutil
import socket
import ssl
import subprocess

from harness.machines import BIN, HERE, ISOLATED, SCRATCH
from harness.wait import until

PASSWORD = "chocolate"
USERS = ("kitkat", "nougat")
SERVICES = """\
{smtp} inet n - n - - smtpd
{submission} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
{submissions} inet n - n - - smtpd
  -o syslog_name=postfix/submissions
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
local unix - n n - - local
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
auth unix - n n - 1 auth
{imap} inet n - n - - imap-login
{imaps} inet n - n - - imap-login
  -o imapd_tls_wrappermode=yes
imap unix - n n - - imapd
{pop3} inet n - n - - pop3-login
{pop3s} inet n - n - - pop3-login
  -o pop3d_tls_wrappermode=yes
pop3 unix - n n - - pop3d
"""
STANDARD_PORTS = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995}


@functools.cache
def password_hash():
    return subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout.strip()


@functools.cache
def certificate():
    """Paths of a certificate and its key."""
    cert, key = f"{SCRATCH}/cert.pem", f"{SCRATCH}/key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:mail.example.test,DNS:aaa.com,DNS:bbb.com,IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def trust():
    return ssl.create_default_context(cafile=certificate()[0])


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Instance:
    """Mailboxes of kitkat and nougat @example.test, as virtual users of one uid. On a machine of our own also local users @local.test."""

    def __init__(self, name="suite", machine=HERE, settings=None, services=SERVICES, ports=None, hostname="mail.example.test", spool=None,
                 domain="example.test"):
        self.name, self.machine, self.hostname, self.domain = name, machine, hostname, domain
        self.folder = f"{SCRATCH}/{name}"
        self.etc, self.spool, self.log_file = f"{self.folder}/etc", spool or f"{self.folder}/spool", f"{self.folder}/log"
        self.ports = ports or dict(zip(STANDARD_PORTS, free_ports(len(STANDARD_PORTS))))
        self.mail_uid = 5000 if ISOLATED else os.getuid()
        self.services = services
        for folder in (self.folder, self.etc, f"{self.folder}/mail"):
            os.makedirs(folder, exist_ok=True)
        cert, key = certificate()
        self.settings = {
            "compatibility_level": "3.9", "myhostname": hostname, "mydomain": domain, "myorigin": domain,
            "mydestination": "local.test" if ISOLATED else "", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8", "queue_directory": self.spool, "data_directory": f"{self.folder}/data", "daemon_directory": BIN,
            "command_directory": BIN, "maillog_file": self.log_file,
            "mail_owner": "rookpost", "null_owner": "rooknull", "setgid_group": "rookpost-drop",
            "alias_maps": f"texthash:{self.etc}/aliases", "alias_database": f"hash:{self.etc}/aliases", "home_mailbox": "Maildir/", "recipient_delimiter": "+",
            "virtual_mailbox_domains": domain, "virtual_mailbox_base": f"{self.folder}/mail",
            "virtual_mailbox_maps": f"texthash:{self.etc}/mailboxes", "virtual_uid_maps": f"static:{self.mail_uid}",
            "virtual_gid_maps": f"static:{self.mail_uid if ISOLATED else os.getgid()}", "virtual_minimum_uid": "1", "first_valid_uid": "1",
            "mail_location": "maildir:~/Maildir", "auth_passwd_files": f"{self.etc}/users", "smtpd_tls_cert_file": cert,
            "smtpd_tls_key_file": key, "smtpd_tls_security_level": "may", "smtpd_relay_restrictions":
            "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination", "mail_max_userip_connections": "1000",
            **(settings or {})}
        self.write_configuration()
        self.write("aliases", "postmaster: root\nroot: nougat@example.test\n")
        self.add_users(*USERS)

    # --- configuration

    def write(self, name, text):
        return self.machine.write(f"{self.etc}/{name}", text)

    def write_configuration(self):
        self.write("main.cf", "".join(f"{name} = {value}\n" for name, value in self.settings.items()))
        self.write("master.cf", self.services.format(**{name: f"{self.settings['inet_interfaces'].split()[0]}:{port}" if port != STANDARD_PORTS[name]
                                                        else port for name, port in self.ports.items()}))

    def change(self, **settings):
        self.settings.update(settings)
        self.write_configuration()
        self.command("rookpost", "reload")

    def add_users(self, *names):
        self.users = [*getattr(self, "users", []), *names]
        gid = self.mail_uid if ISOLATED else os.getgid()
        for name in names:
            home = f"{self.folder}/mail/{name}"
            os.makedirs(home, mode=0o700, exist_ok=True)
            if ISOLATED:
                os.chown(home, self.mail_uid, gid)
        if ISOLATED:
            os.chown(f"{self.folder}/mail", self.mail_uid, gid)
        self.write("users", "".join(f"{name}@{self.domain}:{password_hash()}:{self.mail_uid}:{gid}::{self.folder}/mail/{name}::\n"
                                    for name in self.users))
        self.write("mailboxes", "".join(f"{name}@{self.domain} {name}/Maildir/\n" for name in self.users))

    # --- life

    def start(self):
        done = self.machine.run(f"{BIN}/rookpost", "-c", self.etc, "start", check=False)
        if done.returncode != 0:
            raise AssertionError(f"{self.name} does not start: {done.stderr.decode()}\n{self.log()}")
        return self

    def stop(self):
        self.machine.run(f"{BIN}/rookpost", "-c", self.etc, "stop")

    def running(self):
        return self.machine.run(f"{BIN}/rookpost", "-c", self.etc, "status", check=False).returncode == 0

    def close(self):
        if self.running():
            self.stop()

    def remove(self):
        self.close()
        shutil.rmtree(self.folder)

    def master_pid(self):
        with open(f"{self.spool}/pid/master.pid") as file:
            return int(file.read())

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, __import__("unittest").SkipTest):
            print(f"--- {self.name}: {kind.__name__}: the last lines of the log\n" + "\n".join(self.log().splitlines()[-40:]))
        self.close()

    # --- commands, log, queue

    def command(self, program, *words, **more):
        environment = {"MAIL_CONFIG": self.etc, **more.pop("environment", {})}
        return self.machine.run(f"{BIN}/{program}", *words, environment=environment, **more)

    def sendmail(self, *words, message=b"", **more):
        return self.command("sendmail", *words, input=message, **more)

    def log(self):
        try:
            with open(self.log_file, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_for_log(self, pattern, seconds=30, count=1):
        """The last match once there are so many."""
        found = until(lambda: (lambda all: all if len(all) >= count else None)(list(re.finditer(pattern, self.log(), re.M))),
                      lambda: f"{self.name}: {count} x {pattern!r} in the log\n{self.log()[-4000:]}", seconds)
        return found[-1]

    def queue(self):
        """The messages in the queue, as postqueue -j lists them."""
        listing = self.command("postqueue", "-j").stdout.decode()
        return [json.loads(line) for line in listing.splitlines()]

    def wait_until_queue_is_empty(self, seconds=60):
        until(lambda: self.queue() == [], lambda: f"{self.name}: empty queue\n{self.queue()}\n{self.log()[-4000:]}", seconds, pause=0.2)

    # --- mailboxes

    def maildir(self, user):
        return f"{self.folder}/mail/{user}/Maildir"

    def messages(self, user):
        return read_maildir(self.maildir(user))

    def wait_for_messages(self, user, count, seconds=30):
        until(lambda: len(self.messages(user)) >= count,
              lambda: f"{count} messages for {user}, there are {len(self.messages(user))}\n{self.log()[-4000:]}", seconds)
        return self.messages(user)


def read_maildir(path):
    """The messages' bytes, in the order of arrival."""
    found = []
    for folder in ("new", "cur"):
        try:
            names = os.listdir(f"{path}/{folder}")
        except FileNotFoundError:
            continue
        for name in names:
            try:
                with open(f"{path}/{folder}/{name}", "rb") as file:
                    found.append((os.fstat(file.fileno()).st_mtime_ns, name, file.read()))
            except FileNotFoundError:
                pass            # a mail program renamed it meanwhile
    return [content for _, _, content in sorted(found)]
