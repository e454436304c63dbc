#include "folder_pattern.h"

#include "base/text.h"

#include <string>
#include <vector>

namespace imapd {

namespace {

// The set of places in the pattern that are reached after each letter of the name.
bool matches(std::string_view pattern, std::string_view name, char separator, bool any_case)
{
    std::vector<char> at(pattern.size() + 1), next(pattern.size() + 1);
    auto reach = [&](std::vector<char>& places, size_t place) {
        places[place] = 1;
        while (place < pattern.size() && (pattern[place] == '*' || pattern[place] == '%')) places[++place] = 1;
    };
    reach(at, 0);
    for (char c : name) {
        std::fill(next.begin(), next.end(), 0);
        for (size_t place = 0; place < pattern.size(); ++place) {
            if (!at[place]) continue;
            char p = pattern[place];
            bool stays = p == '*' || (p == '%' && c != separator);
            bool same = any_case ? base::lower(p) == base::lower(c) : p == c;
            if (stays)
                reach(next, place);
            else if (p != '%' && same)
                reach(next, place + 1);
        }
        at.swap(next);
    }
    return at[pattern.size()] != 0;
}

// "*%*" is "*", "%%" is "%".
std::string without_repeats(std::string_view pattern)
{
    std::string text;
    for (char c : pattern) {
        bool wild = c == '*' || c == '%';
        bool after_wild = !text.empty() && (text.back() == '*' || text.back() == '%');
        if (!wild || !after_wild)
            text += c;
        else if (c == '*')
            text.back() = '*';
    }
    return text;
}

} // namespace

bool matches_pattern(std::string_view pattern, std::string_view name, char separator)
{
    return matches(without_repeats(pattern), name, separator, base::same_word(name, "INBOX"));
}

} // namespace imapd
