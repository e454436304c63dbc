// access(5): keys, actions, and sendmail's spelling of such tables.
#include "restriction_world.h"

using namespace smtpd;

namespace {

std::string checked(const std::string& word, const std::string& table, bool parents = true)
{
    return std::string(parents ? "" : "parent_domain_matches_subdomains =\n") + "smtpd_recipient_restrictions = " + word + " inline:{{" + table + "}}\n";
}

} // namespace

TEST_CASE("which keys are asked for", "[smtpd]")
{
    struct Case {
        const char *word, *key;
        bool parents, found;
    };
    Case cases[] = {
        {"check_client_access", "mx.example.net", true, true},
        {"check_client_access", "example.net", true, true},
        {"check_client_access", "net", true, true},
        {"check_client_access", ".example.net", true, false},
        {"check_client_access", ".example.net", false, true},
        {"check_client_access", "example.net", false, false},
        {"check_client_access", "192.0.2.7", true, true},
        {"check_client_access", "192.0.2", true, true},
        {"check_client_access", "192", true, true},
        {"check_client_access", "192.0.2.8", true, false},
        {"check_reverse_client_hostname_access", "mx.example.net", true, true},
        {"check_helo_access", "example.net", true, true},
        {"check_sender_access", "joe+x@example.net", true, true},
        {"check_sender_access", "joe@example.net", true, true},
        {"check_sender_access", "example.net", true, true},
        {"check_sender_access", "net", true, true},
        {"check_sender_access", ".net", false, true},
        {"check_sender_access", "joe@", true, true},
        {"check_sender_access", "@example.net", true, false},
        {"check_recipient_access", "ann@example.org", true, true},
        {"check_recipient_access", "ann@", true, true},
        {"check_recipient_access", "example.org", true, true},
        {"check_recipient_access", "joe@example.net", true, false},
        {"check_sasl_access", "somebody", true, true},
        {"", "ann@example.org", true, true},        // a table alone, in this list
    };
    for (const auto& c : cases) {
        CAPTURE(c.word, c.key, c.parents);
        World world(checked(c.word, std::string(c.key) + " = REJECT", c.parents));
        world.set_sender("joe+x@example.net");
        world.session->sasl_user = "somebody";
        CHECK(world.rcpt().empty() != c.found);
    }
    World null_sender(checked("check_sender_access", "<> = REJECT"));
    null_sender.set_sender("");
    CHECK(null_sender.rcpt() == "554 5.7.1 <>: Sender address rejected: Access denied");
    World networks("smtpd_recipient_restrictions = check_client_access cidr:{{192.0.2.0/24 REJECT no thanks}}\n");
    CHECK(networks.rcpt() == "554 5.7.1 <mx.example.net[192.0.2.7]>: Client host rejected: no thanks");
}

TEST_CASE("what a table can say", "[smtpd]")
{
    struct Case {
        const char *value, *reply;
    };
    std::string about = "<joe@example.net>: Sender address rejected: ";
    Case cases[] = {
        {"OK", ""},
        {"RELAY", ""},
        {"1234567", ""},
        {"DUNNO", "end"},
        {"REJECT", "554 5.7.1 *Access denied"},
        {"reject we know you", "554 5.7.1 *we know you"},
        {"REJECT 5.1.7 no", "554 5.1.7 *no"},
        {"DEFER", "450 4.7.1 *Access denied"},
        {"550 get lost", "550 5.7.1 *get lost"},
        {"450 4.2.0 wait", "450 4.2.0 *wait"},
        {"521 bye", "521 5.7.1 *bye"},
        {"450", "450 4.7.1 *Access denied"},
        {"250 fine", "server"},
        {"DEFER_IF_PERMIT not now", "end"},
        {"DEFER_IF_REJECT 4.1.7 not now", "450 4.1.7 *not now"},
        {"WARN look here", "end"},
        {"INFO look here", "end"},
        {"HOLD", "end"},
        {"FILTER scan:[127.0.0.1]:10025", "end"},
        {"PREPEND X-Note: yes", "end"},
        {"reject_non_fqdn_sender, permit", ""},
        {"warn_if_reject reject, DUNNO_not_a_word", "server"},
        {"check_sender_access static:REJECT", "554 5.7.1 *Access denied"},
        {"defer", "450 4.7.1 *Access denied"},
        {"permit", ""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.value);
        // Behind the table everybody is refused, so that "no opinion" shows.
        World strict("smtpd_recipient_restrictions = check_sender_access inline:{{ joe@example.net = " + std::string(c.value) + " }}, reject\n");
        std::string expected = base::replace_all(c.reply, "*", about);
        if (expected == "end") expected = "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied";
        if (expected == "server") expected = "451 4.3.5 Server configuration error";
        CHECK(strict.rcpt() == expected);
    }
}

