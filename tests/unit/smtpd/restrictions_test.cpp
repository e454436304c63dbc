// Restriction lists: who may send mail where, with the replies and log lines that Postfix has for it.
#include "restriction_world.h"

#include "restrictions/blocklist.h"
#include "restrictions/reply_text.h"

using namespace smtpd;

namespace {

std::string recipient_list(const std::string& list) { return "smtpd_recipient_restrictions = " + list + "\n"; }

} // namespace

TEST_CASE("the first word that decides ends the list", "[smtpd]")
{
    struct Case {
        const char *list, *reply;
    };
    Case cases[] = {
        {"", ""},
        {"permit", ""},
        {"permit, reject", ""},
        {"PERMIT, Reject", ""},
        {"reject", "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied"},
        {"defer", "450 4.3.2 <ann@example.org>: Recipient address rejected: Try again later"},
        {"defer_if_permit", "450 4.7.0 <ann@example.org>: Recipient address rejected: defer_if_permit requested"},
        {"defer_if_permit, permit", "450 4.7.0 <ann@example.org>: Recipient address rejected: defer_if_permit requested"},
        {"defer_if_permit, reject", "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied"},
        {"defer_if_reject, permit", ""},
        {"defer_if_reject, reject", "450 4.7.0 <ann@example.org>: Recipient address rejected: defer_if_reject requested"},
        {"warn_if_reject reject, permit", ""},
        {"warn_if_reject reject, defer", "450 4.3.2 <ann@example.org>: Recipient address rejected: Try again later"},
        {"warn_if_reject defer_if_permit", ""},
        {"permit_mynetworks, reject", "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied"},
        {"permit_auth_destination, reject", ""},
        {"sleep 0, permit", ""},
        {"permit_naked_ip_address", "451 4.3.5 Server configuration error"},
        {"nonsense, permit", "451 4.3.5 Server configuration error"},
        {"permit, nonsense", ""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.list);
        World world(recipient_list(c.list));
        CHECK(world.rcpt() == c.reply);
    }
}

TEST_CASE("what is refused, and what would be, is in the log", "[smtpd]")
{
    World world(recipient_list("warn_if_reject defer, reject"));
    world.rcpt();
    CHECK(world.logged("NOQUEUE: reject_warning: RCPT from mx.example.net[192.0.2.7]: 450 4.3.2 <ann@example.org>: Recipient address rejected: "
                       "Try again later; from=<joe@example.net> to=<ann@example.org> proto=ESMTP helo=<mx.example.net>\n"));
    CHECK(world.logged("NOQUEUE: reject: RCPT from mx.example.net[192.0.2.7]: 554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied; "
                       "from=<joe@example.net> to=<ann@example.org> proto=ESMTP helo=<mx.example.net>\n"));
    World unknown(recipient_list("nonsense"));
    unknown.rcpt();
    CHECK(unknown.logged("warning: unknown smtpd restriction: \"nonsense\""));
}

TEST_CASE("relaying", "[smtpd]")
{
    struct Case {
        const char *settings, *recipient, *reply;
    };
    const char* denied = "554 5.7.1 <x@far.example>: Relay access denied";
    Case cases[] = {
        {"", "ann@example.org", ""},
        {"", "x@far.example", denied},
        {"", "x@relay.example", ""},
        {"", "x@sub.relay.example", ""},
        {"", "x%far.example@example.org", "554 5.7.1 <x%far.example@example.org>: Relay access denied"},
        {"relay_domains_reject_code = 550\n", "x@far.example", "550 5.7.1 <x@far.example>: Relay access denied"},
        {"smtpd_relay_restrictions = defer_unauth_destination\n", "x@far.example", "454 4.7.1 <x@far.example>: Relay access denied"},
        {"smtpd_relay_restrictions = permit\nsmtpd_recipient_restrictions = reject_unauth_destination\n", "x@far.example", denied},
        {"smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit\n", "ann@example.org", "451 4.3.5 Server configuration error"},
        {"soft_bounce = yes\n", "x@far.example", "454 4.7.1 <x@far.example>: Relay access denied"},
        {"", "nobody@example.org", "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown in local recipient table"},
        {"show_user_unknown_table_name = no\n", "nobody@example.org", "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown"},
        {"smtpd_reject_unlisted_recipient = no\n", "nobody@example.org", ""},
        {"unknown_local_recipient_reject_code = 450\n", "nobody@example.org",
         "450 4.1.1 <nobody@example.org>: Recipient address rejected: User unknown in local recipient table"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.settings, c.recipient);
        World world(c.settings);
        CHECK(world.rcpt(c.recipient) == c.reply);
    }
    World trusted;
    trusted.session->client.trusted = true;
    CHECK(trusted.rcpt("x@far.example").empty());
    World authenticated("smtpd_relay_restrictions = permit_sasl_authenticated, reject\n");
    CHECK_FALSE(authenticated.rcpt().empty());
    authenticated.session->sasl_user = "joe";
    CHECK(authenticated.rcpt("x@far.example").empty());
}

