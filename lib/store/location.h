// location: where a user's mail lives, from Dovecot's mail_location and from Postfix's home_mailbox and mail_spool_directory.
#pragma once

#include <string>
#include <string_view>

namespace store {

struct User {
    std::string name;       // "anna" or "anna@example.org"
    std::string home;
};

enum class Format { maildir, mbox };

struct Location {
    Format format = Format::maildir;
    std::string root;               // the Maildir, or the folder of mbox files
    std::string inbox;              // mbox: the INBOX file; maildir: a folder other than root, or empty
    std::string index;              // mbox: where side files go; empty: root/.imap
    bool utf8_names = false;        // folder names on disk are UTF-8 and not modified UTF-7
};

// "maildir:~/Maildir", "mbox:~/mail:INBOX=/var/mail/%u"; %u %n %d %h, %Lu (lower case), %1.2u (offset.width), %%, ~.
// Empty or "auto": ~/Maildir if it exists, else mbox:~/mail:INBOX=/var/mail/%u. Throws Trouble(bad_setting) and says what was expected.
Location parse_location(std::string_view mail_location, const User& user);
std::string expand_location(std::string_view text, const User& user);

// Where local-delivery puts a message: a Maildir folder or an mbox file.
struct Destination {
    Format format = Format::mbox;
    std::string path;               // without '/' at the end
};

// Postfix: home_mailbox (relative to the home) if set, else mail_spool_directory/user; '/' at the end means Maildir.
Destination postfix_mailbox(std::string_view home_mailbox, std::string_view mail_spool_directory, const User& user);
// A path as in an alias or virtual_mailbox_maps: '/' at the end means Maildir.
Destination postfix_path(std::string_view path);
Destination inbox_of(const Location& location);

} // namespace store
