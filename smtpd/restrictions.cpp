#include "restrictions.h"

#include "base/text.h"
#include "mail/address.h"

#include <fmt/format.h>

namespace smtpd {
namespace {

using Word = Verdict (*)(const Facts&, int relay_code);

Verdict permit_if(bool condition) { return {condition ? Verdict::permit : Verdict::dunno, {}}; }

Verdict refuse_if(bool condition, int code, const std::string& dsn, const std::string& text)
{
    if (!condition) return {};
    return {Verdict::refuse, {code, dsn, text}};
}

bool is_fqdn(std::string_view domain)
{
    return domain.empty() || domain.front() == '[' || (domain.find('.') != std::string_view::npos && domain.back() != '.');
}

std::string_view domain_of(const std::string& address) { return mail::split_address(address).domain; }

struct Entry {
    std::string_view name;
    Word decide;
};

constexpr Entry words[] = {
    {"permit", [](const Facts&, int) { return permit_if(true); }},
    {"reject", [](const Facts& f, int) { return refuse_if(true, 554, "5.7.1", fmt::format("<{}>: Recipient address rejected: Access denied", f.recipient)); }},
    {"defer", [](const Facts& f, int) { return refuse_if(true, 450, "4.7.1", fmt::format("<{}>: Recipient address rejected: Try again later", f.recipient)); }},
    {"permit_mynetworks", [](const Facts& f, int) { return permit_if(f.in_mynetworks); }},
    {"permit_sasl_authenticated", [](const Facts& f, int) { return permit_if(f.authenticated); }},
    {"permit_auth_destination", [](const Facts& f, int) { return permit_if(f.our_destination); }},
    {"reject_unauth_destination",
     [](const Facts& f, int code) { return refuse_if(!f.our_destination, code, "5.7.1", fmt::format("<{}>: Relay access denied", f.recipient)); }},
    {"defer_unauth_destination",
     [](const Facts& f, int) { return refuse_if(!f.our_destination, 454, "4.7.1", fmt::format("<{}>: Relay access denied", f.recipient)); }},
    {"reject_unlisted_recipient",
     [](const Facts& f, int) {
         return refuse_if(!f.recipient_known, f.unknown_code, f.unknown_code < 500 ? "4.1.1" : "5.1.1",
                          fmt::format("<{}>: Recipient address rejected: {}", f.recipient, f.unknown_text));
     }},
    {"reject_non_fqdn_sender",
     [](const Facts& f, int) {
         return refuse_if(!f.sender.empty() && (domain_of(f.sender).empty() || !is_fqdn(domain_of(f.sender))), 504, "5.5.2",
                          fmt::format("<{}>: Sender address rejected: need fully-qualified address", f.sender));
     }},
    {"reject_non_fqdn_recipient",
     [](const Facts& f, int) {
         return refuse_if(domain_of(f.recipient).empty() || !is_fqdn(domain_of(f.recipient)), 504, "5.5.2",
                          fmt::format("<{}>: Recipient address rejected: need fully-qualified address", f.recipient));
     }},
    {"reject_non_fqdn_helo_hostname",
     [](const Facts& f, int) {
         return refuse_if(!is_fqdn(f.helo), 504, "5.5.2", fmt::format("<{}>: Helo command rejected: need fully-qualified hostname", f.helo));
     }},
    {"reject_invalid_helo_hostname",
     [](const Facts& f, int) {
         bool valid = f.helo.empty() || mail::valid_domain(f.helo) || mail::valid_address_literal(f.helo);
         return refuse_if(!valid, 501, "5.5.2", fmt::format("<{}>: Helo command rejected: Invalid name", f.helo));
     }},
    // Improper pipelining ends the session by itself (smtpd_forbid_unauth_pipelining).
    {"reject_unauth_pipelining", [](const Facts&, int) { return Verdict{}; }},
};

const Entry* find_word(std::string_view name)
{
    for (const Entry& entry : words)
        if (base::same_word(entry.name, name)) return &entry;
    return nullptr;
}

} // namespace

Verdict evaluate(const std::vector<std::string>& list, const Facts& facts, int relay_code)
{
    for (const auto& name : list) {
        const Entry* entry = find_word(name);
        if (!entry) continue;
        Verdict verdict = entry->decide(facts, relay_code);
        if (verdict.kind != Verdict::dunno) return verdict;
    }
    return {};
}

std::optional<smtp::Reply> decide_recipient(const std::vector<const std::vector<std::string>*>& lists, const Facts& facts, int relay_code,
                                            bool reject_unlisted)
{
    for (const auto* list : lists) {
        Verdict verdict = evaluate(*list, facts, relay_code);
        if (verdict.kind == Verdict::refuse) return verdict.reply;
    }
    if (reject_unlisted) {
        Verdict verdict = evaluate({"reject_unlisted_recipient"}, facts, relay_code);
        if (verdict.kind == Verdict::refuse) return verdict.reply;
    }
    return std::nullopt;
}

std::vector<std::string> unsupported_restrictions(const std::vector<std::string>& list)
{
    std::vector<std::string> found;
    for (const auto& name : list)
        if (!find_word(name)) found.push_back(name);
    return found;
}

} // namespace smtpd
