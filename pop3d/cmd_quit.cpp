// QUIT, RFC 1939 6: the UPDATE state. Here and nowhere else messages are removed.
#include "commands.h"

#include "async/lend.h"
#include "base/log.h"
#include "base/text.h"

namespace pop3d {
namespace {

// Removes and marks, and lets the mailbox go, so that the next session can have it when the client has our answer.
struct Update {
    std::vector<uint32_t> deleted, seen;
    std::string deleted_flag;       // instead of removing them
    size_t operator()(Mail& mail)
    {
        std::unique_ptr<store::Mailbox> inbox = std::move(mail.inbox);
        std::unique_ptr<store::Store> store = std::move(mail.store);
        size_t removed = deleted.empty() ? 0 : remove(*inbox);
        if (!seen.empty()) inbox->set_flags(seen, store::FlagChange::add, store::flag::seen);
        return removed;
    }

    size_t remove(store::Mailbox& inbox)
    {
        if (deleted_flag.empty()) return inbox.expunge(deleted).size();
        auto bit = inbox.keyword(deleted_flag, true);
        if (!bit) throw std::runtime_error("there is no room for the keyword " + deleted_flag);
        return inbox.set_flags(deleted, store::FlagChange::add, *bit).size();
    }
};

} // namespace

async::Task<> cmd_quit(Session& session, Arguments arguments)
{
    arguments.end();
    session.over = true;
    Update update;
    if (session.settings.delete_by_flag) update.deleted_flag = session.settings.deleted_flag;
    for (const auto& message : session.messages) {
        if (message.deleted) {
            update.deleted.push_back(message.uid);
            session.removed.bytes += message.size;
        } else if (message.retrieved && session.settings.flag_updates) {
            update.seen.push_back(message.uid);
        }
    }
    size_t wanted = update.deleted.size();
    std::string trouble;
    try {
        session.removed.messages = co_await async::lend(session.mail, std::move(update));
    } catch (const std::runtime_error& failure) {
        trouble = failure.what();
    }
    if (!trouble.empty()) {
        base::log::error("user={}: {}", base::printable(session.owner.user), trouble);
        session.error("[SYS/TEMP] Some deleted messages were not removed.");
        co_return;
    }
    session.ok(wanted > 0 ? "Logging out, messages deleted." : "Logging out.");
}

} // namespace pop3d
