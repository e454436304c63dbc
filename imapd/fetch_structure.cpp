// BODYSTRUCTURE and BODY (RFC 3501 7.4.2): the tree of a message's parts.
#include "fetch.h"

#include <fmt/format.h>

namespace imapd {

namespace {

// A multipart must have a part, and a message an inside: what a broken one lacks is an empty text.
constexpr std::string_view empty_text = R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0))";
constexpr std::string_view empty_envelope = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
void put_parameters(std::string& out, const std::vector<mail::Parameter>& parameters)
{
    if (parameters.empty()) {
        out += "NIL";
        return;
    }
    char before = '(';
    for (const auto& parameter : parameters) {
        out += before;
        put_string(out, parameter.name);
        out += ' ';
        put_string(out, parameter.value);
        before = ' ';
    }
    out += ')';
}

// body-fld-dsp, body-fld-lang, body-fld-loc
void put_common_extensions(std::string& out, const mail::Part& part)
{
    out += ' ';
    if (part.disposition) {
        out += '(';
        put_string(out, part.disposition->type);
        out += ' ';
        put_parameters(out, part.disposition->parameters);
        out += ')';
    } else {
        out += "NIL";
    }
    out += ' ';
    if (part.languages.empty())
        out += "NIL";
    else if (part.languages.size() == 1)
        put_string(out, part.languages.front());
    else {
        char before = '(';
        for (const auto& language : part.languages) {
            out += before;
            put_string(out, language);
            before = ' ';
        }
        out += ')';
    }
    out += ' ';
    put_nstring(out, part.location);
}

void put_part(std::string& out, const mail::Part& part, bool extensions);

void put_multipart(std::string& out, const mail::Part& part, bool extensions)
{
    for (const auto& inner : part.parts) put_part(out, inner, extensions);
    if (part.parts.empty()) out += empty_text;
    out += ' ';
    put_string(out, part.subtype);
    if (!extensions) return;
    out += ' ';
    put_parameters(out, part.parameters);
    put_common_extensions(out, part);
}

void put_leaf(std::string& out, const mail::Part& part, bool extensions)
{
    put_string(out, part.type);
    out += ' ';
    put_string(out, part.subtype);
    out += ' ';
    put_parameters(out, part.parameters);
    out += ' ';
    put_nstring(out, part.id);
    out += ' ';
    put_nstring(out, part.description);
    out += ' ';
    put_string(out, part.encoding);
    out += fmt::format(" {}", part.octets);
    if (part.is_message()) {
        out += ' ';
        out += part.envelope ? envelope_text(*part.envelope) : std::string(empty_envelope);
        out += ' ';
        if (part.parts.empty())
            out += empty_text;
        else
            put_part(out, part.parts.front(), extensions);
    }
    if (part.is_message() || part.type == "text") out += fmt::format(" {}", part.lines);
    if (!extensions) return;
    out += ' ';
    put_nstring(out, part.md5);
    put_common_extensions(out, part);
}

void put_part(std::string& out, const mail::Part& part, bool extensions)
{
    out += '(';
    if (part.is_multipart())
        put_multipart(out, part, extensions);
    else
        put_leaf(out, part, extensions);
    out += ')';
}

} // namespace

std::string structure_text(const mail::Part& part, bool extensions)
{
    std::string out;
    put_part(out, part, extensions);
    return out;
}

} // namespace imapd
