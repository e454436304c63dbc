// trouble: what can go wrong with a mailbox besides the operating system's own errors.
#pragma once

#include <stdexcept>
#include <string>

namespace store {

class Trouble : public std::runtime_error {
public:
    enum class Kind {
        locked,         // somebody else holds the lock and does not let go: try later
        too_large,      // the mailbox would pass its size limit
        not_owner,      // the file belongs to somebody else (strict_mailbox_ownership)
        unsafe,         // a symbolic link, a second hard link, or no regular file where a mailbox should be
        gone,           // the mailbox was deleted or replaced underneath
        bad_setting,    // mail_location and its kin
        impossible,     // the format can't do this
    };

    Trouble(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
    Kind kind() const { return kind_; }
    bool temporary() const { return kind_ == Kind::locked || kind_ == Kind::not_owner || kind_ == Kind::gone; }

private:
    Kind kind_;
};

} // namespace store
