// rules: the restriction lists of main.cf, compiled once: each word with its row in the table of words, its tables open.
#pragma once

#include "filters/policy.h"
#include "restrictions/blocklist.h"
#include "restrictions/inquiry.h"

#include "async/task.h"
#include "maps/map.h"
#include "maps/matchlist.h"
#include "maps/network.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace config {
class Config;
}

namespace smtpd::restrictions {

class List;
struct Step;

// What follows a word in a list.
enum class Argument { none, table, blocklist, number, service };

// One evaluator: a row of the table. It either decides at once or must wait for somebody (the DNS, a policy server).
struct Word {
    std::string_view name;
    Argument argument = Argument::none;
    Result (*decide)(Inquiry&, const Step&) = nullptr;
    async::Task<Result> (*ask)(Inquiry&, const Step&) = nullptr;
};

const Word* find_word(std::string_view name);   // null: nobody knows it

// A word with its argument.
struct Step {
    const Word* word = nullptr;
    std::string argument;                       // as written; of a word that nobody knows, the word
    std::shared_ptr<maps::Maps> table;          // of Argument::table
    std::shared_ptr<const Blocklist> blocklist; // of Argument::blocklist
    std::shared_ptr<const List> list;           // of a restriction class
    std::shared_ptr<PolicyClient> policy;       // of Argument::service; null: it is described wrongly
};

class List {
public:
    std::vector<Step> steps;
    std::string_view table_word;        // what a table alone means: "check_client_access"; empty: it may not stand alone
};

class Rules {
public:
    // Opens the tables. Both must outlive it.
    explicit Rules(const config::Config& config);

    const config::Config& config;
    std::shared_ptr<const List> client, helo, sender, relay, recipient, data, end_of_data, etrn;
    bool open_relay = false;            // no list of RCPT has a word that refuses strangers: no recipient is taken
    bool parents = false;               // parent_domain_matches_subdomains names smtpd_access_maps
    maps::Maps sender_login, relay_certificates, blocklist_replies, reject_footers;
    maps::NetworkList mx_backup_networks;
    maps::MatchList logged_permits;             // smtpd_log_access_permit_actions
    std::vector<maps::Address> own_addresses;   // inet_interfaces, proxy_interfaces

    // The list that an access table's right side is. Compiled lists are kept: a table has few different ones.
    std::shared_ptr<const List> from_table(const std::string& text, std::string_view table_word);

private:
    std::shared_ptr<const List> compile(std::string_view text, std::string_view table_word);
    std::shared_ptr<const List> read_list(std::string_view parameter, std::string_view table_word);
    Step compile_step(const std::vector<std::string>& pieces, size_t& at, std::string_view table_word);
    std::shared_ptr<const List> restriction_class(const std::string& name, std::string_view table_word);
    std::shared_ptr<maps::Maps> open_table(const std::string& name);
    bool refuses_strangers(const List& list, int depth = 0) const;

    std::shared_ptr<PolicyClient> open_policy(const std::string& service);

    std::map<std::string, std::shared_ptr<maps::Maps>> tables_;
    std::map<std::string, std::shared_ptr<PolicyClient>> policies_;
    std::map<std::pair<std::string, std::string_view>, std::shared_ptr<const List>> classes_, from_tables_;
    int depth_ = 0;
};

} // namespace smtpd::restrictions
