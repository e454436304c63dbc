"""Logging in, as real clients do: every mechanism, at SMTP and IMAP; Dovecot's auth in place of ours; ours with a channel binding."""
import base64
import hashlib
import hmac
import imaplib
import os
import re
import smtplib
import subprocess
import time
import unittest

from harness import suite
from harness.instance import PASSWORD, Instance, trust
from harness.machines import HERE, SCRATCH
from harness.wait import until

USER = "kitkat@example.test"


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


class Scram:
    """RFC 5802 from the client's side."""

    def __init__(self, digest, user, password, binding=b"", flag="n"):
        self.digest, self.password, self.header, self.binding = digest, password.encode(), f"{flag},,", binding
        self.bare = f"n={user},r={b64(os.urandom(12))}"
        self.step = 0

    def __call__(self, challenge=None):
        self.step += 1
        if self.step == 1:
            return self.header + self.bare
        if self.step == 3:
            expected = hmac.new(hmac.new(self.salted, b"Server Key", self.digest).digest(), self.text.encode(), self.digest).digest()
            assert challenge == f"v={b64(expected)}", challenge
            return ""
        nonce, salt, rounds = (field[2:] for field in challenge.split(","))
        self.salted = hashlib.pbkdf2_hmac(self.digest, self.password, base64.b64decode(salt), int(rounds))
        key = hmac.new(self.salted, b"Client Key", self.digest).digest()
        unproved = f"c={b64(self.header.encode() + self.binding)},r={nonce}"
        self.text = f"{self.bare},{challenge},{unproved}"
        signature = hmac.new(hashlib.new(self.digest, key).digest(), self.text.encode(), self.digest).digest()
        return f"{unproved},p={b64(bytes(a ^ b for a, b in zip(key, signature)))}"


def smtp(instance, port="smtp", tls=True):
    client = smtplib.SMTP("localhost", instance.ports[port], local_hostname="client.test", timeout=30)
    client.ehlo()
    if tls:
        client.starttls(context=trust())
        client.ehlo()
    return client


def mechanisms(client):
    return set(client.esmtp_features.get("auth", "").split())


def exchange(client, mechanism, talk):
    """AUTH with an initial response, until there is no more challenge: (code, text)."""
    code, text = client.docmd("AUTH", f"{mechanism} {b64(talk())}")
    while code == 334:
        code, text = client.docmd(b64(talk(base64.b64decode(text).decode())))
    return code, text.decode()


