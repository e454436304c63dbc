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

// Where the quoted string at the beginning of text ends, behind its closing quote; 0 when there is none.
size_t quoted_end(std::string_view text)
{
    if (!text.starts_with('"')) return 0;
    for (size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == '"') return i + 1;
    }
    return 0;
}

std::string unquote(std::string_view quoted)
{
    std::string plain;
    for (size_t i = 1; i + 1 < quoted.size(); ++i) {
        if (quoted[i] == '\\') ++i;
        plain += quoted[i];
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
    // As it stands on the wire: "a@b"@example.org. Anything else is taken without quoting, cut at its last @.
    size_t end = quoted_end(address);
    if (end > 0 && (end == address.size() || (address[end] == '@' && address.find('@', end + 1) == address.npos))) {
        bool has_domain = end < address.size();
        return {unquote(address.substr(0, end)), std::string(has_domain ? address.substr(end + 1) : ""), has_domain};
    }
    auto cut = base::cut_last(address, '@');
    if (!cut.found) return {std::string(address), {}, false};
    return {std::string(cut.before), std::string(cut.after), true};
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
