// address_words: restrictions on sender and recipient that our own tables answer.
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "routing/address_search.h"

namespace smtpd::restrictions {
namespace {

using routing::AddressClass;

bool is_ours(const routing::Route& route) { return route.address_class != AddressClass::default_; }

// RFC 5321 3.7.1: who is not ours to serve may not send through us. Addresses that route on behind us are for strangers too.
Result refuse_relaying(Inquiry& inquiry, int code, std::string_view dsn)
{
    if (!inquiry.recipient) return Result::dunno;
    const auto& route = inquiry.route_of_recipient();
    if (is_ours(route) && (!route.routed || inquiry.rules.config.allow_untrusted_routing)) return Result::dunno;
    return inquiry.refuse(code, dsn, fmt::format("<{}>: Relay access denied", *inquiry.recipient));
}

Result refuse_non_fqdn(Inquiry& inquiry, const std::string& address, std::string_view kind)
{
    std::string_view domain = mail::split_address(address).domain;
    if (domain.starts_with('[')) return Result::dunno;
    if (domain.ends_with('.') && !domain.ends_with("..")) domain.remove_suffix(1);
    if (mail::valid_domain(domain, true) && domain.find('.') != domain.npos) return Result::dunno;
    return inquiry.refuse(static_cast<int>(inquiry.rules.config.non_fqdn_reject_code), "5.5.2", {address, kind}, "need fully-qualified address");
}

int unknown_code(const config::Config& config, AddressClass address_class)
{
    switch (address_class) {
    case AddressClass::virtual_alias: return static_cast<int>(config.unknown_virtual_alias_reject_code);
    case AddressClass::virtual_mailbox: return static_cast<int>(config.unknown_virtual_mailbox_reject_code);
    case AddressClass::relay: return static_cast<int>(config.unknown_relay_recipient_reject_code);
    default: return static_cast<int>(config.unknown_local_recipient_reject_code);
    }
}

Result refuse_unlisted(Inquiry& inquiry, const std::string& address, const routing::Route& route, std::string_view kind)
{
    Service& service = inquiry.service;
    std::string dsn = kind == kind::sender ? "5.1.0" : "5.1.1";
    if (!service.recipients.exists(service.router.rewrite(address)))
        return inquiry.refuse(unknown_code(service.config, route.address_class), dsn, {address, kind}, service.recipients.unknown_text(route.address_class));
    // relocated_maps, and transport_maps that say so. Aliases' domains go to error too, once their aliases are expanded.
    bool error = route.transport == "error", retry = route.transport == "retry";
    if ((!error && !retry) || route.address_class == AddressClass::virtual_alias) return Result::dunno;
    size_t length = smtp::enhanced_length(route.nexthop);
    std::string text(base::trim(std::string_view(route.nexthop).substr(length)));
    return inquiry.refuse(error ? 550 : 450, length ? route.nexthop.substr(0, length) : dsn, {address, kind}, text);
}

// Who may use a sender address: the logins that smtpd_sender_login_maps names; nothing when it names none.
std::optional<std::vector<std::string>> owners(Inquiry& inquiry)
{
    auto search = routing::address_search(inquiry.rules.config, inquiry.service.router.domains());
    auto hit = maps::find_address(inquiry.rules.sender_login, inquiry.route_of_sender().recipient, search);
    if (!hit) return std::nullopt;
    std::vector<std::string> logins;
    for (auto login : base::split(hit->value)) logins.emplace_back(login);
    return logins;
}

bool has_sender(const Inquiry& inquiry) { return inquiry.sender && !inquiry.sender->empty(); }

Result refuse_foreign_sender(Inquiry& inquiry, bool allow_unknown)
{
    const std::string& user = inquiry.session.sasl_user;
    if (user.empty()) return Result::dunno;
    auto logins = owners(inquiry);
    if (!logins && allow_unknown) return Result::dunno;
    if (logins && std::any_of(logins->begin(), logins->end(), [&](const auto& login) { return base::same_word(login, user); })) return Result::dunno;
    return inquiry.refuse(553, "5.7.1", {*inquiry.sender, kind::sender}, "not owned by user " + base::printable(user));
}

Result refuse_owned_sender(Inquiry& inquiry)
{
    if (!inquiry.session.sasl_user.empty() || !owners(inquiry)) return Result::dunno;
    return inquiry.refuse(553, "5.7.1", {*inquiry.sender, kind::sender}, "not logged in");
}

} // namespace

Result permit_auth_destination(Inquiry& inquiry, const Step&)
{
    if (!inquiry.recipient) return Result::dunno;
    const auto& route = inquiry.route_of_recipient();
    return is_ours(route) && (!route.routed || inquiry.rules.config.allow_untrusted_routing) ? Result::permit : Result::dunno;
}

Result reject_unauth_destination(Inquiry& inquiry, const Step&)
{
    return refuse_relaying(inquiry, static_cast<int>(inquiry.rules.config.relay_domains_reject_code), "5.7.1");
}

Result defer_unauth_destination(Inquiry& inquiry, const Step&)
{
    return refuse_relaying(inquiry, static_cast<int>(inquiry.rules.config.relay_domains_reject_code) - 100, "4.7.1");
}

Result reject_non_fqdn_sender(Inquiry& inquiry, const Step&)
{
    return has_sender(inquiry) ? refuse_non_fqdn(inquiry, *inquiry.sender, kind::sender) : Result::dunno;
}

Result reject_non_fqdn_recipient(Inquiry& inquiry, const Step&)
{
    return inquiry.recipient ? refuse_non_fqdn(inquiry, *inquiry.recipient, kind::recipient) : Result::dunno;
}

Result reject_unlisted_sender(Inquiry& inquiry, const Step&)
{
    if (!has_sender(inquiry) || std::exchange(inquiry.sender_checked, true)) return Result::dunno;
    return refuse_unlisted(inquiry, *inquiry.sender, inquiry.route_of_sender(), kind::sender);
}

Result reject_unlisted_recipient(Inquiry& inquiry, const Step&)
{
    if (!inquiry.recipient || std::exchange(inquiry.recipient_checked, true)) return Result::dunno;
    return refuse_unlisted(inquiry, *inquiry.recipient, inquiry.route_of_recipient(), kind::recipient);
}

Result reject_multi_recipient_bounce(Inquiry& inquiry, const Step&)
{
    if (!inquiry.sender || !inquiry.sender->empty() || !inquiry.session.mail) return Result::dunno;
    // At RCPT the one in question does not count yet.
    size_t others = inquiry.recipient && inquiry.where == "RCPT" ? 0 : 1;
    if (inquiry.session.mail->recipients.size() <= others) return Result::dunno;
    return inquiry.refuse(static_cast<int>(inquiry.rules.config.multi_recipient_bounce_reject_code), "5.5.3", inquiry.walk->subject(),
                          "Multi-recipient bounce");
}

Result reject_authenticated_sender_login_mismatch(Inquiry& inquiry, const Step&)
{
    return has_sender(inquiry) ? refuse_foreign_sender(inquiry, false) : Result::dunno;
}

Result reject_known_sender_login_mismatch(Inquiry& inquiry, const Step&)
{
    if (!has_sender(inquiry)) return Result::dunno;
    return inquiry.session.sasl_user.empty() ? refuse_owned_sender(inquiry) : refuse_foreign_sender(inquiry, true);
}

Result reject_unauthenticated_sender_login_mismatch(Inquiry& inquiry, const Step&)
{
    return has_sender(inquiry) ? refuse_owned_sender(inquiry) : Result::dunno;
}

Result reject_sender_login_mismatch(Inquiry& inquiry, const Step&)
{
    if (!has_sender(inquiry)) return Result::dunno;
    return inquiry.session.sasl_user.empty() ? refuse_owned_sender(inquiry) : refuse_foreign_sender(inquiry, false);
}

} // namespace smtpd::restrictions
