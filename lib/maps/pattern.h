// pattern: one compiled regular expression, POSIX or Perl's, and the result text that refers to its groups.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

class BadPattern : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Pattern {
public:
    virtual ~Pattern() = default;
    // groups[0] is the whole match; a group that took no part is empty. The views point into subject.
    virtual bool match(const std::string& subject, std::vector<std::string_view>& groups) const = 0;
    virtual size_t groups() const = 0;      // parenthesized ones
};

// flags: regexp's i m x, pcre's i m s x A E U X; each turns its default over. Throws BadPattern.
std::unique_ptr<Pattern> compile_posix(const std::string& pattern, std::string_view flags);
std::unique_ptr<Pattern> compile_pcre(const std::string& pattern, std::string_view flags);

// "text $1 ${2} $(3) $$".
class Replacement {
public:
    explicit Replacement(std::string_view text);    // throws BadPattern
    size_t highest() const { return highest_; }     // group named; 0 when none
    std::string expand(const std::vector<std::string_view>& groups) const;

private:
    struct Piece {
        std::string text;
        size_t group = 0;                           // 0: the text
    };
    std::vector<Piece> pieces_;
    size_t highest_ = 0;
};

} // namespace maps
