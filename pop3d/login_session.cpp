#include "login_session.h"

#include "login_commands.h"

#include "base/text.h"

namespace pop3_login {
namespace {

constexpr size_t longest_line = 16384;      // RFC 5034 4: AUTH may be longer than RFC 2449's 255

void refuse(Session& session, std::string_view what)
{
    session.visitor.say("-ERR " + std::string(what));
    if (!session.visitor.bad_command()) return;
    session.visitor.leaves_because("Disconnected: Too many invalid commands");
    session.over = true;
}

async::Task<> one_command(Session& session)
{
    auto& visitor = session.visitor;
    bool too_long = false;
    sasl::Secret line;
    try {
        auto text = co_await visitor.stream().line(visitor.time_left(), longest_line);
        line.text() = text;
    } catch (const net::LineTooLong&) {
        too_long = true;
    }
    if (too_long) {
        refuse(session, "Line too long.");
        co_return;
    }
    auto words = base::cut(line.view(), ' ');
    for (const Verb& verb : verbs()) {
        if (!base::same_word(verb.name, words.before)) continue;
        std::string slip = co_await verb.run(session, words.after);
        if (!slip.empty()) refuse(session, slip);
        co_return;
    }
    refuse(session, "Unknown command.");
}

} // namespace

async::Task<> converse(login::Visitor& visitor)
{
    Session session(visitor);
    visitor.say("+OK " + visitor.rules().greeting);
    co_await visitor.flush();
    while (!session.over && !visitor.handed_over()) {
        co_await one_command(session);
        if (!visitor.handed_over()) co_await visitor.flush();
    }
}

} // namespace pop3_login
