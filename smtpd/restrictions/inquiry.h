// inquiry: one question to the restriction lists: is this client, at this point of the dialogue, welcome? It holds what is asked about,
// gives the answers their form, and writes them to the log.
#pragma once

#include "restrictions/state.h"

#include "routing/router.h"
#include "smtp/reply.h"
#include "spool/treatment.h"

#include <optional>
#include <string>
#include <string_view>

namespace smtpd {
struct Session;
class Service;
}

namespace smtpd::restrictions {

class Rules;
class Walk;

enum class Result {
    dunno,
    permit,     // the list ends, and the next one is asked
    refuse,     // Inquiry::refusal says how
    entered,    // a table or class named a list, which is next: Walk::enter() was called
};

// What a refusal is about: "<joe@example.net>: Sender address rejected: …".
struct Subject {
    std::string name;
    std::string_view kind;
};

namespace kind {
inline constexpr std::string_view client = "Client host", reverse_client = "Unverified Client host", certificate = "Client certificate",
                                  login = "SASL login name", helo = "Helo command", sender = "Sender address", recipient = "Recipient address",
                                  etrn = "Etrn command", data = "Data command", end_of_data = "End-of-data";
}

class Inquiry {
public:
    // where: the command that is to be answered, as it stands in the log: "RCPT".
    Inquiry(Session& session, std::string_view where);

    Session& session;
    Service& service;
    Rules& rules;
    const std::string where;
    // As the client gave them, in internal form; nothing where none was given yet.
    std::optional<std::string> sender, recipient;
    std::string etrn_domain;
    Walk* walk = nullptr;               // of the list that is being evaluated
    Postponed defer_if_permit;
    smtp::Reply refusal;                // of Result::refuse
    bool sender_checked = false, recipient_checked = false;     // by reject_unlisted_…

    // "CODE DSN text". The class of dsn follows the code. Under warn_if_reject only a line in the log, and dunno.
    Result refuse(int code, std::string_view dsn, std::string text);
    // "<name>: kind rejected: text".
    Result refuse(int code, std::string_view dsn, const Subject& subject, std::string_view text);
    Result permit() const { return Result::permit; }
    // smtpd_log_access_permit_actions. from: the table, where it was one.
    void log_permit(std::string_view action, const Subject& subject, std::string_view from = {}) const;
    // The configuration is at fault, or a table fails: the list ends.
    Result server_error();
    Result lookup_failed(const std::string& name);
    // It would refuse but for a passing fault; action: reject_tempfail_action and its kin.
    Result postpone_refusal(std::string_view action, int code, std::string_view dsn, std::string text);
    // It would permit but for one.
    Result postpone_permission(int code, std::string_view dsn, std::string text);
    // "NOQUEUE: hold: RCPT from NAME[ADDRESS]: text; from=<F> to=<T> proto=ESMTP helo=<H>".
    void log(std::string_view event, const std::string& text) const;

    spool::Treatment& treatment();
    // Where mail for an address would go; the address as the client gave it. Throws maps::Unavailable.
    const routing::Route& route_of_sender();
    const routing::Route& route_of_recipient();

private:
    std::optional<routing::Route> sender_route_, recipient_route_;
};

std::string rejected(const Subject& subject, std::string_view text);

} // namespace smtpd::restrictions
