// session: one client in the TRANSACTION state: the messages as they were when it logged in, and what it has marked.
#pragma once

#include "settings.h"

#include "login/session.h"
#include "net/stream.h"
#include "store/store.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pop3d {

struct Mail {
    std::unique_ptr<store::Store> store;
    std::unique_ptr<store::Mailbox> inbox;
};

struct Message {
    uint32_t uid = 0;
    uint64_t size = 0;
    bool deleted = false;
    bool retrieved = false;
    std::string unique_id;          // read at the first UIDL
};

struct Traffic {
    uint64_t messages = 0, bytes = 0;
};

struct Session {
    Session(net::Stream stream, login::Session whose, const Settings& limits)
        : settings(limits), owner(std::move(whose)), stream(std::move(stream))
    {
    }

    void ok(std::string_view text = {});
    void error(std::string_view text);
    // Sends what is gathered when it is much; a listing says this after each line.
    void write(std::string_view text);
    async::Task<> flush_if_full();

    const Settings& settings;
    const login::Session owner;
    net::Stream stream;
    Mail mail;
    std::vector<Message> messages;  // number n is messages[n - 1], to the end of the session
    bool has_unique_ids = false;
    size_t last = 0;                // the highest number that was retrieved; 0: none
    bool over = false;
    std::string why_over;           // for the log, when it was not QUIT
    int slips = 0;
    Traffic retr, top, removed;
    uint64_t inbox_size = 0;        // at the beginning
    uint64_t bytes_in = 0, bytes_out = 0;
};

// From the answer to the login command to the end.
async::Task<> serve(net::Stream client, login::Session owner, const Settings& settings);

} // namespace pop3d
