#include "transaction.h"

#include "base/log.h"
#include "content.h"
#include "editing.h"
#include "envelope.h"

#include <fmt/format.h>

namespace smtp_client {
namespace {

// So many commands are sent before their replies are read: never so many that both sides wait for the other to read.
constexpr size_t window = 100;
constexpr async::Limit last_words_limit{1000};

struct Step {
    enum Kind : uint8_t { rset, xforward, mail, rcpt, data } kind;
    size_t recipient = 0;
};

class Transaction {
public:
    Transaction(Session& session, Delivery& delivery, Context& context)
        : session_(session), delivery_(delivery), context_(context), settings_(context.settings)
    {
    }

    bool prepare();
    async::Task<> envelope();
    async::Task<> body();
    async::Task<> last_words();
    Ending ending() const;
    void lost(const Problem& problem);
    bool took_nothing() const { return !mail_answered_; }

private:
    void plan();
    void write(const Step& step);
    void handle(const Step& step, const smtp::Reply& reply);
    void server_leaves(const Step& step, const smtp::Reply& reply);
    void handle_rcpt(size_t recipient, smtp::Reply reply);
    bool pointless(const Step& step) const;
    async::Limit limit(const Step& step) const;
    async::Task<> end_of_data_for_lmtp();
    void conclude(size_t recipient, const smtp::Reply& reply);
    void end_probe_at_data();
    void trouble_accepted(const Problem& problem);
    ContentForm content_form(Editor* editor) const;

