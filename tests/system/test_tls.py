"""TLS as a server, seen by openssl s_client: names, client certificates, renewal, tickets across processes, and the log's words."""
import os
import re
import smtplib
import socket
import ssl
import subprocess
import unittest

from harness import suite
from harness.instance import Instance
from harness.machines import HERE, SCRATCH
from harness.wait import until


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def self_signed(name, path, key="ec"):
    """PATH.pem with a certificate for the name, PATH.key with its key."""
    kind = ["-newkey", "rsa:2048"] if key == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    openssl("req", "-x509", *kind, "-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{path}.key",
            "-out", f"{path}.pem")


def signed_client(name, path, authority):
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{path}.key", "-out", f"{path}.csr")
    openssl("x509", "-req", "-in", f"{path}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "30", "-out", f"{path}.pem")


def s_client(port, *options, talk="QUIT\r\n", starttls="smtp"):
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-crlf", *(["-starttls", starttls] if starttls else []), *options]
    done = subprocess.run(words, input=talk.encode(), capture_output=True, timeout=30)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def subject(text):
    found = re.search(r"^subject=(?:.*CN ?= ?)(\S+)", text, re.M)
    return found and found[1]


def showing(name):
    """What a client needs to show the certificate of that name, or none."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if name:
        context.load_cert_chain(f"{SCRATCH}/{name}.pem", f"{SCRATCH}/{name}.key")
    return context


def secured(port, name):
    client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=30)
    client.starttls(context=showing(name))
    client.ehlo()
    return client


@suite.needs("openssl")
class Server(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for name, kind in (("first", "ec"), ("rsa", "rsa"), ("sni", "ec"), ("authority", "ec"), ("stranger", "ec"), ("renewed", "ec")):
            self_signed(f"{name}.test", f"{SCRATCH}/{name}", kind)
        signed_client("kitkat@example.test", f"{SCRATCH}/client", f"{SCRATCH}/authority")
        for name in ("first", "rsa", "sni", "stranger", "client"):
            os.chmod(f"{SCRATCH}/{name}.key", 0o600)
        HERE.write(f"{SCRATCH}/sni_table", f"sni.test {SCRATCH}/sni.key {SCRATCH}/sni.pem\n.below.test {SCRATCH}/sni.key,{SCRATCH}/sni.pem\n")
        cls.suite = Instance("tls", settings={
            "smtpd_tls_cert_file": f"{SCRATCH}/first.pem", "smtpd_tls_key_file": f"{SCRATCH}/first.key", "smtpd_tls_eccert_file": f"{SCRATCH}/rsa.pem",
            "smtpd_tls_eckey_file": f"{SCRATCH}/rsa.key", "tls_server_sni_maps": f"texthash:{SCRATCH}/sni_table", "smtpd_tls_loglevel": "1",
            "smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": f"{SCRATCH}/authority.pem", "auth_mechanisms": "plain external",
            "smtpd_sasl_auth_enable": "yes", "smtpd_sasl_mechanism_filter": "static:all", "smtpd_tls_received_header": "yes",
            "smtpd_tls_protocols": ">=TLSv1.2", "smtpd_tls_exclude_ciphers": "AES128", "auth_failure_delay": "0", "tls_certificate_check_time": "1s"})
        cls.suite.start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.remove()

    @property
    def port(self):
        return self.suite.ports["smtp"]

    def test_the_name_that_is_asked_for_chooses_the_certificate(self):
        for name, expected in (("sni.test", "sni.test"), ("a.b.below.test", "sni.test"), ("SNI.test", "sni.test"), ("other.test", "first.test")):
            with self.subTest(name=name):
                self.assertEqual(subject(s_client(self.port, "-servername", name, "-sigalgs", "ECDSA+SHA256")), expected)
        self.suite.wait_for_log(r"TLS connection established from localhost\[127\.0\.0\.1\] to sni\.test: TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 ")
        imap = s_client(self.suite.ports["imaps"], "-servername", "sni.test", "-sigalgs", "ECDSA+SHA256", starttls=None, talk="a LOGOUT\r\n")
        self.assertEqual(subject(imap), "sni.test")

    def test_two_algorithms(self):
        self.assertEqual(subject(s_client(self.port, "-sigalgs", "RSA-PSS+SHA256")), "rsa.test")
        self.assertEqual(subject(s_client(self.port, "-sigalgs", "ECDSA+SHA256")), "first.test")
        self.suite.wait_for_log(r"Anonymous TLS connection established from localhost\[127\.0\.0\.1\]: TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 \(256/256 bits\) "
                                r"key-exchange X25519 server-signature RSA-PSS \(2048 bits\) server-digest SHA256$")

    def test_protocols_and_ciphers(self):
        self.assertIn("Protocol  : TLSv1.2", s_client(self.port, "-tls1_2"))
        refused = s_client(self.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.assertIn("alert protocol version", refused)
        self.assertIn("Cipher is (NONE)", s_client(self.port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"))
        self.suite.wait_for_log(r"SSL_accept error from localhost\[127\.0\.0\.1\]: -1$")
        self.suite.wait_for_log(r"warning: TLS library problem: .*no shared cipher")
        self.suite.wait_for_log(r"lost connection after STARTTLS from localhost\[127\.0\.0\.1\]$")

    def test_client_certificates(self):
        for name, word, received in (("client", "Trusted", r'\t\(Client CN "kitkat@example\.test", Issuer "authority\.test" \(verified OK\)\)\n'),
                                     ("stranger", "Untrusted", r'\t\(Client CN "stranger\.test", Issuer "stranger\.test" \(not verified\)\)\n')):
            with self.subTest(certificate=name):
                before = len(self.suite.messages("nougat"))
                with self.connect(name) as client:
                    client.sendmail("a@example.test", ["nougat@example.test"], b"Subject: x\r\n\r\nx\r\n")
                stored = self.suite.wait_for_messages("nougat", before + 1)[-1].decode()
                self.assertRegex(stored, r"\t\(using TLSv1\.3 with cipher [^\n]*\n\t key-exchange [^\n]*\n\t client-signature ECDSA \(P-256\) client-digest SHA256\)\n" + received)
                self.suite.wait_for_log(rf"{word} TLS connection established from localhost\[127\.0\.0\.1\]: TLSv1\.3 ")

    def connect(self, name):
        return secured(self.port, name)

    def test_external_by_a_trusted_certificate(self):
        with self.connect("client") as client:
            self.assertIn("EXTERNAL", client.esmtp_features["auth"])
            self.assertEqual(client.docmd("AUTH", "EXTERNAL ="), (235, b"2.7.0 Authentication successful"))
        with self.connect("stranger") as client:
            self.assertEqual(client.docmd("AUTH", "EXTERNAL =")[0], 535)

    def test_a_ticket_of_one_process_is_good_at_another(self):
        session = f"{SCRATCH}/session"
        s_client(self.port, "-sess_out", session, "-tls1_2")
        for _ in range(8):      # the connections go to several processes
            self.assertIn("Reused, TLSv1.2", s_client(self.port, "-sess_in", session, "-tls1_2"))
        self.suite.command("rookpost", "reload")
        self.suite.wait_for_log(r"reload -- version")
        self.assertIn("Reused, TLSv1.2", s_client(self.port, "-sess_in", session, "-tls1_2"))
        self.suite.wait_for_log(r"Anonymous TLS connection reused from localhost\[127\.0\.0\.1\]: TLSv1\.2 with cipher ")

    def test_zz_a_renewed_certificate_is_used_without_reload_and_sessions_go_on(self):
        client = self.connect("client")
        for kind in ("pem", "key"):
            os.chmod(f"{SCRATCH}/renewed.{kind}", 0o600)
            os.replace(f"{SCRATCH}/renewed.{kind}", f"{SCRATCH}/first.{kind}")
        self.suite.wait_for_log(rf"{SCRATCH}/first\.(pem|key) was renewed: new connections get the new certificate")
        until(lambda: subject(s_client(self.port, "-sigalgs", "ECDSA+SHA256")) == "renewed.test", "the new certificate")
        self.assertEqual(client.noop()[0], 250)
        client.quit()


@suite.needs("openssl")
class Mandatory(unittest.TestCase):
    def test_levels_encrypt_and_wrapper_and_required_certificates(self):
        self_signed("authority.test", f"{SCRATCH}/required")
        signed_client("client.test", f"{SCRATCH}/good", f"{SCRATCH}/required")
        self_signed("bad.test", f"{SCRATCH}/bad")
        with Instance("mandatory", settings={"smtpd_tls_security_level": "encrypt", "smtpd_tls_req_ccert": "yes", "smtpd_tls_CAfile": f"{SCRATCH}/required.pem",
                                             "smtpd_tls_loglevel": "1"}) as suite_:
            port = suite_.ports["smtp"]
            with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, plain.makefile("rwb") as stream:
                stream.readline()
                stream.write(b"HELO client.test\r\n")
                stream.flush()
                stream.readline()
                stream.write(b"MAIL FROM:<a@example.test>\r\n")
                stream.flush()
                self.assertEqual(stream.readline(), b"530 5.7.0 Must issue a STARTTLS command first\r\n")
            with secured(port, "good") as client:
                self.assertEqual(client.noop()[0], 250)
            for name in (None, "bad"):
                with self.assertRaises((smtplib.SMTPException, OSError)):
                    secured(port, name).noop()
            suite_.wait_for_log(r"warning: TLS library problem: client certificate (missing|not trusted)")
            with smtplib.SMTP_SSL("127.0.0.1", suite_.ports["submissions"], local_hostname="client.test", timeout=30, context=showing("good")) as client:
                self.assertEqual(client.ehlo()[0], 250)


if __name__ == "__main__":
    suite.main()
