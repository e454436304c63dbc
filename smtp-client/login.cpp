#include "login.h"

#include "base/log.h"
#include "base/text.h"
#include "sasl/client.h"

#include <fmt/format.h>

namespace smtp_client {
namespace {

// A challenge more than any mechanism has: the server only wants to keep us.
constexpr int most_challenges = 20;

struct Login {
    std::string user;
    sasl::Secret password;
};

struct Found {
    std::optional<Login> login;
    std::optional<Problem> problem;
};

Found find_login(Context& context, const Session& session, const Purpose& purpose)
{
    const SaslSettings& sasl = context.settings.sasl;
    Found found;
    try {
        std::string_view sender = sasl.by_sender ? std::string_view(purpose.sender) : std::string_view();
        auto entry = context.tables->login(sender, session.host.name, purpose.destination);
        if (!entry) return found;
        size_t cut = entry->find(sasl.delimiter);
        found.login.emplace();
        found.login->user = entry->substr(0, cut);
        if (cut != entry->npos) found.login->password = sasl::Secret(entry->substr(cut + sasl.delimiter.size()));
        sasl::wipe(*entry);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
        found.problem = deferred("4.3.0", fmt::format("local data error while talking to {}", session.name));
    }
    return found;
}

unsigned demands(const SaslSettings& sasl, const Session& session)
{
    return session.verified ? sasl.verified_demands : session.under_tls ? sasl.tls_demands : sasl.demands;
}

std::vector<std::string> usable(Tables& tables, const Session& session)
{
    if (session.can.auth.empty())
        base::log::warning("{} offered null AUTH mechanism list", session.host.full_with_port());
    if (tables.mechanisms.empty()) return session.can.auth;
    std::vector<std::string> left;
    for (const auto& each : session.can.auth)
        if (tables.mechanisms.matches(each)) left.push_back(each);
    if (left.empty() && !session.can.auth.empty())
        base::log::warning("{} offered no supported AUTH mechanisms: '{}'", session.host.full_with_port(),
                           base::join(session.can.auth, " "));
    return left;
}

Problem cannot(const Session& session, std::string_view why)
{
    return deferred("4.7.0", fmt::format("SASL authentication failed; cannot authenticate to server {}: {}", session.name,
                                         base::printable(why, 200)));
}

// The server's last word, which is not that we are welcome.
Problem refused_login(Context& context, const Session& session, const Login& login, const smtp::Reply& reply)
{
    Problem problem = said_no(reply, fmt::format("SASL authentication failed; server {} said: {}", session.name, reply.line()));
    const SaslSettings& sasl = context.settings.sasl;
    if (reply.code == 535 && sasl.remember_failures) {
        Problem again = problem;
        again.text = fmt::format("SASL [CACHED] authentication failed; server {} said: {}", session.host.name,
                                 base::printable(reply.line()));
        context.failed_logins.remember(session.host.name, login.user, login.password.view(), std::move(again), sasl.remember);
    }
    return sasl.soft_bounce ? softened(std::move(problem)) : problem;
}

async::Task<std::optional<Problem>> converse(Context& context, Session& session, std::string mechanism, Login login)
{
    sasl::Credentials credentials;
    credentials.user = login.user;
    credentials.password = login.password.copy();
    credentials.host = session.host.name;
    credentials.port = session.host.address.port();
    auto client = sasl::make_client(mechanism, std::move(credentials));
    async::Limit limit = context.settings.helo_timeout;
    try {
        auto initial = client->initial();
        std::string command = "AUTH " + mechanism;
        // RFC 4954 4: "=" is an answer without bytes.
        if (initial) command += initial->empty() ? " =" : " " + base::to_base64(initial->view());
        session.stream.write(command + "\r\n");
        sasl::wipe(command);
        smtp::Reply reply = co_await session.ask(limit);
        for (int challenges = 0; reply.intermediate(); ++challenges) {
            if (challenges == most_challenges)
                co_return deferred("4.7.0", fmt::format("SASL authentication failed; authentication protocol loop with server {}",
                                                        session.name));
            auto challenge = base::from_base64(base::trim(reply.text));
            if (!challenge) throw sasl::BadChallenge("bad protocol / cancel");
            sasl::Secret answer = client->respond(*challenge);
            std::string line = base::to_base64(answer.view());
            session.stream.write(line + "\r\n");
            sasl::wipe(line);
            reply = co_await session.ask(limit);
        }
        if (!reply.ok()) co_return refused_login(context, session, login, reply);
        if (!client->satisfied()) throw sasl::BadChallenge("the server did not prove that it knows the password");
    } catch (const sasl::BadChallenge& slip) {
        co_return cannot(session, slip.what());
    }
    session.logged_in = true;
    co_return std::nullopt;
}

} // namespace

bool has_login(Context& context, const Host& host, const Purpose& purpose)
{
    const SaslSettings& sasl = context.settings.sasl;
    if (!sasl.enabled) return false;
    try {
        return context.tables->login(sasl.by_sender ? purpose.sender : "", host.name, purpose.destination).has_value();
    } catch (const maps::Unavailable&) {
        return false;
    }
}

async::Task<std::optional<Problem>> log_in(Context& context, Session& session, const Purpose& purpose)
{
    if (!context.settings.sasl.enabled || !session.can.offers("AUTH")) co_return std::nullopt;
    Found found = find_login(context, session, purpose);
    if (found.problem || !found.login) co_return std::move(found.problem);
    auto mechanisms = usable(*context.tables, session);
    if (mechanisms.empty())
        co_return deferred("4.7.0", fmt::format("SASL authentication failed: server {} offered no compatible authentication "
                                                "mechanisms for this type of connection security",
                                                session.name));
    if (auto failure = context.failed_logins.find(session.host.name, found.login->user, found.login->password.view()))
        co_return context.settings.sasl.soft_bounce ? softened(*failure) : *failure;
    std::string mechanism = sasl::choose_mechanism(mechanisms, demands(context.settings.sasl, session));
    if (mechanism.empty()) {
        base::log::warning("SASL authentication failure: No worthy mechs found");
        co_return cannot(session, "no mechanism available");
    }
    session.stage = "performing SASL authentication";
    co_return co_await converse(context, session, std::move(mechanism), std::move(*found.login));
}

} // namespace smtp_client
