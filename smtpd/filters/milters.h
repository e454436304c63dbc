// milters: the milters of one SMTP session, asked in their order at each event; the first that objects decides. What they answer becomes
// a reply, a line in the log, and what is done to the message (spool::Treatment, cleanup::Intake).
#pragma once

#include "filters/milter_settings.h"

#include "cleanup/intake.h"
#include "smtp/command.h"
#include "smtp/reply.h"

#include <optional>
#include <string>
#include <vector>

namespace smtpd {

struct Session;

class Milters {
public:
    using Refusal = std::optional<smtp::Reply>;

    // All must outlive it.
    Milters(Session& session, MilterSettings& settings, const MilterSettings::Services& services);

    // At the greeting. A refusal below 500 is left to MAIL, but for 421, as Sendmail does it.
    async::Task<Refusal> connect();
    // A refusal other than 421 is left to MAIL.
    async::Task<Refusal> helo();
    async::Task<Refusal> mail(std::string arguments);
    async::Task<Refusal> rcpt(std::string arguments, std::string address);
    // We have refused the recipient: milters that want to know are told.
    async::Task<> rejected_rcpt(std::string arguments, smtp::Reply reply);
    async::Task<Refusal> data();
    async::Task<Refusal> unknown(std::string line);
    // What was said at connect or HELO holds for AUTH, STARTTLS and VRFY too.
    Refusal standing();
    // The content, before Intake seals it. Throws base::SystemError.
    async::Task<Refusal> message(cleanup::Intake& intake);
    // After each command that left no transaction: milters that began one are told.
    async::Task<> transaction_over();
    async::Task<> quit();

private:
    std::optional<std::string> macro(std::string_view name);
    std::optional<std::string> connection_macro(std::string_view name) const;
    std::optional<std::string> security_macro(std::string_view name) const;
    Refusal carry_out(const milter::Decision& decision, std::string_view where);
    std::string log_line(std::string_view event, std::string_view where, const std::string& text) const;
    milter::Peer peer() const;
    spool::Treatment& treatment();

    struct Hop {
        std::string address, host, mailer;
    };
    Hop hop(const std::string& address);

    Session& session_;
    MilterSettings& settings_;
    milter::MacroValue macro_value_;
    std::vector<milter::Session> milters_;
    Hop mail_, rcpt_;               // {mail_addr} …, {rcpt_addr} …
    bool in_transaction_ = false;
    bool hold_all_ = false;         // a milter that cannot be reached, and milter_default_action = quarantine
};

// The milters for this client, if there are any, hear of him. The refusal takes the place of the greeting. Throws maps::Unavailable.
async::Task<Milters::Refusal> meet_milters(Session& session);

} // namespace smtpd
