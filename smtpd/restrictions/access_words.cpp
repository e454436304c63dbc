// access_words: check_…_access: which keys of an access(5) table are asked for, and in which order.
#include "restrictions/access.h"
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

namespace smtpd::restrictions {
namespace {

Result check_host(Inquiry& inquiry, const Step& step, const std::string& name, Subject subject)
{
    TableQuestion question{step, inquiry.walk->table_word(), std::move(subject)};
    if (auto result = look_up_domain(inquiry, question, name)) return *result;
    return look_up_network(inquiry, question, inquiry.session.client.address).value_or(Result::dunno);
}

Result check_name(Inquiry& inquiry, const Step& step, const std::string& name, std::string_view kind)
{
    if (name.empty()) return Result::dunno;
    TableQuestion question{step, inquiry.walk->table_word(), {name, kind}};
    return look_up_domain(inquiry, question, name).value_or(Result::dunno);
}

Result check_address(Inquiry& inquiry, const Step& step, const std::string& address, const routing::Route& route, std::string_view kind)
{
    TableQuestion question{step, inquiry.walk->table_word(), {address, kind}};
    return look_up_address(inquiry, question, route.recipient).value_or(Result::dunno);
}

} // namespace

Result check_client_access(Inquiry& inquiry, const Step& step)
{
    const Client& client = inquiry.session.client;
    return check_host(inquiry, step, client.name, {client.name + "[" + client.address + "]", kind::client});
}

Result check_reverse_client_hostname_access(Inquiry& inquiry, const Step& step)
{
    const std::string& name = inquiry.session.client.reverse_name;
    return check_host(inquiry, step, name, {name, kind::reverse_client});
}

Result check_helo_access(Inquiry& inquiry, const Step& step) { return check_name(inquiry, step, inquiry.session.client.helo, kind::helo); }
Result check_etrn_access(Inquiry& inquiry, const Step& step) { return check_name(inquiry, step, inquiry.etrn_domain, kind::etrn); }

Result check_sender_access(Inquiry& inquiry, const Step& step)
{
    if (!inquiry.sender) return Result::dunno;
    if (!inquiry.sender->empty()) return check_address(inquiry, step, *inquiry.sender, inquiry.route_of_sender(), kind::sender);
    TableQuestion question{step, inquiry.walk->table_word(), {"", kind::sender}};
    return look_up(inquiry, question, inquiry.rules.config.smtpd_null_access_lookup_key, maps::Key::whole).value_or(Result::dunno);
}

Result check_recipient_access(Inquiry& inquiry, const Step& step)
{
    if (!inquiry.recipient) return Result::dunno;
    return check_address(inquiry, step, *inquiry.recipient, inquiry.route_of_recipient(), kind::recipient);
}

Result check_sasl_access(Inquiry& inquiry, const Step& step)
{
    const std::string& user = inquiry.session.sasl_user;
    if (user.empty()) return Result::dunno;
    TableQuestion question{step, inquiry.walk->table_word(), {user, kind::login}};
    return look_up(inquiry, question, user, maps::Key::whole).value_or(Result::dunno);
}

Result check_ccert_access(Inquiry& inquiry, const Step& step)
{
    const auto& tls = inquiry.session.tls;
    if (!tls || tls->peer_fingerprint.empty()) return Result::dunno;
    const Client& client = inquiry.session.client;
    TableQuestion question{step, inquiry.walk->table_word(), {client.name + "[" + client.address + "]", kind::certificate}};
    if (auto result = look_up(inquiry, question, tls->peer_fingerprint, maps::Key::whole)) return *result;
    if (tls->peer_key_fingerprint.empty()) return Result::dunno;
    return look_up(inquiry, question, tls->peer_key_fingerprint, maps::Key::whole).value_or(Result::dunno);
}

} // namespace smtpd::restrictions
