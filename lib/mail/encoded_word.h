// encoded_word: RFC 2047 words in headers, and RFC 2231 parameters (charset, language, continuations).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

// A raw header value to UTF-8: unfolded, encoded words decoded, space between neighbouring ones dropped. Words in an
// unknown character set stay as they are; raw 8-bit bytes are guessed.
std::string decode_words(std::string_view value);
// UTF-8 text as one or more encoded words, B or Q whichever is shorter, each within 75 characters, joined by a space.
std::string encode_words(std::string_view utf8_text);

struct Parameter {
    std::string name; // lower case
    std::string value;
    bool operator==(const Parameter&) const = default;
};
// The ";name=value" list that follows a type or disposition: quoted strings undone, comments skipped, RFC 2231 pieces
// joined and decoded to UTF-8.
std::vector<Parameter> parse_parameters(std::string_view text, size_t limit = 200);
// The same list with names and values as they stand (title*0*=…), for IMAP's BODYSTRUCTURE.
std::vector<Parameter> parse_raw_parameters(std::string_view text, size_t limit = 200);
std::vector<Parameter> join_parameters(const std::vector<Parameter>& raw);
const std::string* find_parameter(const std::vector<Parameter>& parameters, std::string_view name);
// name=value, quoted when needed, name*=utf-8''… beyond ASCII.
std::string write_parameter(std::string_view name, std::string_view utf8_value);

} // namespace mail
