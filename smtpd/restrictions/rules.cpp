#include "restrictions/rules.h"

#include "restrictions/walk.h"

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "routing/domains.h"
#include "routing/own_addresses.h"

#include <algorithm>
#include <array>

namespace smtpd::restrictions {
namespace {

constexpr size_t most_lists_kept = 1000;
constexpr int deepest_class = 100;

constexpr std::string_view argument_is_missing(Argument argument)
{
    switch (argument) {
    case Argument::table: return "requires a table, type:name";
    case Argument::blocklist: return "requires domain name argument";
    case Argument::number: return "requires number argument";
    case Argument::service: return "requires a service, host:port or a path";
    case Argument::none: break;
    }
    return "";
}

bool is_class_name(const config::Config& config, const std::string& name)
{
    const auto& names = config.smtpd_restriction_classes;
    return std::any_of(names.begin(), names.end(), [&](const auto& each) { return base::same_word(each, name); });
}

Result unknown_word(Inquiry& inquiry, const Step& step)
{
    base::log::warning("unknown smtpd restriction: \"{}\"", step.argument);
    return inquiry.server_error();
}

Result enter_class(Inquiry& inquiry, const Step& step) { return inquiry.walk->enter(step.list); }

constexpr Word unknown{"", Argument::none, unknown_word, nullptr};
constexpr Word named_class{"", Argument::none, enter_class, nullptr};

} // namespace

Rules::Rules(const config::Config& settings)
    : config(settings), parents(routing::parents_match(settings, "smtpd_access_maps")), sender_login(settings.smtpd_sender_login_maps),
      relay_certificates(settings.relay_clientcerts), blocklist_replies(settings.rbl_reply_maps), reject_footers(settings.smtpd_reject_footer_maps),
      mx_backup_networks(settings.find("permit_mx_backup_networks").value_or("")),
      logged_permits(settings.smtpd_log_access_permit_actions, maps::Matching::strings), own_addresses(routing::own_addresses(settings))
{
    client = read_list("smtpd_client_restrictions", "check_client_access");
    helo = read_list("smtpd_helo_restrictions", "check_helo_access");
    sender = read_list("smtpd_sender_restrictions", "check_sender_access");
    relay = read_list("smtpd_relay_restrictions", "check_recipient_access");
    recipient = read_list("smtpd_recipient_restrictions", "check_recipient_access");
    data = read_list("smtpd_data_restrictions", "");
    end_of_data = read_list("smtpd_end_of_data_restrictions", "");
    etrn = read_list("smtpd_etrn_restrictions", "check_etrn_access");
    open_relay = !refuses_strangers(*relay) && !refuses_strangers(*recipient);
}

std::shared_ptr<const List> Rules::read_list(std::string_view parameter, std::string_view table_word)
{
    return compile(config.find(parameter).value_or(""), table_word);
}

std::shared_ptr<const List> Rules::compile(std::string_view text, std::string_view table_word)
{
    auto list = std::make_shared<List>();
    list->table_word = table_word;
    auto pieces = maps::split_list(text);
    for (size_t at = 0; at < pieces.size(); ++at) list->steps.push_back(compile_step(pieces, at, table_word));
    return list;
}

// Takes the word at pieces[at], and its argument: at is then at the last piece that was taken.
Step Rules::compile_step(const std::vector<std::string>& pieces, size_t& at, std::string_view table_word)
{
    const std::string& name = pieces[at];
    Step step;
    step.argument = name;
    step.word = &unknown;
    if (maps::is_table_name(name)) {
        if (table_word.empty()) return step;
        step.word = find_word(table_word);
        step.table = open_table(name);
        return step;
    }
    if (is_class_name(config, name)) {
        step.list = restriction_class(name, table_word);
        if (step.list) step.word = &named_class;
        return step;
    }
    const Word* word = find_word(name);
    if (!word) return step;
    step.word = word;
    if (word->argument == Argument::none) return step;
    step.argument.clear();
    if (at + 1 >= pieces.size()) {
        base::log::warning("restriction {} {}", name, argument_is_missing(word->argument));
        return step;
    }
    step.argument = pieces[++at];
    if (word->argument == Argument::table) step.table = open_table(step.argument);
    if (word->argument == Argument::service) step.policy = open_policy(step.argument);
    if (word->argument == Argument::blocklist) step.blocklist = Blocklist::parse(step.argument);
    return step;
}

std::shared_ptr<const List> Rules::restriction_class(const std::string& name, std::string_view table_word)
{
    auto key = std::make_pair(base::lower(name), table_word);
    auto found = classes_.find(key);
    if (found != classes_.end()) return found->second;
    auto text = config.find(name);
    if (!text || ++depth_ > deepest_class) return nullptr;
    // Noted before it is read: a class that names itself is then nobody's, and not an endless list.
    classes_[key] = nullptr;
    auto list = compile(*text, table_word);
    --depth_;
    return classes_[key] = std::move(list);
}

std::shared_ptr<maps::Maps> Rules::open_table(const std::string& name)
{
    auto& table = tables_[name];
    if (!table) table = std::make_shared<maps::Maps>(std::vector<std::string>{name});
    return table;
}

std::shared_ptr<PolicyClient> Rules::open_policy(const std::string& service)
{
    auto& policy = policies_[service];
    try {
        if (!policy) policy = std::make_shared<PolicyClient>(read_policy_service(config, service));
    } catch (const config::Error& trouble) {
        base::log::warning("check_policy_service: {}", trouble.what());
    }
    return policy;
}

std::shared_ptr<const List> Rules::from_table(const std::string& text, std::string_view table_word)
{
    auto key = std::make_pair(text, table_word);
    auto found = from_tables_.find(key);
    if (found != from_tables_.end()) return found->second;
    if (from_tables_.size() >= most_lists_kept) from_tables_.clear();
    return from_tables_[key] = compile(text, table_word);
}

bool Rules::refuses_strangers(const List& list, int depth) const
{
    static constexpr std::array words = {"reject_unauth_destination", "defer_unauth_destination", "reject", "defer", "defer_if_permit"};
    for (const Step& step : list.steps) {
        if (step.list && depth < deepest_class && refuses_strangers(*step.list, depth + 1)) return true;
        if (std::find(words.begin(), words.end(), step.word->name) != words.end()) return true;
    }
    return false;
}

} // namespace smtpd::restrictions
