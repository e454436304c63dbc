#include "expansion.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"

#include <fmt/format.h>

namespace local_delivery {
namespace {

constexpr int deepest = 100;
constexpr size_t most_leaves = 100'000;

std::string with_extension(const std::string& address, const std::string& extension)
{
    std::string whole = address;
    size_t at = whole.rfind('@');
    whole.insert(at == whole.npos ? whole.size() : at, extension);
    return whole;
}

} // namespace

bool Expansion::first_time(const std::string& what)
{
    // duplicate_filter_limit bounds what is remembered; beyond it duplicates may happen.
    if (config_.duplicate_filter_limit > 0 && seen_.size() >= static_cast<size_t>(config_.duplicate_filter_limit)) return !seen_.count(what);
    return seen_.insert(what).second;
}

bool Expansion::propagates(Origin origin) const
{
    constexpr const char* words[] = {"", "alias", "forward", "include"};
    return lists(config_.propagate_unmatched_extensions, words[static_cast<size_t>(origin)]);
}

void Expansion::add_outcome(Report report, const Way& way)
{
    Leaf leaf;
    leaf.kind = Leaf::Kind::outcome;
    leaf.recipient = way.recipient;
    leaf.sender = way.sender;
    leaf.report = std::move(report);
    leaves_.push_back(std::move(leaf));
}

async::Task<std::vector<Leaf>> Expansion::run(std::string recipient, std::string sender)
{
    Way way;
    way.sender = std::move(sender);
    way.recipient = recipient;
    std::string trouble;
    Way start = way;
    try {
        co_await expand_recipient(std::move(recipient), std::move(start));
    } catch (const maps::Unavailable& failure) {
        trouble = failure.what();
    } catch (const base::SystemError& failure) {
        trouble = failure.what();
    }
    // Half an expansion is none: nothing has been delivered yet, and all of it can wait.
    if (!trouble.empty()) add_outcome(deferred("4.3.0", trouble), way);
    co_return std::move(leaves_);
}

async::Task<> Expansion::expand_recipient(std::string address, Way way)
{
    way.recipient = address;
    if (way.level > deepest) {
        add_outcome(bounced("5.4.6", "mail forwarding loop for " + address), way);
        co_return;
    }
    Parts parts = parts_of(address, config_);
    // \user: no aliases, no .forward.
    if (parts.local.starts_with('\\')) {
        Parts plain = parts_of(base::replace_all(address, "\\", ""), config_);
        way.recipient = plain.address;
        auto user = co_await world_.find_user(plain.user);
        co_await deliver_to(std::move(plain), std::move(user), std::move(way));
        co_return;
    }
    bool found = co_await expand_alias(parts.local, parts, false, way);
    if (!found && !parts.extension.empty()) found = co_await expand_alias(parts.user, parts, true, way);
    if (found) co_return;
    // A user whom somebody else's list or .forward names gets mail of his own, so that his trouble is not the list's.
    bool others = !way.owner.empty() && !base::same_word(way.owner, parts.user);
    if (others || way.origin == Origin::include) {
        forward(address, way);
        co_return;
    }
    co_await expand_user(std::move(parts), std::move(way));
}

void Expansion::set_list_owner(const std::string& name, Way& way)
{
    if (!config_.owner_request_special) return;
    std::string owner = "owner-" + name;
    auto alias = world_.find_alias(owner);
    if (!alias) {
        if (config_.reset_owner_alias) way.owner.clear();
        return;
    }
    std::string address = owner;
    if (config_.expand_owner_alias) {
        auto members = maps::parse_alias_value(alias->value);
        if (!members.empty() && members.front().kind == maps::AliasMember::Kind::address) address = members.front().text;
    }
    way.sender = world_.resolve(address, way.sender).address;
    way.owner = way.sender;
    way.own_list = true;
}

async::Task<bool> Expansion::expand_alias(std::string name, const Parts& parts, bool with_extension, const Way& way)
{
    if (name.empty() || (way.origin == Origin::alias && way.alias == name)) co_return false;     // "anna: anna, office": the user herself
    auto alias = world_.find_alias(name);
    if (!alias) co_return false;
    bool again = co_await world_.was_delivered_to(parts.address);
    if (again || way.aliases.count(name)) {
        add_outcome(bounced("5.4.6", "mail forwarding loop for " + parts.address), way);
        co_return true;
    }
    Way inner = way;
    inner.origin = Origin::alias;
    inner.recipient = parts.address;
    inner.alias = name;
    inner.aliases.insert(name);
    inner.extension = with_extension && propagates(Origin::alias) ? parts.delimiter + parts.extension : "";
    inner.rights.reset();
    set_list_owner(name, inner);
    if (alias->owner != 0) {
        inner.rights = co_await world_.find_user(alias->owner);
        if (!inner.rights) {
            add_outcome(deferred("4.3.0", fmt::format("cannot find the owner of the alias database of {}", name)), way);
            co_return true;
        }
    }
    std::vector<Member> members;
    for (auto& parsed : maps::parse_alias_value(alias->value)) members.push_back({parsed.kind, std::move(parsed.text)});
    if (members.empty()) {
        base::log::warning("alias {} has no members", base::printable(name));
        add_outcome(bounced("5.1.1", fmt::format("alias \"{}\" has no members", base::printable(name))), way);
        co_return true;
    }
    co_await expand_members(std::move(members), std::move(inner));
    co_return true;
}

async::Task<> Expansion::expand_members(std::vector<Member> members, Way way)
{
    for (Member& member : members) {
        if (leaves_.size() >= most_leaves) {
            add_outcome(bounced("5.4.6", fmt::format("expansion of {} is too large", way.recipient)), way);
            co_return;
        }
        switch (member.kind) {
        case maps::AliasMember::Kind::command: run_or_write(Leaf::Kind::command, member.text, way); break;
        case maps::AliasMember::Kind::file: run_or_write(Leaf::Kind::file, member.text, way); break;
        case maps::AliasMember::Kind::include: co_await expand_include(std::move(member.text), way); break;
        case maps::AliasMember::Kind::address: co_await expand_address(std::move(member.text), way); break;
        }
    }
}

void Expansion::run_or_write(Leaf::Kind kind, const std::string& target, const Way& way)
{
    constexpr const char* words[] = {"", "alias", "forward", "include"};
    const char* word = words[static_cast<size_t>(way.origin)];
    bool command = kind == Leaf::Kind::command;
    long uid = way.rights ? static_cast<long>(way.rights->uid) : -1;
    if (!first_time(fmt::format("{} {} {}", command ? "command" : "file", uid, target))) return;
    if (!lists(command ? config_.allow_mail_to_commands : config_.allow_mail_to_files, word)) {
        add_outcome(bounced("5.7.1", fmt::format("mail to {} is restricted", command ? "command" : "file")), way);
        return;
    }
    Leaf leaf;
    leaf.kind = kind;
    leaf.recipient = way.recipient;
    leaf.target = target;
    leaf.sender = way.sender;
    // What root names is run by nobody: root's rights are not for commands and files.
    if (way.rights && way.rights->uid != 0) leaf.rights = way.rights;
    leaves_.push_back(std::move(leaf));
}

void Expansion::forward(const std::string& address, const Way& way)
{
    if (!first_time("forward " + mail::fold_domain(address))) return;
    Leaf leaf;
    leaf.kind = Leaf::Kind::forward;
    leaf.recipient = way.recipient;
    leaf.target = address;
    leaf.sender = way.sender;
    leaf.own_list = way.own_list;
    leaves_.push_back(std::move(leaf));
}

async::Task<> Expansion::expand_address(std::string text, Way way)
{
    bool plain = text.starts_with('\\');
    auto resolved = world_.resolve(mail::to_internal(plain ? text.substr(1) : text), way.sender);
    if (resolved.address.empty()) {
        add_outcome(bounced("5.1.3", fmt::format("bad address syntax: \"{}\"", base::printable(text, 200))), way);
        co_return;
    }
    if (!way.extension.empty()) resolved.address = with_extension(resolved.address, way.extension);
    if (!resolved.local) {
        forward(resolved.address, way);
        co_return;
    }
    way.extension.clear();
    ++way.level;
    std::string address = plain ? "\\" + resolved.address : resolved.address;
    co_await expand_recipient(std::move(address), std::move(way));
}

async::Task<> Expansion::expand_include(std::string path, Way way)
{
    if (!path.starts_with('/')) {
        add_outcome(bounced("5.2.0", fmt::format("mail to :include:{}: an absolute file name is expected", base::printable(path, 200))), way);
        co_return;
    }
    if (++way.level > deepest) {
        add_outcome(bounced("5.4.6", "mail forwarding loop for " + way.recipient), way);
        co_return;
    }
    if (!first_time("include " + path)) co_return;
    Answer list = co_await world_.read_include(way.rights, path);
    for (const auto& warning : list.report.warnings) base::log::warning("{}", warning);
    if (list.report.status != spool::Outcome::delivered) {
        add_outcome(std::move(list.report), way);
        co_return;
    }
    // In root's aliases: the list's owner must not command with root's rights, nor with those of default_privs.
    if ((!way.rights || way.rights->uid == 0) && list.report.which != 0) {
        way.rights = co_await world_.find_user(static_cast<uid_t>(list.report.which));
        if (!way.rights) {
            add_outcome(deferred("4.3.0", fmt::format("cannot find the owner of {}", path)), way);
            co_return;
        }
    }
    if (way.owner.empty()) way.owner = way.recipient;
    way.origin = Origin::include;
    if (!propagates(Origin::include)) way.extension.clear();
    co_await expand_members(std::move(list.members), std::move(way));
}

async::Task<> Expansion::expand_user(Parts parts, Way way)
{
    auto user = co_await world_.find_user(parts.user);
    std::vector<ForwardPath> paths;
    if (user && first_time("forward-file " + parts.local)) paths = forward_paths(config_, parts, *user);
    if (paths.empty()) {
        co_await deliver_to(std::move(parts), std::move(user), std::move(way));
        co_return;
    }
    // Nothing else can come of this recipient: look and deliver in one go.
    bool alone = way.level == 0 && world_.mailbox_transport(parts).empty() && world_.simple_mailbox(parts);
    if (!alone) {
        bool again = co_await world_.was_delivered_to(parts.address);
        if (again) {
            add_outcome(bounced("5.4.6", "mail forwarding loop for " + parts.address), way);
            co_return;
        }
    }
    Answer answer = co_await world_.visit(*user, parts, paths, alone);
    for (const auto& warning : answer.report.warnings) base::log::warning("{}", warning);
    if (answer.members.empty()) {
        if (alone || answer.report.found) add_outcome(std::move(answer.report), way);
        else co_await deliver_to(std::move(parts), std::move(user), std::move(way));
        co_return;
    }
    way.origin = Origin::forward;
    way.rights = *user;
    way.owner = parts.user;
    bool carry = propagates(Origin::forward) && !parts.extension.empty() && answer.report.which < paths.size() &&
                 !paths[answer.report.which].names_extension;
    way.extension = carry ? parts.delimiter + parts.extension : "";
    co_await expand_members(std::move(answer.members), std::move(way));
}

async::Task<> Expansion::deliver_to(Parts parts, std::optional<sandbox::User> user, Way way)
{
    if (!first_time("mailbox " + parts.local)) co_return;
    bool again = co_await world_.was_delivered_to(parts.address);
    if (again) {
        add_outcome(bounced("5.4.6", "mail forwarding loop for " + parts.address), way);
        co_return;
    }
    Leaf leaf;
    leaf.recipient = parts.address;
    leaf.sender = way.sender;
    leaf.target = world_.mailbox_transport(parts);
    if (!leaf.target.empty()) {
        leaf.kind = Leaf::Kind::transport;
    } else if (user) {
        leaf.kind = Leaf::Kind::mailbox;
        leaf.rights = std::move(user);
        leaf.may_be_sent_on = way.origin == Origin::alias && way.owner.empty();
    } else {
        co_await unknown(std::move(parts), std::move(way));
        co_return;
    }
    leaves_.push_back(std::move(leaf));
}

async::Task<> Expansion::unknown(Parts parts, Way way)
{
    std::string fallback = world_.fallback_transport(parts);
    if (!fallback.empty()) {
        Leaf leaf;
        leaf.kind = Leaf::Kind::transport;
        leaf.recipient = parts.address;
        leaf.sender = way.sender;
        leaf.target = std::move(fallback);
        leaves_.push_back(std::move(leaf));
        co_return;
    }
    if (!config_.luser_relay.empty() && first_time("luser_relay")) {
        std::string relay = fill_in(config_.luser_relay, parts, nullptr, {});
        way.extension.clear();
        way.origin = Origin::alias;
        co_await expand_address(std::move(relay), std::move(way));
        co_return;
    }
    // RFC 5321 4.5.1: postmaster must not be refused.
    if (parts.user == "postmaster" || parts.user == "mailer-daemon") {
        base::log::warning("required alias not found: {}", parts.user);
        add_outcome(delivered("discarded"), way);
        co_return;
    }
    add_outcome(bounced("5.1.1", fmt::format("unknown user: \"{}\"", base::printable(parts.user, 200))), way);
}

const Leaf* decisive(const std::vector<Leaf>& leaves)
{
    for (auto status : {spool::Outcome::deferred, spool::Outcome::bounced, spool::Outcome::handed_on, spool::Outcome::delivered})
        for (const Leaf& leaf : leaves)
            if (leaf.report.status == status && !leaf.report.text.empty()) return &leaf;     // without text: not tried
    return nullptr;
}

} // namespace local_delivery
