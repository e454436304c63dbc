// failed_logins: servers that told us that a password is wrong: it is not tried again for a while
// (smtp_sasl_auth_cache_name). As long as the process lives; a password that was changed is tried at once.
#pragma once

#include "base/clock.h"
#include "problem.h"
#include "sasl/secret.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace smtp_client {

class FailedLogins {
public:
    void remember(const std::string& host, const std::string& user, std::string_view password, Problem problem,
                  base::Duration how_long);
    std::optional<Problem> find(const std::string& host, const std::string& user, std::string_view password);

private:
    struct Entry {
        sasl::Secret password;
        Problem problem;
        base::Steady until;
    };
    std::map<std::string, Entry> entries_;
};

} // namespace smtp_client
