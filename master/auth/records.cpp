#include "records.h"

#include "async/offload.h"
#include "base/text.h"
#include "net/address.h"
#include "system_users.h"
#include "verify.h"

namespace auth {
namespace {

async::Task<std::optional<SystemUser>> system_user(std::vector<std::string> names)
{
    auto work = [names = std::move(names)] { return find_system_user(names); };
    std::optional<SystemUser> user = co_await async::offload(std::move(work));
    co_return user;
}

void fill_from(sasl::UserRecord& record, const SystemUser& user)
{
    if (!record.uid) record.uid = user.uid;
    if (!record.gid) record.gid = user.gid;
    if (record.home.empty()) record.home = user.home;
}

} // namespace

bool may_log_in(const Rules& rules, const sasl::UserRecord& user)
{
    if (user.uid && (*user.uid == 0 || *user.uid < rules.first_valid_uid)) return false;
    if (user.uid && rules.last_valid_uid != 0 && *user.uid > rules.last_valid_uid) return false;
    if (user.gid && *user.gid < rules.first_valid_gid) return false;
    return !(user.gid && rules.last_valid_gid != 0 && *user.gid > rules.last_valid_gid);
}

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

async::Task<sasl::UserRecord> complete(Context& context, sasl::UserRecord record, std::vector<std::string> names)
{
    if (!context.rules.system_users || record.uid) co_return record;
    auto user = co_await system_user(std::move(names));
    if (user) fill_from(record, *user);
    co_return record;
}

async::Task<std::optional<sasl::UserRecord>> find_record(Context& context, std::vector<std::string> names)
{
    std::optional<sasl::UserRecord> record;
    for (auto& source : context.sources) {
        auto found = co_await source->look_up(names);
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

} // namespace auth
