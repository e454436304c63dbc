// source_table: users in any lookup table: SQL, LDAP, or a file. The value is a passwd-file's line without the name, "{SCHEME}hash:uid:gid::home",
// or the hash alone.
#include "source.h"

#include "async/offload.h"
#include "base/log.h"
#include "maps/map.h"

#include <fmt/format.h>

#include <mutex>
#include <stdexcept>

namespace auth {
namespace {

// A table belongs to one thread at a time: whoever asks takes one, and opens another when all are at work.
class Tables {
public:
    explicit Tables(std::string name) : name_(std::move(name)) {}

    std::unique_ptr<maps::Map> take()
    {
        {
            std::lock_guard guard(lock_);
            if (!idle_.empty()) {
                auto table = std::move(idle_.back());
                idle_.pop_back();
                return table;
            }
        }
        return maps::open(name_);
    }
    void give_back(std::unique_ptr<maps::Map> table)
    {
        std::lock_guard guard(lock_);
        if (idle_.size() < most_idle) idle_.push_back(std::move(table));
    }
    const std::string& name() const { return name_; }

private:
    static constexpr size_t most_idle = 4;
    const std::string name_;
    std::mutex lock_;
    std::vector<std::unique_ptr<maps::Map>> idle_;
};

FileUser user_of(const std::string& name, const std::string& value, const std::string& table)
{
    auto entries = parse_passwd("user:" + value, table);
    if (!entries.problems.empty()) throw std::runtime_error(entries.problems.front());
    auto found = entries.users.find("user");
    if (found == entries.users.end() || entries.users.size() != 1)
        throw std::runtime_error(fmt::format("{}: expected one line, password or password:uid:gid::home", table));
    FileUser user = std::move(found->second);
    user.name = name;
    return user;
}

std::optional<FileUser> find_in(Tables& tables, const std::vector<std::string>& names)
{
    auto table = tables.take();
    std::optional<FileUser> user;
    for (size_t i = 0; i < names.size() && !user; ++i)
        if (auto value = table->find(names[i])) user = user_of(names[i], *value, tables.name());
    tables.give_back(std::move(table));
    return user;
}

class Table final : public Source {
public:
    explicit Table(const std::string& name) : tables_(std::make_shared<Tables>(name)) { warm_up(); }

    async::Task<std::optional<FileUser>> look_up(std::vector<std::string> names) override
    {
        auto work = [tables = tables_, names = std::move(names)] { return find_in(*tables, names); };
        std::optional<FileUser> user = co_await async::offload(std::move(work));
        co_return user;
    }

private:
    // While we may still open what only the start can. A table that can't be had now is tried again at each question.
    void warm_up()
    {
        try {
            tables_->give_back(tables_->take());
        } catch (const maps::Unavailable& failure) {
            base::log::warning("auth_passdbs: {}", failure.what());
        }
    }

    std::shared_ptr<Tables> tables_;
};

} // namespace

std::unique_ptr<Source> table_source(const std::string& table) { return std::make_unique<Table>(table); }

} // namespace auth
