// source_pam: system users, whose passwords PAM checks.
#include "source.h"

#include "async/offload.h"
#include "pam_check.h"
#include "system_users.h"

namespace auth {
namespace {

Checked checked(const PamAnswer& answer)
{
    switch (answer.verdict) {
    case PamAnswer::right: return {Checked::right, answer.user, ""};
    case PamAnswer::wrong: return {Checked::wrong, "", "unknown user or wrong password"};
    case PamAnswer::disabled: return {Checked::disabled, "", "account is disabled"};
    case PamAnswer::expired: return {Checked::disabled, "", "password has expired"};
    case PamAnswer::trouble: break;
    }
    return {Checked::temporary, "", "PAM: " + answer.text};
}

class Pam final : public Source {
public:
    explicit Pam(std::string service) : service_(std::move(service)) {}

    async::Task<std::optional<FileUser>> look_up(std::vector<std::string>) override { co_return std::nullopt; }
    bool checks_itself() const override { return true; }
    async::Task<Checked> check(std::vector<std::string> names, const Attempt& attempt) override
    {
        auto work = [names = std::move(names), service = service_, remote = attempt.remote_ip,
                     password = attempt.password.copy()]() mutable {
            PamQuestion question;
            auto user = find_system_user(names);
            question.service = service;
            question.user = user ? user->name : names.back();
            question.remote_host = remote;
            question.password = std::move(password);
            PamAnswer answer = check_by_pam(question);
            if (answer.user.empty()) answer.user = question.user;
            return checked(answer);
        };
        Checked result = co_await async::offload(std::move(work));
        co_return result;
    }

private:
    std::string service_;
};

} // namespace

std::unique_ptr<Source> pam_source(const std::string& service) { return std::make_unique<Pam>(service); }

} // namespace auth