def jwt(secret, claims):
    def url(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")
    text = url(b'{"alg":"HS256"}') + "." + url(claims.encode())
    return text + "." + url(hmac.new(secret, text.encode(), "sha256").digest())


class Mechanisms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        keys = f"{SCRATCH}/keys/default/HS256"
        os.makedirs(keys)
        HERE.write(f"{keys}/default", b64(b"shared secret"), mode=0o600)
        cls.suite = Instance("auth", settings={
            "auth_mechanisms": "plain login cram-md5 scram-sha-1 scram-sha-256 scram-sha-256-plus oauthbearer xoauth2",
            "smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes", "auth_failure_delay": "0", "smtpd_tls_received_header": "yes",
            "smtpd_sasl_authenticated_header": "yes", "oauth2_local_validation_key_dict": f"fs:posix:prefix={SCRATCH}/keys/",
            "smtpd_tls_loglevel": "1", "auth_master_passwd_files": f"{SCRATCH}/masters", "auth_master_user_separator": "*",
            "smtpd_soft_error_limit": "100", "smtpd_hard_error_limit": "200"})
        users = f"{cls.suite.etc}/users"
        with open(users) as file:
            lines = file.read()
        plain = re.sub(r"^(kitkat@[^:]*):[^:]*:", rf"\1:{{PLAIN}}{PASSWORD}:", lines, flags=re.M)
        stored = cls.suite.command("rookpost", "pw", "-s", "SCRAM-SHA-256", "-p", PASSWORD).stdout.decode().strip()
        cls.suite.write("users", re.sub(r"^(nougat@[^:]*):[^:]*:", lambda m: f"{m[1]}:{stored}:", plain, flags=re.M))
        HERE.write(f"{SCRATCH}/masters", "admin:{PLAIN}master\n", mode=0o600)
        cls.suite.start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    def test_every_mechanism_is_offered_under_tls_and_none_in_the_clear(self):
        with smtp(self.suite, tls=False) as client:
            self.assertEqual(mechanisms(client), set())
            self.assertEqual(client.docmd("AUTH", "PLAIN AAAA")[0], 504)
        with smtp(self.suite) as client:
            self.assertEqual(mechanisms(client), {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER", "XOAUTH2"})

    def test_plain_login_and_cram_md5_by_smtplib(self):
        for name in ("auth_plain", "auth_login", "auth_cram_md5"):
            for password, code in ((PASSWORD, 235), ("wrong", 535)):
                with self.subTest(mechanism=name, code=code), smtp(self.suite) as client:
                    client.user, client.password = USER, password
                    method = name.removeprefix("auth_").upper().replace("_", "-")
                    try:
                        answer = client.auth(method, getattr(client, name))[0]
                    except smtplib.SMTPAuthenticationError as refusal:
                        answer = refusal.smtp_code
                        self.assertIn(b"5.7.8 Error: authentication failed: authentication failure", refusal.smtp_error)
                    self.assertEqual(answer, code)
        self.suite.wait_for_log(rf"warning: localhost\[127\.0\.0\.1\]: SASL CRAM-MD5 authentication failed: authentication failure, sasl_username={USER}$")

    def test_scram(self):
        cases = [("SCRAM-SHA-1", "sha1", USER, PASSWORD, 235), ("SCRAM-SHA-256", "sha256", USER, PASSWORD, 235),
                 ("SCRAM-SHA-256", "sha256", "nougat@example.test", PASSWORD, 235), ("SCRAM-SHA-1", "sha1", "nougat@example.test", PASSWORD, 535),
                 ("SCRAM-SHA-256", "sha256", USER, "wrong", 535), ("SCRAM-SHA-256", "sha256", "nobody@example.test", PASSWORD, 535)]
        for mechanism, digest, user, password, code in cases:
            with self.subTest(mechanism=mechanism, user=user, code=code), smtp(self.suite) as client:
                self.assertEqual(exchange(client, mechanism, Scram(digest, user, password))[0], code)

    def test_scram_bound_to_the_certificate_at_smtp_and_imap(self):
        with smtp(self.suite) as client:
            binding = hashlib.sha256(client.sock.getpeercert(binary_form=True)).digest()
            bound = Scram("sha256", USER, PASSWORD, binding, "p=tls-server-end-point")
            self.assertEqual(exchange(client, "SCRAM-SHA-256-PLUS", bound)[0], 235)
        with smtp(self.suite) as client:
            relayed = Scram("sha256", USER, PASSWORD, b"x" * 32, "p=tls-server-end-point")
            self.assertEqual(exchange(client, "SCRAM-SHA-256-PLUS", relayed)[0], 535)
        with smtp(self.suite) as client:
            self.assertEqual(exchange(client, "SCRAM-SHA-256", Scram("sha256", USER, PASSWORD, flag="y"))[0], 535)
        client = imaplib.IMAP4_SSL("localhost", self.suite.ports["imaps"], ssl_context=trust(), timeout=30)
        self.assertIn("AUTH=SCRAM-SHA-256-PLUS", client.capabilities)
        bound = Scram("sha256", USER, PASSWORD, binding, "p=tls-server-end-point")
        client.authenticate("SCRAM-SHA-256-PLUS", lambda challenge: bound(challenge.decode()) if challenge or bound.step else bound())
        client.select("INBOX")
        client.logout()

    def test_tokens(self):
        good = jwt(b"shared secret", f'{{"email":"{USER}","exp":{int(time.time()) + 600}}}')
        late = jwt(b"shared secret", f'{{"email":"{USER}","exp":{int(time.time()) - 600}}}')
        forms = {"XOAUTH2": "user={}\1auth=Bearer {}\1\1", "OAUTHBEARER": "n,a={},\1host=localhost\1port=25\1auth=Bearer {}\1\1"}
        for mechanism, form in forms.items():
            for user, token, code in ((USER, good, 235), (USER, late, 535), (USER, good + "x", 535), ("nougat@example.test", good, 535)):
                with self.subTest(mechanism=mechanism, user=user, code=code), smtp(self.suite) as client:
                    heard = []
                    def talk(challenge=None):
                        heard.append(challenge)
                        return form.format(user, token) if challenge is None else "\1"
                    self.assertEqual(exchange(client, mechanism, talk)[0], code)
                    self.assertEqual(len(heard), 1 if code == 235 else 2)

    @suite.needs("curl")
    def test_curl_logs_in_by_what_it_likes_best(self):
        for options in (["--login-options", "AUTH=PLAIN"], ["--login-options", "AUTH=CRAM-MD5"], []):
            with self.subTest(options=options):
                done = HERE.run("curl", "-sS", "--ssl-reqd", "-k", f"smtp://localhost:{self.suite.ports['smtp']}/client.test", "--mail-from", USER,
                                "--mail-rcpt", USER, "-u", f"{USER}:{PASSWORD}", *options, "-T", "-", input=b"Subject: curl\r\n\r\nhello\r\n")
                self.assertEqual(done.returncode, 0)
        message = self.suite.wait_for_messages("kitkat", 3)[0].decode()
        self.assertRegex(message, r"\t\(using TLSv1\.3 with cipher \S+ \(\d+/\d+ bits\)\n\t key-exchange \S+ server-signature ECDSA \(P-256\) server-digest SHA256\)\n"
                                  r"\t\(No client certificate requested\)\n\t\(Authenticated sender: kitkat@example\.test\)\n\tby ")

    def test_a_master_logs_in_as_somebody(self):
        name = f'"{USER}*admin"'
        client = imaplib.IMAP4_SSL("localhost", self.suite.ports["imaps"], ssl_context=trust(), timeout=30)
        with self.assertRaises(imaplib.IMAP4.error):
            client.login(name, PASSWORD)
        client.login(name, "master")
        client.logout()
        self.suite.wait_for_log(rf"admin logs in as {USER}$")

    def test_slips(self):
        with smtp(self.suite) as client:
            self.assertEqual(client.docmd("AUTH"), (501, b"5.5.4 Syntax: AUTH mechanism"))
            self.assertEqual(client.docmd("AUTH", "GSSAPI"), (535, b"5.7.8 Error: authentication failed: Invalid authentication mechanism"))
            self.assertEqual(client.docmd("AUTH", "PLAIN !"), (501, b"5.5.2 Error: malformed authentication response"))
            self.assertEqual(client.docmd("AUTH", "LOGIN")[0], 334)
            self.assertEqual(client.docmd("*"), (501, b"5.7.0 Authentication aborted"))
            self.assertEqual(client.docmd("AUTH", "LOGIN")[0], 334)
            self.assertEqual(client.docmd("A" * 20000), (500, b"5.5.6 SASL response limit exceeded"))
            client.login(USER, PASSWORD)
            self.assertEqual(client.docmd("AUTH", "PLAIN"), (503, b"5.5.1 Error: already authenticated"))
        self.suite.wait_for_log(r"warning: localhost\[127\.0\.0\.1\]: SASL LOGIN authentication aborted$")


class Rules(unittest.TestCase):
    def test_security_options_filter_and_exceptions(self):
        with Instance("rules", settings={"smtpd_sasl_auth_enable": "yes", "auth_mechanisms": "plain login cram-md5 scram-sha-256",
                                         "smtpd_sasl_security_options": "noanonymous, noplaintext", "smtpd_sasl_tls_security_options": "noanonymous",
                                         "smtpd_sasl_mechanism_filter": "!login, static:rest", "broken_sasl_auth_clients": "yes",
                                         "smtpd_sasl_exceptions_networks": "127.0.0.2"}) as suite_:
            with smtp(suite_, tls=False) as client:
                self.assertEqual({each for each in mechanisms(client) if "=" not in each}, {"CRAM-MD5", "SCRAM-SHA-256"})
                self.assertIn(b"\nAUTH=CRAM-MD5 SCRAM-SHA-256", client.ehlo_resp)
                self.assertEqual(client.docmd("AUTH", "PLAIN")[0], 535)
            with smtp(suite_) as client:
                self.assertEqual({each for each in mechanisms(client) if "=" not in each}, {"PLAIN", "CRAM-MD5", "SCRAM-SHA-256"})
            with smtplib.SMTP("127.0.0.1", suite_.ports["smtp"], local_hostname="client.test", timeout=30, source_address=("127.0.0.2", 0)) as client:
                client.ehlo()
                self.assertNotIn("auth", client.esmtp_features)


DOVECOT = """\
base_dir = {base}
state_dir = {base}/state
log_path = {base}/log
protocols =
ssl = no
default_internal_user = rooknull
default_login_user = rooknull
default_internal_group = rooknull
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {base}/users
}}
userdb {{
  driver = static
  args = uid=5000 gid=5000 home=/
}}
service auth {{
  unix_listener {base}/client {{
    mode = 0666
  }}
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@suite.needs_root
@suite.needs("dovecot")
class DovecotAuth(unittest.TestCase):
    def test_dovecot_answers_in_place_of_our_auth(self):
        base, port = f"{SCRATCH}/dovecot", 12399
        os.makedirs(f"{base}/state")
        HERE.write(f"{base}/users", f"{USER}:{{PLAIN}}{PASSWORD}\n")
        HERE.write(f"{base}/conf", DOVECOT.format(base=base, port=port))
        dovecot = HERE.start("dovecot", "-F", "-c", f"{base}/conf", stderr=subprocess.PIPE)
        try:
            until(lambda: os.path.exists(f"{base}/client"), lambda: f"dovecot's socket; {dovecot.poll()}")
            for path in (f"{base}/client", f"inet:127.0.0.1:{port}"):
                with self.subTest(path=path), Instance("by_dovecot", settings={
                        "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": path}) as suite_:
                    with smtp(suite_) as client:
                        self.assertEqual({each for each in mechanisms(client) if "=" not in each}, {"PLAIN", "LOGIN", "SCRAM-SHA-256"})
                        client.login(USER, PASSWORD)
                    with smtp(suite_) as client:
                        self.assertEqual(exchange(client, "SCRAM-SHA-256", Scram("sha256", USER, PASSWORD))[0], 235)
                    with smtp(suite_) as client:
                        code, text = exchange(client, "PLAIN", lambda challenge=None: f"\0{USER}\0wrong")
                        self.assertEqual((code, text), (535, "5.7.8 Error: authentication failed: (reason unavailable)"))
                    suite_.wait_for_log(rf"SASL PLAIN authentication failed: \(reason unavailable\), sasl_username={USER}$")
        finally:
            dovecot.terminate()
            dovecot.wait()
            dovecot.stderr.close()


if __name__ == "__main__":
    suite.main()
