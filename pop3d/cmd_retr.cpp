// RETR, RFC 1939 5, and TOP, RFC 1939 7: a message, or the beginning of it.
#include "commands.h"
#include "multi_line.h"

#include "async/lend.h"
#include "store/line_ends.h"

#include <algorithm>

namespace pop3d {
namespace {

constexpr size_t piece_size = 32 << 10;

struct ReadMessage {
    uint32_t uid;
    std::optional<store::Content> operator()(Mail& mail)
    {
        auto content = mail.inbox->content(uid);
        if (content) (void)content->crlf();     // converted here, where it may take its time
        return content;
    }
};

// The top alone is converted: the rest of a large message is not even read.
struct ReadTop {
    uint32_t uid;
    uint64_t lines;
    std::optional<std::string> operator()(Mail& mail)
    {
        auto content = mail.inbox->content(uid);
        if (!content) return std::nullopt;
        return store::to_crlf(top_of(content->raw(), lines));
    }
};

async::Task<store::Content> read_message(Session& session, uint32_t uid)
{
    ReadMessage work{uid};
    auto content = co_await async::lend(session.mail, std::move(work));
    if (!content) throw Bad("[SYS/TEMP] Message is gone.");
    co_return std::move(*content);
}

// Outlook Express looks for the empty line after the header, also where there is nothing but a header.
bool lacks_end_of_header(std::string_view text)
{
    return !text.empty() && !text.starts_with("\r\n") && text.find("\r\n\r\n") == std::string_view::npos;
}

async::Task<> send_text(Session& session, std::string_view text)
{
    bool end_header = session.settings.end_headers && lacks_end_of_header(text);
    bool whole_lines = text.ends_with('\n');
    DotStuffer stuffer;
    std::string out;
    while (!text.empty()) {
        auto piece = text.substr(0, piece_size);
        text.remove_prefix(piece.size());
        out.clear();
        stuffer.add(piece, out);
        if (session.settings.no_nuls) std::replace(out.begin(), out.end(), '\0', '\x80');
        session.write(out);
        co_await session.stream.flush(session.settings.write_limit);
    }
    out.clear();
    if (end_header) stuffer.add(whole_lines ? "\r\n" : "\r\n\r\n", out);
    stuffer.end(out);
    session.write(out);
}

} // namespace

async::Task<> cmd_retr(Session& session, Arguments arguments)
{
    size_t number = 0;
    Message& message = arguments.message(session, &number);
    arguments.end();
    auto content = co_await read_message(session, message.uid);
    auto text = content.crlf();
    session.ok(fmt::format("{} octets", text.size()));
    co_await send_text(session, text);
    message.retrieved = true;
    session.last = std::max(session.last, number);
    ++session.retr.messages;
    session.retr.bytes += text.size();
}

async::Task<> cmd_top(Session& session, Arguments arguments)
{
    Message& message = arguments.message(session);
    uint64_t lines = arguments.number();
    arguments.end();
    ReadTop work{message.uid, lines};
    auto text = co_await async::lend(session.mail, std::move(work));
    if (!text) throw Bad("[SYS/TEMP] Message is gone.");
    session.ok();
    co_await send_text(session, *text);
    ++session.top.messages;
    session.top.bytes += text->size();
}

} // namespace pop3d
