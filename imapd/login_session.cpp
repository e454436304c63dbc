#include "login_session.h"

#include "login_commands.h"

#include "base/text.h"

namespace imap_login {
namespace {

constexpr size_t longest_line = 16384;      // with a SASL response of 12288 in it
constexpr size_t longest_literal = 4096;    // RFC 7888 5: no less
constexpr int most_literals = 4;

void wind_up(Session& session, const std::string& words)
{
    session.visitor.say("* BYE " + words);
    session.visitor.leaves_because("Disconnected: " + words);
    session.over = true;
}

void refuse(Session& session, const std::string& what)
{
    session.visitor.say((session.tag.empty() ? "*" : session.tag) + " BAD " + what + ".");
    if (session.visitor.bad_command()) wind_up(session, "Too many invalid commands");
}

// The tag alone, for an answer to a command that can't be read to its end.
std::string tag_of(std::string_view text)
{
    try {
        return std::string(Words(text).tag());
    } catch (const Syntax&) {
        return {};
    }
}

// A line and the literals in it. False: it was refused.
async::Task<bool> read_command(Session& session, std::string& text)
{
    auto& visitor = session.visitor;
    for (int literals = 0;; ++literals) {
        auto line = co_await visitor.stream().line(visitor.time_left(), longest_line);
        text += line;
        if (session.tag.empty()) session.tag = tag_of(text);
        auto literal = literal_at_end(line);
        if (!literal) co_return true;
        bool too_much = literal->bytes > longest_literal || literals == most_literals;
        if (too_much && !literal->waits) {
            wind_up(session, "Too large literal");      // it is on its way already, and would be read as commands
            co_return false;
        }
        if (too_much) throw Syntax("[TOOBIG] Too large literal");
        if (literal->waits) {
            visitor.say("+ OK");
            co_await visitor.flush();
        }
        text += "\r\n";
        auto bytes = co_await visitor.stream().exactly(literal->bytes, visitor.time_left());
        text += bytes;
    }
}

async::Task<> run(Session& session, std::string_view text)
{
    Words words(text);
    session.tag = words.tag();
    words.space();
    auto name = words.atom();
    for (const Verb& verb : verbs()) {
        if (!base::same_word(verb.name, name)) continue;
        co_await verb.run(session, words);
        co_return;
    }
    throw Syntax("Unknown command, or not before login");
}

async::Task<> one_command(Session& session)
{
    session.tag.clear();
    sasl::Secret command;
    std::optional<std::string> slip;
    try {
        bool complete = co_await read_command(session, command.text());
        if (complete) co_await run(session, command.view());
    } catch (const Syntax& fault) {
        slip = fault.what();
    } catch (const net::LineTooLong&) {
        slip = "Too long line";
    }
    if (slip) refuse(session, *slip);
}

} // namespace

async::Task<> converse(login::Visitor& visitor)
{
    Session session(visitor);
    auto list = co_await capabilities(visitor);
    visitor.say(fmt::format("* OK [CAPABILITY {}] {}", list, visitor.rules().greeting));
    co_await visitor.flush();
    while (!session.over && !visitor.handed_over()) {
        co_await one_command(session);
        if (!visitor.handed_over()) co_await visitor.flush();
    }
}

} // namespace imap_login
