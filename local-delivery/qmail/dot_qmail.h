// dot_qmail: .qmail files as qmail-local reads them: which file counts for an address, and what its lines ask for. dot-qmail(5), qmail-local(8)
// and qmail-command(8) of qmail 1.03 are the rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace local_delivery {

struct QmailLine {
    enum class Kind { program, file, forward };
    Kind kind = Kind::forward;
    std::string text;               // the command; the path, with a slash at its end for a Maildir; the address
    bool operator==(const QmailLine&) const = default;
};

struct DotQmail {
    std::vector<QmailLine> lines;
    bool empty = false;             // not a byte: mail goes where it goes without a .qmail file
    std::string fault;              // why it must not be obeyed now; empty: it is sound
};
// forwards_only: the file's x bit is set; then "+list" is as good as said, and programs and files are a fault.
DotQmail parse_dot_qmail(std::string_view text, bool forwards_only);

// Names of files in the order of search. default_part: what of the extension "default" stands for.
struct QmailName {
    std::string name;
    std::string default_part;
    bool is_default = false;
};
// ".qmail"; for the extension "a-b": ".qmail-a-b", ".qmail-a-default", ".qmail-default". Dots are colons, so that no name leads out of the folder.
std::vector<QmailName> qmail_names(std::string_view extension);

struct QmailRecipient {
    std::string local, extension, host, home, user, sender;
};
// NAME=value for a program. name: the file that named it. new_sender: whose forwards they are.
std::vector<std::string> qmail_environment(const QmailRecipient& recipient, const QmailName& name, std::string_view new_sender);

enum class QmailVerdict { good, enough, later, never };     // enough: success, and no further lines
QmailVerdict qmail_verdict(int exit_status);
// "(#5.1.1)" somewhere in what a program wrote, when it fits the class '4' or '5'; else X.3.0.
std::string qmail_status(std::string_view output, char wanted_class);

} // namespace local_delivery
