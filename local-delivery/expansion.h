// expansion: what one recipient comes to: aliases, .forward files and lists followed to their ends. It decides and delivers nothing
// (but for a user's own mailbox, which is written in one go with the look at his .forward file where nothing else is at stake).
#pragma once

#include "aliases.h"
#include "async/task.h"
#include "config/config.h"
#include "names.h"
#include "order.h"
#include "sandbox/sandbox.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace local_delivery {

// One end of the expansion: something to be done.
struct Leaf {
    enum class Kind {
        command,        // give to target, with rights
        file,           // append to target, with rights
        mailbox,        // of rights, who is a person
        transport,      // hand to the service target
        forward,        // becomes mail to target
        outcome,        // nothing is left to do: report says what came of it
    };
    Kind kind = Kind::outcome;
    std::string recipient;                      // the address at hand, for log and Delivered-To
    std::string target;
    std::string sender;
    std::optional<sandbox::User> rights;        // nothing: default_privs
    bool own_list = false;                      // an owner- alias took over as sender: the sender's wishes for notices end here
    bool may_be_sent_on = false;                // a user out of an alias: if it fails for now it can become mail of its own
    Report report;
};

// What the expansion asks of the world. Errors: maps::Unavailable, base::SystemError.
class World {
public:
    virtual ~World() = default;
    virtual std::optional<Alias> find_alias(const std::string& name) = 0;
    virtual async::Task<std::optional<sandbox::User>> find_user(std::string name) = 0;
    virtual async::Task<std::optional<sandbox::User>> find_user(uid_t uid) = 0;
    virtual async::Task<bool> was_delivered_to(std::string address) = 0;
    // An address out of an alias, made whole. local: it is ours to deliver.
    struct Resolved {
        std::string address;
        bool local = false;
    };
    virtual Resolved resolve(const std::string& address, const std::string& sender) = 0;
    // Answer: members when there is a .forward file, which is the number of its path. deliver: without one the mailbox gets the message.
    virtual async::Task<Answer> visit(sandbox::User user, Parts parts, std::vector<ForwardPath> paths, bool deliver) = 0;
    // as: nothing is root.
    virtual async::Task<Answer> read_include(std::optional<sandbox::User> as, std::string path) = 0;
    virtual std::string mailbox_transport(const Parts& parts) = 0;      // empty: none
    virtual std::string fallback_transport(const Parts& parts) = 0;
    virtual bool simple_mailbox(const Parts& parts) = 0;                // visit(deliver) can do it: no command or other rights needed
};

class Expansion {
public:
    // Both outlive it.
    Expansion(World& world, const config::Config& config) : world_(world), config_(config) {}

    async::Task<std::vector<Leaf>> run(std::string recipient, std::string sender);

private:
    enum class Origin { envelope, alias, forward, include };
    // How we came to a member.
    struct Way {
        int level = 0;
        Origin origin = Origin::envelope;
        std::string recipient;                      // the address at hand
        std::string sender;
        bool own_list = false;
        std::string owner;                          // set: other local users become mail of their own
        std::string alias;                          // the innermost alias's name
        std::set<std::string> aliases;              // all that are being expanded
        std::optional<sandbox::User> rights;
        std::string extension;                      // "+ext", to be carried over to addresses
    };
    async::Task<> expand_recipient(std::string address, Way way);
    async::Task<bool> expand_alias(std::string name, const Parts& parts, bool with_extension, const Way& way);
    async::Task<> expand_user(Parts parts, Way way);
    async::Task<> expand_members(std::vector<Member> members, Way way);
    async::Task<> expand_address(std::string text, Way way);
    async::Task<> expand_include(std::string path, Way way);
    async::Task<> deliver_to(Parts parts, std::optional<sandbox::User> user, Way way);
    async::Task<> unknown(Parts parts, Way way);
    void run_or_write(Leaf::Kind kind, const std::string& target, const Way& way);
    void forward(const std::string& address, const Way& way);
    void add_outcome(Report report, const Way& way);
    void set_list_owner(const std::string& name, Way& way);
    bool propagates(Origin origin) const;
    bool first_time(const std::string& what);

    World& world_;
    const config::Config& config_;
    std::vector<Leaf> leaves_;
    std::set<std::string> seen_;
};

// The leaf whose outcome is that of the recipient: a deferred one if any is, else a bounced one. Null when nothing was tried.
const Leaf* decisive(const std::vector<Leaf>& leaves);

} // namespace local_delivery
