// client: the connection to a mail program: whole commands in, lines and literals out, and how many bytes of each.
#pragma once

#include "arguments.h"
#include "net/stream.h"
#include "settings.h"

#include <optional>
#include <string>
#include <string_view>

namespace imapd {

// A command as Arguments reads it, or why it was thrown away; then text is what there was of it, for its tag.
struct CommandText {
    std::string text;
    std::string refused;
};

class Client {
public:
    Client(net::Stream stream, const Settings& settings) : stream_(std::move(stream)), settings_(settings) {}

    // The next command with its literals. APPEND's message is not among them: see below. Throws net::Gone.
    async::Task<CommandText> command();

    // The message literal at which command() stopped. Size first, then accept_message() tells the client to go on, then
    // message_piece() until it is empty, then after_message(): what follows, up to the next such literal or the end of the command.
    // finish_message() always, at last: it drops what was not read, of further messages too.
    const std::optional<LiteralHead>& message() const { return message_; }
    async::Task<> accept_message();
    async::Task<std::string_view> message_piece();
    async::Task<CommandText> after_message();
    async::Task<> finish_message();

    // Gathered, and sent by flush(); flush_if_full() keeps what is gathered small.
    void write(std::string_view text);
    void say(std::string_view line);
    async::Task<> flush();
    async::Task<> flush_if_full();
    // The caller keeps the bytes until this ends.
    async::Task<> send(std::string_view bytes);

    // IDLE: something to read, and a line of any kind.
    net::Stream& stream() { return stream_; }
    async::Task<std::string> line(async::Limit limit);

    // Both ways, from the next byte on.
    void compress();
    bool compressed() const { return compressed_; }

    async::Task<> close() { return stream_.close(async::Limit(10'000)); }
    uint64_t bytes_in() const { return in_; }
    uint64_t bytes_out() const { return out_; }

private:
    struct Line {
        bool whole = true;                  // false: too long, and thrown away
        std::optional<LiteralHead> literal; // its start is a place in the command's text
    };
    async::Task<> read_on(CommandText& command, bool in_append);
    void take_message(const LiteralHead& head);
    async::Task<Line> add_line(CommandText& command);
    async::Task<bool> add_literal(CommandText& command, LiteralHead head);
    async::Task<> skip(uint64_t bytes);

    net::Stream stream_;
    const Settings& settings_;
    std::optional<LiteralHead> message_;
    uint64_t message_left_ = 0;
    bool message_accepted_ = false;
    bool compressed_ = false;
    uint64_t in_ = 0, out_ = 0;
};

} // namespace imapd
