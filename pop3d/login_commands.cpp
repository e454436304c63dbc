// The commands: RFC 1939 4 and 7, CAPA (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034).
#include "login_commands.h"
#include "login_capabilities.h"

#include "base/text.h"
#include "sasl/responses.h"

namespace pop3_login {
namespace {

using login::Attempt;

// RFC 2449 6: tags that are true here.
async::Task<std::string> capa(Session& session, std::string_view arguments)
{
    if (!arguments.empty()) co_return "No arguments expected.";
    auto& visitor = session.visitor;
    auto mechanisms = co_await visitor.mechanisms();
    visitor.say("+OK");
    for (auto tag : common_tags()) visitor.say(tag);
    if (visitor.may_start_tls()) visitor.say("STLS");
    if (visitor.plain_allowed()) visitor.say("USER");
    if (!mechanisms.empty()) visitor.say("SASL " + base::join(mechanisms, " "));
    visitor.say(".");
    co_return "";
}

async::Task<std::string> quit(Session& session, std::string_view)
{
    session.visitor.say("+OK Logging out.");
    session.visitor.leaves_because("Aborted login");
    session.over = true;
    co_return "";
}

async::Task<std::string> stls(Session& session, std::string_view arguments)
{
    if (!arguments.empty()) co_return "No arguments expected.";
    if (!session.visitor.may_start_tls()) co_return session.visitor.secured() ? "TLS is already active." : "TLS is not available.";
    session.visitor.say("+OK Begin TLS negotiation now.");
    session.user.clear();       // RFC 2595 4: nothing of before is kept
    co_await session.visitor.start_tls();
    co_return "";
}

// RFC 2449 8, RFC 3206: the words in brackets.
std::string refusal(const Attempt& attempt)
{
    switch (attempt.kind) {
    case Attempt::taken: break;
    case Attempt::unavailable: return "[SYS/TEMP] Logging in is not possible just now, please try again later.";
    case Attempt::too_many: return "[IN-USE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections)";
    case Attempt::needs_tls: return "[AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.";
    case Attempt::no_such_mechanism: return "Unsupported authentication mechanism.";
    case Attempt::cancelled: return "Authentication aborted by client.";
    case Attempt::malformed: return "Invalid base64 data in response.";
    case Attempt::wrong: break;
    }
    if (attempt.code == "pass_expired") return "[AUTH] Password expired.";
    if (attempt.code == "user_disabled") return "[AUTH] Account is disabled.";
    return "[AUTH] Authentication failed.";
}

void conclude(Session& session, const Attempt& attempt)
{
    if (attempt.kind == Attempt::taken) return;     // pop3d answers
    session.visitor.say("-ERR " + refusal(attempt));
    session.over = session.visitor.failed_too_often();
}

async::Task<std::string> user(Session& session, std::string_view arguments)
{
    if (arguments.empty()) co_return "Missing name.";
    if (!session.visitor.plain_allowed()) {
        Attempt attempt;
        attempt.kind = Attempt::needs_tls;
        conclude(session, attempt);
        co_return "";
    }
    session.user = arguments;
    session.visitor.say("+OK");
    co_return "";
}

// RFC 1939 7: everything behind the space is the password, spaces included.
async::Task<std::string> pass(Session& session, std::string_view arguments)
{
    if (session.user.empty()) co_return "USER first.";
    std::string name = std::move(session.user);
    session.user.clear();
    sasl::Secret password(arguments);
    auto attempt = co_await session.visitor.log_in(std::move(name), std::move(password), "");
    conclude(session, attempt);
    co_return "";
}

// RFC 5034 4: AUTH without a mechanism is an old way to ask for the list.
async::Task<std::string> list_mechanisms(Session& session)
{
    auto mechanisms = co_await session.visitor.mechanisms();
    session.visitor.say("+OK");
    for (const auto& mechanism : mechanisms) session.visitor.say(mechanism);
    session.visitor.say(".");
    co_return "";
}

async::Task<std::string> auth(Session& session, std::string_view arguments)
{
    if (arguments.empty()) co_return co_await list_mechanisms(session);
    auto words = base::cut(arguments, ' ');
    if (!sasl::is_mechanism_name(words.before)) co_return "Bad mechanism name.";
    std::optional<sasl::Secret> initial;
    if (words.found) {
        initial = sasl::decode_initial(words.after);
        if (!initial) co_return "Invalid base64 data in initial response.";
    }
    std::string mechanism(words.before);
    auto attempt = co_await session.visitor.authenticate(std::move(mechanism), std::move(initial), "");
    conclude(session, attempt);
    co_return "";
}

async::Task<std::string> lang(Session& session, std::string_view arguments)
{
    session.visitor.say(answer_lang(base::trim(arguments)));
    co_return "";
}

// RFC 6856 2.1: what is stored as UTF-8 is sent as UTF-8, whether a client says this or not.
async::Task<std::string> utf8(Session& session, std::string_view arguments)
{
    if (!arguments.empty()) co_return "No arguments expected.";
    session.visitor.say("+OK UTF-8 it is.");
    co_return "";
}

// RFC 1939 7: optional. It would need passwords that are stored as they are.
async::Task<std::string> apop(Session&, std::string_view) { co_return "APOP is not supported."; }

constexpr Verb table[] = {
    {"CAPA", capa}, {"STLS", stls}, {"USER", user}, {"PASS", pass}, {"AUTH", auth}, {"APOP", apop},
    {"LANG", lang}, {"UTF8", utf8}, {"QUIT", quit},
};

} // namespace

std::span<const Verb> verbs() { return table; }

} // namespace pop3_login
