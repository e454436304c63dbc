// pattern: compiled regular expressions and their result texts.
#include "maps/pattern.h"

#include "base/log.h"
#include "base/text.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <regex.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace maps {

namespace {

struct Flag {
    char letter;
    uint32_t bit;
};

template <size_t N> uint32_t apply(uint32_t bits, const Flag (&known)[N], std::string_view flags)
{
    for (char letter : flags) {
        const Flag* found = std::find_if(std::begin(known), std::end(known), [&](const Flag& flag) { return flag.letter == letter; });
        if (found == std::end(known)) throw BadPattern(fmt::format("unknown regexp option \"{}\"", base::printable(std::string_view(&letter, 1))));
        bits ^= found->bit;
    }
    return bits;
}

class PosixPattern final : public Pattern {
public:
    PosixPattern(const std::string& pattern, std::string_view flags)
    {
        constexpr Flag known[] = {{'i', REG_ICASE}, {'m', REG_NEWLINE}, {'x', REG_EXTENDED}};
        int code = ::regcomp(&compiled_, pattern.c_str(), static_cast<int>(apply(REG_EXTENDED | REG_ICASE, known, flags)));
        if (code == 0) return;
        char why[200];
        ::regerror(code, &compiled_, why, sizeof why);
        throw BadPattern(why);
    }
    ~PosixPattern() override { ::regfree(&compiled_); }

    bool match(const std::string& subject, std::vector<std::string_view>& groups) const override
    {
        std::vector<regmatch_t> places(this->groups() + 1);
        places[0] = {0, static_cast<regoff_t>(subject.size())};
        int code = ::regexec(&compiled_, subject.c_str(), places.size(), places.data(), REG_STARTEND);
        if (code == REG_NOMATCH) return false;
        if (code != 0) {
            base::log::warning("regular expression: {}", code == REG_ESPACE ? "out of memory" : "cannot be matched");
            return false;
        }
        groups.clear();
        for (const regmatch_t& place : places) {
            auto size = static_cast<size_t>(place.rm_eo - place.rm_so);
            groups.push_back(place.rm_so < 0 ? std::string_view() : std::string_view(subject).substr(static_cast<size_t>(place.rm_so), size));
        }
        return true;
    }
    size_t groups() const override { return compiled_.re_nsub; }

private:
    regex_t compiled_{};
};

class PcrePattern final : public Pattern {
public:
    PcrePattern(const std::string& pattern, std::string_view flags)
    {
        constexpr Flag known[] = {{'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE},      {'s', PCRE2_DOTALL},   {'x', PCRE2_EXTENDED},
                                  {'A', PCRE2_ANCHORED}, {'E', PCRE2_DOLLAR_ENDONLY}, {'U', PCRE2_UNGREEDY}, {'X', 0}};
        int code = 0;
        PCRE2_SIZE at = 0;
        compiled_.reset(::pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                        apply(PCRE2_CASELESS | PCRE2_DOTALL, known, flags), &code, &at, nullptr));
        if (!compiled_) throw BadPattern(fmt::format("error in regex at offset {}: {}", at, explain(code)));
        match_.reset(::pcre2_match_data_create_from_pattern(compiled_.get(), nullptr));
        ::pcre2_pattern_info(compiled_.get(), PCRE2_INFO_CAPTURECOUNT, &groups_);
        if (!match_) throw std::bad_alloc();
    }

    bool match(const std::string& subject, std::vector<std::string_view>& groups) const override
    {
        int count = ::pcre2_match(compiled_.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0, 0, match_.get(), nullptr);
        if (count == PCRE2_ERROR_NOMATCH) return false;
        if (count < 0) {
            base::log::warning("regular expression: {}", explain(count));     // such as the backtracking limit
            return false;
        }
        const PCRE2_SIZE* places = ::pcre2_get_ovector_pointer(match_.get());
        groups.assign(groups_ + 1, {});
        for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
            size_t begin = places[2 * i], end = places[2 * i + 1];
            if (begin != PCRE2_UNSET && begin <= end) groups[i] = std::string_view(subject).substr(begin, end - begin);
        }
        return true;
    }
    size_t groups() const override { return groups_; }

private:
    static std::string explain(int code)
    {
        PCRE2_UCHAR text[200];
        ::pcre2_get_error_message(code, text, sizeof text);
        return reinterpret_cast<const char*>(text);
    }

    std::unique_ptr<pcre2_code, void (*)(pcre2_code*)> compiled_{nullptr, ::pcre2_code_free_8};
    std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> match_{nullptr, ::pcre2_match_data_free_8};
    uint32_t groups_ = 0;
};

// The name after a dollar at text[at], which moves behind it: "1", "(1)" or "{1}".
std::string_view group_name(std::string_view text, size_t& at)
{
    size_t begin = at;
    if (at < text.size() && (text[at] == '{' || text[at] == '(')) {
        size_t end = text.find(text[at] == '{' ? '}' : ')', at);
        if (end == text.npos) throw BadPattern("truncated macro reference");
        at = end + 1;
        return text.substr(begin + 1, end - begin - 1);
    }
    while (at < text.size() && (base::is_alnum(text[at]) || text[at] == '_')) ++at;
    return text.substr(begin, at - begin);
}

} // namespace

std::unique_ptr<Pattern> compile_posix(const std::string& pattern, std::string_view flags)
{
    return std::make_unique<PosixPattern>(pattern, flags);
}

std::unique_ptr<Pattern> compile_pcre(const std::string& pattern, std::string_view flags)
{
    return std::make_unique<PcrePattern>(pattern, flags);
}

Replacement::Replacement(std::string_view text)
{
    std::string plain;
    for (size_t at = 0; at < text.size();) {
        if (text[at] != '$') {
            plain += text[at++];
            continue;
        }
        if (++at < text.size() && text[at] == '$') {
            plain += text[at++];
            continue;
        }
        std::string_view name = group_name(text, at);
        auto group = base::number<size_t>(name);
        if (!group) throw BadPattern(fmt::format("non-numeric replacement index \"{}\"", base::printable(name, 100)));
        if (*group == 0 || *group > 999) throw BadPattern(fmt::format("out of range replacement index \"{}\"", *group));
        if (!plain.empty()) pieces_.push_back({std::exchange(plain, {}), 0});
        pieces_.push_back({{}, *group});
        highest_ = std::max(highest_, *group);
    }
    if (!plain.empty()) pieces_.push_back({std::move(plain), 0});
}

std::string Replacement::expand(const std::vector<std::string_view>& groups) const
{
    std::string text;
    for (const Piece& piece : pieces_) {
        if (piece.group == 0) text += piece.text;
        else if (piece.group < groups.size()) text += groups[piece.group];
    }
    return text;
}

} // namespace maps
