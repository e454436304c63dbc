// address_search: the order of look-ups for addresses and domains.
#include "maps/address_search.h"

#include "base/text.h"

namespace maps {

namespace {

bool is_atext(char c) { return base::is_alnum(c) || (c & 0x80) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos; }

bool is_dot_atom(std::string_view local)
{
    bool after_dot = true;
    for (char c : local) {
        if (c == '.' ? after_dot : !is_atext(c)) return false;
        after_dot = c == '.';
    }
    return !local.empty() && !after_dot;
}

std::string unquote(std::string_view text)
{
    if (text.find('"') == text.npos) return std::string(text);
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') continue;
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        plain += text[i];
    }
    return plain;
}

// Asks for a key whose local part may need quotes: as mail carries it, and then as people write it into tables.
std::optional<std::string> ask(Maps& maps, std::string_view local, std::string_view rest, Key kind)
{
    std::string quoted = quote_local(local);
    auto found = maps.find(quoted + std::string(rest), kind);
    if (!found && quoted != local) found = maps.find(std::string(local) + std::string(rest), kind);
    return found;
}

// The domain itself (first_kind), then its parents, which are parts.
std::optional<std::string> search_domain(Maps& maps, std::string_view domain, Parents parents, Key first_kind)
{
    Key kind = first_kind;
    while (!domain.empty()) {
        if (auto found = maps.find(domain, kind)) return found;
        kind = Key::partial;
        size_t dot = domain.find('.', 1);
        if (parents == Parents::none || dot == domain.npos || dot + 1 >= domain.size()) break;
        domain.remove_prefix(parents == Parents::dotted ? dot : dot + 1);
    }
    return std::nullopt;
}

} // namespace

AddressParts split_address(std::string_view address)
{
    // An @ inside quotes that stay open behind it belongs to the local part: "a@b" has no domain.
    size_t at = std::string_view::npos;
    bool quoted = false;
    for (size_t i = 0; i < address.size(); ++i) {
        if (address[i] == '\\') ++i;
        else if (address[i] == '"') quoted = !quoted;
        else if (address[i] == '@' && !quoted) at = i;
    }
    if (at == address.npos) return {unquote(address), {}, false};
    return {unquote(address.substr(0, at)), std::string(address.substr(at + 1)), true};
}

std::string quote_local(std::string_view local)
{
    if (is_dot_atom(local)) return std::string(local);
    std::string quoted = "\"";
    for (char c : local) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

std::string join_address(const AddressParts& parts)
{
    std::string address = quote_local(parts.local);
    if (parts.has_domain) address += "@" + parts.domain;
    return address;
}

SplitLocal split_extension(std::string_view local, const ExtensionRule& rule)
{
    if (rule.delimiters.empty()) return {local, {}};
    for (std::string_view whole : {"postmaster", "mailer-daemon", "double-bounce"}) {
        if (base::same_word(local, whole)) return {local, {}};
    }
    if (rule.owner_request_special && rule.delimiters.find('-') != std::string::npos &&
        (base::starts_with_word(local, "owner-") || base::ends_with_word(local, "-request")))
        return {local, {}};
    size_t at = local.find_first_of(rule.delimiters);
    if (at == local.npos || at == 0) return {local, {}};
    return {local.substr(0, at), local.substr(at)};
}

std::optional<AddressHit> find_address(Maps& maps, std::string_view address, const AddressSearch& search)
{
    AddressParts parts = split_address(address);
    std::string at_domain = parts.has_domain ? "@" + parts.domain : "";
    auto [user, extension] = split_extension(parts.local, search.extension);
    std::string ignored(extension);
    std::optional<std::string> found;

    auto with_local = [&](unsigned whole_form, std::string_view rest, Key kind, bool shortened) -> std::optional<AddressHit> {
        if ((found = ask(maps, parts.local, rest, kind))) return AddressHit{*found, "", whole_form};
        if (shortened && !ignored.empty() && (found = ask(maps, user, rest, Key::partial))) return AddressHit{*found, ignored, whole_form};
        return std::nullopt;
    };

    if (search.forms & form::full) {
        if (auto hit = with_local(form::full, at_domain, Key::whole, false)) return hit;
    }
    if (search.forms & form::no_extension && !ignored.empty()) {
        if ((found = ask(maps, user, at_domain, Key::partial))) return AddressHit{*found, ignored, form::no_extension};
    }
    if (!parts.has_domain) return std::nullopt;
    if (search.forms & form::local_if_local && search.is_local && search.is_local(parts.domain)) {
        if (auto hit = with_local(form::local_if_local, "", Key::partial, true)) return hit;
    }
    if (search.forms & form::at_domain) {
        if ((found = maps.find(at_domain, Key::partial))) return AddressHit{*found, ignored, form::at_domain};
    }
    if (search.forms & form::domain) {
        if ((found = search_domain(maps, parts.domain, search.parents, Key::partial))) return AddressHit{*found, ignored, form::domain};
    }
    if (search.forms & form::local_at) {
        if (auto hit = with_local(form::local_at, "@", Key::partial, true)) return hit;
    }
    return std::nullopt;
}

std::optional<std::string> find_domain(Maps& maps, std::string_view domain, Parents parents)
{
    return search_domain(maps, domain, parents, Key::whole);
}

std::optional<std::string> find_network(Maps& maps, std::string_view address)
{
    Key kind = Key::whole;
    char separator = address.find(':') == address.npos ? '.' : ':';
    while (!address.empty()) {
        if (auto found = maps.find(address, kind)) return found;
        kind = Key::partial;
        size_t end = address.rfind(separator);
        if (end == address.npos) break;
        address = address.substr(0, end);
        // "2001:db8::" and "2001:db8:" are no keys; access(5) cuts the colons too.
        while (address.ends_with(separator)) address.remove_suffix(1);
    }
    return std::nullopt;
}

} // namespace maps
