#include "verify.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "passwords/schemes.h"
#include "records.h"

#include <fmt/format.h>

namespace auth {
namespace {

using passwords::Match;

Verdict verdict(Verdict::Kind kind, std::string why)
{
    Verdict result;
    result.kind = kind;
    result.why = std::move(why);
    return result;
}

// Counts those at work, also when the wait is given up.
class Turn {
public:
    explicit Turn(size_t& count) : count_(count) { ++count_; }
    ~Turn() { --count_; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    size_t& count_;
};

async::Task<Match> matches(const sasl::Secret& password, std::string stored)
{
    auto work = [password = password.copy(), stored = std::move(stored)] {
        return passwords::check_password(password.view(), stored);
    };
    Match match = co_await async::offload(std::move(work));
    co_return match;
}

// The password was right; what else the entry asks for.
std::string refusal(const FileUser& user, const Attempt& attempt)
{
    if (user.extra.contains("nologin")) return "login is disabled";
    auto nets = user.extra.find("allow_nets");
    if (nets != user.extra.end() && !address_allowed(nets->second, attempt.remote_ip))
        return "not allowed from " + attempt.remote_ip;
    return "";
}

Verdict admit(const Context& context, sasl::UserRecord record)
{
    if (!may_log_in(context.rules, record)) {
        return verdict(Verdict::wrong,
                       fmt::format("uid {} or gid {} may not log in (first_valid_uid = {})", record.uid.value_or(0),
                                   record.gid.value_or(0), context.rules.first_valid_uid));
    }
    Verdict result;
    result.kind = Verdict::ok;
    result.user = std::move(record);
    return result;
}

// The entry's owner has proved himself.
async::Task<Verdict> admit_entry(Context& context, FileUser user, const Attempt& attempt,
                                 std::vector<std::string> names)
{
    std::string why = refusal(user, attempt);
    if (!why.empty()) co_return verdict(Verdict::disabled, why);
    bool lasting = !user.extra.contains("allow_nets");
    sasl::UserRecord record = co_await complete(context, record_of(user), std::move(names));
    Verdict result = admit(context, std::move(record));
    result.lasting = lasting;
    co_return result;
}

// Fields that another source has of a user whose password PAM knows.
async::Task<Verdict> admit_checked(Context& context, std::string name, std::vector<std::string> names)
{
    sasl::UserRecord record;
    for (auto& source : context.sources) {
        if (source->checks_itself()) continue;
        auto found = co_await source->look_up(names);
        if (!found) continue;
        record = record_of(*found);
        break;
    }
    record.name = name;
    std::vector<std::string> system_names{std::move(name)};
    record = co_await complete(context, std::move(record), std::move(system_names));
    co_return admit(context, std::move(record));
}

// Looks for nobody, but takes the time: who is known here can't be told by a clock.
async::Task<> take_the_time(const Sources& sources, const Attempt& attempt)
{
    for (const auto& source : sources) {
        std::string example = source->example();
        if (example.empty()) continue;
        co_await matches(attempt.password, std::move(example));
        co_return;
    }
}

// What one source says; nothing when the password is not from there.
struct Asked {
    std::optional<Verdict> verdict;
    bool known = false;
};

async::Task<Asked> ask_keeper(Context& context, Source& source, std::vector<std::string> names, const Attempt& attempt)
{
    Asked asked;
    Checked checked = co_await source.check(names, attempt);
    if (checked.kind == Checked::disabled) asked.verdict = verdict(Verdict::disabled, checked.why);
    if (checked.kind == Checked::temporary) asked.verdict = verdict(Verdict::temporary, checked.why);
    if (checked.kind == Checked::right)
        asked.verdict = co_await admit_checked(context, std::move(checked.user), std::move(names));
    co_return asked;
}

async::Task<Asked> ask_source(Context& context, Source& source, std::vector<std::string> names, const Attempt& attempt)
{
    Asked asked;
    auto user = co_await source.look_up(names);
    if (!user) co_return asked;
    asked.known = true;
    Match match = co_await matches(attempt.password, user->password);
    if (match == Match::unusable)
        base::log::warning("the stored password of {} is malformed or of no scheme known here",
                           base::printable(user->name, 80));
    if (match == Match::yes)
        asked.verdict = co_await admit_entry(context, std::move(*user), attempt, std::move(names));
    co_return asked;
}

// In their order, until one knows the password.
async::Task<Verdict> ask_sources(Context& context, const Sources& sources, std::vector<std::string> names,
                                 const Attempt& attempt)
{
    bool known = false;
    std::string trouble;
    for (size_t i = 0; i < sources.size() && !names.empty(); ++i) {
        Source& source = *sources[i];
        Asked asked;
        try {
            if (source.checks_itself())
                asked = co_await ask_keeper(context, source, names, attempt);
            else
                asked = co_await ask_source(context, source, names, attempt);
        } catch (const std::exception& failure) {
            trouble = failure.what();
        }
        if (asked.verdict) co_return std::move(*asked.verdict);
        known = known || asked.known;
    }
    if (!known) co_await take_the_time(sources, attempt);
    if (!trouble.empty() && !known) co_return verdict(Verdict::temporary, trouble);
    co_return verdict(Verdict::wrong, known ? "wrong password" : "unknown user or wrong password");
}

async::Task<Verdict> admit_known(Context& context, const Attempt& attempt)
{
    auto names = names_to_try(attempt.typed, context.rules.names);
    for (auto& source : context.sources) {
        auto user = co_await source->look_up(names);
        if (!user) continue;
        Verdict result = co_await admit_entry(context, std::move(*user), attempt, std::move(names));
        co_return result;
    }
    auto record = co_await find_record(context, std::move(names));
    if (!record) co_return verdict(Verdict::wrong, "unknown user");
    co_return admit(context, std::move(*record));
}

// The password is the master's; who comes in is somebody else.
async::Task<Verdict> ask_masters(Context& context, const Attempt& attempt)
{
    auto names = names_to_try(attempt.master, context.rules.names);
    Verdict result = co_await ask_sources(context, context.masters, std::move(names), attempt);
    if (result.kind != Verdict::ok) co_return result;
    base::log::info("{} logs in as {}", base::printable(attempt.master, 80), base::printable(attempt.typed, 80));
    result = co_await admit_known(context, attempt);
    result.lasting = false;
    co_return result;
}

async::Task<Verdict> ask_all(Context& context, const Attempt& attempt)
{
    if (!attempt.master.empty()) {
        Verdict result = co_await ask_masters(context, attempt);
        co_return result;
    }
    auto names = names_to_try(attempt.typed, context.rules.names);
    std::string name = names.empty() ? "" : names.front();
    auto known = context.cache.find(name, attempt.password.view(), base::steady_now());
    if (known) co_return std::move(*known);
    Verdict result = co_await ask_sources(context, context.sources, std::move(names), attempt);
    context.cache.keep(name, attempt.password.view(), result, base::steady_now());
    co_return result;
}

// "joe*admin": admin's password opens joe's mail.
void find_master(const Rules& rules, Attempt& attempt)
{
    if (rules.master_separator.empty() || !attempt.master.empty()) return;
    size_t at = attempt.typed.find_first_of(rules.master_separator);
    if (at == std::string::npos) return;
    attempt.master = attempt.typed.substr(at + 1);
    attempt.typed.resize(at);
    if (attempt.master.empty()) attempt.master = attempt.typed; // nobody: such a name is in no list of masters
}

} // namespace

async::Task<Verdict> verify(Context& context, Attempt attempt)
{
    if (context.checks >= context.rules.most_checks)
        co_return verdict(Verdict::temporary, "too many logins at one time");
    Turn turn(context.checks);
    find_master(context.rules, attempt);
    std::string trouble;
    try {
        Verdict result = co_await ask_all(context, attempt);
        co_return result;
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    co_return verdict(Verdict::temporary, trouble);
}

async::Task<Verdict> admit_by_name(Context& context, Attempt attempt)
{
    std::string trouble;
    try {
        Verdict result = co_await admit_known(context, attempt);
        co_return result;
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    co_return verdict(Verdict::temporary, trouble);
}

async::Task<std::optional<std::string>> find_hash(Context& context, std::string typed, std::string scheme)
{
    auto names = names_to_try(typed, context.rules.names);
    for (size_t i = 0; i < context.sources.size() && !names.empty(); ++i) {
        auto user = co_await context.sources[i]->look_up(names);
        if (!user) continue;
        auto work = [stored = std::move(user->password), scheme] { return passwords::hash_for(stored, scheme); };
        std::optional<std::string> hash = co_await async::offload(std::move(work));
        if (hash) co_return hash;
    }
    co_return std::nullopt;
}

} // namespace auth
