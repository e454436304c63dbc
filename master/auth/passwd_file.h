// passwd_file: users and password hashes in a file, as Dovecot writes it:
// user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields. passwd(5)'s seven columns and htpasswd's two are the same
// form, cut short.
#pragma once

#include "base/clock.h"

#include <sys/stat.h>
#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace auth {

struct FileUser {
    std::string name;
    std::string password; // with its {SCHEME}; empty: nobody can log in by this entry
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::string home;
    std::map<std::string, std::string> extra; // "userdb_mail", "allow_nets", "nologin" …
};

struct PasswdEntries {
    std::unordered_map<std::string, FileUser> users;
    std::vector<std::string> problems; // "FILE:LINE: text"; such a line is left out, the others count
};
PasswdEntries parse_passwd(std::string_view text, const std::string& file);

// One file, read again after it has changed. While it can't be read the old users stay.
class PasswdFile {
public:
    explicit PasswdFile(std::string path) : path_(std::move(path)) {}

    // Looks at the file at most once a second. The pointer is good until the next call.
    const FileUser* find(const std::string& name);
    // A stored password of the file, so that looking for an unknown user takes as long as for a known one; "" when
    // there is none.
    const std::string& example() const { return example_; }
    bool readable() const { return loaded_; }
    const std::string& path() const { return path_; }
    void look(); // now

private:
    struct Stamp {
        ino_t inode = 0;
        off_t size = -1;
        timespec modified{}, changed{};
        int error = 0;
        bool operator==(const Stamp& other) const;
    };
    void load();

    std::string path_;
    PasswdEntries entries_;
    std::string example_;
    Stamp stamp_;
    base::Steady last_look_{};
    bool looked_ = false;
    bool loaded_ = false;
};

} // namespace auth
