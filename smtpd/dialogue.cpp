// dialogue: greeting, then command by command: what is read, whether it is a command at all, who may give it, and what bad ones cost.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"
#include "base/text.h"

namespace smtpd {
namespace {

constexpr size_t longest_logged = 100;

// Bytes of a stranger for the log: one line, control characters visible.
std::string shown(std::string_view bytes) { return base::printable(bytes.substr(0, longest_logged)); }

// A client that sends on where it must wait for an answer wants to smuggle, or is broken.
bool pipelined_wrongly(Session& s)
{
    if (s.service.letterbox || s.noted_pipelining || !s.stream.peek()) return false;
    base::log::info("improper command pipelining after {} from {}: {}", s.last_command, s.client.text(), shown(s.stream.buffered()));
    s.noted_pipelining = true;
    return s.config.smtpd_forbid_unauth_pipelining;
}

smtp::Reply break_off(Session& s)
{
    s.done = true;
    s.stream.discard_buffered();
    return {554, "5.5.0", "Error: SMTP protocol synchronization"};
}

// RFC 5321 2.3.8: a line ends in CRLF and nothing else. Nothing: the command may be looked at.
std::optional<smtp::Reply> refuse_bare_newline(Session& s)
{
    if (!s.stream.line_end_was_bare() || s.bare_newline_exempt) return std::nullopt;
    if (s.service.note_bare_newline) s.noted_bare_newline = true;
    if (s.service.bare_newline != smtp::BareNewline::reject) return std::nullopt;
    smtp::Reply reply = bare_newline_reply(s);
    log_reject(s, s.last_command, reply);
    s.done = true;
    return reply;
}

// A list that cannot be looked up decides nothing: these are conveniences.
bool listed(maps::MatchList& list, const std::string& word)
{
    try {
        return list.matches(word);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
        return false;
    }
}

// smtpd_command_filter: the command that is obeyed instead.
std::string filtered(Session& s, std::string_view line)
{
    std::string command(base::trim_left(line));
    if (!s.service.command_filter) return command;
    auto other = s.service.command_filter->find(command);
    if (!other) return command;
    base::log::info("{}: replacing command \"{}\" with \"{}\"", s.client.text(), shown(command), shown(*other));
    return *other;
}

// Who speaks HTTP, or sends the header of a message, was led here by somebody else.
bool is_foreign(Session& s, const std::string& word)
{
    bool field = word.size() > 1 && word.back() == ':';
    return field || listed(s.service.forbidden_commands, word);
}

bool has_control(std::string_view line)
{
    return std::any_of(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

smtp::Reply answer_unknown(Session& s, const std::string& line, const smtp::Command& command)
{
    s.last_command = "UNKNOWN";
    ++s.tally["unknown"].tried;
    if (!s.service.letterbox && is_foreign(s, command.verb)) {
        base::log::warning("non-{} command from {}: {}", s.service.lmtp ? "LMTP" : "SMTP", s.client.text(), shown(line));
        s.done = true;
        return {221, "2.7.0", "Error: I can break rules, too. Goodbye."};
    }
    if (command.verb.empty() || has_control(line)) return {500, "5.5.2", "Error: bad syntax"};
    return {500, "5.5.2", "Error: command not recognized"};
}

// What stands against this verb here and now, whatever its arguments.
std::optional<smtp::Reply> refuse_verb(Session& s, const Verb& verb)
{
    if (s.denied && verb.run != cmd_quit) {
        if (s.denied->code % 100 == 21) return s.denied;
        return smtp::Reply{503, "5.7.0", "Error: access denied for " + s.client.text()};
    }
    if (s.service.tls_level == TlsLevel::encrypt && !s.tls && !(verb.traits & before_tls) && !s.service.letterbox)
        return smtp::Reply{530, "5.7.0", "Must issue a STARTTLS command first"};
    if (verb.traits & needs_greeting && s.config.smtpd_helo_required && s.client.helo.empty())
        return smtp::Reply{503, "5.5.1", "Error: send HELO/EHLO first"};
    if (verb.traits & outside_mail && s.mail) return smtp::Reply{503, "5.5.1", "Error: MAIL transaction in progress"};
    if (verb.traits & not_in_chunks && s.stage == bdat_begun) return smtp::Reply{503, "5.5.1", fmt::format("Error: {} after BDAT", verb.name)};
    return std::nullopt;
}

async::Task<smtp::Reply> obey(Session& s, const Verb& verb, const smtp::Command& command)
{
    smtp::Reply reply;
    try {
        reply = co_await verb.run(s, command);
    } catch (const smtp::Syntax& slip) {
        reply = slip.reply();
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
        reply = {451, "4.3.0", "Error: temporary lookup failure"};
    } catch (const config::Error& trouble) {
        base::log::warning("{}", trouble.what());
        reply = {451, "4.3.5", "Server configuration error"};
    }
    co_return reply;
}

async::Task<smtp::Reply> answer(Session& s, std::string line)
{
    smtp::Command command = smtp::split_command(line);
    if (!command.verb.empty() && listed(s.service.noop_commands, command.verb)) {
        if (s.junk++ > s.config.smtpd_junk_command_limit) ++s.errors;
        co_return smtp::Reply{250, "2.0.0", "Ok"};
    }
    const Verb* verb = find_verb(command.verb, s.service.lmtp);
    if (!verb) {
        smtp::Reply reply = answer_unknown(s, line, command);
        std::optional<smtp::Reply> objection;
        if (s.milters && !s.done) objection = co_await s.milters->unknown(line);
        co_return objection ? *objection : reply;
    }
    if (has_control(line)) {
        ++s.tally["unknown"].tried;
        co_return smtp::Reply{500, "5.5.2", "Error: bad syntax"};
    }
    std::string name = base::lower(command.verb);
    ++s.tally[name].tried;
    if (auto refusal = refuse_verb(s, *verb)) co_return *refusal;
    s.last_command = command.verb;
    bool must_wait = s.client.protocol == "SMTP" || verb->traits & last_in_group;
    if (must_wait && pipelined_wrongly(s)) co_return break_off(s);
    std::optional<smtp::Reply> objection;
    if (s.milters && (verb->run == cmd_auth || verb->run == cmd_starttls || verb->run == cmd_vrfy)) objection = s.milters->standing();
    if (objection) co_return *objection;
    smtp::Reply reply = co_await obey(s, *verb, command);
    if (s.milters && !s.mail) co_await s.milters->transaction_over();
    if (verb->traits & junk && s.junk++ > s.config.smtpd_junk_command_limit) ++s.errors;
    if (reply.code < 400) ++s.tally[name].done;
    co_return reply;
}

async::Task<smtp::Reply> answer_line(Session& s)
{
    bool too_long = false;
    std::string_view line;
    try {
        line = co_await s.stream.line(s.config.smtpd_timeout, static_cast<size_t>(s.config.line_length_limit));
    } catch (const net::LineTooLong&) {
        too_long = true;
    }
    if (too_long) co_return smtp::Reply{500, "5.5.2", "Error: command line too long"};
    if (auto refusal = refuse_bare_newline(s)) co_return *refusal;
    if (s.config.smtputf8_enable && !base::is_utf8(line)) {
        s.last_command = "UNKNOWN";
        ++s.tally["unknown"].tried;
        co_return smtp::Reply{500, "5.5.2", "Error: bad UTF-8 syntax"};
    }
    std::string command, trouble;
    try {
        command = filtered(s, line);
    } catch (const maps::Unavailable& failure) {
        trouble = failure.what();
    }
    if (!trouble.empty()) {
        base::log::warning("{}", trouble);
        co_return smtp::Reply{421, "4.3.0", s.config.myhostname + " Server local data error"};
    }
    co_return co_await answer(s, std::move(command));
}

async::Task<> next_reply(Session& s)
{
    s.forgiven = false;
    s.stream.set_deadline(s.config.smtpd_per_request_deadline ? s.config.smtpd_timeout : async::no_limit);
    smtp::Reply reply = co_await answer_line(s);
    if (reply.code >= 400 && !s.forgiven) ++s.errors;
    if (reply.code == 0) co_return;    // it has spoken for itself
    if (!s.service.letterbox && s.errors >= s.config.smtpd_soft_error_limit) {
        co_await s.stream.flush(s.config.smtpd_timeout);
        co_await async::sleep(s.config.smtpd_error_sleep_time);
    }
    s.say(reply);
    if (reply.code == 421 || reply.code == 521) s.done = true;
}

} // namespace

smtp::Reply bare_newline_reply(const Session& s)
{
    return {static_cast<int>(s.config.smtpd_forbid_bare_newline_reject_code), "5.5.2", s.config.myhostname + " Error: bare <LF> received"};
}

void know_client(Session& s)
{
    auto in = [&](maps::NetworkList& list) { return list.contains(s.client.name, s.client.address); };
    Service& service = s.service;
    s.client.trusted = in(service.trusted_networks);
    s.client.log_port = s.config.smtpd_client_port_logging;
    s.may_xclient = in(service.xclient_hosts);
    s.may_xforward = in(service.xforward_hosts);
    s.bare_newline_exempt = in(service.bare_newline_exceptions);
    s.counted_as = counted_as(s);
}

async::Task<> greet(Session& s)
{
    if (!s.service.letterbox) {
        // RFC 5321 4.3.1: a client that talks before the greeting does not speak SMTP; nothing of it is believed.
        if (!s.config.smtpd_tls_wrappermode && pipelined_wrongly(s)) {
            s.say(break_off(s));
            co_return;
        }
        if (auto refusal = refuse_connection(s)) {
            s.say(*refusal);
            s.done = true;
            co_return;
        }
    }
    s.hidden_keywords = s.service.hidden_keywords_for(s.client.address);
    auto objection = co_await meet_milters(s);
    if (objection) {
        s.done = objection->code == 421;
        s.say(*objection);
    } else {
        s.denied = co_await restrictions::check_client(s);
        s.say(s.denied ? *s.denied : smtp::Reply{220, "", s.service.banner});
    }
    co_await s.stream.flush(s.config.smtpd_timeout);
}

async::Task<> converse(Session& s)
{
    co_await greet(s);
    while (!s.done) {
        if (s.errors >= s.config.smtpd_hard_error_limit && !s.service.letterbox) {
            base::log::info("too many errors after {} from {}", s.last_command, s.client.text());
            s.say({421, "4.7.0", s.config.myhostname + " Error: too many errors"});
            break;
        }
        // Replies to pipelined commands go out together (RFC 2920 3.2).
        if (!s.stream.has_line()) co_await s.stream.flush(s.config.smtpd_timeout);
        co_await next_reply(s);
    }
}

} // namespace smtpd
