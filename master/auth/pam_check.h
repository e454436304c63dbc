// pam_check: passwords of system users, by PAM. Blocks, for seconds if it likes: for a thread.
#pragma once

#include "sasl/secret.h"

#include <string>

namespace auth {

struct PamQuestion {
    std::string service, user, remote_host;
    sasl::Secret password;
};

struct PamAnswer {
    enum Verdict { right, wrong, disabled, expired, trouble } verdict = trouble;
    std::string text; // trouble, for the log
    std::string user; // right: modules may rename
};
PamAnswer check_by_pam(PamQuestion& question);

} // namespace auth
