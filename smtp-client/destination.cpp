#include "destination.h"

#include "base/text.h"
#include "settings.h"

namespace smtp_client {
namespace {

// "[2001:db8::1]", "[IPv6:2001:db8::1]", "[host]" and what follows; after the bracket comes nothing or ":port".
std::optional<Destination> parse_bracketed(std::string_view text, uint16_t port)
{
    auto parts = base::cut(text.substr(1), ']');
    if (!parts.found || parts.before.empty()) return std::nullopt;
    std::string_view name = parts.before;
    if (base::starts_with_word(name, "ipv6:")) name.remove_prefix(5);
    if (!parts.after.empty()) {
        if (parts.after[0] != ':') return std::nullopt;
        auto given = to_port(parts.after.substr(1));
        if (!given) return std::nullopt;
        port = *given;
    }
    return Destination{Destination::host, std::string(name), port};
}

} // namespace

std::optional<Destination> parse_destination(std::string_view text, uint16_t default_port, bool mx_lookup)
{
    text = base::trim(text);
    if (base::starts_with_word(text, "unix:")) {
        text.remove_prefix(5);
        if (text.empty()) return std::nullopt;
        return Destination{Destination::unix_socket, std::string(text), 0};
    }
    if (base::starts_with_word(text, "inet:")) {
        text.remove_prefix(5);
        mx_lookup = false;
    }
    if (text.empty()) return std::nullopt;
    if (text[0] == '[') return parse_bracketed(text, default_port);
    auto kind = mx_lookup ? Destination::domain : Destination::host;
    auto parts = base::cut(text, ':');
    if (!parts.found) return Destination{kind, std::string(text), default_port};
    // More than one colon: an IPv6 address without brackets.
    if (parts.after.find(':') != std::string_view::npos) {
        if (!net::Address::parse_ip(text, 0)) return std::nullopt;
        return Destination{Destination::host, std::string(text), default_port};
    }
    auto port = to_port(parts.after);
    if (!port || parts.before.empty()) return std::nullopt;
    return Destination{kind, std::string(parts.before), *port};
}

} // namespace smtp_client
