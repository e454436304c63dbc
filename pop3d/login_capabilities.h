// login_capabilities: what POP3 says alike before and after the login: CAPA's tags, and LANG.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pop3_login {

// RFC 2449 6, RFC 3206, RFC 6856: tags that hold in both states.
std::span<const std::string_view> common_tags();

// RFC 6856 3: the whole answer to LANG, with CRLF between lines but not at the end. We speak English.
std::string answer_lang(std::string_view argument);

} // namespace pop3_login