TEST_CASE("what a table wants done with the message", "[smtpd]")
{
    auto settings = [](const std::string& value) { return checked("check_sender_access", "joe@example.net = " + value); };
    std::string begin = "RCPT from mx.example.net[192.0.2.7]: ", end = "; from=<joe@example.net> to=<ann@example.org> proto=ESMTP helo=<mx.example.net>\n";
    struct Case {
        const char *value, *line;
    };
    Case cases[] = {
        {"HOLD", "hold: *<joe@example.net>: Sender address triggers HOLD action"},
        {"HOLD for a look", "hold: *<joe@example.net>: Sender address for a look"},
        {"DISCARD", "discard: *<joe@example.net>: Sender address triggers DISCARD action"},
        {"FILTER scan:[127.0.0.1]:10025", "filter: *<joe@example.net>: Sender address triggers FILTER scan:[127.0.0.1]:10025"},
        {"REDIRECT boss@example.org", "redirect: *<joe@example.net>: Sender address triggers REDIRECT boss@example.org"},
        {"BCC boss@example.org", "bcc: *<joe@example.net>: Sender address triggers BCC boss@example.org"},
        {"WARN suspicious", "warn: *suspicious"},
        {"INFO seen", "info: *seen"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.value);
        World world(settings(c.value));
        CHECK(world.rcpt().empty());
        CHECK(world.logged("NOQUEUE: " + base::replace_all(c.line, "*", begin) + end));
    }
    World many(settings("FILTER a:b") + "smtpd_client_restrictions = check_client_access inline:{net=HOLD}\n"
               "smtpd_helo_restrictions = check_helo_access inline:{{net = PREPEND X-Seen: yes}}\n");
    CHECK(many.rcpt().empty());
    const auto& treatment = many.session->mail->treatment;
    CHECK(treatment.hold);
    CHECK(treatment.filter == "a:b");
    CHECK(treatment.prepend == std::vector<std::string>{"X-Seen: yes"});
    CHECK_FALSE(treatment.discard);
    World gone("smtpd_client_restrictions = check_client_access inline:{net=DISCARD}\nsmtpd_recipient_restrictions = reject\n");
    CHECK(gone.rcpt("nobody@example.org").empty());
    CHECK(gone.session->mail->treatment.discard);
    for (const char* bad : {"FILTER scan", "REDIRECT boss", "BCC boss", "PREPEND no header", "PREPEND"}) {
        CAPTURE(bad);
        World world(settings(bad));
        CHECK(world.rcpt().empty());
        CHECK(world.logged(" requires "));
    }
    // Before MAIL: for the message that comes next.
    World early("smtpd_delay_reject = no\nsmtpd_client_restrictions = check_client_access inline:{net=HOLD}\n");
    early.session->mail.reset();
    CHECK_FALSE(testing::run(restrictions::check_client(*early.session)).has_value());
    CHECK(early.session->checks.before_mail.hold);
}

TEST_CASE("a table that fails defers", "[smtpd]")
{
    World world("smtpd_recipient_restrictions = check_client_access hash:/nonexistent/table, permit\n");
    CHECK(world.rcpt() == "451 4.3.5 <mx.example.net[192.0.2.7]>: Client host rejected: Server configuration error");
    World endless("smtpd_recipient_restrictions = check_sender_access inline:{{joe@example.net = check_sender_access static:again}}\n"
                  "smtpd_restriction_classes = again\nagain = check_sender_access static:again\n");
    CHECK(endless.rcpt() == "451 4.3.5 Server configuration error");
}

TEST_CASE("tables about the servers of a domain", "[smtpd]")
{
    struct Case {
        const char *word, *key, *value, *reply;
    };
    const char* refused = "554 5.7.1 <joe@example.net>: Sender address rejected: Access denied";
    Case cases[] = {
        {"check_sender_mx_access", "mail.host.test", "REJECT", refused},
        {"check_sender_mx_access", "host.test", "REJECT", refused},
        {"check_sender_mx_access", "10.9.8.7", "REJECT", refused},
        {"check_sender_mx_access", "10.9", "REJECT", refused},
        {"check_sender_mx_access", "10.8", "REJECT", ""},
        {"check_sender_mx_access", "host.test", "OK", "451 4.3.5 Server configuration error"},
        {"check_sender_mx_access", "host.test", "permit", "451 4.3.5 Server configuration error"},
        {"check_sender_mx_access", "host.test", "DUNNO", ""},
        {"check_sender_ns_access", "ns.host.test", "REJECT", refused},
        {"check_sender_a_access", "192.0.2.80", "REJECT", refused},
        {"check_sender_a_access", "mail.host.test", "REJECT", ""},
        {"check_helo_mx_access", "192.0.2.7", "REJECT", "554 5.7.1 <mx.example.net>: Helo command rejected: Access denied"},
        {"check_client_a_access", "192.0.2.7", "REJECT", "554 5.7.1 <mx.example.net>: Client host rejected: Access denied"},
        {"check_recipient_mx_access", "host.test", "REJECT", ""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.word, c.key, c.value);
        World world(checked(c.word, std::string(c.key) + " = " + c.value));
        world.names.on("example.net", 15).record("example.net", 15, 60, testing::mx_data(10, "mail.host.test"));
        world.names.on("example.net", 2).record("example.net", 2, 60, testing::wire_name("ns.host.test"));
        world.address("mail.host.test", "10.9.8.7");
        world.address("ns.host.test", "10.9.8.53");
        world.address("example.net", "192.0.2.80");
        world.address("mx.example.net", "192.0.2.7");
        world.nothing("mx.example.net", 15);
        world.nobody("example.org", 15);
        for (const char* name : {"mail.host.test", "ns.host.test", "example.net", "mx.example.net"}) world.nothing(name, 28);
        CHECK(world.rcpt() == c.reply);
    }
}

