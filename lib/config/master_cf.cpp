#include "config/master_cf.h"

#include "config/logical_lines.h"
#include "config/values.h"

#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace config {

namespace {

struct TypeWord {
    std::string_view word;
    Service::Type type;
};

constexpr TypeWord type_words[] = {
    {"inet", Service::Type::inet}, {"unix", Service::Type::unix_socket}, {"unix-dgram", Service::Type::unix_dgram},
    {"fifo", Service::Type::fifo}, {"pass", Service::Type::pass},
};

constexpr size_t columns = 8;

[[noreturn]] void bad(const Service& service, std::string_view what, std::string_view value, std::string_view expected)
{
    throw Error(fmt::format("{}:{}: bad {} \"{}\", expected {}", service.file, service.line, what,
                            base::printable(value, 60), expected));
}

std::optional<bool> yes_no(const Service& service, std::string_view column, std::string_view text)
{
    if (text == "y") return true;
    if (text == "n") return false;
    if (text != "-") bad(service, fmt::format("{} column", column), text, "y, n or -");
    return std::nullopt;
}

void read_wakeup(Service& service, std::string_view text)
{
    auto digits = text;
    if (digits.size() > 1 && digits.back() == '?') {
        service.wakeup_optional = true;
        digits.remove_suffix(1);
    }
    if (digits == "-" && !service.wakeup_optional) return;
    auto time = to_seconds(digits);
    if (!time) bad(service, "wakeup column", text, "a time, a time and \"?\", or -");
    if (time->count() > 0) service.wakeup = time;
}

void read_maxproc(Service& service, std::string_view text)
{
    if (text == "-") return;
    auto count = base::number<int>(text);
    if (!count || *count < 0) bad(service, "maxproc column", text, "a number from 0, or -");
    service.maxproc = *count;
}

void read_name(Service& service)
{
    if (service.type == Service::Type::inet) {
        auto port = base::cut_last(service.name, ':');
        auto text =
            port.found && port.before.find(']') != port.before.size() - 1 && port.before.find(':') != port.before.npos
                ? std::string_view()
                : (port.found ? port.after : std::string_view(service.name));
        if (text.empty()) bad(service, "service name", service.name, "port, host:port or [address]:port");
        return;
    }
    // The name is a file below the queue folder.
    if (service.name.front() == '/' || service.name.find("..") != service.name.npos)
        bad(service, "service name", service.name, "a name without a path");
}

// -o name=value; the words of -o { name = value } come with the spaces inside.
Override read_override(const Service& service, std::string_view text)
{
    auto [name, value, found] = base::cut(text, '=');
    name = base::trim(name);
    if (!found || name.empty() || name.find_first_of(" \t") != name.npos)
        bad(service, "-o argument", text, "name=value or { name = value }");
    return {std::string(name), std::string(base::trim(value))};
}

void read_options(Service& service)
{
    const auto& words = service.arguments;
    // pipe and spawn hand everything behind argv= to somebody else.
    for (size_t i = 0; i < words.size() && !words[i].starts_with("argv="); ++i) {
        const std::string& word = words[i];
        if (word.size() < 2 || word[0] != '-') continue;
        if (word[1] == 'o') {
            if (word.size() == 2 && i + 1 == words.size()) bad(service, "argument", word, "name=value behind -o");
            service.overrides.push_back(
                read_override(service, word.size() > 2 ? std::string_view(word).substr(2) : words[++i]));
        } else if (word.find_first_not_of("vD", 1) == word.npos) {
            service.verbose += static_cast<int>(std::count(word.begin(), word.end(), 'v'));
            service.debug = service.debug || word.find('D') != word.npos;
        }
    }
}

Service read_service(const LogicalLine& line, const std::string& file)
{
    Service service;
    service.file = file;
    service.line = line.first;
    std::vector<std::string_view> words;
    std::string_view rest = line.text;
    while (words.size() < columns) {
        rest = base::trim_left(rest);
        auto end = std::find_if(rest.begin(), rest.end(), base::is_space);
        auto word = rest.substr(0, static_cast<size_t>(end - rest.begin()));
        if (word.empty()) break;
        words.push_back(word);
        rest.remove_prefix(word.size());
    }
    if (words.size() < columns)
        throw Error(fmt::format(
            "{}:{}: {} columns, expected 8: service type private unprivileged chroot wakeup maxproc command", file,
            line.first, words.size()));
    service.name = words[0];
    auto type = service_type(words[1]);
    if (!type) bad(service, "type column", words[1], "inet, unix, unix-dgram, fifo or pass");
    service.type = *type;
    read_name(service);
    service.private_ = yes_no(service, "private", words[2]);
    service.unprivileged = yes_no(service, "unprivileged", words[3]);
    service.chroot = yes_no(service, "chroot", words[4]);
    // A network is nobody's own: "private" would be a promise that cannot be kept.
    if (service.type == Service::Type::inet && service.private_ == true)
        bad(service, "private column", words[2], "n or - for an inet service");
    read_wakeup(service, words[5]);
    read_maxproc(service, words[6]);
    service.command = words[7];
    if (service.command.find('/') != service.command.npos)
        bad(service, "command column", service.command, "a program's name without a path");
    try {
        service.arguments = split_arguments(rest);
    } catch (const Error& problem) {
        throw Error(fmt::format("{}:{}: {}", file, line.first, problem.what()));
    }
    read_options(service);
    return service;
}

} // namespace

