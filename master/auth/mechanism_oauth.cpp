// mechanism_oauth: OAUTHBEARER (RFC 7628) and Google's XOAUTH2: a token instead of a password.
#include "mechanisms.h"

#include "base/text.h"

#include <fmt/format.h>

namespace auth {
namespace {

constexpr char separator = '\001';
constexpr std::string_view bearer = "Bearer ";

// The value of key=value between ^A.
std::optional<std::string_view> pair(std::string_view text, std::string_view key)
{
    while (!text.empty()) {
        auto [field, rest, more] = base::cut(text, separator);
        auto [name, value, found] = base::cut(field, '=');
        if (found && name == key) return value;
        text = rest;
    }
    return std::nullopt;
}

std::string json_text(std::string_view text)
{
    std::string safe = base::printable(text, 500);
    return base::replace_all(base::replace_all(safe, "\\", "\\\\"), "\"", "\\\"");
}

class Oauth final : public Mechanism {
public:
    Oauth(bool by_rfc, const Circumstances& circumstances) : by_rfc_(by_rfc), rules_(circumstances.oauth) {}

    Move next(std::optional<sasl::Secret> response) override
    {
        // RFC 7628 3.2.3: after the error the client sends a ^A, and the exchange has failed.
        if (!trouble_.empty()) return Move::refuse(trouble_);
        if (!response) return Move::ask("");
        auto trouble = by_rfc_ ? take_bearer(response->view()) : take_xoauth2(response->view());
        if (!trouble.empty()) return Move::refuse(trouble);
        Move move;
        move.kind = Move::check_token;
        move.password = std::move(token_);
        return move;
    }

    Move with_token(TokenVerdict verdict) override
    {
        if (verdict.kind == TokenVerdict::good && !user_.empty() && !base::same_word(user_, verdict.user)) {
            verdict.kind = TokenVerdict::invalid;
            verdict.why = "the token is of " + verdict.user;
        }
        if (verdict.kind != TokenVerdict::good) {
            trouble_ = verdict.why;
            return Move::ask(error(verdict));
        }
        Move move;
        move.kind = Move::proven;
        move.user = user_.empty() ? verdict.user : user_;
        return move;
    }
    std::string user() const override { return user_; }

private:
    std::string take_token(std::string_view fields)
    {
        auto value = pair(fields, "auth");
        if (!value || !base::starts_with_word(*value, bearer)) return "expected a bearer token";
        token_ = sasl::Secret(base::trim(value->substr(bearer.size())));
        return user_.size() > longest_name ? "bad user name" : "";
    }

    // user=NAME^Aauth=Bearer TOKEN^A^A
    std::string take_xoauth2(std::string_view message)
    {
        auto user = pair(message, "user");
        if (!user || user->empty()) return "invalid XOAUTH2 message";
        user_ = *user;
        return take_token(message);
    }

    // n,a=NAME,^Ahost=…^Aport=…^Aauth=Bearer TOKEN^A^A
    std::string take_bearer(std::string_view message)
    {
        auto [header, fields, found] = base::cut(message, separator);
        auto flag = base::cut(header, ',');
        auto authzid = base::cut(flag.after, ',');
        bool no_binding = flag.before == "n" || flag.before == "y";
        if (!found || !no_binding || !authzid.found || !authzid.after.empty()) return "invalid OAUTHBEARER message";
        if (!authzid.before.empty() && !authzid.before.starts_with("a=")) return "invalid OAUTHBEARER message";
        if (!authzid.before.empty()) user_ = authzid.before.substr(2);
        user_ = base::replace_all(base::replace_all(user_, "=2C", ","), "=3D", "=");
        return take_token(fields);
    }

    std::string error(const TokenVerdict& verdict) const
    {
        std::string scope = rules_ ? json_text(base::join(rules_->scope, " ")) : "";
        if (!by_rfc_) return fmt::format(R"({{"status":"401","schemes":"bearer","scope":"{}"}})", scope);
        std::string_view status = verdict.kind == TokenVerdict::insufficient ? "insufficient_scope" : "invalid_token";
        std::string text = fmt::format(R"({{"status":"{}")", status);
        if (!scope.empty()) text += fmt::format(R"(,"scope":"{}")", scope);
        if (rules_ && !rules_->openid_configuration_url.empty())
            text += fmt::format(R"(,"openid-configuration":"{}")", json_text(rules_->openid_configuration_url));
        return text + "}";
    }

    bool by_rfc_;
    const OauthRules* rules_;
    std::string user_, trouble_;
    sasl::Secret token_;
};

} // namespace

std::unique_ptr<Mechanism> make_xoauth2(const Circumstances& circumstances)
{
    return std::make_unique<Oauth>(false, circumstances);
}

std::unique_ptr<Mechanism> make_oauthbearer(const Circumstances& circumstances)
{
    return std::make_unique<Oauth>(true, circumstances);
}

} // namespace auth
