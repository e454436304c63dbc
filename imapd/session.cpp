#include "session.h"

#include "commands.h"
#include "shelf.h"
#include "wire.h"

#include "async/offload.h"
#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

#include <unistd.h>

namespace imapd {

std::optional<uint32_t> Selected::number_of(uint32_t uid) const
{
    auto found = std::lower_bound(uids.begin(), uids.end(), uid);
    if (found == uids.end() || *found != uid) return std::nullopt;
    return static_cast<uint32_t>(found - uids.begin()) + 1;
}

std::vector<uint32_t> Selected::uids_of(const SequenceSet& set, bool by_uid) const
{
    std::vector<uint32_t> chosen;
    if (set.saved) {
        for (uint32_t uid : saved)
            if (number_of(uid)) chosen.push_back(uid);
        return chosen;
    }
    if (by_uid) {
        for (Interval part : set.resolved(uids.empty() ? 0 : uids.back())) {
            auto from = std::lower_bound(uids.begin(), uids.end(), part.first);
            auto to = std::upper_bound(from, uids.end(), part.last);
            chosen.insert(chosen.end(), from, to);
        }
        return chosen;
    }
    for (Interval part : set.resolved(static_cast<uint32_t>(uids.size()))) {
        if (part.first == 0 || part.last > uids.size()) throw Bad("There is no message of that number");
        chosen.insert(chosen.end(), uids.begin() + part.first - 1, uids.begin() + part.last);
    }
    return chosen;
}

std::string Session::shelf_place(std::string_view mailbox, store::Access access) const
{
    constexpr char apart = '\0';
    std::string place = owner.user + apart + owner.home + apart + owner.mail_location + apart;
    place += access == store::Access::read_only ? 'r' : 'w';
    return place += mailbox;
}

void Session::unselect()
{
    if (selected && mail.box) shelf().put(shelf_place(selected->name, mail.box->access()), std::move(mail.box));
    selected.reset();
    mail.box.reset();
    partial = {};
}

std::string Session::wire_name(std::string_view mailbox) const { return imapd::wire_name(mailbox, utf8_names()); }

void Session::enable_condstore()
{
    if (std::exchange(enabled.condstore, true) || !selected) return;
    note_changes();
    client.say(fmt::format("* OK [HIGHESTMODSEQ {}] Highest", mail.box->history().highest()));
}

void Session::note_changes()
{
    if (enabled.condstore) mail.box->history().follow(*mail.box);
}

std::string Session::modseq_code()
{
    if (!enabled.qresync) return {};
    return fmt::format("[HIGHESTMODSEQ {}] ", mail.box->history().highest());
}

Tagged tagged(store::Answer answer, std::string_view done)
{
    switch (answer) {
    case store::Answer::done: return ok(std::string(done));
    case store::Answer::exists: return no("[ALREADYEXISTS] There is a mailbox of that name already");
    case store::Answer::missing: return no("[NONEXISTENT] No such mailbox");
    case store::Answer::bad_name: return no("[CANNOT] A mailbox can't have that name");
    case store::Answer::forbidden: return no("[CANNOT] That can't be done with this mailbox");
    }
    return no("[SERVERBUG] Unknown answer");
}

std::string capabilities(const Settings& settings)
{
    std::string text =
        "IMAP4rev1 IMAP4rev2 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE REPLACE MULTIAPPEND BINARY "
        "CATENATE URL-PARTIAL SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT I18NLEVEL=1 ESEARCH ESORT SEARCHRES "
        "PARTIAL WITHIN CONDSTORE QRESYNC UTF8=ACCEPT SPECIAL-USE CREATE-SPECIAL-USE METADATA LIST-EXTENDED LIST-STATUS STATUS=SIZE PREVIEW SAVEDATE "
        "COMPRESS=DEFLATE INPROGRESS";
    if (settings.message_size_limit > 0) text += fmt::format(" APPENDLIMIT={}", settings.message_size_limit);
    return text;
}

namespace {

Tagged trouble(const Session& session, const store::Trouble& error)
{
    base::log::warning("user={}: {}", base::printable(session.owner.user), error.what());
    switch (error.kind()) {
    case store::Trouble::Kind::locked: return no("[INUSE] The mailbox is locked, try again later");
    case store::Trouble::Kind::too_large: return no("[OVERQUOTA] The mailbox would grow too large");
    case store::Trouble::Kind::impossible: return no("[CANNOT] This kind of mailbox can't do that");
    default: return no("[UNAVAILABLE] The mailbox can't be used now");
    }
}

Tagged refused_by_system(const Session& session, const base::SystemError& error)
{
    base::log::error("user={}: {}", base::printable(session.owner.user), error.what());
    if (error.no_space()) return no("[OVERQUOTA] No space left");
    return no("[UNAVAILABLE] The server could not do that, see its log");
}

// What the handlers throw becomes an answer. A mailbox that vanished or stayed with abandoned work ends the session.
async::Task<Tagged> run_guarded(Session& session, const Command& command, Arguments& arguments)
{
    std::optional<Tagged> failed;
    try {
        Tagged answer = co_await command.run(session, arguments);
        co_return answer;
    } catch (const Bad& slip) {
        failed = bad(slip.what());
    } catch (const store::Trouble& error) {
        failed = trouble(session, error);
        session.over |= error.kind() == store::Trouble::Kind::gone;
    } catch (const base::SystemError& error) {
        failed = refused_by_system(session, error);
    }
    session.over |= !session.mail.store || (session.selected && !session.mail.box);
    if (session.over) session.why_over = "mailbox gone";
    co_return *failed;
}

async::Task<> tell_news_guarded(Session& session, News which)
{
    try {
        co_await tell_news(session, which);
        co_return;
    } catch (const store::Trouble& error) {
        trouble(session, error);
        if (error.kind() != store::Trouble::Kind::gone) co_return;
    } catch (const base::SystemError& error) {
        refused_by_system(session, error);
        co_return;
    }
    session.client.say("* BYE [UNAVAILABLE] The mailbox is gone");
    session.over = true;
    session.why_over = "mailbox gone";
}

async::Task<Tagged> answer(Session& session, Arguments& arguments)
{
    std::string name(arguments.atom());
    if (base::same_word(name, "UID")) {
        arguments.space();
        name += ' ';
        name += arguments.atom();
    }
    const Command* command = find_command(name);
    if (!command) co_return bad("Unknown command " + base::printable(name, 40));
    if (command->needs_mailbox && !session.selected) co_return bad("No mailbox is selected");
    Tagged result = co_await run_guarded(session, *command, arguments);
    if (result.status != Tagged::bad && !session.over) co_await tell_news_guarded(session, command->news);
    co_return result;
}

void say_tagged(Session& session, std::string_view tag, const Tagged& result)
{
    constexpr std::string_view words[] = {"OK", "NO", "BAD"};
    session.client.say(fmt::format("{} {} {}", tag, words[result.status], result.text));
}

// False when the command was not understood.
async::Task<bool> converse_once(Session& session)
{
    CommandText command = co_await session.client.command();
    Arguments arguments(command.text, session.utf8_names());
    std::string tag = "*";
    Tagged result = bad("");
    std::string slip;
    try {
        tag = arguments.tag();
        session.tag = tag;
        arguments.space();
    } catch (const Bad& error) {
        slip = error.what();
    }
    if (!command.refused.empty()) slip = command.refused;
    if (slip.empty()) {
        try {
            result = co_await answer(session, arguments);
        } catch (const Bad& error) {
            slip = error.what();
        }
    }
    if (!slip.empty()) result = bad(slip);
    co_await session.client.finish_message();
    say_tagged(session, tag, result);
    if (session.after_answer) {
        co_await session.client.flush();
        std::exchange(session.after_answer, nullptr)(session);
    }
    if (session.over && !session.why_over.empty()) session.client.say("* BYE Please log in again");
    co_await session.client.flush();
    if (session.mail.box) session.mail.box->notes().save();
    co_return result.status != Tagged::bad;
}

async::Task<> converse(Session& session)
{
    int slips = 0;
    while (!session.over) {
        bool understood = co_await converse_once(session);
        slips = understood ? 0 : slips + 1;
        if (slips < session.settings.bad_command_limit) continue;
        session.client.say("* BYE Too many commands that are none");
        session.why_over = "too many bad commands";
        session.over = true;
    }
}

struct OpenStore {
    std::string mail_location;
    store::User user;
    store::LockPolicy locks;
    std::unique_ptr<store::Store> operator()()
    {
        return store::open_store(store::parse_location(mail_location, user), locks);
    }
};

// False: there is no mail to be had, and the client has been told.
async::Task<bool> greet(Session& session)
{
    OpenStore open{session.owner.mail_location, {session.owner.user, session.owner.home}, session.settings.locks};
    std::string failure;
    try {
        session.mail.store = co_await async::offload(std::move(open));
    } catch (const std::runtime_error& error) {
        failure = error.what();
    }
    if (failure.empty()) {
        session.client.say(
            fmt::format("{} OK [CAPABILITY {}] Logged in", session.owner.tag, capabilities(session.settings)));
    } else {
        base::log::error("user={}: {}", base::printable(session.owner.user), failure);
        session.client.say(session.owner.tag + " NO [UNAVAILABLE] The mailboxes can't be opened now");
        session.client.say("* BYE [UNAVAILABLE] Please try again later");
        session.why_over = "mailboxes unavailable";
    }
    co_await session.client.flush();
    co_return failure.empty();
}

void log_end(const Session& session)
{
    std::string why = session.why_over.empty() ? "Logged out" : "Disconnected: " + session.why_over;
    base::log::info("imap({})<{}><{}>: {} in={} out={}", base::printable(session.owner.user), ::getpid(), session.owner.session_id, why,
                    session.client.bytes_in(), session.client.bytes_out());
}

} // namespace

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
    if (timed_out) session.client.say("* BYE Disconnected for inactivity");
    session.unselect();
    co_await session.client.close();
    log_end(session);
}

} // namespace imapd
