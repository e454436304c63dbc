"""Mail on its way out: through a submission server that wants a login, to servers that play by a script, to Dovecot by LMTP."""
import base64
import itertools
import os
import re
import socketserver
import ssl
import threading
import unittest

from harness import suite
from harness.instance import Instance, SCRATCH, SERVICES, PASSWORD, certificate, read_maildir
from harness.machines import HERE
from harness.wait import until

NUMBERS = itertools.count(1)     # each has a queue of its own
MESSAGE = b"From: kitkat@client.test\nTo: nougat@example.test\nSubject: out\n\nfirst line\n.\n..dots\n"
EIGHT_BIT = """\
From: kitkat@client.test
To: far@away.test
Subject: out
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b
Content-Transfer-Encoding: 8bit

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße = Grüße
--b
Content-Type: text/plain

plain
--b--
""".encode()


class Server:
    """A server of one's own: says `keywords` to EHLO, `replies` to what begins so, and remembers what it was told."""

    def __init__(self, keywords=(), replies=(), tls=False, login=None):
        self.keywords, self.replies, self.tls, self.login = keywords, dict(replies), tls, login
        self.commands, self.contents, self.connections = [], [], 0
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer.connections += 1
                try:
                    outer.converse(self)
                except (OSError, ssl.SSLError):
                    pass

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()

    def converse(self, handler):
        stream = handler.connection.makefile("rwb")
        under_tls = False

        def say(*lines):
            for line in lines:
                stream.write(line.encode() + b"\r\n")
            stream.flush()
        say(self.replies.get("", "220 scripted ESMTP"))
        while line := stream.readline().decode().rstrip("\r\n"):
            self.commands.append(line)
            verb = line.split()[0].upper()
            scripted = next((reply for start, reply in self.replies.items() if start and line.upper().startswith(start.upper())), None)
            if scripted:
                say(scripted)
            elif verb == "EHLO":
                offers = [*self.keywords, *(["STARTTLS"] if self.tls and not under_tls else [])]
                say(*[f"250-{each}" for each in ["scripted", *offers]][:-1], f"250 {['scripted', *offers][-1]}")
            elif verb == "STARTTLS":
                say("220 go")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*certificate())
                stream = context.wrap_socket(handler.connection, server_side=True).makefile("rwb")
                under_tls = True
            elif verb == "AUTH":
                say("235 2.7.0 welcome" if line == self.login else "535 5.7.8 wrong password")
            elif verb == "DATA":
                say("354 go")
                content = b""
                while (line := stream.readline()) not in (b".\r\n", b""):
                    content += line
                self.contents.append(content)
                say("250 2.0.0 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 2.1.0 ok")

    def wait_for_content(self):
        return until(lambda: self.contents, lambda: f"a message; heard: {self.commands}")[-1]


def relay_by(transports, services="", **settings):
    """A machine behind others: transports by recipient, in master.cf's and transport(5)'s words."""
    entries = ", ".join(f"{{{recipient} = {transport}}}" for recipient, transport in transports.items())
    return Instance(f"behind{next(NUMBERS)}", domain="client.test", hostname="mail.client.test", services=SERVICES + services,
                    settings={"transport_maps": f"inline:{{{entries}}}", "smtp_tls_CAfile": certificate()[0], "smtp_tls_loglevel": "1", **settings})


