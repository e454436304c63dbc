"""The mail systems that are compared: their configurations, their lives, and how far they have come by their logs."""
import os
import shutil
import socket
import subprocess

from processes import Failure, cpu_seconds, end, family, memory_kib, until

FOLDER = os.environ.get("BENCH_FOLDER", "/var/tmp/rookpost-bench")
RUN = f"{FOLDER}/run"
OURS_BIN = f"{FOLDER}/bin"
MAIL_UID = 5000
PASSWORD = "secret"
DOMAIN = "bench.test"
MAILBOXES = 10                  # that the delivery rows spread their messages over
SESSIONS = 1000                 # the most idle sessions that a row opens

# What both are told, in Postfix's words.
COMMON = """\
compatibility_level = 3.6
myhostname = mail.{domain}
mydomain = {domain}
myorigin = {domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_host_lookup = native
smtp_dns_support_level = disabled
smtp_tls_security_level = none
smtpd_tls_security_level = none
alias_maps =
alias_database =
queue_directory = {run}/spool
data_directory = {run}/data
maillog_file = {run}/log
maillog_file_prefixes = {run}
"""

# What a row asks of them: where mail to anywhere goes.
PURPOSES = {
    "relay": "relayhost = [127.0.0.1]:{sink}\n",
    "discard": "default_transport = discard:\nrelay_transport = discard:\n",
    "maildir": "virtual_mailbox_domains = {domain}\nvirtual_mailbox_base = {run}/mail\nvirtual_mailbox_maps = regexp:{run}/etc/mailboxes\n"
               "virtual_uid_maps = static:{uid}\nvirtual_gid_maps = static:{uid}\nvirtual_mailbox_limit = 0\n",
    "imap": "",
}


def accounts(home):
    return "".join(f"u{number}@{DOMAIN}:{{PLAIN}}{PASSWORD}:{MAIL_UID}:{MAIL_UID}::{home}/u{number}::\n" for number in range(SESSIONS))


