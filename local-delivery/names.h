// names: the parts of a recipient, and texts with $names that are made of them: forward_path, luser_relay, the environment of commands.
#pragma once

#include "config/config.h"
#include "sandbox/sandbox.h"
#include "spool/messages.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace local_delivery {

// user+extension@domain, in lower case.
struct Parts {
    std::string address;        // as given
    std::string local, user, extension, domain;
    std::string delimiter;      // between user and extension; empty without one
};
Parts parts_of(const std::string& address, const config::Config& config);

// The places of a user's .forward file, in order. Those that want an extension are left out when there is none.
struct ForwardPath {
    std::string path;
    bool names_extension = false;   // the extension chose this file and goes no further
};
std::vector<ForwardPath> forward_paths(const config::Config& config, const Parts& parts, const sandbox::User& user);

// luser_relay, command_execution_directory: $user, $home, $local … filled in; characters beyond filter (when not empty) become '_'.
std::string fill_in(std::string_view text, const Parts& parts, const sandbox::User* user, std::string_view filter);

// PATH and what export_environment lists: what every command gets.
std::vector<std::string> environment_of_all(const config::Config& config);
// NAME=value for a command of local(8). user: whose rights it has, when that is a person. parts: of the recipient at hand.
std::vector<std::string> environment(const config::Config& config, const spool::Deliver& job, const spool::Recipient& recipient,
                                     const std::string& sender, const Parts& parts, const sandbox::User* user);

bool lists(const config::List& list, std::string_view word);

} // namespace local_delivery