    Session& session_;
    Delivery& delivery_;
    Context& context_;
    const Settings& settings_;
    EnvelopeForm form_;
    std::vector<Step> steps_;
    std::vector<size_t> accepted_; // recipients that RCPT was agreed to
    bool mail_answered_ = false, mail_accepted_ = false, data_accepted_ = false;
    std::vector<smtp::Reply> rcpt_replies_; // of a probe, to those
    bool server_leaves_ = false; // it said 421, or we must leave
};

// What can be known before a word is said. False when nobody is left to deliver to.
bool Transaction::prepare()
{
    const spool::Deliver& job = delivery_.job;
    for (size_t i = 0; i < delivery_.size(); ++i)
        if (delivery_.open(i) && !is_sendable(job.recipients[i].address))
            delivery_.fail(i, session_, bounced("5.1.3", "bad address syntax"));
    if (!is_sendable(job.sender)) delivery_.trouble_all_open(session_, bounced("5.1.7", "bad sender address syntax"));
    if (session_.can.size > 0 && job.content_length > session_.can.size) {
        auto text = fmt::format("message size {} exceeds size limit {} of server {}", job.content_length,
                                session_.can.size, session_.name);
        delivery_.trouble_all_open(session_, bounced("5.3.4", text));
    }
    bool asked = job.content_flags & spool::content_utf8;
    bool needed = has_addresses_beyond_ascii(job) || (asked && !session_.can.smtputf8 && header_beyond_ascii(job));
    form_.utf8 = session_.can.smtputf8 && (asked || needed);
    form_.tables = context_.tables.get();
    form_.quote = settings_.quote_envelope;
    form_.dummy_auth = settings_.sasl.dummy_mail_auth && session_.logged_in;
    // RFC 6531 3.2: what needs it cannot go where it is not known.
    if (needed && !session_.can.smtputf8) {
        auto text = fmt::format("SMTPUTF8 is required, but was not offered by host {}", session_.name);
        delivery_.trouble_all_open(session_, bounced("5.6.7", text));
    }
    if (delivery_.open_count() == 0) return false;
    plan();
    return true;
}

void Transaction::plan()
{
    steps_.reserve(delivery_.open_count() + 4);
    if (session_.needs_rset) steps_.push_back({Step::rset});
    if (settings_.send_xforward && !xforward_command(delivery_.job, session_.can).empty())
        steps_.push_back({Step::xforward});
    steps_.push_back({Step::mail});
    for (size_t i = 0; i < delivery_.size(); ++i)
        if (delivery_.open(i)) steps_.push_back({Step::rcpt, i});
    if (!delivery_.job.probe || settings_.probe_data) steps_.push_back({Step::data});
    session_.needs_rset = false;
}

void Transaction::write(const Step& step)
{
    switch (step.kind) {
    case Step::rset: return session_.stream.write("RSET\r\n");
    case Step::xforward: return session_.stream.write(xforward_command(delivery_.job, session_.can));
    case Step::mail: return session_.stream.write(mail_command(delivery_.job, session_.can, form_));
    case Step::rcpt: return session_.stream.write(rcpt_command(delivery_.job.recipients[step.recipient], session_.can, form_));
    case Step::data: return session_.stream.write("DATA\r\n");
    }
}

async::Limit Transaction::limit(const Step& step) const
{
    switch (step.kind) {
    case Step::rset: return settings_.rset_timeout;
    case Step::xforward: return settings_.xforward_timeout;
    case Step::mail: return settings_.mail_timeout;
    case Step::rcpt: return settings_.rcpt_timeout;
    case Step::data: return settings_.data_init_timeout;
    }
    return settings_.mail_timeout;
}

// A command that nothing can come of is not sent.
bool Transaction::pointless(const Step& step) const
{
    if (step.kind == Step::rcpt) return mail_answered_ && !mail_accepted_;
    return step.kind == Step::data && mail_answered_ && accepted_.empty();
}

async::Task<> Transaction::envelope()
{
    constexpr const char* stages[] = {"sending RSET", "sending XFORWARD command", "sending MAIL FROM",
                                      "sending RCPT TO", "sending DATA command"};
    // RFC 2920 3.1: DATA may be the last command of a group.
    size_t most = session_.can.pipelining ? window : 1;
    smtp::Reply reply;
    if (settings_.tls.block_early_reply && session_.under_tls && session_.uses == 1 && session_.stream.ready()) {
        // Somebody in the middle may have put words of his in front of ours (CVE-2009-3555).
        server_leaves_ = true;
        delivery_.trouble_all_open(session_, deferred("4.7.0", "unexpected server message"));
        co_return;
    }
    for (size_t next = 0; next < steps_.size();) {
        size_t sent = next;
        for (; sent < steps_.size() && sent - next < most; ++sent) {
            // In a group that begins after RCPT was answered, DATA's use is known only when the last of them is.
            bool undecided = steps_[sent].kind == Step::data && sent > next && mail_answered_;
            if (pointless(steps_[sent]) || (undecided && accepted_.empty())) break;
            write(steps_[sent]);
        }
        if (sent == next) co_return;
        session_.stage = stages[steps_[next].kind];
        co_await session_.stream.flush(limit(steps_[next]));
        for (; next < sent; ++next) {
            session_.stage = stages[steps_[next].kind];
            if (!session_.take_reply(reply)) reply = co_await session_.read_reply(limit(steps_[next]));
            handle(steps_[next], reply);
            if (server_leaves_) co_return;
        }
    }
}

void Transaction::handle(const Step& step, const smtp::Reply& reply)
{
    if (reply.code == 421) return server_leaves(step, reply);
    switch (step.kind) {
    case Step::rset:
    case Step::xforward: return;
    case Step::mail:
        mail_answered_ = true;
        mail_accepted_ = reply.ok();
        if (!mail_accepted_) delivery_.trouble_all_open(session_, refused(session_.name, reply, "MAIL FROM command"));
        return;
    case Step::rcpt: return handle_rcpt(step.recipient, reply);
    case Step::data:
        data_accepted_ = reply.code == 354;
        if (!data_accepted_ && !accepted_.empty()) trouble_accepted(refused(session_.name, reply, "DATA command"));
        if (data_accepted_ && delivery_.job.probe && !accepted_.empty()) end_probe_at_data();
        return;
    }
}

// RFC 5321 3.8: 421 may come at any time. To a kept connection before it took anything, it is as if it had been closed
// without a word.
void Transaction::server_leaves(const Step& step, const smtp::Reply& reply)
{
    constexpr const char* commands[] = {"RSET command", "XFORWARD command", "MAIL FROM command", "RCPT TO command",
                                        "DATA command"};
    server_leaves_ = true;
    if (took_nothing() && session_.uses > 1) return;
    delivery_.trouble_all_open(session_, refused(session_.name, reply, commands[step.kind]));
}

void Transaction::handle_rcpt(size_t recipient, smtp::Reply reply)
{
    if (!mail_accepted_) return;
    if (reply.ok()) {
        accepted_.push_back(recipient);
        if (!delivery_.job.probe) return;
        if (settings_.probe_data) rcpt_replies_.push_back(std::move(reply));
        else delivery_.delivered(recipient, session_, reply);
        return;
    }
    // RFC 5321 4.5.3.1.10: 552 in place of 452 for too many recipients.
    if (reply.code == 552) reply.code = 452;
    delivery_.trouble(recipient, session_, refused(session_.name, reply, "RCPT TO command"));
}

// Nothing but a broken connection takes DATA back.
void Transaction::end_probe_at_data()
{
    for (size_t i = 0; i < accepted_.size(); ++i) delivery_.delivered(accepted_[i], session_, rcpt_replies_[i]);
    server_leaves_ = true;
}

void Transaction::trouble_accepted(const Problem& problem)
{
    for (size_t each : accepted_)
        if (delivery_.open(each)) delivery_.trouble(each, session_, problem);
}

ContentForm Transaction::content_form(Editor* editor) const
{
    ContentForm form;
    form.line_limit = settings_.line_limit;
    // RFC 6152 3: eight-bit content goes only to those who say that they take it.
    form.seven_bits_only = settings_.convert_8bit && !session_.can.eightbitmime && !form_.utf8 &&
                           delivery_.job.content_flags & spool::content_8bit;
    form.editor = editor;
    if (!context_.tables->body_checks.empty()) form.edit_body_limit = settings_.edit_body_limit;
    form.limit = settings_.data_xfer_timeout;
    if (settings_.whole_request_deadline) form.least_rate = settings_.least_data_rate;
    if (session_.delays_dot) form.dot_delay = settings_.pix_delay;
    return form;
}

async::Task<> Transaction::body()
{
    if (server_leaves_) co_return;
    if (!data_accepted_) {
        session_.needs_rset = mail_accepted_;
        co_return;
    }
    if (accepted_.empty()) {
        // RFC 2920 3.1: DATA was agreed to although nobody is to have it; a lone dot ends that. The reply is of no
        // interest.
        session_.stream.write(".\r\n");
        (void)co_await session_.ask(settings_.data_done_timeout);
        session_.needs_rset = true;
        co_return;
    }
    std::optional<TableEditor> editor;
    if (context_.tables->checks() || context_.tables->rewrites())
        editor.emplace(*context_.tables, delivery_.job.queue_id);
    co_await send_content(session_, delivery_.job, content_form(editor ? &*editor : nullptr));
    if (settings_.lmtp) {
        co_await end_of_data_for_lmtp();
    } else {
        smtp::Reply reply = co_await session_.read_reply(settings_.data_done_timeout);
        if (reply.code == 421) server_leaves_ = true;
        for (size_t each : accepted_) conclude(each, reply);
    }
}

// RFC 2033 4.2: a reply for each recipient that RCPT was agreed to, in their order.
async::Task<> Transaction::end_of_data_for_lmtp()
{
    smtp::Reply reply;
    for (size_t each : accepted_) {
        if (!session_.take_reply(reply)) reply = co_await session_.read_reply(settings_.data_done_timeout);
        if (reply.code == 421) server_leaves_ = true;
        conclude(each, reply);
    }
}

void Transaction::conclude(size_t recipient, const smtp::Reply& reply)
{
    if (reply.ok())
        delivery_.delivered(recipient, session_, reply);
    else
        delivery_.trouble(recipient, session_, refused(session_.name, reply, "end of DATA command"));
}

// The server hung up in the middle of the content: perhaps it has said why.
async::Task<> Transaction::last_words()
{
    smtp::Reply reply;
    try {
        if (!session_.take_reply(reply)) reply = co_await session_.read_reply(last_words_limit);
    } catch (const net::Gone&) {
        co_return;
    } catch (const smtp::BadReply&) {
        co_return;
    }
    if (reply.transient() || reply.permanent()) trouble_accepted(refused(session_.name, reply, "end of DATA command"));
}

void Transaction::lost(const Problem& problem)
{
    if (session_.stage == stage_end_of_data) {
        // The server may have the message: another host must not get it now.
        for (size_t each : accepted_)
            if (delivery_.open(each)) delivery_.fail(each, session_, problem);
        return;
    }
    delivery_.trouble_all_open(session_, problem);
}

Ending Transaction::ending() const
{
    if (!server_leaves_) return Ending::reusable;
    return took_nothing() && session_.uses > 1 ? Ending::stale : Ending::broken;
}

} // namespace

async::Task<Ending> transact(Session& session, Delivery& delivery, Context& context)
{
    ++session.uses;
    Transaction transaction(session, delivery, context);
    if (!transaction.prepare()) co_return Ending::reusable;
    std::optional<Problem> problem;
    bool hung_up = false, local_fault = false;
    try {
        co_await transaction.envelope();
        co_await transaction.body();
    } catch (const net::Gone& gone) {
        problem = session.lost(gone);
        hung_up =
            gone.why() != net::Gone::timed_out && (session.stage == stage_body || session.stage == stage_end_of_data);
    } catch (const smtp::BadReply& bad) {
        problem = session.nonsense(bad);
    } catch (const base::SystemError& failure) {
        base::log::warning("{}: {}", delivery.job.queue_id, failure.what());
        problem = deferred("4.3.0", "queue file read error");
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}: {}", delivery.job.queue_id, trouble.what());
        problem = deferred("4.3.0", fmt::format("local data error while talking to {}", session.name));
        local_fault = true;
    }
    if (!problem) co_return transaction.ending();
    if (transaction.took_nothing() && session.uses > 1 && !local_fault) co_return Ending::stale;
    if (hung_up) co_await transaction.last_words();
    transaction.lost(*problem);
    co_return Ending::broken;
}

} // namespace smtp_client
