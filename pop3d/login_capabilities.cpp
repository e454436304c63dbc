#include "login_capabilities.h"

#include "base/text.h"

#include <array>

namespace pop3_login {
namespace {

// UTF8 USER: names and passwords are UTF-8 anyway, and messages go out as they are.
constexpr std::array<std::string_view, 10> tags = {"CAPA", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER", "LANG",
                                                  "IMPLEMENTATION Rookpost"};

} // namespace

std::span<const std::string_view> common_tags() { return tags; }

std::string answer_lang(std::string_view argument)
{
    if (argument.empty()) return "+OK Language listing follows:\r\nen English\r\ni-default English\r\n.";
    if (argument == "*" || base::same_word(argument, "i-default")) return "+OK i-default English it is.";
    std::string tag = base::lower(argument);
    if (tag == "en" || tag.starts_with("en-")) return "+OK en English it is.";
    return "-ERR This language is not spoken here.";
}

} // namespace pop3_login