TEST_CASE("a table in sendmail's spelling", "[smtpd]")
{
    struct Case {
        const char *key, *value, *recipient, *reply;
    };
    const char* denied = "554 5.7.1 <x@far.example>: Relay access denied";
    Case cases[] = {
        {"Connect:mx.example.net", "REJECT", "ann@example.org", "550 5.7.1 <mx.example.net[192.0.2.7]>: Client host rejected: Access denied"},
        {"Connect:example.net", "REJECT", "ann@example.org", "550 5.7.1 <mx.example.net[192.0.2.7]>: Client host rejected: Access denied"},
        {"Connect:192.0.2", "RELAY", "x@far.example", ""},
        {"192.0.2", "RELAY", "x@far.example", ""},
        {"Connect:192.0.2", "OK", "x@far.example", denied},
        {"Connect:192.0.3", "RELAY", "x@far.example", denied},
        {"To:far.example", "RELAY", "x@far.example", ""},
        {"From:joe@example.net", "RELAY", "x@far.example", denied},
        {"From:joe@example.net", "REJECT", "ann@example.org", "550 5.7.1 <joe@example.net>: Sender address rejected: Access denied"},
        {"From:example.net", "ERROR:5.1.8:553 no mail from there", "ann@example.org", "553 5.1.8 <joe@example.net>: Sender address rejected: no mail from there"},
        {"From:example.net", "ERROR:\"451 4.7.1 later\"", "ann@example.org", "451 4.7.1 <joe@example.net>: Sender address rejected: later"},
        {"To:ann@example.org", "550 no such user", "ann@example.org", "550 5.7.1 <ann@example.org>: Recipient address rejected: no such user"},
        {"To:bob@example.org", "REJECT", "ann@example.org", ""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.key, c.value, c.recipient);
        World world("smtpd_relay_restrictions = check_sendmail_access inline:{{" + std::string(c.key) + " = " + c.value + "}}, reject_unauth_destination\n");
        CHECK(world.rcpt(c.recipient) == c.reply);
    }
    World held("smtpd_relay_restrictions = check_sendmail_access inline:{{From:example.net = QUARANTINE:odd}}, reject_unauth_destination\n");
    CHECK(held.rcpt().empty());
    CHECK(held.session->mail->treatment.hold);
    World discarded("smtpd_relay_restrictions = check_sendmail_access inline:{{Connect:example.net = DISCARD}}, reject_unauth_destination\n");
    CHECK(discarded.rcpt("x@far.example").empty());
    CHECK(discarded.session->mail->treatment.discard);
}

TEST_CASE("permissions are logged where that is asked for", "[smtpd]")
{
    struct Case {
        const char *actions, *restrictions, *logged;
    };
    const Case cases[] = {
        {"static:all", "permit", "action=permit for Recipient address=ann@example.org;"},
        {"static:all", "permit_auth_destination", "action=permit_auth_destination for Recipient address=ann@example.org;"},
        {"permit_inet_interfaces permit_mynetworks", "permit_mynetworks", "action=permit_mynetworks for Client host=mx.example.net[192.0.2.7];"},
        {"OK", "check_client_access inline:{{192.0.2.7=OK}}", "action=OK for Client host=mx.example.net[192.0.2.7] from inline:{{192.0.2.7=OK}};"},
        {"permit", "check_client_access inline:{{192.0.2.7=OK}}", nullptr},
        {"!permit static:all", "permit", nullptr},
        {"", "permit", nullptr},
        {"static:all", "defer_if_permit, permit", nullptr},
        {"static:all", "reject", nullptr},
    };
    for (const Case& c : cases) {
        CAPTURE(c.actions, c.restrictions);
        World world(std::string("smtpd_relay_restrictions =\nsmtpd_log_access_permit_actions = ") + c.actions +
                    "\nsmtpd_recipient_restrictions = " + c.restrictions + ", reject_unauth_destination\n");
        world.session->client.trusted = true;
        world.rcpt();
        if (!c.logged) CHECK_FALSE(world.logged(": permit: "));
        else CHECK(world.logged(std::string("NOQUEUE: permit: RCPT from mx.example.net[192.0.2.7]: ") + c.logged +
                                " from=<joe@example.net> to=<ann@example.org> proto=ESMTP helo=<mx.example.net>"));
    }
}
