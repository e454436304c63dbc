// blocklist_words: lists in the DNS of addresses and names that are trusted or not (RFC 5782).
#include "restrictions/reply_text.h"
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "maps/network.h"

#include <algorithm>

namespace smtpd::restrictions {
namespace {

enum class Listed { no, yes, unclear };

async::Task<Listed> ask(Inquiry& inquiry, const Blocklist& list, std::string query)
{
    auto answer = co_await inquiry.service.resolver.addresses(query, dns::Families::ipv4);
    if (answer.status == dns::Status::try_again) {
        base::log::warning("{}: RBL lookup error: Host or domain name not found. Name service error for name={} type=A: Host not found, try again",
                           query, query);
        co_return Listed::unclear;
    }
    bool counts = std::any_of(answer.records.begin(), answer.records.end(), [&](const auto& address) { return list.counts(address); });
    co_return counts ? Listed::yes : Listed::no;
}

std::string address_query(const Inquiry& inquiry, const Blocklist& list)
{
    auto address = net::Address::parse_ip(inquiry.session.client.address, 0);
    return address ? reversed(*address) + "." + list.domain : "";
}

// What is asked about a name, or an address's domain; empty where it is none: a literal, a number.
std::string name_query(std::string_view what, const Blocklist& list)
{
    auto parts = mail::split_address(what);
    std::string_view domain = parts.has_domain ? parts.domain : what;
    if (domain.ends_with('.')) domain.remove_suffix(1);
    bool numeric = std::all_of(domain.begin(), domain.end(), [](char c) { return base::is_digit(c) || c == '.'; });
    auto ascii = mail::to_ascii_domain(domain);
    if (domain.empty() || numeric || !ascii || !mail::valid_domain(*ascii)) return "";
    return *ascii + "." + list.domain;
}

std::string reply_template(Inquiry& inquiry, const Blocklist& list)
{
    auto& replies = inquiry.rules.blocklist_replies;
    auto found = replies.find(list.written);
    if (!found && list.written != list.domain) found = replies.find(list.domain);
    return found ? *found : inquiry.rules.config.default_rbl_reply;
}

async::Task<Result> refuse_listed(Inquiry& inquiry, const Blocklist& list, std::string query, std::string what, std::string_view kind)
{
    // RFC 5782 2.1: the reason stands beside the answer.
    auto reason = co_await inquiry.service.resolver.txt(query);
    std::string text = reason.found() ? base::printable(reason.records[0]) : "";
    int64_t code = inquiry.rules.config.maps_rbl_reject_code;
    Names names = {{"rbl_code", std::to_string(code)}, {"rbl_domain", list.domain}, {"rbl_what", std::move(what)}, {"rbl_class", std::string(kind)},
                   {"rbl_reason", text},               {"rbl_txt", text}};
    std::string line = fill_in(inquiry.session, inquiry.sender, inquiry.recipient, reply_template(inquiry, list), names);
    auto reply = smtp::Reply::parse(line);
    if (!reply || (reply->code / 100 != 4 && reply->code / 100 != 5)) co_return inquiry.refuse(static_cast<int>(code), "4.7.1", line);
    co_return inquiry.refuse(reply->code, reply->enhanced.empty() ? "4.7.1" : reply->enhanced, reply->text);
}

async::Task<Result> refuse_if_listed(Inquiry& inquiry, const Blocklist& list, std::string query, std::string what, std::string_view kind)
{
    if (query.empty()) co_return Result::dunno;
    Listed listed = co_await ask(inquiry, list, query);
    if (listed != Listed::yes) co_return Result::dunno;
    co_return co_await refuse_listed(inquiry, list, std::move(query), std::move(what), kind);
}

async::Task<Result> refuse_listed_name(Inquiry& inquiry, const Step& step, std::string what, std::string_view kind)
{
    if (!step.blocklist || what.empty() || what == "unknown") co_return Result::dunno;
    std::string query = name_query(what, *step.blocklist);
    co_return co_await refuse_if_listed(inquiry, *step.blocklist, std::move(query), std::move(what), kind);
}

async::Task<Result> permit_if_listed(Inquiry& inquiry, const Blocklist& list, std::string query, std::string what)
{
    if (query.empty()) co_return Result::dunno;
    Listed listed = co_await ask(inquiry, list, query);
    if (listed == Listed::yes) co_return Result::permit;
    if (listed == Listed::no) co_return Result::dunno;
    Subject subject{std::move(what), kind::client};
    co_return inquiry.postpone_permission(450, "4.7.1", rejected(subject, "Allowlist lookup error"));
}

} // namespace

async::Task<Result> reject_rbl_client(Inquiry& inquiry, const Step& step)
{
    if (!step.blocklist) co_return Result::dunno;
    std::string query = address_query(inquiry, *step.blocklist);
    co_return co_await refuse_if_listed(inquiry, *step.blocklist, std::move(query), inquiry.session.client.address, kind::client);
}

async::Task<Result> reject_maps_rbl(Inquiry& inquiry, const Step&)
{
    for (const auto& domain : inquiry.rules.config.maps_rbl_domains) {
        auto list = Blocklist::parse(domain);
        if (!list) continue;
        std::string query = address_query(inquiry, *list);
        Result result = co_await refuse_if_listed(inquiry, *list, std::move(query), inquiry.session.client.address, kind::client);
        if (result != Result::dunno) co_return result;
    }
    co_return Result::dunno;
}

async::Task<Result> permit_dnswl_client(Inquiry& inquiry, const Step& step)
{
    if (!step.blocklist) co_return Result::dunno;
    std::string query = address_query(inquiry, *step.blocklist);
    co_return co_await permit_if_listed(inquiry, *step.blocklist, std::move(query), inquiry.session.client.address);
}

async::Task<Result> permit_rhswl_client(Inquiry& inquiry, const Step& step)
{
    const std::string& name = inquiry.session.client.name;
    if (!step.blocklist || name == "unknown") co_return Result::dunno;
    std::string query = name_query(name, *step.blocklist);
    co_return co_await permit_if_listed(inquiry, *step.blocklist, std::move(query), name);
}

async::Task<Result> reject_rhsbl_client(Inquiry& inquiry, const Step& step)
{
    return refuse_listed_name(inquiry, step, inquiry.session.client.name, kind::client);
}

async::Task<Result> reject_rhsbl_reverse_client(Inquiry& inquiry, const Step& step)
{
    return refuse_listed_name(inquiry, step, inquiry.session.client.reverse_name, kind::reverse_client);
}

async::Task<Result> reject_rhsbl_helo(Inquiry& inquiry, const Step& step)
{
    return refuse_listed_name(inquiry, step, inquiry.session.client.helo, kind::helo);
}

async::Task<Result> reject_rhsbl_sender(Inquiry& inquiry, const Step& step)
{
    return refuse_listed_name(inquiry, step, inquiry.sender.value_or(""), kind::sender);
}

async::Task<Result> reject_rhsbl_recipient(Inquiry& inquiry, const Step& step)
{
    return refuse_listed_name(inquiry, step, inquiry.recipient.value_or(""), kind::recipient);
}

} // namespace smtpd::restrictions
