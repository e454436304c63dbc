// cmd_bdat: BDAT, RFC 3030: the content in chunks of known size.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"
#include "base/text.h"

namespace smtpd {
namespace {

// Takes so many bytes off the wire; without a message to put them in, they are thrown away.
async::Task<> take_chunk(Session& s, uint64_t size)
{
    while (size > 0) {
        if (s.stream.buffered().empty()) co_await more_content(s);
        std::string_view part = s.stream.buffered().substr(0, size);
        size -= part.size();
        if (s.mail && s.mail->chunks) s.mail->chunks->feed(part, s.mail->decoded);
        s.stream.consume(part.size());
        if (s.mail && s.mail->chunks) co_await take_content(s);
    }
}

// The message is refused; what comes of it until its last chunk, or RSET, is too.
void give_up(Session& s, bool last)
{
    s.reset();
    if (last) return;
    s.broken_chunks = true;
    s.stage = bdat_begun;
}

// RFC 3030 2: the chunk of a refused BDAT is still sent, and so may be the next ones, which are refused too.
async::Task<> skip_chunk(Session& s, const smtp::BdatCommand& chunk)
{
    int64_t limit = s.config.message_size_limit;
    uint64_t most = limit > 0 ? static_cast<uint64_t>(limit) + static_cast<uint64_t>(limit) / 2 : UINT64_MAX;
    if (chunk.size > most) {
        base::log::warning("{}: too much BDAT content -- disabling further input from {}", s.queue_id(), s.client.text());
        s.done = true;
    } else {
        if (s.mail) s.mail->chunks.reset();
        co_await take_chunk(s, chunk.size);
    }
    give_up(s, chunk.last);
}

std::optional<smtp::Reply> refuse_chunk(const Session& s, const smtp::BdatCommand& chunk)
{
    if (chunk.size == 0 && !chunk.last) {
        base::log::warning("{}: null BDAT request from {}", s.queue_id(), s.client.text());
        return smtp::Reply{551, "5.7.1", "Null BDAT request"};
    }
    if (s.broken_chunks) return smtp::Reply{551, "5.0.0", fmt::format("Discarded {} bytes after earlier error", chunk.size)};
    if (auto refusal = not_ready_for_content(s)) return refusal;
    int64_t limit = s.config.message_size_limit;
    if (limit > 0 && s.mail->received + chunk.size > static_cast<uint64_t>(limit)) {
        base::log::warning("{}: BDAT request from {} exceeds message size limit", s.queue_id(), s.client.text());
        return smtp::Reply{552, "5.3.4", "Chunk exceeds message size limit"};
    }
    return std::nullopt;
}

} // namespace

async::Task<smtp::Reply> cmd_bdat(Session& s, const smtp::Command& command)
{
    // We cannot know how much of what follows is content: there is no way to go on.
    if (!s.offers("chunking")) {
        s.done = true;
        co_return smtp::Reply{521, "5.5.1", "Error: command not implemented"};
    }
    smtp::BdatCommand chunk;
    std::optional<smtp::Reply> malformed;
    try {
        chunk = smtp::parse_bdat(command.arguments);
    } catch (const smtp::Syntax& slip) {
        malformed = slip.reply();
    }
    if (malformed) {
        base::log::warning("{}: malformed BDAT command syntax from {}: BDAT {}", s.queue_id(), s.client.text(), base::printable(command.arguments, 100));
        s.done = true;
        co_return *malformed;
    }
    if (auto refusal = refuse_chunk(s, chunk)) {
        co_await skip_chunk(s, chunk);
        co_return *refusal;
    }
    std::optional<smtp::Reply> unwelcome;
    if (!s.mail->chunks) unwelcome = co_await restrictions::check_data(s);
    if (!s.mail->chunks && !unwelcome && s.milters) unwelcome = co_await s.milters->data();
    if (!s.mail->chunks && !unwelcome && s.mail->proxy) unwelcome = co_await s.mail->proxy->data();
    if (unwelcome) {
        co_await skip_chunk(s, chunk);
        co_return *unwelcome;
    }
    if (!s.mail->chunks) {
        begin_content(s);
        s.mail->chunks.emplace(s.config.cleanup_replace_stray_cr_lf);
        s.stage = bdat_begun;
    }
    co_await take_chunk(s, chunk.size);
    const smtp::ContentFacts& facts = s.mail->chunks->facts();
    if (facts.bare_newline && !s.bare_newline_exempt) {
        if (s.service.note_bare_newline) s.noted_bare_newline = true;
        if (s.service.bare_newline == smtp::BareNewline::reject && !s.mail->failure) s.mail->failure = bare_newline_reply(s);
    }
    if (!chunk.last) {
        if (!s.mail->failure) co_return smtp::Reply{250, "2.0.0", fmt::format("Ok: {} bytes", chunk.size)};
        smtp::Reply reply = *s.mail->failure;
        give_up(s, false);
        co_return reply;
    }
    s.mail->chunks->finish(s.mail->decoded);
    co_await take_content(s);
    smtp::ContentFacts seen = s.mail->chunks->facts();
    s.last_command = "END-OF-MESSAGE";
    co_return co_await end_content(s, seen);
}

} // namespace smtpd
