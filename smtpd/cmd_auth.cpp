// cmd_auth: AUTH, RFC 4954: the dialogue between the client and auth, which we only carry.
#include "commands.h"
#include "limits.h"

#include "base/log.h"
#include "base/text.h"
#include "sasl/responses.h"

namespace smtpd {
namespace {

constexpr async::Limit auth_limit = std::chrono::seconds(60);

net::Address local_address(const net::Stream& stream)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(stream.fd(), reinterpret_cast<sockaddr*>(&storage), &size);
    return net::Address(reinterpret_cast<sockaddr*>(&storage), size);
}

smtp::Reply refuse(Session& s, const std::string& mechanism, const sasl::Step& step)
{
    std::string reason = step.reason.empty() ? "authentication failure" : step.reason;
    std::string line = fmt::format("{}: SASL {} authentication failed: {}", s.client.text(), mechanism, reason);
    if (!step.user.empty()) line += ", sasl_username=" + step.user;
    base::log::warning("{}", line);
    if (step.temporary) return {454, "4.7.0", "Temporary authentication failure: " + reason};
    return {535, "5.7.8", "Error: authentication failed: " + reason};
}

} // namespace

async::Task<smtp::Reply> cmd_auth(Session& s, const smtp::Command& command)
{
    if (!s.service.auth) co_return smtp::Reply{503, "5.5.1", "Error: authentication not enabled"};
    if (s.mail) co_return smtp::Reply{503, "5.5.1", "Error: MAIL transaction in progress"};
    if (!s.tls && s.config.smtpd_tls_auth_only) co_return smtp::Reply{538, "5.7.11", "Encryption required for requested authentication mechanism"};
    if (!s.sasl_user.empty()) co_return smtp::Reply{503, "5.5.1", "Error: already authenticated"};
    auto words = base::split(command.arguments, " ");
    if (words.empty() || words.size() > 2 || !sasl::is_mechanism_name(words[0])) co_return smtp::Reply{501, "5.5.4", "Syntax: AUTH mechanism"};
    if (auto refusal = refuse_auth(s)) co_return *refusal;
    std::string mechanism = base::upper(words[0]);
    sasl::Request request(mechanism, "smtp");
    request.secured = s.tls.has_value();
    request.remote = s.peer;
    request.local = local_address(s.stream);
    if (words.size() == 2) {
        request.initial_response = sasl::decode_initial(words[1]);
        if (!request.initial_response) co_return smtp::Reply{501, "5.5.2", "Error: malformed authentication response"};
    }
    sasl::Exchange exchange(*s.service.auth);
    sasl::Step step = co_await exchange.start(std::move(request), auth_limit);
    while (step.kind == sasl::Step::challenge) {
        s.stream.write("334 " + base::to_base64(step.text) + "\r\n");
        co_await s.stream.flush(s.config.smtpd_timeout);
        std::string_view line = co_await s.stream.line(s.config.smtpd_timeout, sasl::longest_response);
        sasl::Response response = sasl::decode_response(line);
        if (response.kind == sasl::Response::cancelled) co_return smtp::Reply{501, "5.7.0", "Authentication aborted"};
        if (response.kind == sasl::Response::malformed) co_return smtp::Reply{501, "5.5.2", "Error: malformed authentication response"};
        step = co_await exchange.go_on(std::move(response.bytes), auth_limit);
    }
    if (step.kind == sasl::Step::fail) co_return refuse(s, mechanism, step);
    s.sasl_user = step.user;
    s.sasl_method = mechanism;
    co_return smtp::Reply{235, "2.7.0", "Authentication successful"};
}

} // namespace smtpd
