// cmd_auth: AUTH, RFC 4954: the dialogue between the client and auth, which we only carry.
#include "commands.h"
#include "client_limits.h"
#include "sasl.h"

#include "base/log.h"
#include "base/text.h"
#include "sasl/responses.h"

#include <algorithm>

namespace smtpd {
namespace {

constexpr async::Limit auth_limit = std::chrono::seconds(60);
constexpr size_t longest_logged = 100;

smtp::Reply refuse(Session& s, const std::string& mechanism, const sasl::Step& step)
{
    // Dovecot's library says nothing, Cyrus' has a word for everything.
    bool dovecot = base::same_word(s.config.smtpd_sasl_type, "dovecot");
    std::string reason = dovecot ? "(reason unavailable)" : "authentication failure";
    if (!step.reason.empty()) reason = base::printable(step.reason, 200);
    base::log::warning("{}: SASL {} authentication failed: {}, sasl_username={}", s.client.text(), mechanism, reason,
                       step.user.empty() ? "(unavailable)" : base::printable(step.user, longest_logged));
    if (step.temporary) return {454, "4.7.0", "Temporary authentication failure: " + reason};
    return {535, "5.7.8", "Error: authentication failed: " + reason};
}

smtp::Reply refuse_mechanism(Session& s, const std::string& mechanism, bool unreachable)
{
    sasl::Step step;
    step.temporary = unreachable;
    step.reason = unreachable ? "Connection lost to authentication server" : "Invalid authentication mechanism";
    return refuse(s, mechanism, step);
}

// A line of the client in the middle of the dialogue; nothing when it is longer than smtpd_sasl_response_limit.
async::Task<std::optional<sasl::Response>> ask(Session& s, const std::string& challenge)
{
    s.stream.write("334 " + base::to_base64(challenge) + "\r\n");
    co_await s.stream.flush(s.config.smtpd_timeout);
    try {
        size_t longest = std::min(static_cast<size_t>(s.config.smtpd_sasl_response_limit), sasl::longest_response);
        std::string_view line = co_await s.stream.line(s.config.smtpd_timeout, longest);
        co_return sasl::decode_response(line);
    } catch (const net::LineTooLong&) {
    }
    co_return std::nullopt;
}

// Why AUTH can't be used at all now.
std::optional<smtp::Reply> not_now(const Session& s)
{
    if (!s.service.auth || !s.offers("auth")) return smtp::Reply{503, "5.5.1", "Error: authentication not enabled"};
    if (s.mail) return smtp::Reply{503, "5.5.1", "Error: MAIL transaction in progress"};
    // RFC 4954 4
    if (!s.tls && s.config.smtpd_tls_auth_only) return smtp::Reply{504, "5.5.4", "Encryption required for requested authentication mechanism"};
    if (!s.sasl_user.empty()) return smtp::Reply{503, "5.5.1", "Error: already authenticated"};
    return std::nullopt;
}

} // namespace

async::Task<smtp::Reply> cmd_auth(Session& s, const smtp::Command& command)
{
    if (auto reply = not_now(s)) co_return *reply;
    auto words = base::split(command.arguments, " ");
    if (words.empty() || words.size() > 2 || !sasl::is_mechanism_name(words[0])) co_return smtp::Reply{501, "5.5.4", "Syntax: AUTH mechanism"};
    if (auto refusal = refuse_auth(s)) co_return *refusal;
    std::string mechanism = base::upper(words[0]);
    std::optional<sasl::Secret> initial;
    if (words.size() == 2) {
        initial = sasl::decode_initial(words[1]);
        if (!initial) co_return smtp::Reply{501, "5.5.2", "Error: malformed authentication response"};
    }
    auto offered = co_await sasl_mechanisms(s);
    bool known = std::find(offered.begin(), offered.end(), mechanism) != offered.end();
    if (!known) co_return refuse_mechanism(s, mechanism, offered.empty());
    sasl::Request request = sasl_request(s, mechanism);
    request.initial_response = std::move(initial);
    sasl::Exchange exchange(*s.service.auth);
    sasl::Step step = co_await exchange.start(std::move(request), auth_limit);
    while (step.kind == sasl::Step::challenge) {
        auto response = co_await ask(s, step.text);
        if (!response) co_return smtp::Reply{500, "5.5.6", "SASL response limit exceeded"};
        if (response->kind == sasl::Response::cancelled) {
            base::log::warning("{}: SASL {} authentication aborted", s.client.text(), mechanism);
            co_return smtp::Reply{501, "5.7.0", "Authentication aborted"};
        }
        if (response->kind == sasl::Response::malformed) co_return smtp::Reply{501, "5.5.2", "Error: malformed authentication response"};
        step = co_await exchange.go_on(std::move(response->bytes), auth_limit);
    }
    if (step.kind == sasl::Step::fail) co_return refuse(s, mechanism, step);
    s.sasl_user = base::printable(step.user);
    s.sasl_method = mechanism;
    co_return smtp::Reply{235, "2.7.0", "Authentication successful"};
}

} // namespace smtpd