class Submission(unittest.TestCase):
    """Our client against our own server."""

    def test_login_at_587_and_465(self):
        with Instance(f"hub{next(NUMBERS)}") as hub:
            secret = f"{SCRATCH}/passwords"
            HERE.write(secret, f"localhost kitkat@example.test:{PASSWORD}\n", mode=0o600)     # which the client's user may not read
            login = {"smtp_sasl_auth_enable": "yes", "smtp_sasl_password_maps": f"texthash:{secret}", "smtp_sasl_security_options": "noanonymous",
                     "smtp_tls_security_level": "verify"}
            wrapped = "wrapped unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n"
            with relay_by({"kitkat@example.test": f"smtp:[localhost]:{hub.ports['submission']}",
                           "nougat@example.test": f"wrapped:[localhost]:{hub.ports['submissions']}"}, wrapped, **login) as behind:
                behind.sendmail("-i", "-f", "kitkat@client.test", "kitkat@example.test", "nougat@example.test", message=MESSAGE)
                for user in ("kitkat", "nougat"):
                    stored = hub.wait_for_messages(user, 1)[0].replace(b"\r\n", b"\n")
                    self.assertTrue(stored.endswith(b"\n\nfirst line\n.\n..dots\n"))
                behind.wait_until_queue_is_empty()
                behind.wait_for_log(r"smtp\[\d+\]: Verified TLS connection established to localhost\[127\.0\.0\.1\]:\d+: TLSv1\.3 with cipher")
                hub.wait_for_log(r"sasl_method=\S+, sasl_username=kitkat@example\.test", count=2)
                # A password that has changed is for a new process to read.
                HERE.write(secret, f"localhost nougat@example.test:{PASSWORD}\n# changed\n", mode=0o600)
                until(lambda: behind.sendmail("-i", "-f", "kitkat@client.test", "kitkat@example.test", message=MESSAGE) and
                      re.search("has changed -- restarting", behind.log()), "a restart", pause=0.5)
                hub.wait_for_log(r"sasl_username=nougat@example\.test")
                behind.wait_until_queue_is_empty()
                self.assertNotIn("status=deferred", behind.log())

    def test_a_wrong_password_and_a_stranger_s_certificate(self):
        with Instance(f"hub{next(NUMBERS)}") as hub:
            with relay_by({"kitkat@example.test": f"smtp:[localhost]:{hub.ports['submission']}"}, smtp_sasl_auth_enable="yes",
                          smtp_sasl_password_maps="inline:{{localhost = kitkat@example.test:not-this}}",
                          smtp_sasl_security_options="noanonymous", smtp_tls_security_level="encrypt") as behind:
                behind.sendmail("-i", "-f", "kitkat@client.test", "kitkat@example.test", message=MESSAGE)
                behind.wait_for_log(r"status=deferred \(SASL authentication failed; server localhost\[127\.0\.0\.1\] said: 535 5\.7\.8")
        with Server(tls=True) as server, relay_by({"away.test": f"smtp:[127.0.0.1]:{server.port}"}, smtp_tls_security_level="secure",
                                                  smtp_tls_secure_cert_match="other.test") as behind:
            behind.sendmail("-i", "-f", "kitkat@client.test", "far@away.test", message=MESSAGE)
            behind.wait_for_log(r"server certificate verification failed for 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: num=62:")
            behind.wait_for_log(r"dsn=4\.7\.5, status=deferred \(Server certificate not verified\)")
            self.assertEqual(server.contents, [])


class Scripted(unittest.TestCase):
    def test_login_with_plain(self):
        token = base64.b64encode(b"\0anna\0secret").decode()
        with Server(["AUTH LOGIN PLAIN"], login=f"AUTH PLAIN {token}") as server, \
                relay_by({"away.test": f"smtp:[127.0.0.1]:{server.port}"}, smtp_sasl_auth_enable="yes", smtp_sasl_security_options="",
                         smtp_send_dummy_mail_auth="yes",
                         smtp_sasl_password_maps=f"inline:{{{{[127.0.0.1]:{server.port} = anna:secret}}}}") as behind:
            behind.sendmail("-i", "-f", "kitkat@client.test", "far@away.test", message=MESSAGE)
            server.wait_for_content()
            behind.wait_until_queue_is_empty()
            self.assertIn(f"AUTH PLAIN {token}", server.commands)
            self.assertIn("MAIL FROM:<kitkat@client.test> AUTH=<>", server.commands)
            self.assertNotIn("secret", behind.log())

    def test_a_policy_for_one_destination(self):
        with Server(tls=True) as secret, Server() as clear:
            with relay_by({"secret.test": f"smtp:[127.0.0.1]:{secret.port}", "clear.test": f"smtp:[127.0.0.1]:{clear.port}"},
                          smtp_tls_policy_maps=f"inline:{{{{[127.0.0.1]:{secret.port} = encrypt protocols=TLSv1.2}}, "
                                               f"{{[127.0.0.1]:{clear.port} = encrypt}}}}") as behind:
                behind.sendmail("-i", "-f", "kitkat@client.test", "a@secret.test", "b@clear.test", message=MESSAGE)
                secret.wait_for_content()
                behind.wait_for_log(r"Trusted TLS connection established to 127\.0\.0\.1\[127\.0\.0\.1\]:\d+: TLSv1\.2 with cipher")
                behind.wait_for_log(r"to=<b@clear\.test>.*dsn=4\.7\.4, status=deferred \(TLS is required, but was not offered by host 127\.0\.0\.1")

    def test_what_is_changed_on_the_way(self):
        with Server() as old, Server(["8BITMIME", "SIZE 100"]) as small:
            rules = "pcre:{ {/^Subject: out/ REPLACE Subject: outside}, {/^Received:/ IGNORE} }"
            with relay_by({"away.test": f"smtp:[127.0.0.1]:{old.port}", "small.test": f"smtp:[127.0.0.1]:{small.port}"},
                          smtp_generic_maps="inline:{{kitkat@client.test = anna@example.com}}", smtp_header_checks=rules) as behind:
                behind.sendmail("-i", "-f", "kitkat@client.test", "far@away.test", message=EIGHT_BIT)
                content = old.wait_for_content().replace(b"\r\n", b"\n")
                header, body = content.split(b"\n\n", 1)
                self.assertIn("MAIL FROM:<anna@example.com>", old.commands)
                self.assertIn(b"From: anna@example.com", header)
                self.assertIn(b"Subject: outside", header)
                self.assertNotIn(b"Received:", header)
                self.assertIn(b"Content-Transfer-Encoding: 7bit", header)
                self.assertIn(b"Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =3D Gr=C3=BC=C3=9Fe\n--b\n", body)
                behind.wait_for_log(r"smtp\[\d+\]: \S+: replace: header Subject: out: Subject: outside")
                behind.sendmail("-i", "-f", "kitkat@client.test", "far@small.test", message=EIGHT_BIT)
                behind.wait_for_log(r"status=bounced \(message size \d+ exceeds size limit 100 of server 127\.0\.0\.1\[127\.0\.0\.1\]\)")

    def test_filters_of_replies_and_of_outcomes(self):
        with Server(replies={"RCPT TO:<no@": "550 5.1.1 try again tomorrow", "RCPT TO:<odd@": "999 what"}) as server:
            with relay_by({"away.test": f"smtp:[127.0.0.1]:{server.port}"}, smtp_reply_filter="pcre:{ {/^999 (.*)/ 450 4.2.0 was odd} }",
                          smtp_delivery_status_filter="pcre:{ {/^5\\.1\\.1 .*tomorrow/ 4.1.1 tomorrow then} }") as behind:
                behind.sendmail("-i", "-f", "kitkat@client.test", "no@away.test", "odd@away.test", message=MESSAGE)
                behind.wait_for_log(r"to=<no@away\.test>.*dsn=4\.1\.1, status=deferred \(tomorrow then\)")
                behind.wait_for_log(r"to=<odd@away\.test>.*dsn=4\.2\.0, status=deferred \(host \S+ said: 450 4\.2\.0 was odd \(in reply to RCPT TO command\)\)")

    def test_connections_are_kept(self):
        with Server(["PIPELINING"]) as server, relay_by({"away.test": f"smtp:[127.0.0.1]:{server.port}"}) as behind:
            for sent in range(1, 4):
                behind.sendmail("-i", "-f", "kitkat@client.test", "far@away.test", message=MESSAGE)
                behind.wait_for_log(r"status=sent", count=sent)
            self.assertEqual(len(server.contents), 3)
            self.assertLess(server.connections, 3)
            behind.wait_for_log(r"conn_use=2,.*status=sent")


