// address_maps, rewrite, recipients: what becomes of addresses, and who is known.
#include "catch.h"

#include "config/config.h"
#include "routing/address_maps.h"
#include "routing/recipients.h"

namespace {

constexpr const char* base_config = R"(
compatibility_level = 3.6
myhostname = mail.example.org
mydomain = example.org
myorigin = $mydomain
mydestination = $myhostname, example.org
recipient_delimiter = +-
)";

struct House {
    explicit House(const std::string& more)
        : config(config::Config::parse(base_config + more, "main.cf")), router(config, {}), tables(config, router)
    {
    }
    std::string expand(std::string_view recipient)
    {
        std::string all;
        for (const std::string& each : tables.expand_virtual(recipient)) all += (all.empty() ? "" : " ") + each;
        return all;
    }
    config::Config config;
    routing::Router router;
    routing::AddressMaps tables;
};

} // namespace

using routing::Place;

TEST_CASE("addresses are completed", "[routing]")
{
    routing::RewriteRules rules{"origin.example", "dom.example", true, true, true, true};
    struct {
        const char *address, *expected;
    } cases[] = {
        {"", ""},
        {"@", ""},
        {"joe", "joe@origin.example"},
        {"joe@host", "joe@host.dom.example"},
        {"joe@host.example", "joe@host.example"},
        {"joe@host.example.", "joe@host.example"},
        {"joe@host.", "joe@host"},
        {"joe@[192.0.2.1]", "joe@[192.0.2.1]"},
        {"joe%host.example", "joe@host.example"},
        {"a!b!joe", "b!joe@a.dom.example"},
        {"a!joe@host.example", "a!joe@host.example"},
        {"@a,@b:joe@host.example", "joe@host.example"},
        {"\"a b\"@host.example", "a b@host.example"},
        {"\"a%b\"", "a%b@origin.example"},
        {"joe@", "joe@"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.address);
        CHECK(routing::rewrite_address(each.address, rules) == each.expected);
    }
    rules.append_domain = false;
    rules.origin.clear();
    CHECK(routing::rewrite_address("joe", rules) == "joe");
    CHECK(routing::rewrite_address("joe@host", rules) == "joe@host");
}

TEST_CASE("virtual aliases are expanded", "[routing]")
{
    House house(R"(virtual_alias_maps = inline:{
    {root = admin}, {admin@example.org = joe@a.example ann@b.example}, {admin@list.example = joe@a.example, ann@b.example, joe@a.example},
    {@from.example = @to.example}, {self@v.example = self@v.example, copy@v.example}, {chain@v.example = next@v.example},
    {next@v.example = end@v.example}, {all@v.example = chain@v.example, self@v.example, bare}, {ext@v.example = user@w.example},
    {deep+more@v.example = direct@w.example}, {"odd one"@v.example = x@w.example}, {quoted@v.example = "a, b"@w.example}, {@any.example = catch@example.org} }
)");
    struct {
        const char *recipient, *expected;
    } cases[] = {
        {"nobody@v.example", "nobody@v.example"},
        {"ADMIN@list.example", "joe@a.example ann@b.example"},
        {"u@from.example", "u@to.example"},
        {"u+x@from.example", "u+x@to.example"},
        {"self@v.example", "self@v.example copy@v.example"},
        {"chain@v.example", "end@v.example"},
        {"all@v.example", "end@v.example self@v.example bare@example.org copy@v.example"},
        {"ext+tag@v.example", "user+tag@w.example"},
        {"ext-tag@v.example", "user-tag@w.example"},
        {"deep+more@v.example", "direct@w.example"},
        {"odd one@v.example", "x@w.example"},
        {"quoted@v.example", "a, b@w.example"},
        {"u+x@any.example", "catch+x@example.org"},
        {"", ""},
    };
    for (const auto& each : cases) {
        CAPTURE(each.recipient);
        CHECK(house.expand(each.recipient) == each.expected);
    }
    CHECK(house.tables.expand_virtual("root@example.org").size() == 2);
    House plain("propagate_unmatched_extensions =\nvirtual_alias_maps = inline:{ {ext@v.example = user@w.example} }");
    CHECK(plain.expand("ext+tag@v.example") == "user@w.example");
}

