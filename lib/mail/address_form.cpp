// address_form: single addresses: their two halves, their quoting, and what a domain may look like.
#include "base/text.h"
#include "mail/address.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace mail {

namespace {

// RFC 5322 3.2.3 atext, the dot, and (RFC 6532) anything beyond ASCII.
constexpr bool is_local_text(char c)
{
    if (static_cast<unsigned char>(c) >= 0x80 || base::is_alnum(c) || c == '.') return true;
    return c != 0 && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

constexpr bool is_label_text(char c)
{
    return base::is_alnum(c) || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

AddressParts split_at(std::string_view address, size_t at)
{
    if (at == std::string_view::npos) return {address, {}, false};
    return {address.substr(0, at), address.substr(at + 1), true};
}

bool valid_label(std::string_view label, bool ascii)
{
    // RFC 1035 2.3.4: 63 octets; of a U-label the A-label counts, which to_ascii_domain() measures.
    if (label.empty() || (ascii && label.size() > 63) || label.front() == '-' || label.back() == '-') return false;
    return std::all_of(label.begin(), label.end(), is_label_text);
}

} // namespace

AddressParts split_address(std::string_view internal) { return split_at(internal, internal.rfind('@')); }

AddressParts split_external(std::string_view external)
{
    size_t at = std::string_view::npos;
    bool quoted = false;
    for (size_t i = 0; i < external.size(); ++i) {
        if (external[i] == '\\')
            ++i;
        else if (external[i] == '"')
            quoted = !quoted;
        else if (external[i] == '@' && !quoted)
            at = i;
    }
    return split_at(external, at);
}

bool is_dot_atom(std::string_view local)
{
    if (local.empty() || local.front() == '.' || local.back() == '.') return false;
    return local.find("..") == std::string_view::npos && std::all_of(local.begin(), local.end(), is_local_text);
}

std::string quote_local(std::string_view local)
{
    if (is_dot_atom(local)) return std::string(local);
    std::string out = "\"";
    for (char c : local) {
        if (c == '"' || c == '\\' || c == '\r' || c == '\n') out.push_back('\\');
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string unquote_local(std::string_view local)
{
    std::string out;
    bool quoted = false;
    for (size_t i = 0; i < local.size(); ++i) {
        if (local[i] == '"') {
            quoted = !quoted;
            continue;
        }
        if (local[i] == '\\' && i + 1 < local.size()) ++i;
        out.push_back(local[i]);
    }
    return out;
}

std::string to_external(std::string_view internal)
{
    if (internal.empty()) return {};
    const auto [local, domain, has_domain] = split_address(internal);
    std::string out = quote_local(local);
    if (has_domain) out.append("@").append(domain);
    return out;
}

std::string to_internal(std::string_view external)
{
    const auto [local, domain, has_domain] = split_external(external);
    std::string out = unquote_local(local);
    if (has_domain) out.append("@").append(domain);
    return out;
}

Extension split_extension(std::string_view local, std::string_view delimiters, bool owner_request_special)
{
    const Extension whole{local, {}, 0};
    if (base::same_word(local, "mailer-daemon") || base::same_word(local, "double-bounce")) return whole;
    if (owner_request_special && delimiters.find('-') != std::string_view::npos &&
        (base::starts_with_word(local, "owner-") || base::ends_with_word(local, "-request")))
        return whole;
    const size_t at = local.find_first_of(delimiters);
    if (at == 0 || at == std::string_view::npos) return whole;
    return {local.substr(0, at), local.substr(at + 1), local[at]};
}

bool valid_domain(std::string_view domain, bool utf8)
{
    const bool ascii = base::is_ascii(domain);
    if (domain.empty() || domain.size() > (ascii ? 253u : 1000u) || (!ascii && !utf8)) return false;
    for (std::string_view label : base::split_exact(domain, '.'))
        if (!valid_label(label, ascii)) return false;
    if (!ascii) return to_ascii_domain(domain).has_value();
    // An address without its brackets is no domain.
    return domain.find_first_not_of("0123456789.") != std::string_view::npos;
}

bool valid_address_literal(std::string_view literal)
{
    if (literal.size() < 3 || literal.size() > 64 || literal.front() != '[' || literal.back() != ']') return false;
    std::string inside(literal.substr(1, literal.size() - 2));
    if (inside.find('\0') != std::string::npos) return false;
    unsigned char bytes[16];
    if (base::starts_with_word(inside, "IPv6:")) return inet_pton(AF_INET6, inside.c_str() + 5, bytes) == 1;
    return inet_pton(AF_INET, inside.c_str(), bytes) == 1;
}

std::optional<std::string> to_ascii_domain(std::string_view domain)
{
    if (base::is_ascii(domain)) return base::lower(domain);
    if (domain.size() > 1000 || !base::is_utf8(domain)) return std::nullopt;
    char* ascii = nullptr;
    const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
    if (idn2_to_ascii_8z(std::string(domain).c_str(), &ascii, flags) != IDN2_OK) return std::nullopt;
    std::string out(ascii);
    idn2_free(ascii);
    // Case mapping can make separators of lookalikes; what comes out must still be a host name.
    if (!valid_domain(out)) return std::nullopt;
    return out;
}

std::string to_unicode_domain(std::string_view domain)
{
    if (base::find_word(domain, "xn--") == std::string_view::npos || domain.size() > 253) return std::string(domain);
    char* unicode = nullptr;
    if (idn2_to_unicode_8z8z(std::string(domain).c_str(), &unicode, 0) != IDN2_OK) return std::string(domain);
    std::string out(unicode);
    idn2_free(unicode);
    return out;
}

std::string fold_domain(std::string_view internal_address)
{
    const auto [local, domain, has_domain] = split_address(internal_address);
    std::string out(local);
    if (has_domain) out.append("@").append(fold_case(domain));
    return out;
}

std::string fold_case(std::string_view text)
{
    if (base::is_ascii(text) || !base::is_utf8(text)) return base::lower(text);
    std::string out;
    icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(std::min(text.size(), size_t{1} << 30))})
        .foldCase()
        .toUTF8String(out);
    return out;
}

} // namespace mail
