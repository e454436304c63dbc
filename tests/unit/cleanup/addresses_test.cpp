// Addresses on their way in: in headers, where they stand; in the envelope, with their copies.
#include "cleanup/address_fields.h"
#include "taken.h"

#include "base/text.h"

using namespace cleanup;

namespace {

std::string header_of(const std::string& field, const std::string& settings, bool ours = true)
{
    Origin from = origin(ours);
    std::string content = take("Message-ID: <a@b>\r\nDate: x\r\nFrom: me@example.org\r\n" + field + "\r\n\r\n", from, 11, settings).content;
    size_t begin = content.find("From: me@example.org\r\n") + 22;
    return content.substr(begin, content.size() - begin - 4);
}

} // namespace

TEST_CASE("addresses in headers are completed where they stand", "[cleanup]")
{
    struct Case {
        const char *in, *out;
    };
    const Case cases[] = {
        {"To: ann@example.net", "To: ann@example.net"},
        {"To: ann", "To: ann@example.org"},
        {"TO:ann", "TO: ann@example.org"},
        {"Cc: Ann <ann>", "Cc: Ann <ann@example.org>"},
        {"Cc: Ann<ann>", "Cc: Ann <ann@example.org>"},
        {"Reply-To: ann (the one)", "Reply-To: ann@example.org (the one)"},
        {"Reply-To: (the one) ann", "Reply-To: (the one) ann@example.org"},
        {"To: ann, bob@example.net,\r\n\tcid", "To: ann@example.org, bob@example.net, cid@example.org"},
        {"To: \"Ann, the one\" <ann>, bob", "To: \"Ann, the one\" <ann@example.org>, bob@example.org"},
        {"To: friends: ann, bob@example.net;", "To: friends: ann@example.org, bob@example.net;"},
        {"To: undisclosed-recipients:;", "To: undisclosed-recipients:;"},
        {"To: \"a b\"", "To: \"a b\"@example.org"},
        {"To: a b", "To: \"a b\"@example.org"},
        {"To: \"a@b\"", "To: \"a@b\"@example.org"},
        {"To: <@relay.example:ann@example.net>", "To: <ann@example.net>"},
        {"To: ann%example.net", "To: ann@example.net"},
        {"To: example.net!ann", "To: ann@example.net"},
        {"To: <>", "To: <>"},
        {"To: ,,", "To: ,,"},
        {"To:", "To:"},
        {"To: ann@[192.0.2.1], bob", "To: ann@[192.0.2.1], bob@example.org"},
        {"To: J. Doe <joe>", "To: J. Doe <joe@example.org>"},
        {"To: joe.doe", "To: joe.doe@example.org"},
        {"Errors-To: ann", "Errors-To: ann@example.org"},
        {"Resent-Reply-To: ann", "Resent-Reply-To: ann@example.org"},
        {"X-To: ann", "X-To: ann"},
        {"Subject: ann", "Subject: ann"},
        // Broken as they are, they are not made worse.
        {"To: \"open", "To: open@example.org"},
        {"To: (open ann", "To: (open ann"},
        {"To: <ann", "To: <ann@example.org"},
        {"To: @", "To: @"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.in);
        std::string resent = std::string_view(c.in).starts_with("Resent") ? "Resent-From: a@b.example\r\nResent-Date: x\r\nResent-Message-Id: <a>\r\n" : "";
        CHECK(header_of(resent + c.in, "") == resent + c.out);
        CHECK(header_of(c.in, "", false) == c.in);
    }
    CHECK(header_of("To: ann", "append_at_myorigin = yes\nappend_dot_mydomain = yes\n") == "To: ann@example.org");
    CHECK(header_of("To: ann@host", "append_dot_mydomain = yes\n") == "To: ann@host.example.org");
    CHECK(header_of("To: ann@host", "append_dot_mydomain = no\n") == "To: ann@host");
    CHECK(header_of("To: ann", "append_at_myorigin = no\n") == "To: ann");
    CHECK(header_of("To: a!b%c", "swap_bangpath = no\nallow_percent_hack = no\n") == "To: a!b%c@example.org");
}

