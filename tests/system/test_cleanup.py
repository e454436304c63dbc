"""Mail on its way in: checked, rewritten, copied; what is refused, what is logged, and what arrives."""
import smtplib
import unittest

from harness import clients, suite
from harness.instance import Instance

SETTINGS = {
    "header_checks": "pcre:{{/^Subject: reject me/ REJECT no such subjects} {/^Subject: wait/ REJECT 4.7.0 not now} {/^Subject: drop/ DISCARD gone}"
                     " {/^Subject: to nougat/ REDIRECT nougat@example.test} {/^Subject: copy/ BCC nougat@example.test} {/^X-Secret/ IGNORE}"
                     " {/^Subject: look/ WARN seen} {/^X-Name: (.*)/ REPLACE X-Renamed: $$1} {/^Subject: more/ PREPEND X-More: yes}}",
    "body_checks": "regexp:{{/^never say this/ REJECT} {/^card number/ REPLACE (removed)}}",
    "virtual_alias_maps": "inline:{{team@example.test = kitkat@example.test, nougat@example.test} {loop@example.test = loop+x@example.test}}",
    "virtual_alias_recursion_limit": "20",
    "canonical_maps": "inline:{{kit@example.test = kitkat@example.test}}",
    "masquerade_domains": "example.test",
    "local_header_rewrite_clients": "permit_inet_interfaces",
    "sender_bcc_maps": "inline:{{watched@example.test = nougat@example.test}}",
    "smtpd_error_sleep_time": "0",
}
# Behind the second door nothing is looked at, as for mail that a filter gives back.
DOORS = """\
{smtp} inet n - n - - smtpd
{submission} inet n - n - - smtpd
  -o receive_override_options=no_address_mappings,no_header_body_checks
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
"""


def message(subject, *fields, body="hello\n"):
    return ("".join(f"{field}\n" for field in (f"Subject: {subject}", "From: kitkat@example.test", *fields)) + "\n" + body).encode()


