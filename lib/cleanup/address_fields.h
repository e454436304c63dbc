// address_fields: the addresses in a header field, changed where they stand: names, comments, groups and order stay. RFC 5322 3.4 and what
// the world writes instead of it. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cleanup {

// Gets an address as it is written, without <> and comments; gives the address for its place in internal form (mail/address.h).
using AddressChange = std::function<std::string(const std::string& external)>;

// The whole field, "Name: value" CRLF ended and folded between addresses, when some address changes; nothing when all stay as they are. Reads
// at most so many words: what follows is left out of a field that changes (header_address_token_limit).
std::optional<std::string> change_addresses(std::string_view name, std::string_view value, size_t word_limit, const AddressChange& change);

} // namespace cleanup
