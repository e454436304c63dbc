// cmd_rcpt: RCPT, RFC 5321 4.1.1.3: may it go there, and can it?
#include "commands.h"
#include "restrictions.h"

#include "base/log.h"
#include "mail/address.h"

namespace smtpd {

namespace {

int unknown_code(const Session& s, routing::AddressClass address_class)
{
    switch (address_class) {
    case routing::AddressClass::virtual_alias: return static_cast<int>(s.config.unknown_virtual_alias_reject_code);
    case routing::AddressClass::virtual_mailbox: return static_cast<int>(s.config.unknown_virtual_mailbox_reject_code);
    case routing::AddressClass::relay: return static_cast<int>(s.config.unknown_relay_recipient_reject_code);
    default: return static_cast<int>(s.config.unknown_local_recipient_reject_code);
    }
}

Facts gather_facts(Session& s, const std::string& recipient)
{
    Facts facts;
    facts.in_mynetworks = s.client.trusted;
    facts.authenticated = !s.sasl_user.empty();
    facts.sender = s.mail->sender;
    facts.recipient = recipient;
    facts.helo = s.client.helo;
    routing::Route route = s.service.router.route(recipient, s.mail->sender);
    facts.our_destination = route.address_class != routing::AddressClass::default_ && !route.routed;
    facts.recipient_known = s.service.recipients.exists(recipient);
    if (!facts.recipient_known) {
        facts.unknown_text = s.service.recipients.unknown_text(route.address_class);
        facts.unknown_code = unknown_code(s, route.address_class);
    }
    return facts;
}

std::optional<smtp::Reply> decide(Session& s, const std::string& recipient)
{
    // What a local user sends is taken and bounced if it must be: a script reads no replies.
    if (s.service.letterbox) return std::nullopt;
    Facts facts = gather_facts(s, recipient);
    // As with smtpd_delay_reject = yes: client, HELO and sender are judged when a recipient is named.
    return decide_recipient({&s.config.smtpd_client_restrictions, &s.config.smtpd_helo_restrictions, &s.config.smtpd_sender_restrictions,
                             &s.config.smtpd_relay_restrictions, &s.config.smtpd_recipient_restrictions},
                            facts, static_cast<int>(s.config.relay_domains_reject_code), s.config.smtpd_reject_unlisted_recipient);
}

bool is_given(const Transaction& mail, const std::string& address)
{
    return std::any_of(mail.recipients.begin(), mail.recipients.end(), [&](const auto& known) { return known.address == address; });
}

// The addresses that canonical maps and virtual aliases make of it; each gets the message once.
void add_recipients(Session& s, const smtp::RcptCommand& command, const std::string& address)
{
    std::string canonical = s.service.address_maps.canonical(address, routing::Place::envelope_recipient);
    for (auto& final_address : s.service.address_maps.expand_virtual(canonical)) {
        if (is_given(*s.mail, final_address)) continue;
        spool::Recipient recipient;
        recipient.address = std::move(final_address);
        recipient.original = address;
        if (!command.orcpt.empty()) recipient.dsn_original = command.orcpt_type + ";" + command.orcpt;
        recipient.notify = command.notify;
        s.mail->recipients.push_back(std::move(recipient));
    }
}

} // namespace

async::Task<smtp::Reply> cmd_rcpt(Session& s, const smtp::Command& command)
{
    if (!s.mail) co_return smtp::Reply{503, "5.5.1", "Error: need MAIL command"};
    smtp::RcptCommand rcpt = smtp::parse_rcpt(command.arguments, grammar_of(s));
    if (rcpt.recipient.beyond_ascii() && !s.mail->mail.smtputf8) co_return smtp::Reply{553, "5.6.7", "Must declare SMTPUTF8 to send unicode address"};
    // RFC 5321 4.5.3.1.10: 452, so that the client comes again with the rest.
    if (++s.mail->named > s.config.smtpd_recipient_limit) {
        // That is how a long list is sent; only who goes far beyond does it in vain.
        s.forgiven = s.mail->named <= s.config.smtpd_recipient_limit + s.config.smtpd_recipient_overshoot_limit;
        co_return smtp::Reply{452, "4.5.3", "Error: too many recipients"};
    }
    std::string address = s.service.router.rewrite(rcpt.recipient.address);
    auto refusal = decide(s, address);
    if (refusal) {
        log_reject(s, "RCPT", *refusal, address);
        co_return *refusal;
    }
    auto no_room = co_await open_file(s);
    if (no_room) {
        log_reject(s, "RCPT", *no_room, address);
        co_return *no_room;
    }
    add_recipients(s, rcpt, address);
    s.stage = rcpt_given;
    co_return smtp::Reply{250, "2.1.5", "Ok"};
}

} // namespace smtpd
