// order: what the supervisor asks of a worker process, and the answer. A worker carries everything out with the rights of its own uid.
#pragma once

#include "base/fd.h"
#include "maps/aliases_text.h"
#include "spool/messages.h"

#include <cstdint>
#include <string>
#include <vector>

namespace local_delivery {

// How a command wants to read the message.
struct CommandText {
    bool from_line = true;
    bool blank_line_at_end = false;
    bool dot_lines = false;                     // a dot before lines that begin with one
    bool quote_from = false;                    // a > before lines that begin with "From "
    std::string eol = "\n";
    template <class V> void fields(V& v) { v(from_line, blank_line_at_end, dot_lines, quote_from, eol); }
};

// The recipient as .qmail files see him.
struct QmailAddress {
    std::string local, extension, host;
    template <class V> void fields(V& v) { v(local, extension, host); }
};

struct Order {
    static constexpr uint16_t type = 30;
    enum Kind : uint32_t {
        visit,              // look for a .forward file; where there is none, put the message into the mailbox
        read_forward,       // only look
        read_include,       // the list at path
        mailbox,            // put the message into the mailbox at path
        file,               // the same, for a /file of an alias or .forward
        command,            // give the message to the command that path is
        dot_qmail,          // do what the .qmail file in home says
    };
    uint64_t number = 0;
    Kind kind = mailbox;
    std::string queue_id;
    base::Fd content;
    uint64_t content_offset = 0;
    uint64_t content_length = 0;
    std::string sender;                         // for the line "From "
    std::string header;                         // fields put on top, CRLF ended
    std::string loop_address;                   // not to be found in a Delivered-To: of the message; empty: not asked
    std::string path;                           // mailbox or file ('/' at the end: Maildir), list, or the command
    std::string user;                           // for messages
    std::string home;                           // with require_home_directory: it must be there; where a .qmail file is looked for
    bool biff = false;                          // tell comsat of what is put into an mbox
    int64_t owner = -1;                         // who must own an mbox; -1: does not matter
    uint64_t size_limit = 0;                    // 0: none
    std::vector<std::string> forward_paths;     // the first that exists counts
    std::vector<std::string> environment;       // of a command, all of it
    std::string folder;                         // where a command runs; empty: where we are
    std::vector<std::string> words;             // the command as it is executed; empty: path says it, as for a shell
    std::string program;                        // who says that the command could not be started; empty: local
    std::string success;                        // the report of a command that succeeded; empty: delivered to command: …
    uint64_t time_limit = 0;                    // of a command, in milliseconds; 0: command_time_limit
    CommandText text;
    QmailAddress qmail;
    template <class V> void fields(V& v)
    {
        v(number, kind, queue_id, content, content_offset, content_length, sender, header, loop_address, path, user, home, biff, owner, size_limit,
          forward_paths, environment, folder, words, program, success, time_limit, text, qmail);
    }
};

// One line of a .forward file or list.
struct Member {
    maps::AliasMember::Kind kind = maps::AliasMember::Kind::address;
    std::string text;
    template <class V> void fields(V& v) { v(kind, text); }
};

// Long lists come in several of these, before the Report.
struct Members {
    static constexpr uint16_t type = 31;
    uint64_t number = 0;
    std::vector<Member> members;
    template <class V> void fields(V& v) { v(number, members); }
};

struct Report {
    static constexpr uint16_t type = 32;
    uint64_t number = 0;
    spool::Outcome::Status status = spool::Outcome::deferred;
    std::string dsn = "4.3.0";
    std::string text;
    bool found = false;                         // there was a .forward file: nothing was delivered, its members were sent; or a .qmail file
    uint32_t which = 0;                         // of forward_paths
    std::string sender;                         // of the forwards of a .qmail file
    std::vector<std::string> warnings;          // for the log
    template <class V> void fields(V& v) { v(number, status, dsn, text, found, which, sender, warnings); }
};

inline Report report(spool::Outcome::Status status, std::string dsn, std::string text)
{
    Report report;
    report.status = status;
    report.dsn = std::move(dsn);
    report.text = std::move(text);
    return report;
}
inline Report delivered(std::string text) { return report(spool::Outcome::delivered, "2.0.0", std::move(text)); }
inline Report deferred(std::string dsn, std::string text) { return report(spool::Outcome::deferred, std::move(dsn), std::move(text)); }
inline Report bounced(std::string dsn, std::string text) { return report(spool::Outcome::bounced, std::move(dsn), std::move(text)); }

struct Answer {
    Report report;
    std::vector<Member> members;
};

} // namespace local_delivery
