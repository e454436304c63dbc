// append_reader: the messages of APPEND (RFC 3501 6.3.11, MULTIAPPEND RFC 3502, literal8 RFC 3516 4.4, UTF8 RFC 6855 4, CATENATE
// RFC 4469), read as they arrive: each goes to disk piece by piece, and none counts before the end of the command.
#pragma once

#include "session.h"

#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace imapd {

struct ReadMessage {
    std::unique_ptr<store::NewMessage> message;
    store::NamedFlags flags;
    std::time_t date = 0;
};

class AppendReader {
public:
    // arguments: after the mailbox.
    AppendReader(Session& session, std::string mailbox, Arguments arguments)
        : session_(session), mailbox_(std::move(mailbox)), arguments_(arguments)
    {
    }

    // All messages, or why the command is refused. Throws Bad. most: 1 for REPLACE.
    async::Task<std::optional<Tagged>> read(size_t most);
    std::vector<ReadMessage>& messages() { return messages_; }

private:
    async::Task<> read_one();
    async::Task<> read_catenated();
    async::Task<> read_literal(bool in_pieces);
    void add_url(const std::string& url);
    void write(std::string_view bytes);

    Session& session_;
    std::string mailbox_;
    std::string text_; // of arguments_, from the second line on
    Arguments arguments_;
    std::vector<ReadMessage> messages_;
    uint64_t size_ = 0; // of the message at hand
    std::optional<Tagged> refused_;
};

} // namespace imapd
