// address_maps: tables that turn addresses into other addresses.
#include "routing/address_maps.h"
#include "routing/address_search.h"

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "mail/address.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace routing {

namespace {

bool lists(const std::vector<std::string>& list, std::string_view word)
{
    return std::any_of(list.begin(), list.end(), [&](const std::string& each) { return base::same_word(each, word); });
}

std::string_view name_of(Place place)
{
    constexpr std::string_view names[] = {"envelope_sender", "envelope_recipient", "header_sender", "header_recipient"};
    return names[static_cast<size_t>(place)];
}

// At commas outside of quotes.
std::vector<std::string_view> split_commas(std::string_view text)
{
    std::vector<std::string_view> pieces;
    auto add = [&](std::string_view piece) {
        if (piece = base::trim(piece); !piece.empty()) pieces.push_back(piece);
    };
    bool quoted = false;
    size_t begin = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') ++i;
        else if (text[i] == '"') quoted = !quoted;
        else if (text[i] == ',' && !quoted) {
            add(text.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    add(text.substr(begin));
    return pieces;
}

void insert_extension(std::string& address, const std::string& extension)
{
    size_t at = address.rfind('@');
    address.insert(at == address.npos ? address.size() : at, extension);
}

} // namespace

std::optional<std::vector<std::string>> map_address(maps::Maps& tables, std::string_view address, const maps::AddressSearch& search,
                                                    const RewriteRules& rules, bool propagate_extension)
{
    auto hit = maps::find_address(tables, address, search);
    if (!hit) return std::nullopt;
    std::vector<std::string> results;
    for (std::string_view piece : split_commas(hit->value)) {
        // The user goes to the other domain with name and extension: nothing is left to carry over.
        if (piece.starts_with('@') && piece.find_first_of(":, ") == piece.npos) {
            size_t at = address.rfind('@');
            results.push_back(rewrite_address(std::string(address.substr(0, at)) + std::string(piece), rules));
            continue;
        }
        for (std::string mapped : mail::mailboxes(piece)) {
            if (propagate_extension && !hit->extension.empty()) insert_extension(mapped, hit->extension);
            results.push_back(rewrite_address(mapped, rules));
        }
    }
    if (results.empty())
        throw maps::Unavailable(fmt::format("no address in \"{}\", found for {}", base::printable(hit->value, 200), base::printable(address, 200)));
    return results;
}

AddressMaps::AddressMaps(const config::Config& config, Router& router)
    : config_(config), search_(address_search(config, router.domains())), rules_(RewriteRules::local(config)),
      propagate_canonical_(lists(config.propagate_unmatched_extensions, "canonical")),
      propagate_virtual_(lists(config.propagate_unmatched_extensions, "virtual")),
      unmasked_(config.masquerade_exceptions, maps::Matching::strings), canonical_(config.canonical_maps),
      sender_canonical_(config.sender_canonical_maps), recipient_canonical_(config.recipient_canonical_maps), virtual_(config.virtual_alias_maps)
{
}

std::string AddressMaps::map_one(maps::Maps& tables, const std::string& title, std::string address)
{
    constexpr int deepest = 10;
    for (int round = 0; round < deepest; ++round) {
        auto mapped = map_address(tables, address, search_, rules_, propagate_canonical_);
        if (!mapped) return address;
        if (mapped->size() > 1) base::log::warning("multi-valued {} entry for {}", title, base::printable(address, 200));
        if (mapped->front() == address) return address;
        bool only_case = base::same_word(mapped->front(), address);
        address = std::move(mapped->front());
        if (only_case) return address;
    }
    throw Unreasonable(fmt::format("unreasonable {} map nesting for {}", title, base::printable(address, 200)));
}

std::string AddressMaps::masquerade(std::string address)
{
    size_t at = address.rfind('@');
    if (at == address.npos) return address;
    std::string_view domain = std::string_view(address).substr(at + 1);
    if (unmasked_.matches(std::string_view(address).substr(0, at))) return address;
    for (std::string_view parent : config_.masquerade_domains) {
        bool keep = false;
        for (; parent.starts_with('!'); parent.remove_prefix(1)) keep = !keep;
        if (base::same_word(domain, parent)) break;
        if (domain.size() <= parent.size() || !base::ends_with_word(domain, parent) || domain[domain.size() - parent.size() - 1] != '.') continue;
        if (!keep) address.replace(at + 1, address.npos, parent);
        break;
    }
    return address;
}

std::string AddressMaps::canonical(std::string_view address, Place place)
{
    std::string result(address);
    if (result.empty()) return result;
    bool sender = place == Place::envelope_sender || place == Place::header_sender;
    maps::Maps& own = sender ? sender_canonical_ : recipient_canonical_;
    const auto& own_classes = sender ? config_.sender_canonical_classes : config_.recipient_canonical_classes;
    const char* title = sender ? "sender_canonical_maps" : "recipient_canonical_maps";
    if (!own.empty() && lists(own_classes, name_of(place))) result = map_one(own, title, std::move(result));
    if (!canonical_.empty() && lists(config_.canonical_classes, name_of(place))) result = map_one(canonical_, "canonical_maps", std::move(result));
    if (!config_.masquerade_domains.empty() && lists(config_.masquerade_classes, name_of(place))) result = masquerade(std::move(result));
    return result;
}

std::vector<std::string> AddressMaps::expand_virtual(std::string_view recipient)
{
    std::vector<std::string> addresses{std::string(recipient)};
    if (virtual_.empty()) return addresses;
    std::set<std::string> into_themselves;   // user → user, other: the user himself is delivered to
    auto refuse = [&](const char* what) -> Unreasonable {
        return Unreasonable(fmt::format("unreasonable virtual_alias_maps map {} for {}", what, base::printable(recipient, 200)));
    };
    // Each address is replaced in place until it is known no more; what else it grows into is appended and has its turn.
    for (size_t i = 0; i < addresses.size(); ++i) {
        for (int64_t depth = 0; !into_themselves.contains(base::lower(addresses[i])); ++depth) {
            if (depth >= config_.virtual_alias_recursion_limit) throw refuse("nesting");
            auto mapped = map_address(virtual_, addresses[i], search_, rules_, propagate_virtual_);
            if (!mapped) break;
            std::string before = addresses[i];
            for (std::string& result : *mapped) {
                if (result.size() > static_cast<size_t>(config_.virtual_alias_address_length_limit)) throw refuse("result");
                if (base::same_word(result, before)) into_themselves.insert(base::lower(before));
                if (&result == &mapped->front()) addresses[i] = std::move(result);
                else addresses.push_back(std::move(result));
            }
            if (addresses.size() > static_cast<size_t>(config_.virtual_alias_expansion_limit)) throw refuse("expansion size");
        }
    }
    std::set<std::string> kept;
    std::vector<std::string> unique;
    for (std::string& address : addresses) {
        if (kept.insert(base::lower(address)).second) unique.push_back(std::move(address));
    }
    return unique;
}

} // namespace routing
