// cmd_data: DATA, RFC 5321 4.1.1.4: the content, up to the one and only end that we believe in.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"

namespace smtpd {

std::optional<smtp::Reply> not_ready_for_content(const Session& s)
{
    if (!s.mail) return smtp::Reply{503, "5.5.1", "Error: need MAIL command"};
    if (s.mail->recipients.empty()) return smtp::Reply{554, "5.5.1", "Error: no valid recipients"};
    return std::nullopt;
}

async::Task<smtp::Reply> cmd_data(Session& s, const smtp::Command& command)
{
    if (auto refusal = not_ready_for_content(s)) co_return *refusal;
    if (!command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: DATA"};
    auto unwelcome = co_await restrictions::check_data(s);
    if (unwelcome) co_return *unwelcome;
    begin_content(s);
    s.say({354, "", "End data with <CR><LF>.<CR><LF>"});
    co_await s.stream.flush(s.config.smtpd_timeout);
    bool exempt = s.client.uid || s.service.bare_newline_exceptions.contains(s.client.name, s.client.address);
    smtp::DataDecoder decoder(exempt ? smtp::BareNewline::accept_lines : s.service.bare_newline, s.config.cleanup_replace_stray_cr_lf);
    for (bool finished = false; !finished;) {
        if (s.stream.buffered().empty()) co_await s.stream.fill(s.config.smtpd_timeout);
        auto step = decoder.feed(s.stream.buffered(), s.mail->decoded);
        s.stream.consume(step.consumed);
        finished = step.finished;
        co_await take_content(s);
    }
    if (decoder.must_reject()) {
        base::log::info("{}: reject: bare <LF> received from {}", s.queue_id(), s.client.text());
        s.mail->failure = smtp::Reply{550, "5.5.2", "Error: bare <LF> received"};
        s.done = true;
    }
    s.last_command = "END-OF-MESSAGE";
    co_return co_await end_content(s, decoder.facts());
}

} // namespace smtpd
