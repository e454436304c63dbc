// session: one mail program's conversation: what it may see, what it has been told of its mailbox, and the loop over
// its commands.
#pragma once

#include "client.h"
#include "login/session.h"
#include "store/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd {

// The user's mail, and the mailbox that is open. They go together where work is done elsewhere (async/lend.h).
struct Mail {
    std::unique_ptr<store::Store> store;
    std::unique_ptr<store::Mailbox> box;
};

// The selected mailbox as this client knows it: its numbers count here, whatever has become of the messages since.
struct Selected {
    std::string name;
    bool read_only = false;
    std::vector<uint32_t> uids;    // number n is uids[n - 1]
    std::vector<uint32_t> changed; // whose flags the client has to hear of
    std::vector<uint32_t> saved;   // UIDs of the last search that was to be saved (RFC 5182)
    size_t told_recent = 0;
    bool keywords_changed = false;
    bool stale = false; // the mailbox changed by our own doing: compare it with uids

    std::optional<uint32_t> number_of(uint32_t uid) const;
    // In the order of the mailbox. Numbers must exist, or Bad; UIDs need not (RFC 3501 6.4.8).
    std::vector<uint32_t> uids_of(const SequenceSet& set, bool by_uid) const;
};

// Where a client that fetches a large part piece by piece has come to, so that the next piece is found without reading
// the message.
struct PartialPlace {
    uint32_t uid = 0;
    std::string section;
    uint64_t offset = 0, size = 0, octets = 0; // of the section, in the file and on the wire
    uint64_t raw_at = 0, wire_at = 0;          // two names of one place in it
};

// What the client enabled (RFC 5161), or made known by its use of it.
struct Enabled {
    bool condstore = false; // RFC 7162 3.1: mod-sequences in all FETCH answers
    bool qresync = false;   // RFC 7162 3.2: VANISHED instead of EXPUNGE
    bool utf8 = false;      // RFC 6855: mailbox names are UTF-8
    bool rev2 = false;      // RFC 9051 6.3.1: that, ESEARCH for SEARCH, and nothing is \Recent
};

struct Session {
    Session(net::Stream stream, login::Session whose, const Settings& limits)
        : settings(limits), owner(std::move(whose)), client(std::move(stream), limits)
    {
    }

    const Settings& settings;
    const login::Session owner;
    Client client;
    Mail mail;
    std::optional<Selected> selected;
    PartialPlace partial;
    Enabled enabled;
    std::string tag; // of the command at hand
    bool over = false;
    std::string why_over; // for the log, when it was not LOGOUT
    void (*after_answer)(Session&) = nullptr; // once the tagged answer is on its way: COMPRESS begins there

    void unselect();
    // The name of a mailbox on the shelf.
    std::string shelf_place(std::string_view mailbox, store::Access access) const;
    bool utf8_names() const { return enabled.utf8 || enabled.rev2; }
    std::string wire_name(std::string_view mailbox) const;
    // From now on mod-sequences are kept up to date after each change.
    void enable_condstore();
    // REQUIRES a selected mailbox. Mod-sequences of what just changed, if this client hears of them.
    void note_changes();
    // "[HIGHESTMODSEQ 7] " for the answers to commands that expunge, where the client has to know (RFC 7162 3.2.7).
    std::string modseq_code();
};

// The tagged answer.
struct Tagged {
    enum Status { ok, no, bad } status;
    std::string text;
};
inline Tagged ok(std::string text) { return {Tagged::ok, std::move(text)}; }
inline Tagged no(std::string text) { return {Tagged::no, std::move(text)}; }
inline Tagged bad(std::string text) { return {Tagged::bad, std::move(text)}; }
// NO with the response code (RFC 5530) of a store's answer, or OK with done.
Tagged tagged(store::Answer answer, std::string_view done);

std::string capabilities(const Settings& settings);

// From the answer to the login command to the end.
async::Task<> serve(net::Stream client, login::Session owner, const Settings& settings);

} // namespace imapd
