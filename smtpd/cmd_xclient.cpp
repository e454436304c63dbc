// cmd_xclient: XCLIENT of Postfix: a trusted host says for whom it speaks, and the session begins anew as if that client had connected.
#include "client_attributes.h"
#include "commands.h"

#include "base/text.h"

namespace smtpd {
namespace {

NameStatus status_of(const Attribute& attribute)
{
    if (attribute.try_again()) return NameStatus::try_again;
    return attribute.unavailable() ? NameStatus::none : NameStatus::known;
}

struct Change {
    Client client;
    std::optional<std::string> helo, protocol, login;
};

void set_name(Change& c, const Attribute& a)
{
    c.client.name = host_name_of(a);
    c.client.name_status = status_of(a);
    if (c.client.name_status != NameStatus::known) return;
    c.client.reverse_name = c.client.name;
    c.client.reverse_status = NameStatus::known;
}

void set_reverse_name(Change& c, const Attribute& a)
{
    c.client.reverse_name = host_name_of(a);
    c.client.reverse_status = status_of(a);
}

void set_helo(Change& c, const Attribute& a)
{
    c.helo = a.unavailable() ? "" : harmless(a.value);
}

void set_protocol(Change& c, const Attribute& a)
{
    if (!base::same_word(a.value, "SMTP") && !base::same_word(a.value, "ESMTP")) refuse_value(a);
    c.protocol = base::upper(a.value);
}

void set_login(Change& c, const Attribute& a)
{
    if (!a.unavailable()) c.login = a.value;
}

struct Entry {
    std::string_view name;
    void (*set)(Change&, const Attribute&);
};
constexpr Entry entries[] = {
    {"NAME", set_name},
    {"REVERSE_NAME", set_reverse_name},
    {"ADDR", [](Change& c, const Attribute& a) { c.client.address = address_of(a); }},
    {"PORT", [](Change& c, const Attribute& a) { c.client.port = port_of(a); }},
    {"HELO", set_helo},
    {"PROTO", set_protocol},
    {"LOGIN", set_login},
    {"DESTADDR", [](Change& c, const Attribute& a) { c.client.server_address = address_of(a); }},
    {"DESTPORT", [](Change& c, const Attribute& a) { c.client.server_port = port_of(a); }},
};

Change read_change(const Session& s, const std::string& arguments)
{
    Change change{s.client, {}, {}, {}};
    for (const Attribute& attribute : read_attributes(arguments, "XCLIENT")) {
        const Entry* entry = std::find_if(std::begin(entries), std::end(entries), [&](const Entry& each) { return each.name == attribute.name; });
        if (entry == std::end(entries)) throw smtp::Syntax(501, "5.5.4", "Bad XCLIENT attribute name: " + attribute.name);
        entry->set(change, attribute);
    }
    return change;
}

} // namespace

async::Task<smtp::Reply> cmd_xclient(Session& s, const smtp::Command& command)
{
    if (command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: XCLIENT attribute=value..."};
    if (!s.may_xclient) co_return smtp::Reply{550, "5.7.0", "Error: insufficient authorization"};
    Change change = read_change(s, command.arguments);
    s.client = std::move(change.client);
    s.client.helo = change.helo.value_or("");
    s.client.protocol = change.protocol.value_or(s.service.lmtp ? "LMTP" : "SMTP");
    s.sasl_user = change.login.value_or("");
    s.sasl_method = change.login ? "XCLIENT" : "";
    s.denied.reset();
    s.forwarded = {};
    s.reset();
    know_client(s);
    co_await greet(s);
    co_return smtp::Reply{};
}

} // namespace smtpd
