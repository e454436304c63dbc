#include "verify.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "net/address.h"
#include "pam_check.h"
#include "password_schemes.h"
#include "system_users.h"

#include <fmt/format.h>

namespace auth {
namespace {

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
        return check_password(password.view(), stored);
    };
    Match match = co_await async::offload(std::move(work));
    co_return match;
}

async::Task<std::optional<SystemUser>> system_user(std::vector<std::string> names)
{
    auto work = [names = std::move(names)] { return find_system_user(names); };
    std::optional<SystemUser> user = co_await async::offload(std::move(work));
    co_return user;
}

bool may_log_in(const Rules& rules, const sasl::UserRecord& user)
{
    if (user.uid && (*user.uid == 0 || *user.uid < rules.first_valid_uid)) return false;
    if (user.uid && rules.last_valid_uid != 0 && *user.uid > rules.last_valid_uid) return false;
    if (user.gid && *user.gid < rules.first_valid_gid) return false;
    return !(user.gid && rules.last_valid_gid != 0 && *user.gid > rules.last_valid_gid);
}

// passdb and userdb in one line of a file: what is for the session is named userdb_….
sasl::UserRecord record_of(const FileUser& user)
{
    constexpr std::string_view prefix = "userdb_";
    sasl::UserRecord record;
    record.name = user.name;
    record.uid = user.uid;
    record.gid = user.gid;
    record.home = user.home;
    for (const auto& [key, value] : user.extra) {
        if (!key.starts_with(prefix)) continue;
        std::string name = key.substr(prefix.size());
        if (name == "uid")
            record.uid = base::number<uid_t>(value);
        else if (name == "gid")
            record.gid = base::number<gid_t>(value);
        else if (name == "home")
            record.home = value;
        else if (name == "mail")
            record.mail = value;
        else if (!name.empty())
            record.more[name] = value;
    }
    return record;
}

void fill_from(sasl::UserRecord& record, const SystemUser& user)
{
    if (!record.uid) record.uid = user.uid;
    if (!record.gid) record.gid = user.gid;
    if (record.home.empty()) record.home = user.home;
}

const FileUser* find_in(PasswdFile& file, const std::vector<std::string>& names)
{
    for (const auto& name : names)
        if (auto* user = file.find(name)) return user;
    return nullptr;
}