class System:
    """One mail system, from start to stop; its folder is made anew at each start."""
    name = ""
    label = ""

    def __init__(self, purpose, smtp=0, imap=0, lmtp=0, sink=0):
        self.purpose, self.smtp, self.imap, self.lmtp, self.sink = purpose, smtp, imap, lmtp, sink
        self.folder = f"{RUN}/{self.name}"
        self.log_file = f"{self.folder}/log"
        self.process = None

    def write(self, path, text, owner=0, mode=0o644):
        with open(f"{self.folder}/{path}", "w") as file:
            file.write(text)
        os.chmod(file.name, mode)
        os.chown(file.name, owner, owner)

    def make_folder(self, path, owner=0, group=0, mode=0o755):
        os.makedirs(f"{self.folder}/{path}", exist_ok=True)
        os.chown(f"{self.folder}/{path}", owner, group)
        os.chmod(f"{self.folder}/{path}", mode)

    def main_cf(self):
        return (COMMON + PURPOSES[self.purpose]).format(run=self.folder, domain=DOMAIN, sink=self.sink, uid=MAIL_UID)

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.make_folder("etc")
        self.make_folder("mail", MAIL_UID, MAIL_UID)
        # smtp-source counts 1box, 2box …; the last digit chooses. Postfix's virtual(8) takes no $1 here.
        self.write("etc/mailboxes", "".join(f"/^[0-9]*{box}box@{DOMAIN}$/ box{box}/Maildir/\n" for box in range(MAILBOXES)))
        self.configure()
        with open(f"{self.folder}/output", "wb") as output:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
                                            start_new_session=True)
        for port in filter(None, (self.smtp, self.imap, self.lmtp)):
            until(lambda: self.answers(port), lambda: f"no answer at port {port}", 20, pause=0.05)
        self.log_offset, self.log_rest = 0, b""
        return self

    def answers(self, port):
        if self.process.poll() is not None:
            raise Failure(f"ended at once, status {self.process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                return client.recv(1)
        except OSError:
            return False

    def stop(self):
        if self.process:
            end(self.process)
            self.process = None

    def last_words(self, count=12):
        lines = []
        for path in (f"{self.folder}/output", self.log_file):
            if os.path.exists(path):
                with open(path, errors="replace") as file:
                    lines += file.read().splitlines()[-count:]
        return "\n".join(lines)

    def pids(self):
        return list(family(self.process.pid))

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def memory(self):
        return memory_kib(self.process.pid)

    def removed(self):
        """How many messages have left the queue since the last call."""
        try:
            with open(self.log_file, "rb") as file:
                file.seek(self.log_offset)
                text = file.read()
        except FileNotFoundError:
            return 0
        self.log_offset += len(text)
        lines = (self.log_rest + text).split(b"\n")
        self.log_rest = lines.pop()
        return sum(line.endswith(b": removed") for line in lines)

    def wait_for_removed(self, count, seconds):
        seen = self.removed()

        def enough():
            nonlocal seen
            seen += self.removed()
            return seen >= count
        until(enough, lambda: f"{seen} of {count} messages have left the queue", seconds, pause=0.01)

    def delivered(self):
        """Messages in the mailboxes of the delivery rows."""
        total = 0
        for box in os.listdir(f"{self.folder}/mail"):
            for part in ("new", "cur"):
                path = f"{self.folder}/mail/{box}/Maildir/{part}"
                total += len(os.listdir(path)) if os.path.isdir(path) else 0
        return total

    def fill_mailboxes(self, users, messages=10):
        """Small mailboxes that stand there before the first login."""
        text = "From: a@sender.test\nTo: u@bench.test\nSubject: one of a few\nDate: Mon, 3 Mar 2025 10:00:00 +0000\n\nbody\n"
        for user in range(users):
            base = f"mail/u{user}"
            for path in (base, f"{base}/Maildir", f"{base}/Maildir/cur", f"{base}/Maildir/new", f"{base}/Maildir/tmp"):
                self.make_folder(path, MAIL_UID, MAIL_UID, 0o700)
            sizes = f",S={len(text)},W={len(text) + text.count(chr(10))}"
            for number in range(messages):
                self.write(f"{base}/Maildir/cur/{1741000000 + number}.M{number}P1.bench{sizes}:2,S", text, MAIL_UID, 0o600)


class Rookpost(System):
    name, label = "rookpost", "Rookpost"
    sendmail = f"{OURS_BIN}/sendmail"
    master_cf = """\
{smtp}pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
smtp unix - - n - - smtp
relay unix - - n - - smtp
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
auth unix - n n - 1 auth
{imap}"""

    def configure(self):
        self.make_folder("spool")
        self.make_folder("data", 901, 901)
        self.write("etc/main.cf", self.main_cf() + f"daemon_directory = {OURS_BIN}\ncommand_directory = {OURS_BIN}\n"
                   "mail_owner = rookpost\nnull_owner = rooknull\nsetgid_group = rookpost-drop\n"
                   f"mail_location = maildir:~/Maildir\nauth_passwd_files = {self.folder}/etc/users\n"
                   f"mail_max_userip_connections = {SESSIONS}\n")
        self.write("etc/users", accounts(f"{self.folder}/mail"))
        self.write("etc/master.cf", self.master_cf.format(
            smtp=f"127.0.0.1:{self.smtp} inet n - n - - smtpd\n" if self.smtp else "",
            imap=f"127.0.0.1:{self.imap} inet n - n - - imap-login\nimap unix - n n - - imapd\n" if self.imap else ""))

    def command(self):
        return [f"{OURS_BIN}/master", "-c", f"{self.folder}/etc", "-d"]


class Postfix(System):
    name, label = "postfix", "Postfix"
    sendmail = "/usr/sbin/sendmail"
    # A process a session: as many as the rows have sessions.
    master_cf = """\
127.0.0.1:{smtp} inet n - n - {most} smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
    FOLDERS = {"active": 0o700, "bounce": 0o700, "corrupt": 0o700, "defer": 0o700, "deferred": 0o700, "flush": 0o700, "hold": 0o700,
               "incoming": 0o700, "private": 0o700, "saved": 0o700, "trace": 0o700}

    def configure(self):
        self.make_folder("spool")
        for name, mode in self.FOLDERS.items():
            self.make_folder(f"spool/{name}", 903, 0, mode)
        self.make_folder("spool/pid")
        self.make_folder("spool/maildrop", 903, 904, 0o1730)
        self.make_folder("spool/public", 903, 904, 0o2710)
        self.make_folder("data", 903, 903, 0o700)
        self.write("etc/main.cf", self.main_cf() + "daemon_directory = /usr/lib/postfix/sbin\ncommand_directory = /usr/sbin\n"
                   "shlib_directory = /usr/lib/postfix\nmeta_directory = /usr/share/postfix\nmail_owner = postfix\nsetgid_group = postdrop\n")
        self.write("etc/master.cf", self.master_cf.format(smtp=self.smtp, most=SESSIONS + 100))

    def command(self):
        return ["/usr/lib/postfix/sbin/master", "-c", "/etc/postfix", "-s"]


class Dovecot(System):
    name, label = "dovecot", "Dovecot"

    def configure(self):
        self.make_folder("run")
        self.make_folder("state")
        self.write("etc/users", accounts(f"{self.folder}/mail"))
        # Its high-performance settings: a login process serves many at once, a session process many after each other.
        self.write("etc/dovecot.conf", f"""\
protocols = {"imap" if self.imap else "lmtp"}
listen = 127.0.0.1
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log_file}
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
mail_max_userip_connections = {SESSIONS}
first_valid_uid = 1
default_process_limit = {SESSIONS + 100}
default_client_limit = {5 * SESSIONS}
passdb {{
  driver = passwd-file
  args = {self.folder}/etc/users
}}
userdb {{
  driver = {"passwd-file" if self.imap else "static"}
  args = {f"{self.folder}/etc/users" if self.imap else f"uid={MAIL_UID} gid={MAIL_UID} home={self.folder}/mail/box%1.{MAILBOXES}Nn allow_all_users=yes"}
}}
service imap-login {{
  service_count = 0
  process_min_avail = {os.cpu_count()}
  process_limit = {os.cpu_count()}
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  service_count = 1000
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.lmtp or 0}
  }}
}}
protocol lmtp {{
  auth_username_format = %Ln
}}
""")

    def command(self):
        return ["/usr/sbin/dovecot", "-F", "-c", f"{self.folder}/etc/dovecot.conf"]
