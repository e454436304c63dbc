// sendmail_exim: what scripts ask of Exim's binary, under its name: queue listings, and orders about single messages.
#pragma once

#include "config/config.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sendmail {

enum class EximAction {
    list, count, version, settings, test, verify, remove, freeze, thaw, deliver, give_up, show_header, show_body, show_log, show_all,
};

struct EximCall {
    EximAction action;
    std::vector<std::string> words;         // ids, addresses, names of settings
};

// Nothing when the words are a call of sendmail's. Throws Usage for what only Exim can do, naming what does it here.
std::optional<EximCall> parse_exim(const std::vector<std::string>& arguments);

// run(words): becomes another command of command_directory.
int act_as_exim(const EximCall& call, const config::Config& config, const std::string& folder);

} // namespace sendmail
