#include "mail/base_subject.h"

#include "base/text.h"
#include "mail/encoded_word.h"

namespace mail {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string single_spaced(std::string_view text)
{
    std::string out;
    for (char c : text) {
        if (!is_blank(c)) out += c;
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    return out;
}

std::string_view without_left_space(std::string_view text)
{
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

// subj-blob = "[" *BLOBCHAR "]" *WSP: its length, or 0.
size_t blob_length(std::string_view text)
{
    if (text.empty() || text.front() != '[') return 0;
    size_t end = text.find_first_of("[]", 1);
    if (end == std::string_view::npos || text[end] != ']') return 0;
    return text.size() - without_left_space(text.substr(end + 1)).size();
}

// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
size_t refwd_length(std::string_view text)
{
    size_t word = base::starts_with_word(text, "fwd") ? 3
                  : base::starts_with_word(text, "re") || base::starts_with_word(text, "fw") ? 2
                                                                                             : 0;
    if (word == 0) return 0;
    std::string_view rest = without_left_space(text.substr(word));
    rest.remove_prefix(blob_length(rest));
    return rest.starts_with(':') ? text.size() - rest.size() + 1 : 0;
}

// subj-leader = (*subj-blob subj-refwd) / WSP
size_t leader_length(std::string_view text)
{
    size_t at = 0;
    for (size_t blob = blob_length(text); blob > 0; blob = blob_length(text.substr(at))) at += blob;
    size_t refwd = refwd_length(text.substr(at));
    return refwd > 0 ? at + refwd : 0;
}

std::string_view without_trailers(std::string_view text, bool& found)
{
    while (true) {
        text = base::trim_right(text);
        if (!base::ends_with_word(text, "(fwd)")) return text;
        text.remove_suffix(5);
        found = true;
    }
}

std::string_view without_leaders(std::string_view text, bool& found)
{
    while (true) {
        text = without_left_space(text);
        if (size_t leader = leader_length(text); leader > 0) {
            text.remove_prefix(leader);
            found = true;
            continue;
        }
        size_t blob = blob_length(text);
        if (blob == 0 || blob == text.size()) return text;
        text.remove_prefix(blob);
    }
}

} // namespace

BaseSubject base_subject(std::string_view raw)
{
    BaseSubject result;
    std::string whole = single_spaced(decode_words(raw));
    std::string_view text = whole;
    while (true) {
        text = without_leaders(without_trailers(text, result.reply_or_forward), result.reply_or_forward);
        if (!base::starts_with_word(text, "[fwd:") || !text.ends_with(']')) break;
        text = text.substr(5, text.size() - 6);
        result.reply_or_forward = true;
    }
    result.text = text;
    return result;
}

} // namespace mail
