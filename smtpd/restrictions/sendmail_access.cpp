// sendmail_access: check_sendmail_access: a table as sendmail's /etc/mail/access has it. Keys are Connect:HOST, From:ADDRESS, To:ADDRESS,
// or without a tag for all three; right sides OK, RELAY, REJECT, DISCARD, SKIP, QUARANTINE:text, ERROR:D.S.N:code text, "550 text".
#include "restrictions/access.h"
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"

namespace smtpd::restrictions {
namespace {

using Keys = std::vector<std::string>;

// example.org, org: sendmail's parents match without a dot before them.
void add_domain(Keys& keys, std::string_view domain)
{
    while (!domain.empty()) {
        keys.emplace_back(domain);
        size_t dot = domain.find('.');
        if (dot == domain.npos) break;
        domain.remove_prefix(dot + 1);
    }
}

Keys client_keys(const Client& client)
{
    Keys keys;
    if (client.name != "unknown") add_domain(keys, client.name);
    bool ipv6 = client.is_ipv6();
    if (ipv6) keys.push_back("IPv6:" + client.address);
    for (std::string_view network = client.address; !network.empty();) {
        keys.emplace_back(network);
        size_t cut = network.find_last_of(ipv6 ? ':' : '.');
        if (cut == network.npos) break;
        network = network.substr(0, cut);
        while (network.ends_with(':')) network.remove_suffix(1);
    }
    return keys;
}

// user+ext@domain, user@domain, domain and its parents, user@.
Keys address_keys(const std::string& address)
{
    if (address.empty()) return {"<>"};
    auto parts = mail::split_address(address);
    Keys keys{address};
    std::string user(parts.local.substr(0, parts.local.find('+')));
    if (user.size() < parts.local.size()) keys.push_back(user + "@" + std::string(parts.domain));
    add_domain(keys, parts.domain);
    keys.push_back(user + "@");
    return keys;
}

struct Entry {
    std::string key, value;
};

std::optional<Entry> find(maps::Maps& table, std::string_view tag, const Keys& keys)
{
    for (const auto& key : keys) {
        for (const std::string& written : {std::string(tag) + key, key}) {
            if (auto value = table.find(written)) return Entry{written, std::string(base::trim(*value))};
        }
    }
    return std::nullopt;
}

// sendmail's right side as access(5) would say it; "" for nothing to do.
std::string translate(std::string_view value)
{
    if (base::starts_with_word(value, "ERROR:")) {
        // ERROR:"D.S.N:code text", or ERROR:code text.
        std::string_view rest = base::trim(value.substr(6));
        if (rest.size() > 1 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
        size_t length = smtp::enhanced_length(rest.substr(0, rest.find(':')));
        std::string dsn(rest.substr(0, length));
        if (length > 0 && length < rest.size() && rest[length] == ':') rest.remove_prefix(length + 1);
        auto words = base::cut(base::trim(rest), ' ');
        return fmt::format("{} {} {}", words.before, dsn, base::trim(words.after));
    }
    if (base::starts_with_word(value, "QUARANTINE:")) return "HOLD " + std::string(value.substr(11));
    if (base::same_word(value, "REJECT")) return "550 5.7.1 Access denied";
    if (base::same_word(value, "SKIP")) return "DUNNO";
    return std::string(value);
}

std::optional<Result> check(Inquiry& inquiry, const TableQuestion& question, std::string_view tag, const Keys& keys)
{
    std::optional<Entry> entry;
    try {
        entry = find(*question.step.table, tag, keys);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("access table {}: {}", question.step.argument, trouble.what());
        return inquiry.refuse(451, "4.3.5", question.subject, "Server configuration error");
    }
    if (!entry) return std::nullopt;
    // What is no verdict (a tag of another feature, a list of our own words) is left alone: such tables are others' too.
    std::string said = translate(entry->value);
    bool relays = base::same_word(said, "RELAY");
    if (relays && tag == "From:") said = "OK";      // sendmail relays for senders only when told so twice
    if (base::same_word(said, "OK") || base::same_word(said, "DUNNO")) return Result::dunno;
    if (relays) return Result::permit;
    return obey(inquiry, question, entry->key, said);
}

} // namespace

// OK lets the mail in, but not through: only RELAY (of the client, or of the recipient's domain) permits to relay.
Result check_sendmail_access(Inquiry& inquiry, const Step& step)
{
    if (!step.table) return Result::dunno;
    const Client& client = inquiry.session.client;
    struct Round {
        std::string_view tag;
        Keys keys;
        Subject subject;
    };
    std::vector<Round> rounds;
    rounds.push_back({"Connect:", client_keys(client), {client.name + "[" + client.address + "]", kind::client}});
    if (inquiry.sender)
        rounds.push_back({"From:", address_keys(inquiry.sender->empty() ? "" : inquiry.route_of_sender().recipient), {*inquiry.sender, kind::sender}});
    if (inquiry.recipient) rounds.push_back({"To:", address_keys(inquiry.route_of_recipient().recipient), {*inquiry.recipient, kind::recipient}});
    bool permitted = false;
    for (const auto& round : rounds) {
        TableQuestion question{step, inquiry.walk->table_word(), round.subject};
        auto result = check(inquiry, question, round.tag, round.keys);
        if (result == Result::refuse || result == Result::entered) return *result;
        if (result == Result::permit) permitted = true;
    }
    return permitted ? Result::permit : Result::dunno;
}

} // namespace smtpd::restrictions
