#include "exit_status.h"

#include "base/text.h"

#include <fmt/format.h>

#include <sysexits.h>

#include <algorithm>
#include <optional>

namespace local_delivery {
namespace {

struct Code {
    int code;
    const char* dsn;
    const char* text;
};
constexpr Code codes[] = {
    {EX_USAGE, "5.3.0", "command line usage error"},
    {EX_DATAERR, "5.6.0", "data format error"},
    {EX_NOINPUT, "5.3.0", "cannot open input"},
    {EX_NOUSER, "5.1.1", "user unknown"},
    {EX_NOHOST, "5.1.2", "host name unknown"},
    {EX_UNAVAILABLE, "5.3.0", "service unavailable"},
    {EX_SOFTWARE, "5.3.0", "internal software error"},
    {EX_OSERR, "4.3.0", "system resource problem"},
    {EX_OSFILE, "5.3.0", "critical OS file missing"},
    {EX_CANTCREAT, "5.2.0", "can't create user output file"},
    {EX_IOERR, "5.3.0", "input/output error"},
    {EX_TEMPFAIL, "4.3.0", "temporary failure"},
    {EX_PROTOCOL, "5.5.0", "remote error in protocol"},
    {EX_NOPERM, "5.7.0", "permission denied"},
    {EX_CONFIG, "5.3.5", "local configuration error"},
};

Report verdict(std::string dsn, std::string text)
{
    return dsn[0] == '4' ? deferred(std::move(dsn), std::move(text)) : bounced(std::move(dsn), std::move(text));
}

std::string with_output(std::string text, const std::string& output)
{
    return output.empty() ? text : text + ". Command output: " + output;
}

// A command may say itself what is wrong: "5.7.1 not for children". Nothing when it says no such thing.
std::optional<Report> own_words(const std::string& output)
{
    base::Cut words = base::cut(output, ' ');
    auto parts = base::split_exact(words.before, '.');
    if (parts.size() != 3 || (parts[0] != "4" && parts[0] != "5")) return std::nullopt;
    for (auto part : {parts[1], parts[2]})
        if (part.size() > 3 || !base::number<unsigned>(part)) return std::nullopt;
    std::string text(base::trim(words.after));
    return verdict(std::string(words.before), text.empty() ? "command refused the message" : text);
}

} // namespace

std::string one_line(std::string_view output)
{
    constexpr size_t longest = 1000;
    std::string text;
    for (auto line : base::split(output, "\r\n")) {
        line = base::trim(line);
        if (line.empty()) continue;
        if (!text.empty()) text += ' ';
        text += base::printable(line, longest);
        if (text.size() >= longest) break;
    }
    return std::string(base::clip(text, longest));
}

Report judge(const async::ExitStatus& status, const std::string& command, const std::string& success, const std::string& output)
{
    if (status.success()) return delivered(output.empty() ? success : fmt::format("{} ({})", success, output));
    if (status.signal)
        return deferred("4.3.0", with_output(fmt::format("Command died with signal {}: \"{}\"", status.signal, command), output));
    if (auto said = own_words(output)) return *said;
    auto known = std::find_if(std::begin(codes), std::end(codes), [&](const Code& code) { return code.code == status.code; });
    if (known != std::end(codes)) return verdict(known->dsn, with_output(known->text, output));
    return bounced("5.3.0", with_output(fmt::format("Command died with status {}: \"{}\"", status.code, command), output));
}

Report judge_timeout(const std::string& command, const std::string& output)
{
    return deferred("4.3.0", with_output(fmt::format("Command time limit exceeded: \"{}\"", command), output));
}

} // namespace local_delivery
