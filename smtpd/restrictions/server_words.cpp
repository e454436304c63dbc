// server_words: check_…_{mx,ns,a}_access: access(5) tables asked for the servers of a domain, by name and address.
#include "restrictions/access.h"
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"

namespace smtpd::restrictions {
namespace {

enum class Servers { mx, ns, own };

constexpr uint16_t type_ns = 2;

constexpr std::string_view type_name(Servers servers)
{
    return servers == Servers::mx ? "MX" : servers == Servers::ns ? "NS" : "A";
}

// RFC 1035 3.1: a name on the wire, without compression; empty when it is none.
std::string read_name(std::string_view wire)
{
    std::string name;
    while (!wire.empty() && wire[0] != 0) {
        auto length = static_cast<unsigned char>(wire[0]);
        if (length > 63 || wire.size() < 1u + length) return "";
        name += (name.empty() ? "" : ".") + std::string(wire.substr(1, length));
        wire.remove_prefix(1u + length);
    }
    return name;
}

struct Found {
    dns::Status status = dns::Status::found;
    std::vector<std::string> hosts;
};

async::Task<Found> mail_servers(dns::Resolver& resolver, std::string domain)
{
    Found found;
    auto answer = co_await resolver.mx(domain);
    // RFC 5321 5.1: without MX the domain is its own.
    if (answer.status == dns::Status::no_data)
        found.hosts.push_back(domain);
    else
        found.status = answer.status;
    for (const auto& mx : answer.records)
        if (!mx.host.empty()) found.hosts.push_back(mx.host);
    co_return found;
}

// Those of the closest parent that has any.
async::Task<Found> name_servers(dns::Resolver& resolver, std::string domain)
{
    Found found;
    for (std::string_view zone = domain; !zone.empty();) {
        std::string name(zone);
        auto answer = co_await resolver.raw(name, type_ns);
        found.status = answer.status;
        for (const auto& data : answer.records) {
            std::string host = read_name(data);
            if (!host.empty()) found.hosts.push_back(std::move(host));
        }
        if (answer.status != dns::Status::no_data && answer.status != dns::Status::no_such_domain) break;
        size_t dot = zone.find('.');
        if (dot == zone.npos) break;
        zone.remove_prefix(dot + 1);
    }
    co_return found;
}

// The zone's host names are looked up, then their addresses; the first entry that is found decides.
async::Task<std::optional<Result>> ask_for_host(Inquiry& inquiry, const TableQuestion& question, std::string host, Servers servers)
{
    if (servers != Servers::own)
        if (auto result = look_up_domain(inquiry, question, host)) co_return result;
    auto answer = co_await inquiry.service.resolver.addresses(host);
    if (answer.status == dns::Status::try_again)
        base::log::warning("Unable to look up {} host {} for {} {}", type_name(servers), host, question.subject.kind, question.subject.name);
    for (const auto& address : answer.records)
        if (auto result = look_up_network(inquiry, question, address.ip())) co_return result;
    co_return std::nullopt;
}

async::Task<Result> check_servers(Inquiry& inquiry, const Step& step, std::string what, std::string_view kind, Servers servers)
{
    auto parts = mail::split_address(what);
    std::string domain(parts.has_domain ? parts.domain : std::string_view(what));
    if (domain.ends_with('.')) domain.pop_back();
    if (domain.empty() || domain == "unknown") co_return Result::dunno;
    TableQuestion question{step, inquiry.walk->table_word(), {what, kind}, step.word->name, domain};
    if (domain[0] == '[') {
        auto literal = maps::Address::parse(domain);
        if (!literal || servers == Servers::ns) co_return Result::dunno;
        std::string_view ip = std::string_view(domain).substr(1, domain.size() - 2);
        if (base::starts_with_word(ip, "ipv6:")) ip.remove_prefix(5);
        co_return look_up_network(inquiry, question, ip).value_or(Result::dunno);
    }
    auto ascii = mail::to_ascii_domain(domain);
    if (!ascii) co_return Result::dunno;
    Found found;
    if (servers == Servers::mx)
        found = co_await mail_servers(inquiry.service.resolver, *ascii);
    else if (servers == Servers::ns)
        found = co_await name_servers(inquiry.service.resolver, *ascii);
    else
        found.hosts.push_back(*ascii);
    if (found.status == dns::Status::try_again) base::log::warning("Unable to look up {} host for {}", type_name(servers), domain);
    for (auto& host : found.hosts) {
        auto result = co_await ask_for_host(inquiry, question, host, servers);
        if (result) co_return *result;
    }
    co_return Result::dunno;
}

async::Task<Result> check_sender(Inquiry& inquiry, const Step& step, Servers servers)
{
    if (!inquiry.sender || inquiry.sender->empty()) co_return Result::dunno;
    co_return co_await check_servers(inquiry, step, *inquiry.sender, kind::sender, servers);
}

async::Task<Result> check_recipient(Inquiry& inquiry, const Step& step, Servers servers)
{
    if (!inquiry.recipient) co_return Result::dunno;
    co_return co_await check_servers(inquiry, step, *inquiry.recipient, kind::recipient, servers);
}

} // namespace

async::Task<Result> check_client_mx_access(Inquiry& i, const Step& s) { return check_servers(i, s, i.session.client.name, kind::client, Servers::mx); }
async::Task<Result> check_client_ns_access(Inquiry& i, const Step& s) { return check_servers(i, s, i.session.client.name, kind::client, Servers::ns); }
async::Task<Result> check_client_a_access(Inquiry& i, const Step& s) { return check_servers(i, s, i.session.client.name, kind::client, Servers::own); }

async::Task<Result> check_reverse_client_mx_access(Inquiry& i, const Step& s)
{
    return check_servers(i, s, i.session.client.reverse_name, kind::reverse_client, Servers::mx);
}
async::Task<Result> check_reverse_client_ns_access(Inquiry& i, const Step& s)
{
    return check_servers(i, s, i.session.client.reverse_name, kind::reverse_client, Servers::ns);
}
async::Task<Result> check_reverse_client_a_access(Inquiry& i, const Step& s)
{
    return check_servers(i, s, i.session.client.reverse_name, kind::reverse_client, Servers::own);
}

async::Task<Result> check_helo_mx_access(Inquiry& i, const Step& s) { return check_servers(i, s, i.session.client.helo, kind::helo, Servers::mx); }
async::Task<Result> check_helo_ns_access(Inquiry& i, const Step& s) { return check_servers(i, s, i.session.client.helo, kind::helo, Servers::ns); }
async::Task<Result> check_helo_a_access(Inquiry& i, const Step& s) { return check_servers(i, s, i.session.client.helo, kind::helo, Servers::own); }

async::Task<Result> check_sender_mx_access(Inquiry& i, const Step& s) { return check_sender(i, s, Servers::mx); }
async::Task<Result> check_sender_ns_access(Inquiry& i, const Step& s) { return check_sender(i, s, Servers::ns); }
async::Task<Result> check_sender_a_access(Inquiry& i, const Step& s) { return check_sender(i, s, Servers::own); }

async::Task<Result> check_recipient_mx_access(Inquiry& i, const Step& s) { return check_recipient(i, s, Servers::mx); }
async::Task<Result> check_recipient_ns_access(Inquiry& i, const Step& s) { return check_recipient(i, s, Servers::ns); }
async::Task<Result> check_recipient_a_access(Inquiry& i, const Step& s) { return check_recipient(i, s, Servers::own); }

} // namespace smtpd::restrictions
