// dns_words: restrictions that ask the DNS whether a name exists, and who serves it.
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/text.h"
#include "mail/address.h"

#include <algorithm>

namespace smtpd::restrictions {
namespace {

enum class Existence { exists, none, unclear, null_mx };

// Whether a name has an MX, or an address (RFC 5321 5.1).
async::Task<Existence> look_up(dns::Resolver& resolver, std::string name)
{
    auto ascii = mail::to_ascii_domain(name);
    if (ascii) name = *ascii;
    auto mx = co_await resolver.mx(name);
    if (mx.found()) {
        // RFC 7505: a single MX with the root as its host: no mail, please.
        bool null_mx = mx.records.size() == 1 && mx.records[0].host.empty();
        co_return null_mx ? Existence::null_mx : Existence::exists;
    }
    if (mx.status == dns::Status::no_such_domain) co_return Existence::none;
    auto addresses = co_await resolver.addresses(name);
    if (addresses.found()) co_return Existence::exists;
    bool unclear = mx.status == dns::Status::try_again || addresses.status == dns::Status::try_again;
    co_return unclear ? Existence::unclear : Existence::none;
}

async::Task<Result> refuse_unknown_domain(Inquiry& inquiry, const std::string& address, const routing::Route& route, std::string_view kind)
{
    using routing::AddressClass;
    bool is_sender = kind == kind::sender;
    if (route.address_class != AddressClass::default_ && route.address_class != AddressClass::relay) co_return Result::dunno;
    std::string domain(mail::split_address(route.recipient).domain);
    if (domain.empty() || domain[0] == '[') co_return Result::dunno;
    Existence existence = co_await look_up(inquiry.service.resolver, domain);
    const auto& config = inquiry.rules.config;
    std::string_view dsn = is_sender ? "4.1.8" : "4.1.2";
    Subject subject{address, kind};
    switch (existence) {
    case Existence::exists: break;
    // RFC 7505 4.1, 4.2.
    case Existence::null_mx:
        co_return inquiry.refuse(is_sender ? 550 : 556, is_sender ? "4.7.27" : "4.1.10", subject,
                                 fmt::format("Domain {} does not accept mail (nullMX)", domain));
    case Existence::none: co_return inquiry.refuse(static_cast<int>(config.unknown_address_reject_code), dsn, subject, "Domain not found");
    case Existence::unclear:
        co_return inquiry.postpone_refusal(config.unknown_address_tempfail_action, 450, dsn, rejected(subject, "Domain not found"));
    }
    co_return Result::dunno;
}

bool is_own_host(const Inquiry& inquiry, std::string_view host)
{
    return base::same_word(host, inquiry.rules.config.myhostname);
}

bool is_own_address(const Inquiry& inquiry, const net::Address& address)
{
    auto parsed = maps::Address::parse(address.ip());
    const auto& own = inquiry.rules.own_addresses;
    return parsed && std::find(own.begin(), own.end(), *parsed) != own.end();
}

struct Host {
    bool ours = false;
    bool all_in_backup_networks = true;
    bool known = false;
};

async::Task<Host> look_at(Inquiry& inquiry, std::string name)
{
    Host host;
    host.ours = is_own_host(inquiry, name);
    auto answer = co_await inquiry.service.resolver.addresses(name);
    host.known = answer.found();
    for (const auto& address : answer.records) {
        if (is_own_address(inquiry, address)) host.ours = true;
        if (!inquiry.rules.mx_backup_networks.contains(address.ip())) host.all_in_backup_networks = false;
    }
    co_return host;
}

} // namespace

async::Task<Result> reject_unknown_helo_hostname(Inquiry& inquiry, const Step&)
{
    const std::string& helo = inquiry.session.client.helo;
    if (helo.empty() || helo[0] == '[') co_return reject_invalid_helo_hostname(inquiry, {});
    Existence existence = co_await look_up(inquiry.service.resolver, helo);
    if (existence == Existence::exists) co_return Result::dunno;
    Subject subject{helo, kind::helo};
    const auto& config = inquiry.rules.config;
    if (existence == Existence::unclear)
        co_return inquiry.postpone_refusal(config.unknown_helo_hostname_tempfail_action, 450, "4.7.1", rejected(subject, "Host not found"));
    co_return inquiry.refuse(static_cast<int>(config.unknown_hostname_reject_code), "4.7.1", subject, "Host not found");
}

async::Task<Result> reject_unknown_sender_domain(Inquiry& inquiry, const Step&)
{
    if (!inquiry.sender || inquiry.sender->empty()) co_return Result::dunno;
    co_return co_await refuse_unknown_domain(inquiry, *inquiry.sender, inquiry.route_of_sender(), kind::sender);
}

async::Task<Result> reject_unknown_recipient_domain(Inquiry& inquiry, const Step&)
{
    if (!inquiry.recipient) co_return Result::dunno;
    co_return co_await refuse_unknown_domain(inquiry, *inquiry.recipient, inquiry.route_of_recipient(), kind::recipient);
}

// We are among the recipient's mail exchangers, and (permit_mx_backup_networks) the best of them stand where we expect them.
async::Task<Result> permit_mx_backup(Inquiry& inquiry, const Step& step)
{
    if (!inquiry.recipient) co_return Result::dunno;
    if (permit_auth_destination(inquiry, step) == Result::permit) co_return Result::permit;
    const auto& route = inquiry.route_of_recipient();
    std::string domain(mail::split_address(route.recipient).domain);
    if (route.routed || domain.empty() || domain[0] == '[') co_return Result::dunno;
    auto mx = co_await inquiry.service.resolver.mx(domain);
    if (mx.status == dns::Status::try_again)
        co_return inquiry.postpone_permission(450, "4.4.4", rejected({*inquiry.recipient, kind::recipient}, "Unable to look up mail exchangers"));
    bool ours = false, best_are_expected = true;
    for (const auto& each : mx.records) {
        Host host = co_await look_at(inquiry, each.host);
        if (host.ours) ours = true;
        bool best = each.preference == mx.records[0].preference;
        if (best && !inquiry.rules.mx_backup_networks.empty() && (!host.known || !host.all_in_backup_networks)) best_are_expected = false;
    }
    co_return ours && best_are_expected ? Result::permit : Result::dunno;
}

} // namespace smtpd::restrictions
