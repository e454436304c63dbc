// aliases_text: the grammar of /etc/aliases ("name: value, value …") and of the values, which .forward and :include: files share. Pure.
#pragma once

#include "maps/table_text.h"

namespace maps {

// Keys are unquoted local parts in the file's own case; values keep their text ("|\"cmd arg\"", ":include:/list", quotes and all).
ParsedText parse_aliases(std::string_view text);

struct AliasMember {
    enum class Kind { address, command, file, include };
    Kind kind = Kind::address;
    std::string text;       // address; command without '|'; path of the file or of the list
    bool operator==(const AliasMember&) const = default;
};
// The members of a value, or of one line of a list: split at commas (and lines), comments and quotes around a member taken off,
// "Name <user@host>" reduced to the address, groups to their members.
std::vector<AliasMember> parse_alias_value(std::string_view value);
// A whole .forward or :include: file: one or more members a line, '#' comments.
std::vector<AliasMember> parse_alias_list(std::string_view text);

} // namespace maps
