"""Python's own clients: smtplib, imaplib, poplib, against an instance."""
import imaplib
import poplib
import smtplib

from harness.instance import PASSWORD, trust

poplib._MAXLINE = 1 << 20       # messages have longer lines than it thinks


def smtp(instance, **more):
    return smtplib.SMTP("127.0.0.1", instance.ports["smtp"], local_hostname="client.test", timeout=30, **more)


def send(client, sender, recipients, message):
    """smtplib passes bytes on as they are, line ends included."""
    return client.sendmail(sender, recipients, message.replace(b"\n", b"\r\n"), ["body=8bitmime"])


def submission(instance, user):
    client = smtplib.SMTP("localhost", instance.ports["submission"], local_hostname="client.test", timeout=30)
    client.starttls(context=trust())
    client.login(f"{user}@{instance.domain}", PASSWORD)
    return client


def imap(instance, user, mailbox="INBOX"):
    client = imaplib.IMAP4_SSL("localhost", instance.ports["imaps"], ssl_context=trust(), timeout=30)
    client.login(f"{user}@{instance.domain}", PASSWORD)
    if mailbox:
        client.select(mailbox)
    return client


def pop3(instance, user):
    client = poplib.POP3_SSL("localhost", instance.ports["pop3s"], context=trust(), timeout=30)
    client.user(f"{user}@{instance.domain}")
    client.pass_(PASSWORD)
    return client


def read_imap(instance, user):
    """All messages of the inbox: bytes as sent by the server, CRLF line ends."""
    client = imap(instance, user)
    found = []
    for number in client.search(None, "ALL")[1][0].split():
        found.append(client.fetch(number, "(BODY.PEEK[])")[1][0][1])
    client.logout()
    return found


def read_pop3(instance, user):
    client = pop3(instance, user)
    count = client.stat()[0]
    found = [b"".join(line + b"\r\n" for line in client.retr(number)[1]) for number in range(1, count + 1)]
    client.quit()
    return found


def body(message):
    """What stands after the header, with LF line ends."""
    message = message.replace(b"\r\n", b"\n")
    return message.split(b"\n\n", 1)[1] if b"\n\n" in message else b""
