// client_plain: the mechanisms that show the server a password or a token: PLAIN, LOGIN, XOAUTH2, OAUTHBEARER.
#include "base/text.h"
#include "sasl/client_mechanisms.h"

#include <fmt/format.h>

namespace sasl {
namespace {

class Plain final : public Client {
public:
    explicit Plain(Credentials credentials) : credentials_(std::move(credentials)) {}
    std::optional<Secret> initial() override { return message(); }
    // A server that did not want it beside the mechanism's name asks with an empty challenge.
    Secret respond(std::string_view) override { return message(); }

private:
    Secret message() const
    {
        std::string text(1, '\0'); // no name to act for: our own
        text.append(credentials_.user).append(1, '\0').append(credentials_.password.view());
        return Secret(std::move(text));
    }
    Credentials credentials_;
};

// The questions are "Username:" and "Password:", but no server's words are relied on: the first one gets the name.
class Login final : public Client {
public:
    explicit Login(Credentials credentials) : credentials_(std::move(credentials)) {}
    std::optional<Secret> initial() override { return std::nullopt; }
    Secret respond(std::string_view) override
    {
        switch (questions_++) {
        case 0: return Secret(std::string_view(credentials_.user));
        case 1: return credentials_.password.copy();
        default: throw BadChallenge("one question too many");
        }
    }

private:
    Credentials credentials_;
    int questions_ = 0;
};

// RFC 7628 3.2.3: a challenge after the token is the server's account of what is wrong with it; an answer is due all the
// same, and then comes the refusal.
class Bearer final : public Client {
public:
    Bearer(Secret message, std::string_view answer_to_error) : message_(std::move(message)), answer_(answer_to_error) {}
    std::optional<Secret> initial() override
    {
        sent_ = true;
        return message_.copy();
    }
    Secret respond(std::string_view challenge) override
    {
        if (challenge.empty() && !std::exchange(answered_, true)) return sent_ ? Secret(answer_) : message_.copy();
        answered_ = true;
        return Secret(answer_);
    }

private:
    Secret message_;
    std::string_view answer_;
    bool sent_ = false, answered_ = false;
};

// RFC 5802 5.1: "," and "=" would end the name.
std::string saslname(std::string_view name)
{
    return base::replace_all(base::replace_all(name, "=", "=3D"), ",", "=2C");
}

} // namespace

std::unique_ptr<Client> make_plain(Credentials credentials) { return std::make_unique<Plain>(std::move(credentials)); }
std::unique_ptr<Client> make_login(Credentials credentials) { return std::make_unique<Login>(std::move(credentials)); }

std::unique_ptr<Client> make_xoauth2(Credentials credentials)
{
    Secret message(fmt::format("user={}\1auth=Bearer {}\1\1", credentials.user, credentials.password.view()));
    return std::make_unique<Bearer>(std::move(message), "");
}

std::unique_ptr<Client> make_oauthbearer(Credentials credentials)
{
    Secret message(fmt::format("n,a={},\1host={}\1port={}\1auth=Bearer {}\1\1", saslname(credentials.user), credentials.host,
                               credentials.port, credentials.password.view()));
    return std::make_unique<Bearer>(std::move(message), "\1");
}

} // namespace sasl
