// log: the one way to say something to the administrator. Lines are Postfix's: "postfix/smtpd[123]: text".
// Lines go to the syslog socket, to a file, or to standard error. They are gathered and written by flush(), which the
// event loop calls before it sleeps; warnings and worse are written at once. Not for use from offloaded work.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace base::log {

enum class Level { debug, info, warning, error, fatal, panic };

// tag: "postfix/smtpd". file: "" for syslog, "/dev/stdout", "/dev/stderr", or a path that is opened now (before rights are dropped).
// facility: a syslog word such as "mail". Callable again, to reopen after rotation.
void open(const std::string& tag, const std::string& file, const std::string& facility = "mail");
void to_stderr(const std::string& name);    // for commands that people type: "postmap: warning: text"
void set_verbose(bool on);
bool verbose();
int descriptor();                           // for the sandbox and for children; -1 when none

void line(Level level, std::string_view text);
// As another program of the suite: what Postfix does in cleanup or pickup is said under that name, for the readers of logs.
void info_as(std::string_view program, std::string_view text);
void flush();

template <class... Args> void info(fmt::format_string<Args...> text, Args&&... args)
{
    line(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args> void warning(fmt::format_string<Args...> text, Args&&... args)
{
    line(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args> void error(fmt::format_string<Args...> text, Args&&... args)
{
    line(Level::error, fmt::format(text, std::forward<Args>(args)...));
}
// For a fault that ends the program: the caller exits afterwards.
template <class... Args> void fatal(fmt::format_string<Args...> text, Args&&... args)
{
    line(Level::fatal, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args> void debug(fmt::format_string<Args...> text, Args&&... args)
{
    if (verbose()) line(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}

} // namespace base::log