DOVECOT = """\
base_dir = {0}/run
state_dir = {0}/run
log_path = {0}/log
protocols = lmtp
auth_username_format = %n
ssl = no
mail_location = maildir:{0}/mail/%n
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={0}/mail/%n allow_all_users=no
}}
passdb {{
  driver = passwd-file
  args = {0}/users
}}
service lmtp {{
  unix_listener {0}/lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = 2424
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@suite.needs_root
@suite.needs("dovecot")
@unittest.skipUnless(os.path.exists("/usr/lib/dovecot/lmtp"), "dovecot-lmtpd is not installed")
class Dovecot(unittest.TestCase):
    def test_lmtp_by_socket_and_by_port(self):
        folder = f"{SCRATCH}/dovecot"
        os.makedirs(f"{folder}/mail")
        HERE.run("chown", "vmail:vmail", f"{folder}/mail")
        HERE.write(f"{folder}/users", "anna:{PLAIN}x::::::\nbert:{PLAIN}x::::::\n")
        HERE.write(f"{folder}/dovecot.conf", DOVECOT.format(folder))
        process = HERE.start("/usr/sbin/dovecot", "-F", "-c", f"{folder}/dovecot.conf")
        try:
            until(lambda: os.path.exists(f"{folder}/lmtp"), "Dovecot's socket")
            with relay_by({"socket.test": f"lmtp:unix:{folder}/lmtp", "port.test": "lmtp:inet:127.0.0.1:2424"}) as behind:
                behind.sendmail("-i", "-f", "kitkat@client.test", "anna@socket.test", "nobody@socket.test", "bert@port.test", message=MESSAGE)
                behind.wait_for_log(r"lmtp\[\d+\]: \S+: to=<anna@socket\.test>, relay=mail\.client\.test\[\S+/lmtp\], .*status=sent \(250 2\.0\.0 .* Saved\)")
                behind.wait_for_log(r"to=<bert@port\.test>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:2424, .*status=sent \(250 2\.0\.0 .* Saved\)")
                behind.wait_for_log(r"to=<nobody@socket\.test>.*dsn=5\.1\.1, status=bounced \(host mail\.client\.test\[\S+\] said: 550 5\.1\.1 ")
                for name in ("anna", "bert"):
                    self.assertTrue(read_maildir(f"{folder}/mail/{name}")[0].replace(b"\r\n", b"\n").endswith(b"\n\nfirst line\n.\n..dots\n"))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    suite.main()