std::string_view type_word(Service::Type type)
{
    for (const auto& known : type_words)
        if (known.type == type) return known.word;
    return "";
}

std::optional<Service::Type> service_type(std::string_view word)
{
    for (const auto& known : type_words)
        if (known.word == word) return known.type;
    return std::nullopt;
}

std::vector<std::string> split_arguments(std::string_view text)
{
    std::vector<std::string> words;
    for (text = base::trim_left(text); !text.empty(); text = base::trim_left(text)) {
        if (text.front() != '{') {
            auto end = std::find_if(text.begin(), text.end(), base::is_space);
            auto word = text.substr(0, static_cast<size_t>(end - text.begin()));
            words.emplace_back(word);
            text.remove_prefix(word.size());
            continue;
        }
        size_t at = 0;
        int depth = 0;
        do {
            if (at == text.size())
                throw Error(fmt::format("\"{{\" without \"}}\" at \"{}\"", base::printable(text, 40)));
            depth += (text[at] == '{') - (text[at] == '}');
            ++at;
        } while (depth > 0);
        if (at < text.size() && !base::is_space(text[at]))
            throw Error(fmt::format("text behind \"}}\" at \"{}\", expected white space",
                                    base::printable(text.substr(at), 40)));
        words.emplace_back(base::trim(text.substr(1, at - 2)));
        text.remove_prefix(at);
    }
    return words;
}

std::vector<std::string> Service::plain_arguments() const
{
    std::vector<std::string> plain;
    bool foreign = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        foreign = foreign || word.starts_with("argv=");
        bool option = !foreign && word.size() > 1 && word[0] == '-';
        if (option && word == "-o")
            ++i;
        else if (!option || (word[1] != 'o' && word.find_first_not_of("vD", 1) != word.npos))
            plain.push_back(word);
    }
    return plain;
}

MasterTable MasterTable::parse(std::string_view text, const std::string& file)
{
    MasterTable table;
    for (const LogicalLine& line : logical_lines(text, file)) {
        Service service = read_service(line, file);
        auto same = [&](const Service& other) { return other.name == service.name && other.type == service.type; };
        auto earlier = std::find_if(table.services.begin(), table.services.end(), same);
        if (earlier == table.services.end()) {
            table.services.push_back(std::move(service));
            continue;
        }
        table.warnings.push_back(fmt::format("{}:{}: duplicate service {}/{}: the last entry counts (earlier: line {})",
                                             file, service.line, service.name, type_word(service.type), earlier->line));
        *earlier = std::move(service);
    }
    return table;
}

MasterTable MasterTable::load(const std::string& folder)
{
    const std::string path = folder + "/master.cf";
    std::string text;
    try {
        text = base::read_file(path, 16 << 20);
    } catch (const base::SystemError& problem) {
        throw Error(fmt::format("{}: {}, expected a file that can be read", path, base::error_text(problem.code())));
    }
    return parse(text, path);
}

const Service* MasterTable::find(std::string_view name, Service::Type type) const
{
    for (const Service& service : services)
        if (service.name == name && service.type == type) return &service;
    return nullptr;
}

} // namespace config