TEST_CASE("the order of relay and recipient restrictions", "[smtpd]")
{
    std::string lists = "smtpd_relay_restrictions = reject\nsmtpd_recipient_restrictions = defer\n";
    World first("smtpd_relay_before_recipient_restrictions = yes\n" + lists);
    CHECK(first.rcpt().substr(0, 3) == "554");
    World second("smtpd_relay_before_recipient_restrictions = no\n" + lists);
    CHECK(second.rcpt().substr(0, 3) == "450");
}

TEST_CASE("names that are not as they should be", "[smtpd]")
{
    struct Case {
        const char *word, *sender, *recipient, *helo, *reply;
    };
    Case cases[] = {
        {"reject_non_fqdn_sender", "", "ann@example.org", "x", ""},
        {"reject_non_fqdn_sender", "joe", "ann@example.org", "x", "504 5.5.2 <joe>: Sender address rejected: need fully-qualified address"},
        {"reject_non_fqdn_sender", "joe@host", "ann@example.org", "x", "504 5.5.2 <joe@host>: Sender address rejected: need fully-qualified address"},
        {"reject_non_fqdn_sender", "joe@host.example", "ann@example.org", "x", ""},
        {"reject_non_fqdn_sender", "joe@[192.0.2.1]", "ann@example.org", "x", ""},
        {"reject_non_fqdn_recipient", "", "ann", "x", "504 5.5.2 <ann>: Recipient address rejected: need fully-qualified address"},
        {"reject_non_fqdn_helo_hostname", "", "ann@example.org", "host", "504 5.5.2 <host>: Helo command rejected: need fully-qualified hostname"},
        {"reject_non_fqdn_hostname", "", "ann@example.org", "192.0.2.1", "504 5.5.2 <192.0.2.1>: Helo command rejected: need fully-qualified hostname"},
        {"reject_non_fqdn_helo_hostname", "", "ann@example.org", "[192.0.2.1]", ""},
        {"reject_non_fqdn_helo_hostname", "", "ann@example.org", "[host]", "501 5.5.2 <[host]>: Helo command rejected: invalid ip address"},
        {"reject_non_fqdn_helo_hostname", "", "ann@example.org", "", ""},
        {"reject_invalid_helo_hostname", "", "ann@example.org", "host..example", "501 5.5.2 <host..example>: Helo command rejected: Invalid name"},
        {"reject_invalid_helo_hostname", "", "ann@example.org", "192.0.2.1", ""},
        {"reject_invalid_helo_hostname", "", "ann@example.org", "good.example.", ""},
        {"reject_invalid_helo_hostname", "", "ann@example.org", "host", ""},
        {"reject_unlisted_sender", "nobody@example.org", "ann@example.org", "x",
         "550 5.1.0 <nobody@example.org>: Sender address rejected: User unknown in local recipient table"},
        {"reject_unlisted_sender", "bob@example.org", "ann@example.org", "x", ""},
        {"reject_plaintext_session", "", "ann@example.org", "x", "450 4.7.1 Session encryption is required"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.word, c.sender, c.recipient, c.helo);
        World world(recipient_list(c.word));
        world.set_sender(c.sender);
        world.session->client.helo = c.helo;
        CHECK(world.rcpt(c.recipient) == c.reply);
    }
}

