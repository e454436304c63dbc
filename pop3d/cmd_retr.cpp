// RETR, RFC 1939 5, and TOP, RFC 1939 7: a message, or the beginning of it.
#include "commands.h"
#include "multi_line.h"

#include "async/lend.h"

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

async::Task<store::Content> read_message(Session& session, uint32_t uid)
{
    ReadMessage work{uid};
    auto content = co_await async::lend(session.mail, std::move(work));
    if (!content) throw Bad("[SYS/TEMP] Message is gone.");
    co_return std::move(*content);
}

async::Task<> send_text(Session& session, std::string_view text)
{
    DotStuffer stuffer;
    std::string out;
    while (!text.empty()) {
        auto piece = text.substr(0, piece_size);
        text.remove_prefix(piece.size());
        out.clear();
        stuffer.add(piece, out);
        co_await session.stream.send(out, session.settings.write_limit);
    }
    out.clear();
    stuffer.end(out);
    session.stream.write(out);
}

} // namespace

async::Task<> cmd_retr(Session& session, Arguments arguments)
{
    Message& message = arguments.message(session);
    arguments.end();
    auto content = co_await read_message(session, message.uid);
    auto text = content.crlf();
    session.ok(fmt::format("{} octets", text.size()));
    co_await send_text(session, text);
    message.retrieved = true;
    ++session.retr.messages;
    session.retr.bytes += text.size();
}

async::Task<> cmd_top(Session& session, Arguments arguments)
{
    Message& message = arguments.message(session);
    uint64_t lines = arguments.number();
    arguments.end();
    auto content = co_await read_message(session, message.uid);
    auto text = top_of(content.crlf(), lines);
    session.ok();
    co_await send_text(session, text);
    ++session.top.messages;
    session.top.bytes += text.size();
}

} // namespace pop3d
