#include "sendmail_exim.h"

#include "explain.h"
#include "queue_reader.h"
#include "sendmail_options.h"
#include "sendmail_run.h"

#include "base/text.h"
#include "mail/address.h"
#include "spool/queue_id.h"

#include <sysexits.h>

#include <cstdio>
#include <ctime>

namespace sendmail {
namespace {

constexpr int exim_failed = 2;      // -bt, -bv: an address is not deliverable

enum class Takes { nothing, ids, addresses, names };

struct Flag {
    std::string_view text;
    EximAction action;
    Takes takes;
};
constexpr Flag flags[] = {
    {"-bp", EximAction::list, Takes::ids},          {"-bpa", EximAction::list, Takes::ids},     {"-bpr", EximAction::list, Takes::ids},
    {"-bpra", EximAction::list, Takes::ids},        {"-bpru", EximAction::list, Takes::ids},    {"-bpu", EximAction::list, Takes::ids},
    {"-bpc", EximAction::count, Takes::nothing},    {"-bV", EximAction::version, Takes::nothing}, {"-bP", EximAction::settings, Takes::names},
    {"-bt", EximAction::test, Takes::addresses},    {"-bv", EximAction::verify, Takes::addresses}, {"-bvs", EximAction::verify, Takes::addresses},
    {"-M", EximAction::deliver, Takes::ids},        {"-Mc", EximAction::deliver, Takes::ids},   {"-Mrm", EximAction::remove, Takes::ids},
    {"-Mf", EximAction::freeze, Takes::ids},        {"-Mt", EximAction::thaw, Takes::ids},      {"-Mg", EximAction::give_up, Takes::ids},
    {"-Mvh", EximAction::show_header, Takes::ids},  {"-Mvb", EximAction::show_body, Takes::ids}, {"-Mvl", EximAction::show_log, Takes::ids},
    {"-Mvc", EximAction::show_all, Takes::ids},
};

struct Elsewhere {
    std::string_view start, instead;
};
constexpr Elsewhere not_here[] = {
    {"-bh", "rookpost explain, or an SMTP dialogue on a test port"}, {"-be", "postconf -x or rookpost explain"},
    {"-bf", "a delivery to a test mailbox"},  {"-bF", "a delivery to a test mailbox"},
    {"-brw", "rookpost explain"},             {"-brt", "postconf minimal_backoff_time maximal_backoff_time"},
    {"-Mar", "recipient_bcc_maps before the mail comes in"}, {"-Mmad", "postsuper -d"},
    {"-Mmd", "postsuper -d"},                 {"-Mes", "sending the message again"},
    {"-Mset", "postcat -q"},                  {"-MC", "postqueue -i"},
    {"-MG", "postsuper -h"},
};

// Exim's names for what main.cf says otherwise.
struct SettingName {
    std::string_view exim, ours;
};
constexpr SettingName setting_names[] = {
    {"primary_hostname", "myhostname"},       {"qualify_domain", "myorigin"},          {"qualify_recipient", "myorigin"},
    {"spool_directory", "queue_directory"},   {"log_file_path", "maillog_file"},       {"message_size_limit", "message_size_limit"},
    {"exim_path", "sendmail_path"},           {"configure_file", "config_directory"},  {"exim_user", "mail_owner"},
    {"exim_group", "setgid_group"},           {"local_interfaces", "inet_interfaces"}, {"recipients_max", "smtpd_recipient_limit"},
    {"smtp_banner", "smtpd_banner"},          {"smtp_accept_max", "default_process_limit"},
};

// "25m", "31h", "4d", as Exim tells ages.
std::string age_text(int64_t seconds)
{
    int64_t count = std::max<int64_t>(seconds, 0) / 60;
    char unit = 'm';
    if (count > 90) {
        unit = 'h';
        count = (count + 30) / 60;
        if (count > 72) {
            unit = 'd';
            count = (count + 12) / 24;
            if (count > 99) {
                unit = 'w';
                count = (count + 4) / 7;
            }
        }
    }
    return fmt::format("{:>2}{}", count, unit);
}

std::string size_text(uint64_t bytes)
{
    if (bytes < 1024) return fmt::format("{:>5}", bytes);
    double kilo = static_cast<double>(bytes) / 1024;
    if (kilo < 9.95) return fmt::format("{:>4.1f}K", kilo);
    if (kilo < 999.5) return fmt::format("{:>4.0f}K", kilo);
    double mega = kilo / 1024;
    return mega < 9.95 ? fmt::format("{:>4.1f}M", mega) : fmt::format("{:>4.0f}M", mega);
}

void print(const spool::ListedMessage& message)
{
    std::printf("%s %s %s <%s>%s\n", age_text(::time(nullptr) - message.arrival).c_str(), size_text(message.size).c_str(), message.id.c_str(),
                base::printable(message.sender).c_str(), message.queue == spool::Queue::hold ? " *** frozen ***" : "");
    for (const auto& recipient : message.recipients) std::printf("          %s\n", base::printable(recipient.address).c_str());
    std::printf("\n");
}

int list(const EximCall& call, const config::Config& config)
{
    size_t count = 0;
    commands::read_queue(config, [&](const spool::ListedMessage& message) {
        bool wanted = call.words.empty() || std::find(call.words.begin(), call.words.end(), message.id) != call.words.end();
        if (!wanted) return;
        ++count;
        if (call.action == EximAction::list) print(message);
    });
    if (call.action == EximAction::count) std::printf("%zu\n", count);
    return EX_OK;
}

int settings(const EximCall& call, const config::Config& config)
{
    int status = EX_OK;
    for (auto [exim, ours] : setting_names) {
        bool wanted = call.words.empty() || std::find(call.words.begin(), call.words.end(), exim) != call.words.end();
        auto value = ours == "config_directory" ? std::optional(config.folder) : config.find(ours);
        if (wanted && value) std::printf("%s = %s\n", std::string(exim).c_str(), value->c_str());
    }
    for (const auto& word : call.words)
        if (std::none_of(std::begin(setting_names), std::end(setting_names), [&](const auto& name) { return name.exim == word; })) {
            auto value = config.find(word);
            if (value) std::printf("%s = %s\n", word.c_str(), value->c_str());
            else std::fprintf(stderr, "%s is not a known option: see postconf\n", word.c_str());
            if (!value) status = EXIT_FAILURE;
        }
    return status;
}

std::string router_name(const routing::Route& route)
{
    return std::string(base::cut(commands::class_name(route.address_class), '(').before.substr(0, commands::class_name(route.address_class).find(" (")));
}

int test(const EximCall& call, const config::Config& config)
{
    commands::Explainer explainer(config);
    int status = EX_OK;
    for (const auto& word : call.words)
        for (const auto& address : mail::mailboxes(word)) {
            for (const auto& end : explainer.explain(address, "").ends) {
                bool deliverable = end.known && end.route.transport != "error";
                std::string why = end.known ? end.route.nexthop : end.why_not;
                if (!deliverable) status = exim_failed;
                if (call.action == EximAction::verify) {
                    std::printf(deliverable ? "%s verified\n" : "%s failed to verify: %s\n", address.c_str(), why.c_str());
                    break;
                }
                if (!deliverable) {
                    std::printf("%s is undeliverable: %s\n", end.address.c_str(), why.c_str());
                    continue;
                }
                std::printf("%s\n", end.address.c_str());
                if (end.address != address) std::printf("    <-- %s\n", address.c_str());
                std::printf("  router = %s, transport = %s\n  host %s\n", router_name(end.route).c_str(), end.route.transport.c_str(), end.route.nexthop.c_str());
            }
        }
    return status;
}

// postqueue and postcat take one id a call; the last call's process is ours.
[[noreturn]] void run_for_ids(const EximCall& call, const config::Config& config, std::vector<std::string> words, const char* option)
{
    for (const auto& id : call.words) {
        if (option) words.push_back(option);
        words.push_back(id);
    }
    run(config, std::move(words));
}

} // namespace

std::optional<EximCall> parse_exim(const std::vector<std::string>& arguments)
{
    std::optional<EximCall> call;
    Takes takes = Takes::nothing;
    for (const auto& word : arguments) {
        if (call && (word.empty() || word[0] != '-')) {
            if (takes == Takes::nothing) throw Usage("no argument is expected: " + word);
            if (takes == Takes::ids && !spool::is_queue_id(word)) throw Usage("malformed message id " + base::printable(word, 100) + " after -M option");
            call->words.push_back(word);
            continue;
        }
        for (const Flag& flag : flags)
            if (word == flag.text) {
                call = EximCall{flag.action, {}};
                takes = flag.takes;
            }
        for (auto [start, instead] : not_here)
            if (word.starts_with(start)) throw Usage(fmt::format("{} is Exim's own; here: {}", word, instead));
        if (word == "--") break;
    }
    bool needs_ids = call && takes == Takes::ids && call->action != EximAction::list;
    if (needs_ids && call->words.empty()) throw Usage("no message ids given after -M option");
    return call;
}

int act_as_exim(const EximCall& call, const config::Config& config, const std::string& folder)
{
    switch (call.action) {
    case EximAction::list: case EximAction::count: return list(call, config);
    case EximAction::version: std::printf("Rookpost version %s, answering as exim\nConfiguration file is %s/main.cf\n", ROOKPOST_VERSION, folder.c_str()); return EX_OK;
    case EximAction::settings: return settings(call, config);
    case EximAction::test: case EximAction::verify: return test(call, config);
    case EximAction::remove: run_for_ids(call, config, {"postsuper", "-c", folder}, "-d");
    case EximAction::freeze: run_for_ids(call, config, {"postsuper", "-c", folder}, "-h");
    case EximAction::thaw: run_for_ids(call, config, {"postsuper", "-c", folder}, "-H");
    case EximAction::deliver: run_for_ids(call, config, {"postsuper", "-c", folder}, "-r");
    case EximAction::give_up: run_for_ids(call, config, {"postsuper", "-c", folder}, "-f");
    case EximAction::show_header: run_for_ids(call, config, {"postcat", "-c", folder, "-hq"}, nullptr);
    case EximAction::show_body: run_for_ids(call, config, {"postcat", "-c", folder, "-bq"}, nullptr);
    case EximAction::show_all: run_for_ids(call, config, {"postcat", "-c", folder, "-bhq"}, nullptr);
    case EximAction::show_log: run_for_ids(call, config, {"rookpost", "-c", folder, "trace"}, nullptr);
    }
    return EX_SOFTWARE;
}

} // namespace sendmail
