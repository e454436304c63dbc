#include "session.h"

#include "commands.h"

#include "async/lend.h"
#include "base/log.h"
#include "base/text.h"

#include <unistd.h>

namespace pop3d {
namespace {

constexpr size_t much_unsent = 32 << 10;
constexpr async::Limit goodbye_limit{10'000};

struct OpenInbox {
    std::string mail_location;
    store::User user;
    store::LockPolicy locks;
    bool lock_session, fast_sizes;
    std::string deleted_flag;

    struct Opened {
        std::vector<Message> messages;
        size_t last = 0;
        bool in_use = false;
    };
    Opened operator()(Mail& mail)
    {
        Opened opened;
        mail.store = store::open_store(store::parse_location(mail_location, user), locks);
        mail.inbox = mail.store->open("INBOX", store::Access::read_write);
        if (!mail.inbox) throw store::Trouble(store::Trouble::Kind::gone, "there is no inbox");
        if (lock_session && !mail.inbox->lock_for_pop3()) {
            opened.in_use = true;
            return opened;
        }
        mail.inbox->refresh();      // what the session before us removed
        auto hidden = deleted_flag.empty() ? std::nullopt : mail.inbox->keyword(deleted_flag, false);
        for (const auto& stored : mail.inbox->messages()) {
            if (hidden && (stored.flags & *hidden)) continue;
            auto size = fast_sizes ? mail.inbox->quick_size(stored.uid) : mail.inbox->size(stored.uid);
            if (!size) continue;
            Message message;
            message.uid = stored.uid;
            message.size = *size;
            opened.messages.push_back(std::move(message));
            if (stored.flags & store::flag::seen) opened.last = opened.messages.size();
        }
        return opened;
    }
};

// RFC 2449 8.1.1 and RFC 3206: what the client may make of it.
std::string_view code_of(const store::Trouble& trouble)
{
    if (trouble.kind() == store::Trouble::Kind::locked) return "[IN-USE]";
    return trouble.temporary() ? "[SYS/TEMP]" : "[SYS/PERM]";
}

// False: there is no mail to be had, and the client has been told.
async::Task<bool> greet(Session& session)
{
    const Settings& settings = session.settings;
    OpenInbox work{session.owner.mail_location, {session.owner.user, session.owner.home}, settings.locks,
                   settings.lock_session, settings.fast_sizes, settings.deleted_flag};
    OpenInbox::Opened opened;
    std::string trouble;
    std::string_view code = "[SYS/TEMP]";
    try {
        opened = co_await async::lend(session.mail, std::move(work));
    } catch (const store::Trouble& failure) {
        trouble = failure.what();
        code = code_of(failure);
    } catch (const std::runtime_error& failure) {
        trouble = failure.what();
    }
    if (opened.in_use) {
        session.error("[IN-USE] Mailbox is locked by another POP3 session.");
        session.why_over = "Mailbox in use";
    } else if (!trouble.empty()) {
        base::log::error("user={}: {}", base::printable(session.owner.user), trouble);
        session.error(std::string(code) + " The mailbox can't be opened.");
        session.why_over = "Mailbox unavailable";
    } else {
        session.messages = std::move(opened.messages);
        session.last = opened.last;
        for (const auto& message : session.messages) session.inbox_size += message.size;
        session.ok("Logged in.");
    }
    co_return session.why_over.empty();
}

async::Task<> run(Session& session, std::string_view line)
{
    auto words = base::cut(line, ' ');
    const Command* command = find_command(words.before);
    if (!command) throw Bad("Unknown command.");
    if (!session.mail.inbox) throw Bad("[SYS/TEMP] The mailbox is gone.");
    co_await command->run(session, Arguments(base::trim(words.after)));
    session.slips = 0;
}

async::Task<> one_command(Session& session)
{
    std::string refusal;
    try {
        auto text = co_await session.stream.line(session.settings.timeout, session.settings.max_line);
        std::string line(text);
        session.bytes_in += line.size() + 2;
        co_await run(session, line);
    } catch (const Bad& slip) {
        refusal = slip.what();
        ++session.slips;
    } catch (const net::LineTooLong&) {
        refusal = "Line too long.";
        ++session.slips;
    } catch (const store::Trouble& trouble) {
        base::log::error("user={}: {}", base::printable(session.owner.user), trouble.what());
        refusal = std::string(code_of(trouble)) + " The mailbox can't be read.";
    } catch (const base::SystemError& trouble) {
        base::log::error("user={}: {}", base::printable(session.owner.user), trouble.what());
        refusal = "[SYS/TEMP] The message can't be read.";
    }
    if (refusal.empty()) co_return;
    session.error(refusal);
    if (session.slips < session.settings.bad_command_limit) co_return;
    session.why_over = "Too many bad commands";
    session.over = true;
}

// RFC 2449 6.6: commands that came together are answered together.
async::Task<> converse(Session& session)
{
    while (!session.over) {
        if (!session.stream.has_line()) co_await session.stream.flush(session.settings.write_limit);
        co_await session.flush_if_full();
        co_await one_command(session);
    }
}

// Dovecot's line, for who counts sessions by it.
void log_end(const Session& session)
{
    auto value = [&](std::string_view name) -> std::string {
        if (name == "t") return std::to_string(session.top.messages);
        if (name == "p") return std::to_string(session.top.bytes);
        if (name == "r") return std::to_string(session.retr.messages);
        if (name == "b") return std::to_string(session.retr.bytes);
        if (name == "d") return std::to_string(session.removed.messages);
        if (name == "m") return std::to_string(session.messages.size());
        if (name == "s") return std::to_string(session.inbox_size);
        if (name == "i") return std::to_string(session.bytes_in);
        if (name == "o") return std::to_string(session.bytes_out);
        return std::to_string(session.removed.bytes);
    };
    std::string why = session.why_over.empty() ? "Logged out" : session.why_over;
    base::log::info("pop3({})<{}><{}>: Disconnected: {} {}", base::printable(session.owner.user), ::getpid(), session.owner.session_id, why,
                    session.settings.at_end.expand(value));
}

struct LetGo {
    int operator()(Mail& mail)
    {
        mail.inbox.reset();
        mail.store.reset();
        return 0;
    }
};

} // namespace

void Session::ok(std::string_view text)
{
    write(text.empty() ? "+OK" : "+OK ");
    write(text);
    write("\r\n");
}

void Session::error(std::string_view text)
{
    write("-ERR ");
    write(text);
    write("\r\n");
}

void Session::write(std::string_view text)
{
    stream.write(text);
    bytes_out += text.size();
}

async::Task<> Session::flush_if_full()
{
    if (stream.unsent() > much_unsent) co_await stream.flush(settings.write_limit);
}

async::Task<> serve(net::Stream stream, login::Session owner, const Settings& settings)
{
    Session session(std::move(stream), std::move(owner), settings);
    bool timed_out = false;
    try {
        bool open = co_await greet(session);
        if (open) co_await converse(session);
    } catch (const net::Gone& gone) {
        timed_out = gone.why() == net::Gone::timed_out;
        session.why_over = timed_out ? "Inactivity" : "Connection closed";
    }
    // RFC 1939 3: a session that ends without QUIT removes nothing.
    if (timed_out && session.stream.unsent() == 0) session.error("Disconnected for inactivity.");
    if (session.mail.inbox) {
        LetGo work;
        co_await async::lend(session.mail, std::move(work));
    }
    log_end(session);
    co_await session.stream.close(goodbye_limit);
}

} // namespace pop3d
