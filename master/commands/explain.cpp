#include "explain.h"

#include "base/fd.h"
#include "base/text.h"
#include "mail/address.h"
#include "maps/aliases_text.h"
#include "maps/table_text.h"
#include "maps/witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace commands {
namespace {

constexpr size_t most_ends = 100;       // of a list with thousands of members the first are enough to understand it

struct Hit {
    std::string table, key, value;
};

// "hash:/etc/rookpost/virtual, line 3" where the text behind a table can be read.
std::string place_of(const Hit& hit, const config::Config& config)
{
    std::string_view name = hit.table;
    while (name.starts_with("proxy:")) name.remove_prefix(6);
    auto pair = base::cut(name, ':');
    static constexpr std::string_view text_types[] = {"hash", "btree", "lmdb", "cdb", "dbm", "texthash"};
    if (std::find(std::begin(text_types), std::end(text_types), pair.before) == std::end(text_types)) return hit.table;
    auto is_this = [&](const std::string& other) { return other.ends_with(name); };
    bool aliases = std::any_of(config.alias_maps.begin(), config.alias_maps.end(), is_this) ||
                   std::any_of(config.alias_database.begin(), config.alias_database.end(), is_this);
    try {
        std::string text = base::read_file(std::string(pair.after));
        maps::ParsedText parsed = aliases ? maps::parse_aliases(text) : maps::parse_table(text);
        for (const auto& entry : parsed.entries)
            if (base::same_word(entry.key, hit.key)) return fmt::format("{}, line {}", hit.table, entry.line);
    } catch (const base::SystemError&) {
        // Only the index is there, or we may not read the text.
    }
    return hit.table;
}

// Gathers what tables answer while it lives.
class Hits {
public:
    explicit Hits(const config::Config& config) : config_(config)
    {
        maps::set_witness([this](const maps::Map& table, std::string_view key, std::string_view value) {
            if (found_.size() < most_ends) found_.push_back({table.name(), std::string(key), std::string(value)});
        });
    }
    ~Hits() { maps::set_witness({}); }
    Hits(const Hits&) = delete;
    Hits& operator=(const Hits&) = delete;

    std::string lines()
    {
        std::string text;
        std::set<std::string> told;
        for (const auto& hit : found_) {
            std::string line = fmt::format("      by {}: \"{}\" gives \"{}\"\n", place_of(hit, config_), base::printable(hit.key, 200), base::printable(hit.value, 200));
            if (told.insert(line).second) text += line;
        }
        found_.clear();
        return text;
    }

private:
    const config::Config& config_;
    std::vector<Hit> found_;
};

std::string joined(const std::vector<std::string>& addresses)
{
    std::vector<std::string> first(addresses.begin(), addresses.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(addresses.size(), 20)));
    if (first.size() < addresses.size()) first.push_back(fmt::format("… {} in all", addresses.size()));
    return base::printable(base::join(first, ", "), 4000);
}

std::string member_text(const maps::AliasMember& member)
{
    switch (member.kind) {
    case maps::AliasMember::Kind::command: return "the command " + member.text;
    case maps::AliasMember::Kind::file: return "the file " + member.text;
    case maps::AliasMember::Kind::include: return "the list in " + member.text;
    case maps::AliasMember::Kind::address: break;
    }
    return member.text;
}

} // namespace

struct Explainer::Story {
    std::string sender;
    Explanation told;
    std::set<std::string> seen;         // what was followed, so that loops end
    std::unique_ptr<Hits> hits;

    void line(std::string_view what, const std::string& result) { told.text += fmt::format("  {:<14} {}\n{}", what, base::printable(result, 4000), hits->lines()); }
};

std::string_view class_name(routing::AddressClass address_class)
{
    switch (address_class) {
    case routing::AddressClass::local: return "local (mydestination, inet_interfaces, proxy_interfaces)";
    case routing::AddressClass::virtual_alias: return "virtual alias (virtual_alias_domains)";
    case routing::AddressClass::virtual_mailbox: return "virtual mailbox (virtual_mailbox_domains)";
    case routing::AddressClass::relay: return "relay (relay_domains)";
    case routing::AddressClass::default_: break;
    }
    return "default (none of ours)";
}

Explainer::Explainer(const config::Config& config)
    : config_(config), router_(config), addresses_(config, router_), recipients_(config, router_), aliases_(routing::open_local_tables(config.alias_maps, config))
{
}

std::string Explainer::rewritten_sender(const std::string& sender)
{
    if (sender.empty()) return sender;
    return addresses_.canonical(router_.rewrite(sender), routing::Place::envelope_sender);
}

// What is done with an address once, when mail comes in.
void Explainer::tell_rewriting(Story& story, const std::string& address, std::vector<std::string>& next)
{
    std::string whole = router_.rewrite(address);
    if (whole != address) story.line("completed to", whole);
    std::string canonical = addresses_.canonical(whole, routing::Place::envelope_recipient);
    if (canonical != whole) story.line("canonical", canonical);
    auto expanded = addresses_.expand_virtual(canonical);
    if (expanded.size() != 1 || expanded[0] != canonical) story.line("virtual alias", joined(expanded));
    next = std::move(expanded);
}

void Explainer::tell_aliases(Story& story, const std::string& address, std::vector<std::string>& next)
{
    std::string local(mail::split_address(address).local);
    auto split = mail::split_extension(local, config_.recipient_delimiter, config_.owner_request_special);
    auto value = aliases_.find(local);
    if (!value && split.delimiter) value = aliases_.find(split.user);
    if (!value) return;
    std::vector<std::string> members;
    for (const auto& member : maps::parse_alias_value(*value)) {
        members.push_back(member_text(member));
        bool escaped = member.text.starts_with('\\');       // "\user": delivered without more aliases
        if (member.kind == maps::AliasMember::Kind::address && !escaped) next.push_back(member.text);
    }
    story.line("alias", joined(members));
}

// One address as the router sees it.
void Explainer::follow(Story& story, const std::string& address)
{
    if (!story.seen.insert(address).second || story.told.ends.size() >= most_ends) return;
    story.told.text += base::printable(address, 1000) + "\n";
    End end{address, router_.route(address, story.sender), true, ""};
    story.line("class", std::string(class_name(end.route.address_class)));
    end.known = recipients_.exists(address);
    if (!end.known) end.why_not = recipients_.unknown_text(end.route.address_class);
    story.line("known", end.known ? end.route.address_class == routing::AddressClass::default_ ? "not ours to know" : "yes" : "no: " + end.why_not);
    router_.route(address, story.sender);
    story.line("transport", end.route.transport);
    story.line("next hop", end.route.nexthop);
    if (end.route.recipient != address) story.line("recipient", end.route.recipient);
    std::vector<std::string> next;
    if (end.route.transport == "local") tell_aliases(story, end.route.recipient, next);
    if (next.empty()) story.told.ends.push_back(std::move(end));
    for (const auto& member : next) {
        std::vector<std::string> whole;
        tell_rewriting(story, member, whole);
        for (const auto& one : whole) follow(story, one);
    }
}

Explanation Explainer::explain(const std::string& address, const std::string& sender)
{
    Story story;
    story.hits = std::make_unique<Hits>(config_);
    story.told.text = base::printable(address, 1000) + "\n";
    story.sender = rewritten_sender(sender);
    if (story.sender != sender) story.line("sender", story.sender);
    std::vector<std::string> next;
    tell_rewriting(story, address, next);
    if (next.size() == 1 && next[0] == address) story.told.text.clear();    // follow() names it again
    for (const auto& one : next) follow(story, one);
    return std::move(story.told);
}

} // namespace commands