TEST_CASE("other people's headers are left alone, or completed with a domain that says so", "[cleanup]")
{
    CHECK(header_of("To: ann, bob@host", "remote_header_rewrite_domain = invalid.example\nappend_dot_mydomain = no\n", false) == "To: ann@invalid.example, bob@host");
    CHECK(header_of("To: ann@old.example", "canonical_maps = inline:{ann@old.example=ann@new.example}\n", false) == "To: ann@old.example");
}

TEST_CASE("a field that changes is folded between addresses", "[cleanup]")
{
    std::string in = "To: ann", out = "To: ann@example.org";
    for (int i = 0; i < 10; ++i) in += ", somebody" + std::to_string(i) + "@example.net";
    std::string field = header_of(in, "");
    for (std::string_view line : {std::string_view(field).substr(0, field.find("\r\n")), std::string_view(field).substr(field.rfind("\r\n") + 2)}) {
        CHECK(line.size() < 72);
        CHECK(line.size() > 20);
    }
    CHECK(base::replace_all(field, "\r\n\t", " ") == out + in.substr(7));
    CHECK(header_of("To: a, b, c, d, e, f", "header_address_token_limit = 8\n") == "To: a@example.org, b@example.org, c@example.org, d@example.org");
}

TEST_CASE("canonical addresses and masquerading, each where its class says", "[cleanup]")
{
    const std::string canonical = "canonical_maps = inline:{joe@example.org=Joe.Doe@example.org, ann@example.org=Ann.Lee@example.org}\n";
    Given given;
    given.content = "From: joe@example.org\r\nTo: ann@example.org (x)\r\n\r\n";
    given.from = origin(true);
    given.settings = canonical;
    Taken all = take(given);
    CHECK(all.message.envelope.sender == "Joe.Doe@example.org");
    CHECK(all.recipients() == std::vector<std::string>{"Ann.Lee@example.org", "bob@example.org"});
    CHECK(all.message.envelope.recipients[0].original == "ann@example.org");
    CHECK(has(all.content, "From: Joe.Doe@example.org\r\n"));
    CHECK(has(all.content, "To: Ann.Lee@example.org (x)\r\n"));

    given.settings = canonical + "canonical_classes = header_sender, envelope_recipient\n";
    Taken some = take(given);
    CHECK(some.message.envelope.sender == "joe@example.org");
    CHECK(some.recipients()[0] == "Ann.Lee@example.org");
    CHECK(has(some.content, "From: Joe.Doe@example.org\r\n"));
    CHECK(has(some.content, "To: ann@example.org (x)\r\n"));

    given.settings = canonical + "receive_override_options = no_address_mappings\n";
    Taken none = take(given);
    CHECK(none.message.envelope.sender == "joe@example.org");
    CHECK(none.recipients()[0] == "ann@example.org");
    CHECK(has(none.content, "From: joe@example.org\r\n"));

    const std::string masquerade = "masquerade_domains = !keep.example.org example.org\nmasquerade_exceptions = root\n";
    CHECK(header_of("To: ann@host.example.org", masquerade) == "To: ann@example.org");
    CHECK(header_of("To: root@host.example.org", masquerade) == "To: root@host.example.org");
    CHECK(header_of("To: ann@x.keep.example.org", masquerade) == "To: ann@x.keep.example.org");
    CHECK(header_of("To: ann@example.net", masquerade) == "To: ann@example.net");
}

