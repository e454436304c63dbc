// percent_format: texts with Dovecot's %variables: "%08Xu%08Xv", "top=%t/%p", "%{deleted_bytes}".
#pragma once

#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pop3d {

class BadFormat : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// %[0][width][modifiers]letter, %{name}, %%. With a 0 the value is filled with zeros up to the width, without it cut there. Modifiers: X the
// number in hexadecimal, L and U lower and upper case, M the value's MD5.
class PercentFormat {
public:
    // Throws BadFormat for a name that is not known.
    PercentFormat(std::string_view text, std::span<const std::string_view> known);

    using Value = std::function<std::string(std::string_view name)>;
    std::string expand(const Value& value) const;

private:
    struct Piece {
        std::string literal;        // what stands before the variable
        std::string name;           // "": none
        std::string modifiers;
        size_t width = 0;
        bool zeros = false;
    };
    static std::string shaped(const Piece& piece, std::string value);

    std::vector<Piece> pieces_;
};

} // namespace pop3d
