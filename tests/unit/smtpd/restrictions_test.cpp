// Restrictions: who may send mail where.
#include "restrictions.h"

#include "base/text.h"
#include "catch.h"

using namespace smtpd;

namespace {

std::vector<std::string> words(std::string_view text)
{
    std::vector<std::string> list;
    for (auto word : base::split(text)) list.emplace_back(word);
    return list;
}

Facts facts(std::string_view what)
{
    Facts f;
    f.sender = "joe@example.net";
    f.recipient = "ann@example.org";
    f.helo = "mx.example.net";
    f.unknown_text = "User unknown in local recipient table";
    for (auto word : base::split(what)) {
        if (word == "mynetworks") f.in_mynetworks = true;
        if (word == "authenticated") f.authenticated = true;
        if (word == "ours") f.our_destination = true;
        if (word == "unknown") f.recipient_known = false;
    }
    return f;
}

} // namespace

TEST_CASE("the first word that decides ends the list", "[smtpd]")
{
    struct Case {
        const char *list, *facts;
        int code;       // 0: permit, -1: undecided
    };
    Case cases[] = {
        {"", "", -1},
        {"permit", "", 0},
        {"reject", "ours mynetworks authenticated", 554},
        {"defer", "", 450},
        {"permit_mynetworks", "", -1},
        {"permit_mynetworks", "mynetworks", 0},
        {"PERMIT_MYNETWORKS, Reject", "mynetworks", 0},
        {"permit_sasl_authenticated, reject", "authenticated", 0},
        {"permit_sasl_authenticated, reject", "mynetworks", 554},
        {"permit_auth_destination, reject", "ours", 0},
        {"reject_unauth_destination", "", 554},
        {"reject_unauth_destination", "ours", -1},
        {"defer_unauth_destination", "", 454},
        {"permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination", "mynetworks", 0},
        {"permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", "", 454},
        {"reject_unlisted_recipient", "unknown ours", 550},
        {"reject_unlisted_recipient", "ours", -1},
        {"reject_rbl_client zen.example, permit", "", 0},       // not carried out: passed over
        {"check_policy_service inet:127.0.0.1:10023", "", -1},
        {"reject_unauth_pipelining, permit", "", 0},
    };
    for (const auto& c : cases) {
        CAPTURE(c.list, c.facts);
        Verdict verdict = evaluate(words(c.list), facts(c.facts), 554);
        CHECK(verdict.kind == (c.code == 0 ? Verdict::permit : c.code < 0 ? Verdict::dunno : Verdict::refuse));
        if (c.code > 0) CHECK(verdict.reply.code == c.code);
    }
}

TEST_CASE("names that are not fully qualified", "[smtpd]")
{
    struct Case {
        const char *list, *sender, *recipient, *helo;
        int code;
    };
    Case cases[] = {
        {"reject_non_fqdn_sender", "", "a@b.c", "x", 0},
        {"reject_non_fqdn_sender", "joe", "a@b.c", "x", 504},
        {"reject_non_fqdn_sender", "joe@host", "a@b.c", "x", 504},
        {"reject_non_fqdn_sender", "joe@host.example", "a@b.c", "x", 0},
        {"reject_non_fqdn_sender", "joe@[192.0.2.1]", "a@b.c", "x", 0},
        {"reject_non_fqdn_recipient", "", "ann", "x", 504},
        {"reject_non_fqdn_recipient", "", "ann@localhost", "x", 504},
        {"reject_non_fqdn_recipient", "", "ann@example.org", "x", 0},
        {"reject_non_fqdn_helo_hostname", "", "a@b.c", "host", 504},
        {"reject_non_fqdn_helo_hostname", "", "a@b.c", "[192.0.2.1]", 0},
        {"reject_non_fqdn_helo_hostname", "", "a@b.c", "", 0},
        {"reject_invalid_helo_hostname", "", "a@b.c", "host..example", 501},
        {"reject_invalid_helo_hostname", "", "a@b.c", "[192.0.2.1]", 0},
        {"reject_invalid_helo_hostname", "", "a@b.c", "good.example", 0},
    };
    for (const auto& c : cases) {
        CAPTURE(c.list, c.sender, c.recipient, c.helo);
        Facts f;
        f.sender = c.sender;
        f.recipient = c.recipient;
        f.helo = c.helo;
        Verdict verdict = evaluate(words(c.list), f, 554);
        CHECK((verdict.kind == Verdict::refuse ? verdict.reply.code : 0) == c.code);
    }
}

TEST_CASE("both lists must let a recipient pass, and it must be known", "[smtpd]")
{
    auto code = [](const char* relay, const char* recipient, const char* what, bool unlisted = true) {
        auto first = words(relay), second = words(recipient);
        auto reply = decide_recipient({&first, &second}, facts(what), 550, unlisted);
        return reply ? reply->code : 0;
    };
    const char* standard = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination";
    CHECK(code(standard, "", "") == 550);
    CHECK(code(standard, "", "ours") == 0);
    CHECK(code(standard, "", "mynetworks") == 0);
    CHECK(code(standard, "permit", "") == 550);         // a permit of one list is none of the other
    CHECK(code("permit", standard, "") == 550);
    CHECK(code(standard, "", "ours unknown") == 550);
    CHECK(code(standard, "", "ours unknown", false) == 0);
    CHECK(code(standard, "reject", "mynetworks") == 554);
}

TEST_CASE("words that are not carried out are named", "[smtpd]")
{
    CHECK(unsupported_restrictions(words("permit_mynetworks, reject_rbl_client, zen.example, reject")) ==
          std::vector<std::string>{"reject_rbl_client", "zen.example"});
    CHECK(unsupported_restrictions({}).empty());
}
