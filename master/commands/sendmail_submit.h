// sendmail_submit: handing the dialogue over: to the running suite, or to maildrop when it is down.
#pragma once

#include <string>

namespace sendmail {

struct Submission {
    int exit_status = 0;        // of sysexits.h
    std::string text;           // for standard error; empty when there is nothing to say
};

// socket: queue_directory/public/sendmail; postdrop: path of that command; folder: its -c argument.
Submission submit(const std::string& dialogue, const std::string& socket, const std::string& postdrop, const std::string& folder);
// -bs: standard input and output are the client's.
int converse(const std::string& socket);

} // namespace sendmail
