#include "store/location.h"

#include "store/trouble.h"
#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace store {

namespace {

[[noreturn]] void refuse(std::string_view setting, std::string_view why)
{
    throw Trouble(Trouble::Kind::bad_setting, fmt::format("mail_location \"{}\": {}", base::printable(setting, 200), why));
}

// A user's name becomes part of a path: it must not lead anywhere else.
void check_user(const User& user)
{
    bool control = std::any_of(user.name.begin(), user.name.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '/'; });
    if (user.name.empty() || user.name[0] == '.' || control)
        throw Trouble(Trouble::Kind::bad_setting, fmt::format("user name \"{}\" can't be part of a path", base::printable(user.name, 100)));
    if (user.home.find('\0') != std::string::npos) throw Trouble(Trouble::Kind::bad_setting, "the home folder's name holds a NUL");
}

std::string variable(std::string_view name, const User& user, std::string_view setting)
{
    base::Cut parts = base::cut_last(user.name, '@');
    if (!parts.found) parts = {user.name, {}, false};
    if (name == "u" || name == "user" || name == "username") return user.name;
    if (name == "n") return std::string(parts.before);
    if (name == "d" || name == "domain") return std::string(parts.after);
    if (name == "h" || name == "home") return user.home;
    refuse(setting, fmt::format("variable %{} is not known; expected %u %n %d %h %%", base::printable(name, 40)));
}

// After '%': [offset.]width, L or U, then a letter or {name}. Shortens rest by what it used.
std::string expand_one(std::string_view& rest, const User& user, std::string_view setting)
{
    size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
    std::string_view range = rest.substr(0, digits);
    rest.remove_prefix(digits);
    bool to_lower = false, to_upper = false;
    for (; !rest.empty() && (rest[0] == 'L' || rest[0] == 'U'); rest.remove_prefix(1)) (rest[0] == 'L' ? to_lower : to_upper) = true;
    if (rest.empty()) refuse(setting, "a variable's name is expected after %");
    size_t length = 1;
    std::string_view name = rest.substr(0, 1);
    if (rest[0] == '{') {
        size_t end = rest.find('}');
        if (end == std::string_view::npos) refuse(setting, "} is expected");
        name = rest.substr(1, end - 1);
        length = end + 1;
    }
    std::string value = variable(name, user, setting);
    rest.remove_prefix(length);
    if (to_lower) value = base::lower(value);
    if (to_upper) value = base::upper(value);
    if (range.empty()) return value;
    base::Cut cut = base::cut(range, '.');
    auto offset = cut.found ? base::number<size_t>(cut.before) : 0;
    auto width = base::number<size_t>(cut.found ? cut.after : cut.before);
    if (!offset || !width) refuse(setting, "offset.width is expected after %");
    value = *offset < value.size() ? value.substr(*offset, *width) : std::string();
    if (value == "." || value == "..") refuse(setting, "a piece of the user's name leads out of the folder");
    return value;
}

std::string without_slash(std::string path)
{
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

std::string absolute(std::string_view text, const User& user, std::string_view setting)
{
    std::string path = expand_location(text, user);
    if (path.empty() || path[0] != '/') refuse(setting, fmt::format("\"{}\" is not an absolute path", base::printable(path, 200)));
    return without_slash(path);
}

void set_option(Location& location, std::string_view option, const User& user, std::string_view setting)
{
    base::Cut part = base::cut(option, '=');
    std::string key = base::upper(part.before);
    if (key == "INBOX") location.inbox = absolute(part.after, user, setting);
    else if (key == "INDEX") location.index = part.after == "MEMORY" ? std::string() : absolute(part.after, user, setting);
    else if (key == "UTF-8") location.utf8_names = true;
    else if (key == "LAYOUT") {
        std::string_view expected = location.format == Format::maildir ? "maildir++" : "fs";
        if (!base::same_word(part.after, expected)) refuse(setting, fmt::format("LAYOUT={} is expected", expected));
    } else refuse(setting, fmt::format("{} is not supported; expected INBOX, INDEX, LAYOUT, UTF-8", base::printable(part.before, 40)));
}

Location automatic(const User& user)
{
    if (base::exists(user.home + "/Maildir")) return {Format::maildir, user.home + "/Maildir", {}, {}, false};
    return {Format::mbox, user.home + "/mail", "/var/mail/" + user.name, {}, false};
}

} // namespace

std::string expand_location(std::string_view text, const User& user)
{
    check_user(user);
    std::string_view rest = text;
    std::string out;
    if (rest == "~" || rest.substr(0, 2) == "~/") {
        out = user.home;
        rest.remove_prefix(1);
    }
    while (!rest.empty()) {
        char c = rest[0];
        rest.remove_prefix(1);
        if (c != '%') out += c;
        else if (!rest.empty() && rest[0] == '%') {
            out += '%';
            rest.remove_prefix(1);
        } else out += expand_one(rest, user, text);
    }
    if (out.find('\0') != std::string::npos) refuse(text, "a path can't hold a NUL");
    return out;
}

Location parse_location(std::string_view mail_location, const User& user)
{
    check_user(user);
    std::string_view setting = base::trim(mail_location);
    if (setting.empty() || setting == "auto") return automatic(user);
    std::vector<std::string_view> pieces = base::split_exact(setting, ':');
    Location location;
    std::string_view format = pieces[0];
    if (format == "maildir") location.format = Format::maildir;
    else if (format == "mbox") location.format = Format::mbox;
    else refuse(setting, "expected maildir:PATH or mbox:PATH");
    if (pieces.size() < 2 || pieces[1].empty()) {
        if (location.format == Format::mbox) refuse(setting, "expected mbox:PATH");
        location.root = user.home + "/Maildir";
    } else location.root = absolute(pieces[1], user, setting);
    for (size_t i = 2; i < pieces.size(); ++i) set_option(location, pieces[i], user, setting);
    if (location.format == Format::mbox && location.inbox.empty()) location.inbox = location.root + "/inbox";
    return location;
}

Destination postfix_path(std::string_view path)
{
    bool maildir = !path.empty() && path.back() == '/';
    return {maildir ? Format::maildir : Format::mbox, without_slash(std::string(path))};
}

Destination postfix_mailbox(std::string_view home_mailbox, std::string_view mail_spool_directory, const User& user)
{
    check_user(user);
    if (!home_mailbox.empty()) return postfix_path(fmt::format("{}/{}", user.home, home_mailbox));
    Destination spool = postfix_path(mail_spool_directory);
    bool plain = mail_spool_directory.empty() || mail_spool_directory.back() != '/';
    return {plain ? Format::mbox : Format::maildir, fmt::format("{}/{}", without_slash(spool.path), user.name)};
}

Destination inbox_of(const Location& location)
{
    return {location.format, location.inbox.empty() ? location.root : location.inbox};
}

} // namespace store
