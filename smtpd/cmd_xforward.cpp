// cmd_xforward: XFORWARD of Postfix: a content filter hands on whom it has the next message from, for the log and for Received.
#include "client_attributes.h"
#include "commands.h"

#include "base/text.h"

namespace smtpd {
namespace {

void set_domain(Forwarded& f, const Attribute& a)
{
    if (!base::same_word(a.value, "LOCAL") && !base::same_word(a.value, "REMOTE")) refuse_value(a);
    f.domain = base::lower(a.value);
}

std::string harmless_or_empty(const Attribute& a) { return a.unavailable() ? "" : harmless(a.value); }

struct Entry {
    std::string_view name;
    void (*set)(Forwarded&, const Attribute&);
};
constexpr Entry entries[] = {
    {"NAME", [](Forwarded& f, const Attribute& a) { f.name = host_name_of(a); }},
    {"ADDR", [](Forwarded& f, const Attribute& a) { f.address = address_of(a); }},
    {"PORT", [](Forwarded& f, const Attribute& a) { f.port = port_of(a); }},
    {"HELO", [](Forwarded& f, const Attribute& a) { f.helo = harmless_or_empty(a); }},
    {"PROTO", [](Forwarded& f, const Attribute& a) { f.protocol = harmless_or_empty(a); }},
    {"IDENT", [](Forwarded& f, const Attribute& a) { f.ident = harmless_or_empty(a); }},
    {"SOURCE", set_domain},
};

} // namespace

async::Task<smtp::Reply> cmd_xforward(Session& s, const smtp::Command& command)
{
    if (command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: XFORWARD attribute=value..."};
    if (!s.may_xforward) co_return smtp::Reply{550, "5.7.0", "Error: insufficient authorization"};
    Forwarded forwarded = s.forwarded;
    for (const Attribute& attribute : read_attributes(command.arguments, "XFORWARD")) {
        const Entry* entry = std::find_if(std::begin(entries), std::end(entries), [&](const Entry& each) { return each.name == attribute.name; });
        if (entry == std::end(entries)) co_return smtp::Reply{501, "5.5.4", "Bad XFORWARD attribute name: " + attribute.name};
        entry->set(forwarded, attribute);
    }
    s.forwarded = std::move(forwarded);
    co_return smtp::Reply{250, "2.0.0", "Ok"};
}

} // namespace smtpd
