#include "qmail/dot_qmail.h"

#include "base/text.h"
#include "store/mbox_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace local_delivery {
namespace {

constexpr size_t most_lines = 10'000;

std::string_view without_end(std::string_view line)
{
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    return line;
}

// What precedes the last dot, the one before it, and so on.
std::string_view before_dot(std::string_view host, int count)
{
    for (; count > 0; --count) {
        size_t dot = host.rfind('.');
        if (dot == host.npos) return {};
        host = host.substr(0, dot);
    }
    return host;
}

std::string_view after_dash(std::string_view extension, int count)
{
    for (; count > 0; --count) {
        size_t dash = extension.find('-');
        if (dash == extension.npos) return {};
        extension.remove_prefix(dash + 1);
    }
    return extension;
}

} // namespace

DotQmail parse_dot_qmail(std::string_view text, bool forwards_only)
{
    DotQmail file;
    file.empty = text.empty();
    size_t number = 0;
    auto refuse = [&](const char* why) {
        file.fault = why;
        file.lines.clear();
        return file;
    };
    while (!text.empty()) {
        size_t end = text.find('\n');
        std::string_view line = without_end(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (number++ == 0 && line.empty()) return refuse("Uh-oh: first line of .qmail file is blank. (#4.2.1)");
        if (line.empty() || line.front() == '#') continue;
        if (file.lines.size() >= most_lines) return refuse("Uh-oh: .qmail file has too many lines. (#4.3.0)");
        // A NUL ends a line for whoever reads it as a C string; here it must mean nothing else.
        line = line.substr(0, line.find('\0'));
        if (line.empty()) continue;
        switch (line.front()) {
        case '|':
            if (forwards_only) return refuse("Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)");
            file.lines.push_back({QmailLine::Kind::program, std::string(line.substr(1))});
            break;
        case '.':
        case '/':
            if (forwards_only) return refuse("Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)");
            file.lines.push_back({QmailLine::Kind::file, std::string(line)});
            break;
        case '+':
            if (line == "+list") forwards_only = true;
            break;
        case '&': line.remove_prefix(1); [[fallthrough]];
        default:
            if (!line.empty()) file.lines.push_back({QmailLine::Kind::forward, std::string(line)});
        }
    }
    return file;
}

std::vector<QmailName> qmail_names(std::string_view extension)
{
    if (extension.empty()) return {{".qmail", "", false}};
    std::string safe = base::lower(extension);
    // Neither dots nor slashes come into a file's name.
    std::replace(safe.begin(), safe.end(), '.', ':');
    if (safe.find('/') != safe.npos || safe.find('\0') != safe.npos) return {};
    std::vector<QmailName> names{{".qmail-" + safe, "", false}};
    for (size_t i = safe.size() + 1; i-- > 0;) {
        if (i > 0 && safe[i - 1] != '-') continue;
        names.push_back({".qmail-" + safe.substr(0, i) + "default", std::string(extension.substr(i)), true});
    }
    return names;
}

std::vector<std::string> qmail_environment(const QmailRecipient& recipient, const QmailName& name, std::string_view new_sender)
{
    std::vector<std::string> list;
    auto add = [&](const char* variable, std::string_view value) {
        list.push_back(fmt::format("{}={}", variable, value.substr(0, value.find('\0'))));
    };
    std::string address = recipient.local + "@" + recipient.host;
    add("SENDER", recipient.sender);
    add("NEWSENDER", new_sender);
    add("RECIPIENT", address);
    add("USER", recipient.user);
    add("HOME", recipient.home);
    add("HOST", recipient.host);
    add("HOST2", before_dot(recipient.host, 1));
    add("HOST3", before_dot(recipient.host, 2));
    add("HOST4", before_dot(recipient.host, 3));
    add("LOCAL", recipient.local);
    add("EXT", recipient.extension);
    add("EXT2", after_dash(recipient.extension, 1));
    add("EXT3", after_dash(recipient.extension, 2));
    add("EXT4", after_dash(recipient.extension, 3));
    if (name.is_default) add("DEFAULT", name.default_part);
    add("RPLINE", fmt::format("Return-Path: <{}>\n", base::printable(recipient.sender)));
    add("DTLINE", fmt::format("Delivered-To: {}\n", base::printable(address)));
    add("UFLINE", store::from_line(recipient.sender, std::time(nullptr)));
    return list;
}

QmailVerdict qmail_verdict(int exit_status)
{
    switch (exit_status) {
    case 0: return QmailVerdict::good;
    case 99: return QmailVerdict::enough;
    case 64:
    case 65:
    case 70:
    case 76:
    case 77:
    case 78:
    case 100:
    case 112: return QmailVerdict::never;
    default: return QmailVerdict::later;
    }
}

std::string qmail_status(std::string_view output, char wanted_class)
{
    size_t start = output.rfind("(#");
    size_t end = start == output.npos ? output.npos : output.find(')', start);
    if (end != output.npos) {
        auto numbers = base::split_exact(output.substr(start + 2, end - start - 2), '.');
        bool sound = numbers.size() == 3 && numbers[0] == std::string_view(&wanted_class, 1);
        for (auto number : numbers) sound = sound && number.size() <= 3 && base::number<unsigned>(number);
        if (sound) return std::string(output.substr(start + 2, end - start - 2));
    }
    return std::string(1, wanted_class) + ".3.0";
}

} // namespace local_delivery
