// print: main.cf and master.cf entries in the form that postconf shows and writes.
#pragma once

#include "config/master_cf.h"

#include <string>
#include <string_view>

namespace config {

// text broken between words so that lines have at most 80 columns; all but the first begin with four spaces.
std::string fold(std::string_view text);

// "smtp       inet  n       -       y       -       -       smtpd -o name=value". Folded, each -o has a line of its
// own.
std::string print_service(const Service& service, bool folded);
// The command column: "smtpd -o name=value -o {name=a b}".
std::string print_command(const Service& service);
// The first seven columns as written: service type private unprivileged chroot wakeup process_limit.
std::vector<std::string> print_columns(const Service& service);

} // namespace config