TEST_CASE("clients without a name", "[smtpd]")
{
    struct Case {
        const char* list;
        NameStatus name, reverse;
        const char* reply;
    };
    using enum NameStatus;
    Case cases[] = {
        {"reject_unknown_client_hostname", known, known, ""},
        {"reject_unknown_client_hostname", none, known, "550 5.7.1 Client host rejected: cannot find your hostname, [192.0.2.7]"},
        {"reject_unknown_client_hostname", try_again, known, "450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.7]"},
        {"reject_unknown_reverse_client_hostname", none, known, ""},
        {"reject_unknown_reverse_client_hostname", none, none, "550 5.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]"},
        {"reject_unknown_reverse_client_hostname", none, try_again, "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.list, c.reply);
        World world("unknown_client_reject_code = 550\n" + recipient_list(c.list));
        world.session->client.name_status = c.name;
        world.session->client.reverse_status = c.reverse;
        CHECK(world.rcpt() == c.reply);
    }
}

TEST_CASE("logins and the senders they own", "[smtpd]")
{
    struct Case {
        const char *word, *user, *sender;
        bool passes;
    };
    Case cases[] = {
        {"reject_sender_login_mismatch", "", "ann@example.org", false},
        {"reject_sender_login_mismatch", "ann", "ann@example.org", true},
        {"reject_sender_login_mismatch", "ANN", "ann+x@example.org", true},
        {"reject_sender_login_mismatch", "bob", "ann@example.org", false},
        {"reject_sender_login_mismatch", "bob", "x@elsewhere.example", false},
        {"reject_sender_login_mismatch", "", "x@elsewhere.example", true},
        {"reject_sender_login_mismatch", "bob", "", true},
        {"reject_authenticated_sender_login_mismatch", "", "ann@example.org", true},
        {"reject_authenticated_sender_login_mismatch", "bob", "x@elsewhere.example", false},
        {"reject_known_sender_login_mismatch", "bob", "x@elsewhere.example", true},
        {"reject_known_sender_login_mismatch", "bob", "ann@example.org", false},
        {"reject_known_sender_login_mismatch", "", "ann@example.org", false},
        {"reject_unauthenticated_sender_login_mismatch", "bob", "ann@example.org", true},
        {"reject_unauthenticated_sender_login_mismatch", "", "ann@example.org", false},
        {"reject_sender_login_mismatch", "sales", "info@shop.example", true},
    };
    for (const auto& c : cases) {
        CAPTURE(c.word, c.user, c.sender);
        World world("smtpd_sender_login_maps = inline:{{ann@example.org = ann}, {@shop.example = sales, boss}}\n" + recipient_list(c.word));
        world.set_sender(c.sender);
        world.session->sasl_user = c.user;
        std::string reply = world.rcpt();
        std::string refusal = std::string("553 5.7.1 <") + c.sender + ">: Sender address rejected: " + (*c.user ? "not owned by user " + std::string(c.user) : "not logged in");
        CHECK(reply == (c.passes ? "" : refusal));
    }
}

TEST_CASE("domains that the DNS does not know", "[smtpd]")
{
    struct Case {
        const char *word, *domain, *reply;
    };
    Case cases[] = {
        {"reject_unknown_sender_domain", "good.test", ""},
        {"reject_unknown_sender_domain", "address.test", ""},
        {"reject_unknown_sender_domain", "none.test", "450 4.1.8 <joe@none.test>: Sender address rejected: Domain not found"},
        {"reject_unknown_sender_domain", "null.test", "550 5.7.27 <joe@null.test>: Sender address rejected: Domain null.test does not accept mail (nullMX)"},
        {"reject_unknown_sender_domain", "broken.test", "450 4.1.8 <joe@broken.test>: Sender address rejected: Domain not found"},
        {"reject_unknown_sender_domain, reject", "broken.test", "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied"},
        {"reject_unknown_sender_domain", "example.org", ""},
        {"reject_unknown_helo_hostname", "none.test", "450 4.7.1 <none.test>: Helo command rejected: Host not found"},
        {"reject_unknown_helo_hostname", "good.test", ""},
        {"reject_unknown_recipient_domain", "none.test", ""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.word, c.domain);
        World world(recipient_list(c.word));
        world.names.on("good.test", 15).record("good.test", 15, 60, testing::mx_data(10, "mx.good.test"));
        world.names.on("null.test", 15).record("null.test", 15, 60, testing::mx_data(0, ""));
        world.nothing("address.test", 15);
        world.address("address.test", "192.0.2.1");
        world.nobody("none.test", 15);
        for (unsigned type : {1u, 15u, 28u}) world.names.on("broken.test", type).rcode = 2;
        world.set_sender(std::string("joe@") + c.domain);
        world.session->client.helo = c.domain;
        CHECK(world.rcpt() == c.reply);
    }
}

TEST_CASE("backup mail exchangers", "[smtpd]")
{
    World world("smtpd_relay_restrictions = permit_mx_backup, reject\nproxy_interfaces = 192.0.2.99\n");
    world.names.on("backup.test", 15).record("backup.test", 15, 60, testing::mx_data(10, "first.test")).record("backup.test", 15, 60, testing::mx_data(20, "us.test"));
    world.names.on("other.test", 15).record("other.test", 15, 60, testing::mx_data(10, "first.test"));
    world.address("first.test", "192.0.2.50");
    world.address("us.test", "192.0.2.99");
    for (const char* name : {"first.test", "us.test"}) world.nothing(name, 28);
    CHECK(world.rcpt("x@backup.test").empty());
    CHECK(world.rcpt("x@other.test").substr(0, 3) == "554");
    World picky("smtpd_relay_restrictions = permit_mx_backup, reject\nproxy_interfaces = 192.0.2.99\npermit_mx_backup_networks = 10.0.0.0/8\n");
    picky.names.scripts = world.names.scripts;
    CHECK(picky.rcpt("x@backup.test").substr(0, 3) == "554");
}

TEST_CASE("filters of DNS lists", "[smtpd]")
{
    struct Case {
        const char *filter, *answer;
        int counts;     // -1: no filter at all
    };
    Case cases[] = {
        {"bl.test", "127.0.0.2", 1},
        {"bl.test=127.0.0.2", "127.0.0.2", 1},
        {"bl.test=127.0.0.2", "127.0.0.3", 0},
        {"bl.test=127.0.0.[2..4]", "127.0.0.3", 1},
        {"bl.test=127.0.0.[2..4]", "127.0.0.5", 0},
        {"bl.test=127.0.0.[2;4..6]", "127.0.0.3", 0},
        {"bl.test=127.0.[0;1].[2;4..6]", "127.0.1.5", 1},
        {"bl.test=127.0.0", "127.0.0.2", -1},
        {"bl.test=127.0.0.2.1", "127.0.0.2", -1},
        {"bl.test=127.0.0.[2", "127.0.0.2", -1},
        {"bl.test=127.0.0.[4..2]", "127.0.0.2", -1},
        {"bl.test=127.0.0.256", "127.0.0.2", -1},
        {"bl.test=", "127.0.0.2", -1},
        {"bl.test=127.0.0.[]", "127.0.0.2", -1},
    };
    for (const auto& c : cases) {
        CAPTURE(c.filter, c.answer);
        auto list = restrictions::Blocklist::parse(c.filter);
        CHECK((list != nullptr) == (c.counts >= 0));
        if (list) CHECK(list->counts(*net::Address::parse_ip(c.answer, 0)) == (c.counts == 1));
    }
    CHECK(restrictions::reversed(*net::Address::parse_ip("192.0.2.7", 0)) == "7.2.0.192");
    CHECK(restrictions::reversed(*net::Address::parse_ip("2001:db8::1", 0)) == "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2");
}

TEST_CASE("DNS lists", "[smtpd]")
{
    struct Case {
        const char *list, *reply;
    };
    Case cases[] = {
        {"reject_rbl_client bl.test", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.test; listed for $spam"},
        {"reject_rbl_client bl.test=127.0.0.9", ""},
        {"reject_rbl_client clean.test", ""},
        {"reject_rbl_client broken.test", ""},
        {"reject_rbl_client", ""},
        {"reject_rhsbl_sender dom.test", "554 5.7.1 Service unavailable; Sender address [joe@example.net] blocked using dom.test"},
        {"reject_rhsbl_helo dom.test", "554 5.7.1 Service unavailable; Helo command [mx.example.net] blocked using dom.test"},
        {"reject_rhsbl_client dom.test", "554 5.7.1 Service unavailable; Client host [mx.example.net] blocked using dom.test"},
        {"reject_rhsbl_reverse_client dom.test", "554 5.7.1 Service unavailable; Unverified Client host [mx.example.net] blocked using dom.test"},
        {"reject_rhsbl_recipient dom.test", ""},
        {"permit_dnswl_client bl.test, reject", ""},
        {"permit_rhswl_client dom.test, reject", ""},
        {"permit_dnswl_client clean.test, reject", "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied"},
        {"permit_dnswl_client broken.test, reject", "450 4.7.1 <192.0.2.7>: Client host rejected: Allowlist lookup error"},
        {"reject_maps_rbl", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.test; listed for $spam"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.list);
        World world("maps_rbl_domains = clean.test, bl.test\n" + recipient_list(c.list));
        world.address("7.2.0.192.bl.test", "127.0.0.2");
        world.text("7.2.0.192.bl.test", "listed for $spam");
        world.nobody("7.2.0.192.clean.test", 1);
        world.names.on("7.2.0.192.broken.test", 1).rcode = 2;
        for (const char* name : {"example.net.dom.test", "mx.example.net.dom.test"}) {
            world.address(name, "127.0.0.2");
            world.nothing(name, 16);
        }
        world.nobody("example.org.dom.test", 1);
        CHECK(world.rcpt() == c.reply);
    }
}

TEST_CASE("replies of DNS lists, and footers", "[smtpd]")
{
    World world("rbl_reply_maps = inline:{{secret.bl.test = $$rbl_code 5.7.9 $$rbl_class [$$rbl_what] is on our list, $$client_name; $$helo_name}}\n" +
                recipient_list("reject_rbl_client secret.bl.test=127.0.0.2"));
    world.address("7.2.0.192.secret.bl.test", "127.0.0.2");
    world.nothing("7.2.0.192.secret.bl.test", 16);
    // Names that a stranger gives are not filled in again, and lose what has no place in a reply.
    world.session->client.helo = "$sender\r\n";
    CHECK(world.rcpt() == "554 5.7.9 Client host [192.0.2.7] is on our list, mx.example.net; $sender__");

    World footer("smtpd_reject_footer = For help, call $client_address\\nor not\n");
    smtp::Reply reply{554, "5.7.1", "No"};
    restrictions::add_footer(*footer.session, reply);
    CHECK(reply.wire() == "554-5.7.1 No\r\n554-5.7.1 For help, call 192.0.2.7\r\n554 5.7.1 or not\r\n");
    smtp::Reply fine{250, "2.0.0", "Ok"};
    restrictions::add_footer(*footer.session, fine);
    CHECK(fine.text == "Ok");
    World joined("smtpd_reject_footer = \\c. Bye\nsmtpd_reject_footer_maps = regexp:{{/5.1.1/ Nobody}}\n");
    smtp::Reply other{554, "5.7.1", "No"}, unknown{550, "5.1.1", "No"};
    restrictions::add_footer(*joined.session, other);
    restrictions::add_footer(*joined.session, unknown);
    CHECK(other.text == "No. Bye");
    CHECK(unknown.text == "No\nNobody");
}

TEST_CASE("restriction classes", "[smtpd]")
{
    const char* refused = "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied";
    World world("smtpd_restriction_classes = strict, mild\nstrict = permit_mynetworks, reject\nmild = permit\n" + recipient_list("strict"));
    CHECK(world.rcpt() == refused);
    World mild("smtpd_restriction_classes = strict, mild\nstrict = reject\nmild = permit\n" + recipient_list("mild, strict"));
    CHECK(mild.rcpt().empty());
    World warned("smtpd_restriction_classes = strict\nstrict = defer, reject\n" + recipient_list("warn_if_reject strict, permit"));
    CHECK(warned.rcpt().empty());
    CHECK(warned.logged("reject_warning: RCPT from mx.example.net[192.0.2.7]: 554 5.7.1 "));
    World circle("smtpd_restriction_classes = a, b\na = b\nb = a\n" + recipient_list("a"));
    CHECK(circle.rcpt() == "451 4.3.5 Server configuration error");
    World waiting("smtpd_restriction_classes = slow\nslow = sleep 0, reject\n" + recipient_list("slow, permit"));
    CHECK(waiting.rcpt() == refused);
}

TEST_CASE("each list has its subject and its time", "[smtpd]")
{
    struct Case {
        const char *list, *reply;
    };
    Case cases[] = {
        {"smtpd_client_restrictions", "554 5.7.1 <mx.example.net[192.0.2.7]>: Client host rejected: Access denied"},
        {"smtpd_helo_restrictions", "554 5.7.1 <mx.example.net>: Helo command rejected: Access denied"},
        {"smtpd_sender_restrictions", "554 5.7.1 <joe@example.net>: Sender address rejected: Access denied"},
        {"smtpd_relay_restrictions", "554 5.7.1 <ann@example.org>: Recipient address rejected: Access denied"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.list);
        World delayed(std::string(c.list) + " = reject\n");
        CHECK(World::line(testing::run(restrictions::check_client(*delayed.session))).empty());
        CHECK(World::line(testing::run(restrictions::check_helo(*delayed.session))).empty());
        CHECK(World::line(testing::run(restrictions::check_sender(*delayed.session, "joe@example.net"))).empty());
        CHECK(delayed.rcpt() == c.reply);
        World at_once(std::string("smtpd_delay_reject = no\n") + c.list + " = reject\n");
        std::string list = c.list;
        CHECK(World::line(testing::run(restrictions::check_client(*at_once.session))) == (list == "smtpd_client_restrictions" ? c.reply : ""));
        CHECK(World::line(testing::run(restrictions::check_helo(*at_once.session))) == (list == "smtpd_helo_restrictions" ? c.reply : ""));
        CHECK(World::line(testing::run(restrictions::check_sender(*at_once.session, "joe@example.net"))) ==
              (list == "smtpd_sender_restrictions" ? c.reply : ""));
        CHECK(at_once.rcpt() == (list == "smtpd_relay_restrictions" ? c.reply : ""));
    }
    World content("smtpd_data_restrictions = reject\nsmtpd_end_of_data_restrictions = defer\nsmtpd_etrn_restrictions = reject\n");
    CHECK(World::line(testing::run(restrictions::check_data(*content.session))) == "554 5.7.1 <DATA>: Data command rejected: Access denied");
    CHECK(World::line(testing::run(restrictions::check_end_of_data(*content.session))) == "450 4.3.2 <END-OF-MESSAGE>: End-of-data rejected: Try again later");
    CHECK(World::line(testing::run(restrictions::check_etrn(*content.session, "example.net"))) ==
          "554 5.7.1 <example.net>: Etrn command rejected: Access denied");
    World bounce("smtpd_data_restrictions = reject_multi_recipient_bounce\n");
    bounce.set_sender("");
    bounce.session->mail->recipients.resize(2);
    CHECK(World::line(testing::run(restrictions::check_data(*bounce.session))) == "550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce");
}
