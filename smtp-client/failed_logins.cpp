#include "failed_logins.h"

namespace smtp_client {
namespace {

constexpr size_t most_entries = 1000;

std::string key(const std::string& host, const std::string& user) { return host + '\n' + user; }

} // namespace

void FailedLogins::remember(const std::string& host, const std::string& user, std::string_view password, Problem problem,
                            base::Duration how_long)
{
    auto now = base::steady_now();
    if (entries_.size() >= most_entries)
        std::erase_if(entries_, [&](const auto& each) { return each.second.until <= now; });
    if (entries_.size() >= most_entries) return;
    entries_[key(host, user)] = Entry{sasl::Secret(password), std::move(problem), now + how_long};
}

std::optional<Problem> FailedLogins::find(const std::string& host, const std::string& user, std::string_view password)
{
    auto found = entries_.find(key(host, user));
    if (found == entries_.end()) return std::nullopt;
    if (found->second.until > base::steady_now() && sasl::same_secret(found->second.password.view(), password))
        return found->second.problem;
    entries_.erase(found);
    return std::nullopt;
}

} // namespace smtp_client
