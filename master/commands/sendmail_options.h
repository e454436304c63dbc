// sendmail_options: the command line of sendmail(8), as Sendmail, Postfix and their callers know it.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sendmail {

// What the command is asked to be.
enum class Mode { deliver, smtp, list_queue, count_queue, new_aliases, flush, verify, daemon, foreground, check, test, nothing };

// -q with something behind it: which messages. kind: I id, R recipient, S sender; 0: all.
struct Selection {
    char kind = 0;
    bool negated = false;                       // -q!
    std::string text;
};

struct Options {
    Mode mode = Mode::deliver;
    std::vector<std::string> recipients;
    bool recipients_from_header = false;        // -t
    bool without_arguments = false;             // exim -t: those on the command line are taken out again
    bool dot_ends = true;                       // off by -i, -oi
    std::optional<std::string> sender;          // -f, -r; "" is the null sender
    bool sender_from_mbox = false;              // rmail: from the line "From sender date" on top
    std::string full_name;                      // -F
    std::string body;                           // -B
    std::string notify, ret, envid;             // -N, -R, -V
    bool utf8 = false;                          // -U, -O smtputf8=yes
    std::string config_folder;                  // -C
    std::string alias_file;                     // -oA
    Selection flush;                            // -qI, -qR, -qS
    std::optional<std::string> quarantine;      // -Q: hold what -qI names for that reason; "" releases it
    bool verbose = false;
    std::vector<std::string> warnings;          // values that are passed over, for standard error
};

// A command line that cannot be understood: EX_USAGE.
class Usage : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// name is argv[0] without folder: mailq, newaliases, smtpd, runq, rmail … choose the mode.
Options parse_options(const std::string& name, const std::vector<std::string>& arguments);
bool is_exim_name(const std::string& name);     // exim, exim4

} // namespace sendmail
