// source: where passwords are kept; one file a kind: source_files.cpp, source_pam.cpp, source_shadow.cpp, source_table.cpp. A new kind is a
// class here, a row in sources.cpp, and a word of auth_passdbs.
#pragma once

#include "async/task.h"
#include "passwd_file.h"
#include "sasl/secret.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace auth {

// One try to log in.
struct Attempt {
    std::string typed;  // the name as the client gave it
    std::string master; // who logs in as `typed`, by his own password; "": the user himself
    sasl::Secret password;
    std::string service;
    std::string remote_ip; // "" when unknown
};

// What a source that tells no passwords says of one.
struct Checked {
    enum Kind {
        right,
        wrong, // or unknown: the next source is asked
        disabled,
        temporary,
    } kind = wrong;
    std::string user; // right: the name there
    std::string why;  // for the log
};

class Source {
public:
    virtual ~Source() = default;

    // The entry of the first of these names that is known here. Throws when that can't be found out now.
    virtual async::Task<std::optional<FileUser>> look_up(std::vector<std::string> names) = 0;
    // Whether passwords are checked there and not told.
    virtual bool checks_itself() const { return false; }
    virtual async::Task<Checked> check(std::vector<std::string> names, const Attempt& attempt);
    // A stored password to check for unknown users, so that they take as long as known ones; "": there is none.
    virtual std::string example() const { return {}; }
};

// "passwd-file:/etc/rookpost/users", "pam", "pam:imap", "shadow", "table:pgsql:/etc/rookpost/users.cf". Nothing for other words.
std::unique_ptr<Source> make_source(const std::string& word);
std::unique_ptr<Source> files_source(const std::string& path);
std::unique_ptr<Source> pam_source(const std::string& service);
std::unique_ptr<Source> shadow_source();
std::unique_ptr<Source> table_source(const std::string& table);

} // namespace auth
