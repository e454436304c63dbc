#include "client_attributes.h"

#include "base/text.h"
#include "mail/address.h"
#include "net/address.h"

#include <fmt/format.h>

namespace smtpd {
namespace {

constexpr size_t longest_value = 255;
constexpr std::string_view meaningful_in_headers = "()<>[]:;@\",\\";

} // namespace

bool Attribute::unavailable() const { return base::same_word(value, "[UNAVAILABLE]"); }
bool Attribute::try_again() const { return base::same_word(value, "[TEMPUNAVAIL]"); }

std::vector<Attribute> read_attributes(std::string_view arguments, std::string_view verb)
{
    std::vector<Attribute> attributes;
    for (auto word : base::split(arguments, " \t")) {
        auto pair = base::cut(word, '=');
        if (!pair.found || pair.after.empty()) throw smtp::Syntax(501, "5.5.4", "Error: attribute=value expected");
        if (pair.after.size() > longest_value) throw smtp::Syntax(501, "5.5.4", "Error: attribute value too long");
        std::string value = base::from_xtext(pair.after).value_or(std::string(pair.after));
        attributes.push_back({base::upper(pair.before), base::printable(value)});
    }
    if (attributes.empty()) throw smtp::Syntax(501, "5.5.4", fmt::format("Syntax: {} attribute=value...", verb));
    return attributes;
}

void refuse_value(const Attribute& attribute)
{
    throw smtp::Syntax(501, "5.5.4", fmt::format("Bad {} syntax: {}", attribute.name, attribute.value));
}

std::string harmless(std::string value)
{
    for (char& c : value)
        if (meaningful_in_headers.find(c) != std::string_view::npos || base::is_space(c)) c = '?';
    return value;
}

std::string host_name_of(const Attribute& attribute)
{
    if (attribute.unavailable() || attribute.try_again()) return "unknown";
    if (!mail::valid_domain(attribute.value)) refuse_value(attribute);
    return attribute.value;
}

std::string address_of(const Attribute& attribute)
{
    if (attribute.unavailable()) return "unknown";
    std::string_view text = attribute.value;
    if (base::starts_with_word(text, "IPv6:")) text.remove_prefix(5);
    auto address = net::Address::parse_ip(text, 0);
    if (!address || text.starts_with('[')) refuse_value(attribute);
    return address->ip();
}

std::string port_of(const Attribute& attribute)
{
    if (attribute.unavailable()) return "unknown";
    if (!base::number<uint16_t>(attribute.value)) refuse_value(attribute);
    return attribute.value;
}

} // namespace smtpd
