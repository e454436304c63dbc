// cmd_data: DATA, RFC 5321 4.1.1.4: the content, up to the one and only end that we believe in.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"

namespace smtpd {

std::optional<smtp::Reply> not_ready_for_content(const Session& s)
{
    if (!s.mail) return smtp::Reply{503, "5.5.1", "Error: need RCPT command"};
    if (s.mail->recipients.empty()) return smtp::Reply{554, "5.5.1", "Error: no valid recipients"};
    return std::nullopt;
}

async::Task<> more_content(Session& s)
{
    co_await s.stream.fill(s.config.smtpd_timeout);
    // smtpd_min_data_rate: with smtpd_per_request_deadline content earns time by coming in.
    auto bytes = static_cast<int64_t>(s.stream.buffered().size());
    s.stream.extend_deadline(async::Limit(bytes * 1000 / s.config.smtpd_min_data_rate), s.config.smtpd_timeout);
}

async::Task<smtp::Reply> cmd_data(Session& s, const smtp::Command& command)
{
    if (auto refusal = not_ready_for_content(s)) co_return *refusal;
    if (!command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: DATA"};
    auto unwelcome = co_await restrictions::check_data(s);
    if (unwelcome) co_return *unwelcome;
    if (s.milters) unwelcome = co_await s.milters->data();
    if (!unwelcome && s.mail->proxy) unwelcome = co_await s.mail->proxy->data();
    if (unwelcome) co_return *unwelcome;
    begin_content(s);
    s.say({354, "", "End data with <CR><LF>.<CR><LF>"});
    co_await s.stream.flush(s.config.smtpd_timeout);
    smtp::DataDecoder decoder(s.bare_newline_exempt ? smtp::BareNewline::accept_lines : s.service.bare_newline, s.config.cleanup_replace_stray_cr_lf);
    for (bool finished = false; !finished;) {
        if (s.stream.buffered().empty()) co_await more_content(s);
        auto step = decoder.feed(s.stream.buffered(), s.mail->decoded);
        s.stream.consume(step.consumed);
        finished = step.finished;
        co_await take_content(s);
    }
    if (decoder.must_reject()) s.mail->failure = bare_newline_reply(s);
    if (decoder.facts().bare_newline && s.service.note_bare_newline && !s.bare_newline_exempt) s.noted_bare_newline = true;
    s.last_command = "END-OF-MESSAGE";
    co_return co_await end_content(s, decoder.facts());
}

} // namespace smtpd
