#include "sasl/client.h"

#include "base/text.h"
#include "sasl/client_mechanisms.h"

#include <algorithm>

namespace sasl {
namespace {

struct Mechanism {
    std::string_view name;
    unsigned meets;
    std::unique_ptr<Client> (*make)(Credentials);
};

// The best first. Bearer tokens come last: most passwords are none, so they are used where nothing else is left over.
constexpr Mechanism mechanisms[] = {
    {"SCRAM-SHA-256", no_plaintext | no_active | no_anonymous | mutual, make_scram_sha256},
    {"SCRAM-SHA-1", no_plaintext | no_active | no_anonymous | mutual, make_scram_sha1},
    {"CRAM-MD5", no_plaintext | no_anonymous, make_cram_md5},
    {"PLAIN", no_anonymous, make_plain},
    {"LOGIN", no_anonymous, make_login},
    {"OAUTHBEARER", no_anonymous, make_oauthbearer},
    {"XOAUTH2", no_anonymous, make_xoauth2},
};

struct DemandWord {
    std::string_view word;
    Demand demand;
};
constexpr DemandWord demand_words[] = {{"noplaintext", no_plaintext},   {"noactive", no_active},
                                       {"nodictionary", no_dictionary}, {"noanonymous", no_anonymous},
                                       {"mutual_auth", mutual}};

} // namespace

std::optional<unsigned> parse_demands(const std::vector<std::string>& words, std::string& unknown)
{
    unsigned demands = 0;
    for (const auto& word : words) {
        auto same = [&](const DemandWord& each) { return base::same_word(each.word, word); };
        auto found = std::find_if(std::begin(demand_words), std::end(demand_words), same);
        if (found == std::end(demand_words)) {
            unknown = word;
            return std::nullopt;
        }
        demands |= found->demand;
    }
    return demands;
}

std::string choose_mechanism(const std::vector<std::string>& offered, unsigned demands)
{
    for (const auto& each : mechanisms) {
        bool is_offered = std::any_of(offered.begin(), offered.end(),
                                      [&](const std::string& name) { return base::same_word(name, each.name); });
        if (is_offered && (each.meets & demands) == demands) return std::string(each.name);
    }
    return {};
}

std::unique_ptr<Client> make_client(std::string_view mechanism, Credentials credentials)
{
    for (const auto& each : mechanisms)
        if (base::same_word(each.name, mechanism)) return each.make(std::move(credentials));
    return nullptr;
}

} // namespace sasl
