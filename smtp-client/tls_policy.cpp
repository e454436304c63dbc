#include "tls_policy.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "tls/ciphers.h"
#include "tls/error.h"
#include "tls/protocols.h"

#include <algorithm>

namespace smtp_client {
namespace {

// A policy that makes no sense: said in a warning, and the mail waits.
class BadPolicy : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What one entry of the table says; what it does not say comes from main.cf.
struct Entry {
    tls::Level level = tls::Level::none;
    bool dane_only = false;
    std::vector<std::string> match, fingerprints, trust_anchors;
    std::optional<std::string> protocols, ciphers, exclude, servername;
    std::optional<bool> reuse;
};

bool checks_names(tls::Level level) { return level == tls::Level::verify || level == tls::Level::secure; }

void add_pieces(std::vector<std::string>& list, std::string_view text, std::string_view separators)
{
    for (auto piece : base::split(text, separators)) list.emplace_back(piece);
}

void set_once(std::optional<std::string>& field, std::string_view name, std::string_view value)
{
    if (field) throw BadPolicy(fmt::format("attribute \"{}\" is specified multiple times", name));
    field = std::string(value);
}

void read_match(Entry& entry, std::string_view name, std::string_view value)
{
    if (entry.level == tls::Level::fingerprint)
        add_pieces(entry.fingerprints, value, "|");
    else if (checks_names(entry.level))
        add_pieces(entry.match, value, ":");
    else
        throw BadPolicy(fmt::format("attribute \"{}\" invalid at security level \"{}\"", name, tls::word(entry.level)));
}

void read_attribute(Entry& entry, std::string_view word)
{
    auto [name, value, has_value] = base::cut(word, '=');
    if (!has_value) throw BadPolicy(fmt::format("malformed attribute/value pair \"{}\": missing '='", word));
    auto is = [name = name](std::string_view known) { return base::same_word(name, known); };
    bool may_be_empty = is("exclude") || is("protocols");
    if (value.empty() && !may_be_empty) throw BadPolicy(fmt::format("attribute \"{}\" has empty value", name));
    if (is("ciphers")) return set_once(entry.ciphers, name, value);
    if (is("protocols")) return set_once(entry.protocols, name, value);
    if (is("exclude")) return set_once(entry.exclude, name, value);
    if (is("match")) return read_match(entry, name, value);
    if (is("servername")) {
        if (value != "hostname" && value != "nexthop" && !mail::valid_domain(value))
            throw BadPolicy(fmt::format("\"{}={}\" specifies an invalid hostname", name, value));
        return set_once(entry.servername, name, value);
    }
    if (is("tafile")) {
        if (!checks_names(entry.level))
            throw BadPolicy(fmt::format("attribute \"{}\" invalid at security level \"{}\"", name, tls::word(entry.level)));
        entry.trust_anchors.emplace_back(value);
        return;
    }
    if (is("connection_reuse")) {
        if (!base::same_word(value, "yes") && !base::same_word(value, "no"))
            throw BadPolicy(fmt::format("attribute \"{}\" has bad value: \"{}\"", name, value));
        entry.reuse = base::same_word(value, "yes");
        return;
    }
    throw BadPolicy(fmt::format("invalid attribute name: \"{}\"", name));
}

Entry read_entry(std::string_view text, const std::string& where)
{
    auto words = base::split(text);
    if (words.empty()) throw BadPolicy("invalid empty policy");
    Entry entry;
    auto level = tls::level(words[0]);
    if (!level) throw BadPolicy(fmt::format("invalid security level \"{}\"", words[0]));
    entry.level = *level;
    entry.dane_only = base::same_word(words[0], "dane-only");
    for (size_t i = 1; i < words.size(); ++i) {
        if (entry.level != tls::Level::none)
            read_attribute(entry, words[i]);
        else
            base::log::warning("{}: ignoring attribute \"{}\" with TLS disabled", where, words[i]);
    }
    return entry;
}

std::string place(std::string_view destination)
{
    return fmt::format("TLS policy table, next-hop destination \"{}\"", destination);
}

std::optional<Entry> find_entry(maps::Maps& policies, std::string_view destination)
{
    if (policies.empty()) return std::nullopt;
    bool is_domain = mail::valid_domain(destination);
    for (auto key = destination;;) {
        if (auto found = policies.find(key)) return read_entry(*found, place(key));
        size_t dot = is_domain && !key.empty() ? key.find('.', 1) : key.npos;
        if (dot == key.npos) return std::nullopt;
        key.remove_prefix(dot);
    }
}

void refuse(TlsPolicy& policy)
{
    policy.problem = deferred("4.7.5", "client TLS configuration problem");
}

// TLSA records are not looked up: as Postfix without DNSSEC, `dane` is then opportunistic, and `dane-only` not to be had.
void without_dane(TlsPolicy& policy, std::string_view destination, bool only)
{
    if (policy.level != tls::Level::dane) return;
    base::log::warning("{}: {} configured with dnssec lookups disabled", destination, only ? "dane-only" : "dane");
    policy.level = tls::Level::may;
    if (only) refuse(policy);
}

void complete(TlsPolicy& policy, const TlsSettings& settings, std::string_view destination)
{
    bool required = policy.required();
    if (policy.protocols.empty()) policy.protocols = required ? settings.mandatory_protocols : settings.protocols;
    if (policy.ciphers.empty()) policy.ciphers = required ? settings.mandatory_ciphers : settings.ciphers;
    if (policy.match.empty() && checks_names(policy.level))
        policy.match = policy.level == tls::Level::secure ? settings.secure_match : settings.verify_match;
    if (policy.trust_anchors.empty() && checks_names(policy.level)) policy.trust_anchors = settings.trust_anchors;
    if (policy.level == tls::Level::fingerprint) {
        if (policy.fingerprints.empty()) policy.fingerprints = settings.fingerprints;
        if (policy.fingerprints.empty()) {
            base::log::warning("nexthop domain {}: configured at fingerprint security level, but with no fingerprints to match.",
                               destination);
            refuse(policy);
        }
    }
    // Without a certificate nobody can be known.
    policy.exclude.emplace_back("eNULL");
    if (required && policy.level != tls::Level::encrypt) policy.exclude.emplace_back("aNULL");
    // RFC 5321 has no SMTPS of its own: a server that speaks TLS first cannot be asked whether he would.
    if (settings.wrappermode && !required) {
        base::log::warning("smtp_tls_wrappermode requires \"smtp_tls_security_level = encrypt\" (or stronger)");
        policy.problem = deferred("4.3.0", "server unavailable or unable to receive mail");
    }
    try {
        tls::parse_protocols(policy.protocols);
        tls::cipher_list(policy.ciphers, policy.exclude);
    } catch (const tls::Failed& slip) {
        base::log::warning("{}: {}", place(destination), slip.what());
        refuse(policy);
    }
}

} // namespace

TlsPolicy tls_policy(const TlsSettings& settings, maps::Maps& policies, std::string_view destination)
{
    TlsPolicy policy;
    policy.level = settings.level;
    policy.servername = settings.servername;
    policy.reuse = settings.reuse;
    bool dane_only = settings.dane_only;
    std::optional<std::string> exclude;
    try {
        if (auto entry = find_entry(policies, destination)) {
            policy.level = entry->level;
            dane_only = entry->dane_only;
            policy.match = std::move(entry->match);
            policy.fingerprints = std::move(entry->fingerprints);
            policy.trust_anchors = std::move(entry->trust_anchors);
            policy.protocols = base::replace_all(entry->protocols.value_or(""), ":", " ");
            policy.ciphers = entry->ciphers.value_or("");
            exclude = entry->exclude;
            if (entry->servername) policy.servername = *entry->servername;
            if (entry->reuse) policy.reuse = *entry->reuse;
        }
    } catch (const BadPolicy& slip) {
        base::log::warning("{}: {}", place(destination), slip.what());
        refuse(policy);
        return policy;
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}: policy table lookup error: {}", place(destination), trouble.what());
        refuse(policy);
        return policy;
    }
    without_dane(policy, destination, dane_only);
    if (exclude) {
        add_pieces(policy.exclude, *exclude, ":");
    } else {
        policy.exclude = settings.exclude;
        if (policy.required())
            policy.exclude.insert(policy.exclude.end(), settings.mandatory_exclude.begin(), settings.mandatory_exclude.end());
    }
    complete(policy, settings, destination);
    return policy;
}

} // namespace smtp_client
