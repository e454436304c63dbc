// world: what a delivery sees in tests: alias tables, users and their .forward files in memory; and a message in a temporary folder.
#pragma once

#include "base/fd.h"
#include "base/text.h"
#include "expansion.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>

using namespace local_delivery;

inline config::Config test_config(const std::string& more = "")
{
    return config::Config::parse("compatibility_level = 3.6\nmyhostname = host.example\nmyorigin = host.example\n"
                                 "mydestination = host.example\nalias_maps =\nalias_database =\nhome_mailbox = Maildir/\n" + more,
                                 "test/main.cf");
}

class FakeWorld final : public World {
public:
    std::map<std::string, std::string> aliases;         // "name" → value
    std::map<std::string, uid_t> alias_owners;
    std::map<std::string, std::string> forwards;        // path → text
    std::map<std::string, std::string> includes;        // path → text; the uid of its owner in include_owners
    std::map<std::string, uid_t> include_owners;
    std::set<std::string> users;
    std::set<std::string> delivered_to;
    std::set<std::string> unreadable;                   // alias names whose look-up fails
    bool mailbox_is_simple = true;
    std::string transport, fallback;
    std::string visits;

    std::optional<Alias> find_alias(const std::string& name) override
    {
        if (unreadable.count(name)) throw maps::Unavailable("table is down");
        auto found = aliases.find(name);
        if (found == aliases.end()) return std::nullopt;
        return Alias{found->second, alias_owners[name]};
    }
    async::Task<std::optional<sandbox::User>> find_user(std::string name) override
    {
        if (!users.count(name)) co_return std::nullopt;
        co_return person(name);
    }
    async::Task<std::optional<sandbox::User>> find_user(uid_t uid) override
    {
        for (const auto& name : users)
            if (person(name).uid == uid) co_return person(name);
        co_return std::nullopt;
    }
    async::Task<bool> was_delivered_to(std::string address) override { co_return delivered_to.count(address) > 0; }
    Resolved resolve(const std::string& address, const std::string&) override
    {
        if (address.empty()) return {};
        std::string whole = address.find('@') == address.npos ? address + "@host.example" : address;
        return {whole, whole.ends_with("@host.example")};
    }
    async::Task<Answer> visit(sandbox::User user, Parts, std::vector<ForwardPath> paths, bool deliver) override
    {
        Answer answer;
        visits += (deliver ? "+" : "?") + user.name + " ";
        for (uint32_t i = 0; i < paths.size(); ++i) {
            auto found = forwards.find(paths[i].path);
            if (found == forwards.end()) continue;
            for (auto& member : maps::parse_alias_list(found->second)) answer.members.push_back({member.kind, member.text});
            answer.report.found = true;
            answer.report.which = i;
            co_return answer;
        }
        if (deliver) answer.report = delivered("delivered to maildir");
        co_return answer;
    }
    async::Task<Answer> read_include(std::optional<sandbox::User>, std::string path) override
    {
        Answer answer;
        auto found = includes.find(path);
        if (found == includes.end()) {
            answer.report = bounced("5.2.0", "cannot open include file " + path);
            co_return answer;
        }
        answer.report = delivered("");
        answer.report.which = include_owners[path];
        for (auto& member : maps::parse_alias_list(found->second)) answer.members.push_back({member.kind, member.text});
        co_return answer;
    }
    std::string mailbox_transport(const Parts&) override { return transport; }
    std::string fallback_transport(const Parts&) override { return fallback; }
    bool simple_mailbox(const Parts&) override { return mailbox_is_simple; }

    sandbox::User person(const std::string& name) const
    {
        uid_t uid = name == "root" ? 0 : 1000 + static_cast<uid_t>(std::distance(users.begin(), users.find(name)));
        return {name, uid, uid, "/home/" + name, "/bin/sh", ""};
    }
};

// The leaves as one line: "mailbox:anna forward:x@y(sender) command:true[bob]" in the order in which they were found.
inline std::string describe(const std::vector<Leaf>& leaves)
{
    std::string text;
    for (const Leaf& leaf : leaves) {
        if (!text.empty()) text += ' ';
        switch (leaf.kind) {
        case Leaf::Kind::command: text += "command:" + leaf.target + (leaf.rights ? "[" + leaf.rights->name + "]" : ""); break;
        case Leaf::Kind::file: text += "file:" + leaf.target + (leaf.rights ? "[" + leaf.rights->name + "]" : ""); break;
        case Leaf::Kind::mailbox: text += "mailbox:" + leaf.rights->name; break;
        case Leaf::Kind::transport: text += "transport:" + leaf.target; break;
        case Leaf::Kind::forward: text += "forward:" + leaf.target + (leaf.sender == "s@x" ? "" : "(" + leaf.sender + ")"); break;
        case Leaf::Kind::outcome: text += "{" + leaf.report.dsn + " " + leaf.report.text + "}"; break;
        }
    }
    return text;
}

inline std::string expand(FakeWorld& world, const config::Config& config, const std::string& recipient)
{
    Expansion expansion(world, config);
    auto task = expansion.run(recipient, "s@x");
    task.start();
    if (!task.done()) return "waits for something";
    return describe(task.take());
}

class Folder {
public:
    Folder()
    {
        char name[] = "/tmp/local-delivery-test.XXXXXX";
        if (!::mkdtemp(name)) throw base::SystemError("mkdtemp");
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};
