#include "client.h"

#include "deflate.h"

#include "base/text.h"

namespace imapd {

namespace {

constexpr size_t full = 16 << 10;

// RFC 4469 4: in CATENATE, a literal after "URL" is the URL.
bool is_url(std::string_view text, size_t literal_start)
{
    return base::ends_with_word(text.substr(0, literal_start), "URL ");
}

// APPEND's message (RFC 3501 6.3.11) or REPLACE's (RFC 8508), and not a literal that names the mailbox: something stands before it.
bool starts_message(std::string_view text, size_t literal_start)
{
    try {
        Arguments arguments(text);
        arguments.tag();
        arguments.space();
        if (arguments.skip_keyword("UID")) arguments.space();
        bool replace = arguments.skip_keyword("REPLACE");
        if (!replace && !arguments.skip_keyword("APPEND")) return false;
        arguments.space();
        if (replace) {
            arguments.sequence_set();
            arguments.space();
        }
        return text.size() - arguments.rest().size() < literal_start && !is_url(text, literal_start);
    } catch (const Bad&) {
        return false;
    }
}

} // namespace

// One line of a command. What makes the command too long is not kept, but for its tag.
async::Task<Client::Line> Client::add_line(CommandText& command)
{
    Line result;
    std::string_view line;
    try {
        line = co_await stream_.line(settings_.timeout, settings_.max_line);
    } catch (const net::LineTooLong&) {
        result.whole = false;
    }
    in_ += line.size() + 2;
    result.literal = literal_head(line);
    if (result.literal) result.literal->start += command.text.size();
    bool too_long = !result.whole || command.text.size() + line.size() > settings_.max_line + settings_.literal_limit;
    if (too_long && command.refused.empty()) command.refused = "Command too long";
    if (command.refused.empty()) command.text += line;
    co_return result;
}

// False: the command ends here, because the client was not told to go on.
async::Task<bool> Client::add_literal(CommandText& command, LiteralHead head)
{
    if (command.refused.empty() && head.size > settings_.literal_limit) command.refused = "[TOOBIG] Literal too large";
    if (!command.refused.empty()) {
        if (head.synchronizing) co_return false;
        co_await skip(head.size);
        co_return true;
    }
    if (head.synchronizing) {
        say("+ OK");
        co_await flush();
    }
    std::string_view bytes = co_await stream_.exactly(head.size, settings_.timeout);
    in_ += bytes.size();
    command.text += "\r\n";
    command.text += bytes;
    co_return true;
}

void Client::take_message(const LiteralHead& head)
{
    message_ = head;
    message_left_ = head.size;
    message_accepted_ = !head.synchronizing;
}

async::Task<> Client::read_on(CommandText& command, bool in_append)
{
    while (true) {
        Line line = co_await add_line(command);
        auto& head = line.literal;
        if (!line.whole || !head) co_return;
        bool is_message = in_append ? !is_url(command.text, head->start) : starts_message(command.text, head->start);
        if (command.refused.empty() && is_message) {
            take_message(*head);
            co_return;
        }
        bool more = co_await add_literal(command, *head);
        if (!more) co_return;
    }
}

async::Task<CommandText> Client::command()
{
    CommandText command;
    co_await read_on(command, false);
    co_return command;
}

async::Task<CommandText> Client::after_message()
{
    message_.reset();
    CommandText text;
    co_await read_on(text, true);
    co_return text;
}

async::Task<> Client::skip(uint64_t bytes)
{
    while (bytes > 0) {
        if (stream_.buffered().empty()) co_await stream_.fill(settings_.timeout);
        size_t part = std::min<uint64_t>(bytes, stream_.buffered().size());
        stream_.consume(part);
        in_ += part;
        bytes -= part;
    }
}

async::Task<> Client::accept_message()
{
    if (message_accepted_) co_return;
    message_accepted_ = true;
    say("+ OK");
    co_await flush();
}

async::Task<std::string_view> Client::message_piece()
{
    if (message_left_ == 0) co_return std::string_view();
    if (stream_.buffered().empty()) co_await stream_.fill(settings_.timeout);
    size_t size = std::min<uint64_t>(message_left_, stream_.buffered().size());
    std::string_view piece = co_await stream_.exactly(size, settings_.timeout);
    message_left_ -= piece.size();
    in_ += piece.size();
    co_return piece;
}

async::Task<> Client::finish_message()
{
    CommandText rest;
    rest.refused = "not wanted";
    while (message_) {
        bool accepted = message_accepted_;
        message_.reset();
        // The client waits for our word, and hears that the command failed.
        if (!accepted) co_return;
        co_await skip(std::exchange(message_left_, 0));
        Line line = co_await add_line(rest);
        if (line.whole && line.literal) take_message(*line.literal);
    }
}

void Client::compress()
{
    compressed_ = true;
    auto below = stream_.take_transport();
    stream_.set_transport(make_deflate_transport(std::move(below), stream_.buffered()));
    stream_.consume(stream_.buffered().size());
}

void Client::write(std::string_view text)
{
    out_ += text.size();
    stream_.write(text);
}

void Client::say(std::string_view line)
{
    write(line);
    write("\r\n");
}

async::Task<> Client::flush() { return stream_.flush(settings_.write_limit); }

async::Task<> Client::flush_if_full()
{
    if (stream_.unsent() >= full) co_await flush();
}

async::Task<> Client::send(std::string_view bytes)
{
    out_ += bytes.size();
    return stream_.send(bytes, settings_.write_limit);
}

async::Task<std::string> Client::line(async::Limit limit)
{
    std::string_view got = co_await stream_.line(limit, settings_.max_line);
    in_ += got.size() + 2;
    co_return std::string(got);
}

} // namespace imapd
