// The commands: RFC 3501 6.1 and 6.2, and ID.
#include "login_commands.h"

#include "base/log.h"
#include "base/text.h"
#include "sasl/responses.h"

namespace imap_login {
namespace {

using login::Attempt;

constexpr int most_id_fields = 30;      // RFC 2971 3.3

async::Task<> capability(Session& session, Words& words)
{
    words.end();
    auto list = co_await capabilities(session.visitor);
    session.visitor.say("* CAPABILITY " + list);
    session.answer("OK Pre-login capabilities listed, post-login capabilities have more.");
}

async::Task<> noop(Session& session, Words& words)
{
    words.end();
    session.answer("OK NOOP completed.");
    co_return;
}

async::Task<> logout(Session& session, Words& words)
{
    words.end();
    session.visitor.say("* BYE Logging out");
    session.answer("OK Logout completed.");
    session.visitor.leaves_because("Aborted login");
    session.over = true;
    co_return;
}

async::Task<> id(Session& session, Words& words)
{
    words.space();
    if (words.skip('(')) {
        for (int fields = 0; !words.skip(')'); ++fields) {
            if (fields == most_id_fields) throw Syntax("More than 30 fields");
            if (fields > 0) words.space();
            words.astring();
            words.space();
            words.nstring();
        }
    } else if (words.nstring()) {
        throw Syntax("Expected a list or NIL");
    }
    words.end();
    session.visitor.say("* ID (\"name\" \"Rookpost\")");
    session.answer("OK ID completed.");
    co_return;
}

async::Task<> starttls(Session& session, Words& words)
{
    words.end();
    if (!session.visitor.may_start_tls()) {
        session.answer(session.visitor.secured() ? "BAD TLS is already active." : "BAD TLS is not available.");
        co_return;
    }
    session.answer("OK Begin TLS negotiation now.");
    co_await session.visitor.start_tls();
}

// RFC 5530 3: the words in brackets.
std::string refusal(const Attempt& attempt)
{
    switch (attempt.kind) {
    case Attempt::taken: break;
    case Attempt::unavailable: return "NO [UNAVAILABLE] Logging in is not possible just now, please try again later.";
    case Attempt::too_many: return "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections)";
    case Attempt::needs_tls: return "NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.";
    case Attempt::no_such_mechanism: return "NO [CANNOT] Unsupported authentication mechanism.";
    case Attempt::cancelled: return "BAD Authentication aborted by client.";
    case Attempt::malformed: return "BAD Invalid base64 data in response.";
    case Attempt::wrong: break;
    }
    if (attempt.code == "pass_expired") return "NO [EXPIRED] Password expired.";
    if (attempt.code == "user_disabled") return "NO [CONTACTADMIN] Account is disabled.";
    if (attempt.code == "authz_fail") return "NO [AUTHORIZATIONFAILED] Not allowed to act as this user.";
    return "NO [AUTHENTICATIONFAILED] Authentication failed.";
}

void conclude(Session& session, const Attempt& attempt)
{
    if (attempt.kind == Attempt::taken) return;     // imapd answers
    session.answer(refusal(attempt));
    if (!session.visitor.failed_too_often()) return;
    session.visitor.say("* BYE Too many authentication failures.");
    session.over = true;
}

async::Task<> login(Session& session, Words& words)
{
    words.space();
    std::string user = words.astring();
    words.space();
    sasl::Secret password(words.astring());
    words.end();
    auto attempt = co_await session.visitor.log_in(std::move(user), std::move(password), session.tag);
    conclude(session, attempt);
}

// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] *(CRLF base64). RFC 4959 3.
async::Task<> authenticate(Session& session, Words& words)
{
    words.space();
    std::string mechanism(words.atom());
    std::optional<sasl::Secret> initial;
    if (words.skip(' ')) {
        initial = sasl::decode_initial(words.atom());
        if (!initial) throw Syntax("Invalid base64 data in initial response");
    }
    words.end();
    auto attempt = co_await session.visitor.authenticate(std::move(mechanism), std::move(initial), session.tag);
    conclude(session, attempt);
}

constexpr Verb table[] = {
    {"CAPABILITY", capability}, {"NOOP", noop},   {"LOGOUT", logout},           {"ID", id},
    {"STARTTLS", starttls},     {"LOGIN", login}, {"AUTHENTICATE", authenticate},
};

} // namespace

std::span<const Verb> verbs() { return table; }

async::Task<std::string> capabilities(login::Visitor& visitor)
{
    std::string list = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE";
    if (visitor.may_start_tls()) list += " STARTTLS";
    auto mechanisms = co_await visitor.mechanisms();
    for (const auto& mechanism : mechanisms) list += " AUTH=" + mechanism;
    if (!visitor.plain_allowed()) list += " LOGINDISABLED";
    co_return list;
}

} // namespace imap_login