TEST_CASE("virtual aliases that run wild defer the mail", "[routing]")
{
    for (const char* setting : {"virtual_alias_maps = inline:{ {a@v = b@v}, {b@v = a@v} }",
                                "virtual_alias_maps = regexp:{ {/^(.*)@v$$/ x$$1@v} }",
                                "virtual_alias_maps = regexp:{ {/^(.*)@v$$/ x$$1@v, y$$1@v} }",
                                "virtual_alias_expansion_limit = 2\nvirtual_alias_maps = inline:{ {a@v = b@v, c@v, d@v} }",
                                "virtual_alias_address_length_limit = 10\nvirtual_alias_maps = inline:{ {a@v = bbbbbbbbbbbbbbbb@v} }",
                                "virtual_alias_maps = inline:{ {a@v = ,} }", "virtual_alias_maps = fail:now"}) {
        CAPTURE(setting);
        House house(setting);
        CHECK_THROWS_AS(house.tables.expand_virtual("a@v"), maps::Unavailable);
    }
}

TEST_CASE("canonical maps and masquerading", "[routing]")
{
    House house(R"(canonical_maps = inline:{ {joe = Joe.User}, {@old.example = @new.example} }
sender_canonical_maps = inline:{ {wwwdata@example.org = web@example.org} }
recipient_canonical_maps = inline:{ {in@example.org = out@example.org} }
sender_canonical_classes = envelope_sender
masquerade_domains = !keep.corp.example corp.example
masquerade_exceptions = root
)");
    struct {
        const char* address;
        Place place;
        const char* expected;
    } cases[] = {
        {"joe@example.org", Place::header_sender, "Joe.User@example.org"},
        {"joe+x@example.org", Place::envelope_recipient, "Joe.User+x@example.org"},
        {"joe@else.example", Place::header_sender, "joe@else.example"},
        {"a@old.example", Place::envelope_sender, "a@new.example"},
        {"wwwdata@example.org", Place::envelope_sender, "web@example.org"},
        {"wwwdata@example.org", Place::header_sender, "wwwdata@example.org"},
        {"in@example.org", Place::envelope_recipient, "out@example.org"},
        {"in@example.org", Place::envelope_sender, "in@example.org"},
        {"a@host.corp.example", Place::envelope_sender, "a@corp.example"},
        {"a@host.corp.example", Place::envelope_recipient, "a@host.corp.example"},
        {"root@host.corp.example", Place::envelope_sender, "root@host.corp.example"},
        {"a@x.keep.corp.example", Place::header_sender, "a@x.keep.corp.example"},
        {"a@xcorp.example", Place::header_sender, "a@xcorp.example"},
        {"", Place::envelope_sender, ""},
    };
    for (const auto& each : cases) {
        CAPTURE(each.address);
        CHECK(house.tables.canonical(each.address, each.place) == each.expected);
    }
    House endless("canonical_maps = inline:{ {a@v = b@v}, {b@v = a@v} }");
    CHECK_THROWS_AS(endless.tables.canonical("a@v", Place::header_sender), maps::Unavailable);
}

TEST_CASE("recipients are known or not, by class", "[routing]")
{
    House house(R"(local_recipient_maps = proxy:unix:passwd.byname inline:{ {list = x} }
virtual_alias_domains = alias.example
virtual_alias_maps = inline:{ {info@alias.example = joe} , {extra = root} }
virtual_mailbox_domains = box.example open.example
virtual_mailbox_maps = inline:{ {ann@box.example = ann/}, {@open.example = all/} }
relay_domains = relay.example
)");
    routing::Recipients recipients(house.config, house.router);
    struct {
        const char* address;
        bool known;
    } cases[] = {
        {"root@example.org", true},    {"ROOT+x@mail.example.org", true}, {"list-help@example.org", true}, {"extra@example.org", true},
        {"no-such-user-x@example.org", false}, {"info@alias.example", true}, {"info+x@alias.example", true}, {"root@alias.example", false},
        {"ann@box.example", true},     {"ann+x@box.example", true},       {"bob@box.example", false},      {"any@open.example", true},
        {"any@relay.example", true},   {"any@other.example", true},       {"root", true},
    };
    for (const auto& each : cases) {
        CAPTURE(each.address);
        CHECK(recipients.exists(each.address) == each.known);
    }
    CHECK(recipients.unknown_text(routing::AddressClass::local) == "User unknown in local recipient table");
    CHECK(recipients.unknown_text(routing::AddressClass::default_) == "User unknown");
}
