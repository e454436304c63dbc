// postconf_files: the lines that postconf prints, and the files that it reads and writes.
#include "postconf.h"

#include "config/print.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace postconf {

void print_pair(const Options& options, std::string_view name, std::string_view value)
{
    std::string line;
    if (options.no_value)
        line = name;
    else if (options.no_name)
        line = value;
    else
        line = value.empty() ? fmt::format("{} =", name) : fmt::format("{} = {}", name, value);
    fmt::print("{}\n", options.fold ? config::fold(line) : line);
}

config::Override split_assignment(std::string_view text)
{
    if (text.find('\n') != text.npos || text.find('\0') != text.npos)
        throw Fatal("-e, -X, or -# accepts no multi-line input");
    auto [name, value, found] = base::cut(text, '=');
    name = base::trim(name);
    if (name.empty()) throw Fatal(fmt::format("missing attribute name: \"{}\"", text));
    if (!found || name.find_first_of(" \t") != name.npos)
        throw Fatal(fmt::format("missing '=' after attribute name: \"{}\"", text));
    if (name.front() == '#') throw Fatal(fmt::format("an attribute name does not begin with \"#\": \"{}\"", text));
    return {std::string(name), std::string(base::trim(value))};
}

std::string read_configuration(const std::string& path)
{
    try {
        return base::read_file(path, 16 << 20);
    } catch (const base::SystemError& problem) {
        throw Fatal(fmt::format("open {}: {}", path, base::error_text(problem.code())));
    }
}

void write_configuration(const std::string& path, const std::string& text)
{
    std::string target = path;
    if (char* real = ::realpath(path.c_str(), nullptr)) {
        target = real;
        ::free(real);
    }
    struct stat before {};
    mode_t mode = ::stat(target.c_str(), &before) == 0 ? before.st_mode & 07777 : 0644;
    base::replace_file(target, text, mode);
    // Only root may give files away; who edits as somebody else owns the new file.
    if (before.st_uid != ::geteuid() && ::chown(target.c_str(), before.st_uid, before.st_gid) != 0)
        base::log::warning("{}: its owner could not be kept", target);
}

} // namespace postconf