class Cleanup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suite = Instance("cleanup", settings=SETTINGS, services=DOORS).start()

    @classmethod
    def tearDownClass(cls):
        cls.suite.close()

    def setUp(self):
        self.before = {user: len(self.suite.messages(user)) for user in ("kitkat", "nougat")}

    def send(self, content, to="kitkat@example.test", sender="joe@elsewhere.test", port="smtp"):
        with smtplib.SMTP("127.0.0.1", self.suite.ports[port], local_hostname="client.test", timeout=30) as client:
            return clients.send(client, sender, to, content)

    def received(self, user, count=1):
        return self.suite.wait_for_messages(user, self.before[user] + count)[self.before[user]:]

    def refusal(self, content, **more):
        with self.assertRaises(smtplib.SMTPDataError) as caught:
            self.send(content, **more)
        return caught.exception.smtp_code, caught.exception.smtp_error.decode()

    def test_refused_content(self):
        for subject, body, expected, logged in (
                ("reject me", "x\n", (550, "5.7.1 no such subjects"), "reject: header Subject: reject me from .*; from=<joe@elsewhere.test> "
                                                                      "to=<kitkat@example.test> proto=ESMTP helo=<client.test>: 5.7.1 no such subjects"),
                ("wait", "x\n", (451, "4.7.0 not now"), "reject: header Subject: wait from .*: 4.7.0 not now"),
                ("x", "never say this\n", (550, "5.7.1 message content rejected"), "reject: body never say this from .*: 5.7.1 message content rejected")):
            with self.subTest(subject=subject):
                self.assertEqual(self.refusal(message(subject, body=body)), expected)
                self.suite.wait_for_log(rf"postfix/cleanup\[\d+\]: \w+: {logged}$")
        received = "".join(f"Received: from a{i} by b{i}\n" for i in range(50)).encode()
        self.assertEqual(self.refusal(received + message("around")), (554, "5.4.0 Error: too many hops"))
        self.assertEqual(self.refusal(message("x"), to="loop@example.test"), (451, "4.6.0 Alias expansion error"))
        self.assertEqual(self.suite.queue(), [])

    def test_discarded_content_is_accepted_and_gone(self):
        self.send(message("drop"))
        self.suite.wait_for_log(r"discard: header Subject: drop from .*: gone$")
        self.send(message("after"))
        self.assertIn(b"Subject: after", self.received("kitkat")[0])

    def test_headers_and_lines_are_changed(self):
        self.send(message("more", "X-Secret: 1", "X-Name: two\n words", body="card number 1234\nrest\n"))
        stored = self.received("kitkat")[0].replace(b"\r\n", b"\n")
        self.assertNotIn(b"X-Secret", stored)
        self.assertIn(b"\nX-More: yes\nSubject: more\n", stored)
        self.assertIn(b"\nX-Renamed: two\n words\n", stored)
        self.assertEqual(clients.body(stored), b"(removed)\nrest\n")

    def test_redirected_and_copied(self):
        self.send(message("to nougat"), to=["kitkat@example.test", "team@example.test"])
        self.assertIn(b"Subject: to nougat", self.received("nougat")[0])
        self.send(message("copy"))
        self.assertIn(b"Subject: copy", self.received("kitkat")[0])
        self.assertIn(b"Subject: copy", self.received("nougat", 2)[1])
        self.send(message("from the watched"), sender="watched@example.test")
        self.assertIn(b"X-Original-To: nougat@example.test", self.received("nougat", 3)[2])

    def test_addresses_of_our_own_clients_are_rewritten(self):
        self.suite.sendmail("-i", "-f", "kit@host.example.test", "kit", message=b"From: Kit <kit>\nTo: nobody@host.example.test (x), far@elsewhere.test\n\nhello\n")
        stored = self.received("kitkat")[0].replace(b"\r\n", b"\n")
        self.assertIn(b"\nFrom: Kit <kitkat@example.test>\n", stored)
        self.assertIn(b"\nTo: nobody@example.test (x), far@elsewhere.test\n", stored)
        self.assertIn(b"Return-Path: <kit@example.test>\n", stored)
        self.assertIn(b"\nX-Original-To: kit\n", stored)
        self.assertRegex(stored, rb"\nMessage-Id: <.*@mail.example.test>\n")
        self.suite.wait_for_log(r"to=<kitkat@example.test>, orig_to=<kit>, relay=virtual")

    def test_sendmail_is_checked_too(self):
        self.suite.sendmail("-i", "-f", "kitkat@example.test", "kitkat@example.test", message=message("look"))
        self.suite.wait_for_log(r"warning: header Subject: look from local; from=<kitkat@example.test> to=<kitkat@example.test>: seen$")
        self.received("kitkat")

    def test_virtual_aliases(self):
        self.send(message("for all"), to="team@example.test")
        for user in ("kitkat", "nougat"):
            stored = self.received(user)[0]
            self.assertIn(b"X-Original-To: team@example.test", stored)
            self.assertIn(b"\tfor <team@example.test>; ", stored)
        self.suite.wait_for_log(r"to=<nougat@example.test>, orig_to=<team@example.test>")

    def test_a_door_where_nothing_is_looked_at(self):
        self.send(message("reject me", "X-Secret: stays"), port="submission")
        self.assertIn(b"X-Secret: stays", self.received("kitkat")[0])

    def test_large_mail_with_a_late_copy(self):
        self.suite.change(body_checks="regexp:{{/^last line/ BCC nougat@example.test}}", body_checks_size_limit="0")
        try:
            lines = "".join(f"line {i}\n" for i in range(100000)) + "last line\n"
            self.send(message("large", body=lines))
            for user in ("kitkat", "nougat"):
                self.assertEqual(clients.body(self.received(user)[0]), lines.encode())
        finally:
            self.suite.change(body_checks=SETTINGS["body_checks"])


if __name__ == "__main__":
    suite.main()
