// store: a user's mailboxes, whatever holds them. Everything here blocks: call it on a thread that may wait. A Store or Mailbox
// belongs to one thread at a time; any number of them, in any processes, may work on the same mail.
// Errors: Trouble for what a mailbox can suffer, base::SystemError for what the system refuses.
// Folder names are UTF-8 with separator() between levels; "INBOX" is written in any case.
#pragma once

#include "store/annotations.h"
#include "store/content.h"
#include "store/flags.h"
#include "store/history.h"
#include "store/location.h"
#include "store/lock.h"
#include "store/notes.h"
#include "store/trouble.h"

#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace store {

struct Message {
    uint32_t uid = 0;
    Flags flags = 0;
};

struct Changes {
    std::vector<uint32_t> added, expunged, flags;       // UIDs in ascending order; added ones are not in flags
    bool keywords = false;                              // the list of keywords grew or changed
    bool reset = false;                                 // UIDVALIDITY is another one: end the session
    bool any() const { return !added.empty() || !expunged.empty() || !flags.empty() || keywords || reset; }
};

enum class Access { read_only, read_write };            // read_only: nothing changes, \Recent stays for others
enum class FlagChange { replace, add, remove };

// An opened mailbox. messages() changes only in refresh(), set_flags() and expunge().
class Mailbox {
public:
    virtual ~Mailbox() = default;

    virtual Access access() const = 0;
    virtual uint32_t uid_validity() const = 0;
    virtual uint32_t uid_next() const = 0;
    virtual const std::vector<Message>& messages() const = 0;       // ascending UIDs; sequence number = index + 1
    virtual const std::vector<std::string>& keywords() const = 0;   // names[i] is bit flag::keyword(i); empty: not used
    std::optional<size_t> index_of(uint32_t uid) const;             // in messages()

    // What other sessions and programs did since. An unchanged mailbox costs a few stats.
    virtual Changes refresh() = 0;
    // Makes this mailbox as if it were just opened, for another session of its user. False: it can't be, open it anew.
    virtual bool reopen() { return false; }

    // The bit of a keyword. create: a new one is stored if there is room for it (flag::keyword_limit).
    virtual std::optional<Flags> keyword(std::string_view name, bool create) = 0;
    // Applies change to each message that still exists; gives the UIDs whose flags are different now. \Recent is ignored.
    virtual std::vector<uint32_t> set_flags(std::span<const uint32_t> uids, FlagChange change, Flags flags) = 0;
    NamedFlags named(Flags flags) const;

    // Nothing when the message is gone.
    virtual std::optional<Content> content(uint32_t uid) = 0;
    virtual std::optional<uint64_t> size(uint32_t uid) = 0;         // RFC822.SIZE: with CRLF
    virtual std::optional<uint64_t> quick_size(uint32_t uid) = 0;   // as size(), or the file's where that would have to be read
    virtual std::optional<std::time_t> date(uint32_t uid) = 0;      // INTERNALDATE

    // Removes these messages for good; gives those that went (also when another session was first).
    virtual std::vector<uint32_t> expunge(std::span<const uint32_t> uids) = 0;

    // POP3: what its unique ids are made of, and the lock that only one POP3 session holds; false: another has it.
    virtual std::optional<std::string> kept_pop3_id(uint32_t uid) = 0;  // given by another server, and kept by Dovecot
    virtual std::string file_name(uint32_t uid) = 0;                // of a message with a file of its own, without flags; else ""
    virtual bool lock_for_pop3() = 0;

    // For inotify: when something happens at one of these, call refresh().
    virtual std::vector<std::string> watch_paths() const = 0;

    // Mod-sequences, as of the last History::follow().
    History& history();
    // What is known of the messages without reading them.
    Notes& notes();

protected:
    virtual std::string history_path() const = 0;
    virtual std::string notes_path() const = 0;

private:
    std::optional<History> history_;
    std::unique_ptr<Notes> notes_;
};

// A message on its way into a mailbox: write(), then commit(). Without commit nothing remains.
class NewMessage {
public:
    virtual ~NewMessage() = default;
    virtual void write(std::string_view chunk) = 0;                 // CRLF (or LF) ends, cut anywhere
    struct Place {
        uint32_t uid_validity, uid;
    };
    virtual Place commit(const NamedFlags& flags, std::time_t date) = 0;
};

struct Folder {
    std::string name;
    bool selectable = true;         // false: only a level above others
    bool has_children = false;
    bool may_have_children = true;  // false: an mbox file
};

struct Status {
    uint32_t messages = 0, recent = 0, unseen = 0, deleted = 0, uid_validity = 0, uid_next = 0;
    uint64_t size = 0, highest_modseq = 0;      // only when asked for
};

struct StatusAlso {
    bool size = false, highest_modseq = false;
};

enum class Answer {
    done,
    exists,             // there is one of that name
    missing,            // there is none
    bad_name,           // empty part, control character, too long, "..": see names.h
    forbidden,          // INBOX can't be deleted, a folder not moved into itself
};

class Store {
public:
    virtual ~Store() = default;

    virtual char separator() const = 0;
    virtual std::vector<Folder> list() = 0;                         // INBOX first, the others sorted; parents included
    virtual bool exists(std::string_view name) = 0;                 // and can be opened
    virtual Answer create(std::string_view name) = 0;
    virtual Answer remove(std::string_view name) = 0;
    // Children go along. INBOX: its messages move to the new folder, INBOX stays (RFC 9051 6.3.6).
    virtual Answer rename(std::string_view from, std::string_view to) = 0;

    virtual std::vector<std::string> subscriptions() = 0;
    virtual Answer subscribe(std::string_view name, bool on) = 0;

    virtual Annotations annotations() = 0;

    virtual std::unique_ptr<Mailbox> open(std::string_view name, Access access) = 0;      // null when there is none
    virtual std::optional<Status> status(std::string_view name, StatusAlso also = {}) = 0;
    virtual std::unique_ptr<NewMessage> append(std::string_view name) = 0;                // null when there is none

    struct Copied {
        uint32_t from, to;
    };
    // Copies with flags and dates, all or nothing; hard links where possible. Those gone meanwhile are left out.
    // Nothing when there is no folder of that name.
    struct CopyResult {
        uint32_t uid_validity = 0;
        std::vector<Copied> uids;
    };
    virtual std::optional<CopyResult> copy(Mailbox& from, std::span<const uint32_t> uids, std::string_view to) = 0;
};

// INBOX is made when it is missing. locks: for mbox files (mbox_write_locks).
std::unique_ptr<Store> open_store(const Location& location, LockPolicy locks = {});

} // namespace store
