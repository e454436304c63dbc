// cmd_bdat: BDAT, RFC 3030: the content in chunks of known size.
#include "commands.h"
#include "restrictions/stages.h"

namespace smtpd {

namespace {

// Takes so many bytes off the wire; without a message to put them in, they are thrown away.
async::Task<> take_chunk(Session& s, uint64_t size)
{
    while (size > 0) {
        if (s.stream.buffered().empty()) co_await s.stream.fill(s.config.smtpd_timeout);
        std::string_view part = s.stream.buffered().substr(0, size);
        size -= part.size();
        if (s.mail && s.mail->chunks) s.mail->chunks->feed(part, s.mail->decoded);
        s.stream.consume(part.size());
        if (s.mail && s.mail->chunks) co_await take_content(s);
    }
}

} // namespace

async::Task<smtp::Reply> cmd_bdat(Session& s, const smtp::Command& command)
{
    smtp::BdatCommand chunk;
    std::optional<smtp::Reply> malformed;
    try {
        chunk = smtp::parse_bdat(command.arguments);
    } catch (const smtp::Syntax& slip) {
        malformed = slip.reply();
    }
    if (malformed) {
        // We cannot know how much of what follows is content: RFC 3030 leaves no way to go on.
        s.done = true;
        co_return *malformed;
    }
    if (auto refusal = not_ready_for_content(s)) {
        co_await take_chunk(s, chunk.size);
        co_return *refusal;
    }
    std::optional<smtp::Reply> unwelcome;
    if (!s.mail->chunks) unwelcome = co_await restrictions::check_data(s);
    if (unwelcome) {
        co_await take_chunk(s, chunk.size);
        s.reset();
        co_return *unwelcome;
    }
    if (!s.mail->chunks) {
        begin_content(s);
        s.mail->chunks.emplace(s.config.cleanup_replace_stray_cr_lf);
        s.stage = bdat_begun;
    }
    co_await take_chunk(s, chunk.size);
    if (!chunk.last) {
        if (!s.mail->failure) co_return smtp::Reply{250, "2.0.0", fmt::format("Ok: {} bytes", chunk.size)};
        smtp::Reply reply = *s.mail->failure;
        s.reset();
        co_return reply;
    }
    s.mail->chunks->finish(s.mail->decoded);
    co_await take_content(s);
    smtp::ContentFacts facts = s.mail->chunks->facts();
    co_return co_await end_content(s, facts);
}

} // namespace smtpd