TEST_CASE("recipients are expanded, and each is kept once", "[cleanup]")
{
    Given given;
    given.content = "Subject: x\r\n\r\n";
    given.recipients = {"team@example.org", "ann@example.org", "ANN@example.org", "team@example.org"};
    given.settings = "virtual_alias_maps = inline:{ {team@example.org=ann@example.org, bob@example.net} }\n";
    // ann comes as herself and in the team: two stories that X-Original-To tells.
    CHECK(take(given).recipients() == std::vector<std::string>{"ann@example.org", "bob@example.net", "ann@example.org"});
    given.settings += "enable_original_recipient = no\n";
    Taken taken = take(given);
    CHECK(taken.recipients() == std::vector<std::string>{"ann@example.org", "bob@example.net"});
    CHECK(taken.message.envelope.recipients[0].original.empty());
    given.settings += "receive_override_options = no_address_mappings\n";
    CHECK(take(given).recipients() == std::vector<std::string>{"team@example.org", "ann@example.org"});

    given.recipients.clear();
    for (int i = 0; i < 3000; ++i) given.recipients.push_back("user" + std::to_string(i % 1500) + "@example.org");
    given.settings = "duplicate_filter_limit = 0\n";
    CHECK(take(given).recipients().size() == 1500);
    given.settings = "duplicate_filter_limit = 10\n";
    CHECK(take(given).recipients().size() == 2990);
}

TEST_CASE("an alias without end refuses the message for now", "[cleanup]")
{
    Given given;
    given.content = "Subject: x\r\n\r\n";
    for (const char* settings : {"virtual_alias_maps = pcre:{{/^ann@(.*)/ ann@a$$1}}\nvirtual_alias_recursion_limit = 20\n",
                                 "virtual_alias_maps = pcre:{{/^(ann.*)@(.*)/ $${1}a@$${2}, $${1}b@$${2}}}\nvirtual_alias_expansion_limit = 20\n"}) {
        CAPTURE(settings);
        given.settings = settings;
        Taken taken = take(given);
        REQUIRE(taken.refusal);
        CHECK(taken.refusal->code == 451);
        CHECK(taken.refusal->dsn == "4.6.0");
        CHECK(has(taken.log, "unreasonable virtual_alias_maps map"));
    }
    for (const char* settings : {"virtual_alias_maps = fail:x\n", "canonical_maps = fail:x\n", "sender_bcc_maps = fail:x\n", "recipient_bcc_maps = fail:x\n"}) {
        CAPTURE(settings);
        given.settings = settings;
        Taken taken = take(given);
        REQUIRE(taken.refusal);
        CHECK(taken.refusal->code == 451);
        CHECK(taken.refusal->dsn == "4.3.0");
    }
}

TEST_CASE("copies go to whom main.cf names, once, and nobody hears of them", "[cleanup]")
{
    Given given;
    given.content = "Subject: x\r\n\r\n";
    given.recipients = {"ann@example.org", "bob@example.net"};
    given.settings = "always_bcc = archive\nsender_bcc_maps = inline:{joe@example.org=boss@example.org}\n"
                     "recipient_bcc_maps = inline:{ann@example.org=watch@example.org, @example.net=far@example.org}\n"
                     "virtual_alias_maps = inline:{archive@example.org=vault@example.org}\n";
    Taken taken = take(given);
    CHECK(taken.recipients() == std::vector<std::string>{"boss@example.org", "ann@example.org", "watch@example.org", "bob@example.net", "far@example.org",
                                                         "vault@example.org"});
    for (const auto& each : taken.message.envelope.recipients) {
        bool copy = each.address != "ann@example.org" && each.address != "bob@example.net";
        CHECK((each.notify == spool::notify_never) == copy);
    }
    CHECK(taken.message.envelope.recipients[5].original == "archive");

    given.settings += "receive_override_options = no_address_mappings\n";
    CHECK(take(given).recipients() == given.recipients);

    given.settings = "always_bcc = archive@example.org\nsender_bcc_maps = static:boss@example.org\n";
    given.from.sender = "";
    CHECK(take(given).recipients() == std::vector<std::string>{"ann@example.org", "bob@example.net", "archive@example.org"});
    for (Source source : {Source::bounce, Source::notify, Source::forward}) {
        given.from.source = source;
        given.from.sender = "joe@example.org";
        CHECK(take(given).recipients() == given.recipients);
    }
}