async::Task<sasl::UserRecord> complete(Context& context, sasl::UserRecord record, std::vector<std::string> names)
{
    if (!context.rules.system_users || record.uid) co_return record;
    auto user = co_await system_user(std::move(names));
    if (user) fill_from(record, *user);
    co_return record;
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

struct FileCheck {
    std::optional<Verdict> verdict; // nothing: the password is not from here
    bool known = false;             // but the name is
};

async::Task<FileCheck> check_file(Context& context, size_t number, const std::vector<std::string>& names,
                                  const Attempt& attempt)
{
    FileCheck result;
    auto* found = find_in(context.files[number], names);
    if (!found) co_return result;
    result.known = true;
    FileUser user = *found;
    Match match = co_await matches(attempt.password, user.password);
    if (match == Match::unusable)
        base::log::warning("{}: the stored password of {} is of no scheme known here", context.files[number].path(),
                           base::printable(user.name, 80));
    if (match != Match::yes) co_return result;
    std::string why = refusal(user, attempt);
    if (!why.empty()) {
        result.verdict = verdict(Verdict::disabled, why);
        co_return result;
    }
    sasl::UserRecord record = co_await complete(context, record_of(user), names);
    result.verdict = admit(context, std::move(record));
    co_return result;
}

// Looks for nobody, but takes the time: who is known here can't be told by a clock.
async::Task<> take_the_time(Context& context, const Attempt& attempt)
{
    for (const auto& file : context.files) {
        if (file.example().empty()) continue;
        std::string example = file.example();
        co_await matches(attempt.password, std::move(example));
        co_return;
    }
}

struct PamResult {
    PamAnswer answer;
    std::string name;
};

async::Task<Verdict> check_pam(Context& context, std::vector<std::string> names, const Attempt& attempt)
{
    auto work = [names, service = context.rules.pam_service, remote = attempt.remote_ip,
                 password = attempt.password.copy()]() mutable {
        PamQuestion question;
        auto user = find_system_user(names);
        question.service = service;
        question.user = user ? user->name : names.back();
        question.remote_host = remote;
        question.password = std::move(password);
        PamResult result;
        result.answer = check_by_pam(question);
        result.name = result.answer.user.empty() ? question.user : result.answer.user;
        return result;
    };
    PamResult result = co_await async::offload(std::move(work));
    switch (result.answer.verdict) {
    case PamAnswer::right: break;
    case PamAnswer::wrong: co_return verdict(Verdict::wrong, "unknown user or wrong password");
    case PamAnswer::disabled: co_return verdict(Verdict::disabled, "account is disabled");
    case PamAnswer::expired: co_return verdict(Verdict::disabled, "password has expired");
    case PamAnswer::trouble: co_return verdict(Verdict::temporary, "PAM: " + result.answer.text);
    }
    sasl::UserRecord record;
    for (auto& file : context.files) {
        auto* found = find_in(file, names);
        if (!found) continue;
        record = record_of(*found);
        break;
    }
    record.name = result.name;
    std::vector<std::string> name{result.name};
    record = co_await complete(context, std::move(record), std::move(name));
    co_return admit(context, std::move(record));
}

async::Task<Verdict> ask_sources(Context& context, const Attempt& attempt)
{
    auto names = names_to_try(attempt.typed, context.rules.names);
    bool known = false;
    bool unreadable = false;
    for (size_t i = 0; i < context.files.size() && !names.empty(); ++i) {
        FileCheck check = co_await check_file(context, i, names, attempt);
        if (check.verdict) co_return std::move(*check.verdict);
        known = known || check.known;
        unreadable = unreadable || !context.files[i].readable();
    }
    if (!known) co_await take_the_time(context, attempt);
    if (context.rules.pam && !names.empty()) {
        Verdict result = co_await check_pam(context, names, attempt);
        co_return result;
    }
    if (unreadable && !known) co_return verdict(Verdict::temporary, "a file of users can't be read");
    co_return verdict(Verdict::wrong, known ? "wrong password" : "unknown user");
}

} // namespace

bool address_allowed(std::string_view nets, std::string_view ip)
{
    auto address = net::Address::parse_ip(ip, 0);
    for (auto net : base::split(nets, ",")) {
        if (net == "local" && (!address || address->is_loopback())) return true;
        if (!address) continue;
        auto [base_text, length_text, has_length] = base::cut(net, '/');
        auto start = net::Address::parse_ip(base_text, 0);
        if (!start) continue;
        std::string wanted = start->bytes(), given = address->bytes();
        auto length = has_length ? base::number<size_t>(length_text) : wanted.size() * 8;
        if (wanted.size() != given.size() || !length || *length > wanted.size() * 8) continue;
        bool same = true;
        for (size_t bit = 0; bit < *length && same; ++bit)
            same = ((wanted[bit / 8] ^ given[bit / 8]) >> (7 - bit % 8) & 1) == 0;
        if (same) return true;
    }
    return false;
}

async::Task<Verdict> verify(Context& context, Attempt attempt)
{
    if (context.checks >= context.rules.most_checks)
        co_return verdict(Verdict::temporary, "too many logins at one time");
    Turn turn(context.checks);
    std::string trouble;
    try {
        Verdict result = co_await ask_sources(context, attempt);
        co_return result;
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    co_return verdict(Verdict::temporary, trouble);
}

async::Task<std::optional<sasl::UserRecord>> find_record(Context& context, std::vector<std::string> names)
{
    std::optional<sasl::UserRecord> record;
    for (auto& file : context.files) {
        auto* found = find_in(file, names);
        if (!found) continue;
        record = record_of(*found);
        break;
    }
    if (record) {
        record = co_await complete(context, std::move(*record), names);
    } else if (context.rules.system_users && !names.empty()) {
        auto user = co_await system_user(std::move(names));
        if (!user) co_return std::nullopt;
        record.emplace();
        record->name = user->name;
        fill_from(*record, *user);
    }
    if (record && !may_log_in(context.rules, *record)) record.reset();
    co_return record;
}

} // namespace auth
