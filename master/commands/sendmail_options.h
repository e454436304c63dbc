// sendmail_options: the command line of sendmail(8), as Sendmail, Postfix and their callers know it.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sendmail {

// What the command is asked to be.
enum class Mode { deliver, smtp, list_queue, new_aliases, flush, verify, daemon, check, nothing };

struct Options {
    Mode mode = Mode::deliver;
    std::vector<std::string> recipients;
    bool recipients_from_header = false;        // -t
    bool dot_ends = true;                       // off by -i, -oi
    std::optional<std::string> sender;          // -f, -r; "" is the null sender
    std::string full_name;                      // -F
    std::string body;                           // -B
    std::string notify, ret, envid;             // -N, -R, -V
    bool utf8 = false;                          // -U, -O smtputf8=yes
    std::string config_folder;                  // -C
    std::string alias_file;                     // -oA
    std::string flush_what;                     // -qIid, -qRsite: "-i id", "-s site"
    std::string flush_argument;
    bool verbose = false;
};

// A command line that cannot be understood: EX_USAGE.
class Usage : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// name is argv[0] without folder: mailq, newaliases, smtpd and runq choose the mode.
Options parse_options(const std::string& name, const std::vector<std::string>& arguments);

} // namespace sendmail
