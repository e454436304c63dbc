// address: mail addresses as RFC 5322/6532 headers and RFC 5321 envelopes write them, read leniently, written strictly.
// Two forms: external is what stands on the wire ("\"john doe\"@example.com"), internal is without quoting (john
// doe@example.com), as Postfix keeps it in tables and queue files. In the internal form the domain begins after the
// last '@'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// An element of an address list. Groups stay visible, flat: group_begin carries the name, group_end nothing (IMAP's
// ENVELOPE wants them so).
struct Address {
    enum class Kind : uint8_t { mailbox, group_begin, group_end };
    Kind kind = Kind::mailbox;
    std::string name;   // display name or group name, or else a trailing comment; unquoted, RFC 2047 words not decoded
    std::string route;  // obsolete source route: "@a,@b"
    std::string local;  // unquoted
    std::string domain; // without comments and space; "[192.0.2.1]" for a literal; empty when there was none

    std::string internal() const;
    std::string external() const;
    bool operator==(const Address&) const = default;
};

// A header value, folded or not. Never fails: what can't be understood is left out. At most limit elements.
std::vector<Address> parse_addresses(std::string_view value, size_t limit = 10000);
// The mailboxes of a header value in internal form, for `sendmail -t` and checks.
std::vector<std::string> mailboxes(std::string_view value, size_t limit = 10000);
// Name and address for a header: `"Kim, M." <kim@example.com>`; names beyond ASCII become RFC 2047 words unless utf8.
std::string write_address(const Address& address, bool utf8 = false);

// Splits an internal address at its last '@'. Without '@' all of it is local.
struct AddressParts {
    std::string_view local, domain;
    bool has_domain;
};
AddressParts split_address(std::string_view internal);
// Splits an external address at the '@' that is not inside a quoted string.
AddressParts split_external(std::string_view external);

bool is_dot_atom(std::string_view local);        // needs no quoting (UTF-8 counts as atom text)
std::string quote_local(std::string_view local); // adds quotes only when needed
std::string unquote_local(std::string_view local);
std::string to_external(std::string_view internal);
std::string to_internal(std::string_view external);

// Splits user+extension at the first of delimiters. Addresses that are special stay whole, as in Postfix:
// mailer-daemon, double-bounce and, where '-' is a delimiter, owner-list and list-request.
struct Extension {
    std::string_view user, extension;
    char delimiter = 0; // 0: there is no extension
};
Extension split_extension(std::string_view local, std::string_view delimiters, bool owner_request_special = true);

// Host name syntax (RFC 1123 2.1; underscores too, as the world has them): labels of 1-63, 253 in all. UTF-8 labels
// only if utf8.
bool valid_domain(std::string_view domain, bool utf8 = false);
// "[192.0.2.1]", "[IPv6:2001:db8::1]".
bool valid_address_literal(std::string_view literal);
std::optional<std::string> to_ascii_domain(std::string_view domain); // U-labels to A-labels; nothing when not allowed
std::string to_unicode_domain(std::string_view domain);              // as it is when not convertible
std::string fold_domain(std::string_view internal_address);          // domain in lower case, local part untouched
// As a key for look-ups: all of it in lower case (ASCII, and UTF-8 through ICU's case folding).
std::string fold_case(std::string_view text);

} // namespace mail
