// GETMETADATA and SETMETADATA, RFC 5464.
#include "cmd.h"

#include "wire.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

using store::Annotations;
constexpr size_t entry_limit = 100, longest_entry = 250;

struct Options {
    std::optional<uint64_t> max_size;
    enum class Depth { zero, one, infinity } depth = Depth::zero;
};

// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
Options read_options(Arguments& arguments)
{
    Options options;
    arguments.expect('(');
    do {
        if (arguments.skip_keyword("MAXSIZE")) {
            arguments.space();
            options.max_size = arguments.number64();
        } else if (arguments.skip_keyword("DEPTH")) {
            arguments.space();
            if (arguments.skip_keyword("1"))
                options.depth = Options::Depth::one;
            else if (arguments.skip_keyword("infinity"))
                options.depth = Options::Depth::infinity;
            else if (!arguments.skip_keyword("0"))
                throw Bad("Expected 0, 1 or infinity");
        } else {
            throw Bad("Unknown GETMETADATA option");
        }
    } while (arguments.skip(' '));
    arguments.expect(')');
    return options;
}

// RFC 5464 3.2: "/private/…" and "/shared/…"; no wildcards, no empty level; the same in any case.
std::string read_entry(Arguments& arguments)
{
    std::string name = base::lower(arguments.astring());
    bool known = name.starts_with("/private/") || name.starts_with("/shared/");
    bool good = known && name.back() != '/' && name.size() <= longest_entry && name.find("//") == std::string::npos &&
                std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f && c != '*' && c != '%'; });
    if (!good) throw Bad("That is not the name of an entry");
    return name;
}

std::vector<std::string> read_entries(Arguments& arguments)
{
    std::vector<std::string> names;
    if (!arguments.skip('(')) {
        names.push_back(read_entry(arguments));
        return names;
    }
    do {
        if (names.size() >= entry_limit) throw Bad("Too many entries");
        names.push_back(read_entry(arguments));
    } while (arguments.skip(' '));
    arguments.expect(')');
    return names;
}

// The server itself has the name "".
std::string read_mailbox(Arguments& arguments)
{
    Arguments look = arguments;
    if (look.at('"') && look.string().empty()) {
        arguments = look;
        return {};
    }
    return arguments.mailbox();
}

bool is_wanted(const std::string& entry, const std::string& name, Options::Depth depth)
{
    if (entry == name) return true;
    if (depth == Options::Depth::zero || !entry.starts_with(name + "/")) return false;
    return depth == Options::Depth::infinity || entry.find('/', name.size() + 1) == std::string::npos;
}

void say_entries(Session& session, const std::string& mailbox, const Annotations::Entries& found)
{
    std::string list;
    for (const auto& [entry, value] : found) {
        list += fmt::format("{}{} ", list.empty() ? "" : " ", entry);
        if (value.find('\0') != std::string::npos)
            list += fmt::format("~{{{}}}\r\n{}", value.size(), value);
        else
            put_string(list, value);
    }
    session.client.say(fmt::format("* METADATA {} ({})", session.wire_name(mailbox), list));
}

} // namespace

async::Task<Tagged> cmd_getmetadata(Session& session, Arguments& arguments)
{
    arguments.space();
    Options options;
    if (arguments.at('(')) {
        options = read_options(arguments);
        arguments.space();
    }
    std::string mailbox = read_mailbox(arguments);
    arguments.space();
    auto names = read_entries(arguments);
    arguments.end();
    if (!mailbox.empty() && !session.mail.store->exists(mailbox)) co_return no("[NONEXISTENT] No such mailbox");
    Annotations::Entries found;
    uint64_t longest = 0;
    for (auto& [entry, value] : session.mail.store->annotations().of(mailbox)) {
        if (std::none_of(names.begin(), names.end(), [&](const std::string& name) { return is_wanted(entry, name, options.depth); })) continue;
        if (options.max_size && value.size() > *options.max_size)
            longest = std::max<uint64_t>(longest, value.size());
        else
            found.emplace(entry, value);
    }
    if (!found.empty()) say_entries(session, mailbox, found);
    if (longest > 0) co_return ok(fmt::format("[METADATA LONGENTRIES {}] GETMETADATA completed", longest));
    co_return ok("GETMETADATA completed");
}

async::Task<Tagged> cmd_setmetadata(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string mailbox = read_mailbox(arguments);
    arguments.space();
    std::vector<Annotations::Change> changes;
    arguments.expect('(');
    do {
        if (changes.size() >= entry_limit) throw Bad("Too many entries");
        std::string entry = read_entry(arguments);
        arguments.space();
        changes.push_back({std::move(entry), arguments.nstring()});
    } while (arguments.skip(' '));
    arguments.expect(')');
    arguments.end();
    if (!mailbox.empty() && !session.mail.store->exists(mailbox)) co_return no("[NONEXISTENT] No such mailbox");
    for (const auto& one : changes)
        if (one.value && one.value->size() > Annotations::largest_value)
            co_return no(fmt::format("[METADATA MAXSIZE {}] The value is too long", Annotations::largest_value));
    if (!session.mail.store->annotations().change(mailbox, changes)) co_return no("[METADATA TOOMANY] There are too many entries");
    co_return ok("SETMETADATA completed");
}

} // namespace imapd
