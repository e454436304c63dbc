#include "ipc/client_counts.h"

#include "base/clock.h"

#include <fmt/format.h>

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace ipc {
namespace {

constexpr size_t places = 64;           // processes; those beyond share the last
constexpr size_t buckets = 512, ways = 8;
constexpr size_t longest_name = 71;
constexpr size_t events = 5;
constexpr std::array<const char*, events> event_words = {"connection", "message", "recipient", "newtls", "auth"};

int64_t seconds_now() { return std::chrono::duration_cast<std::chrono::seconds>(base::steady_now().time_since_epoch()).count(); }

} // namespace

struct ClientCounts::Slot {
    char who[longest_name + 1];
    int64_t since;                      // the begin of the unit that rates are counted over
    std::array<uint32_t, events> rates;
    std::array<uint16_t, places> connections;

    bool named(std::string_view name) const { return name == who; }
    int64_t open() const
    {
        int64_t sum = 0;
        for (auto each : connections) sum += each;
        return sum;
    }
    bool expired(int64_t now, std::chrono::seconds unit) const { return since + unit.count() < now && open() == 0; }
};

struct ClientCounts::Extreme {
    int64_t value;
    int64_t when;                       // seconds since 1970
    char who[longest_name + 1];
};

struct ClientCounts::Table {
    pthread_mutex_t mutex;
    std::array<int32_t, places> owners; // process ids
    std::array<Extreme, events> rates;
    Extreme connections, size;
    int64_t used, reported;
    std::array<Slot, buckets * ways> slots;
};

class ClientCounts::Locked {
public:
    explicit Locked(Table& table) : table_(table)
    {
        // Its holder died: at worst one count is off by one.
        if (::pthread_mutex_lock(&table.mutex) == EOWNERDEAD) ::pthread_mutex_consistent(&table.mutex);
    }
    ~Locked() { ::pthread_mutex_unlock(&table_.mutex); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

private:
    Table& table_;
};

base::Fd ClientCounts::make()
{
    base::Fd fd(::memfd_create("client counts", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), sizeof(Table)) != 0) throw base::SystemError("memory for the counts of clients");
    void* memory = ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED) throw base::SystemError("memory for the counts of clients");
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&static_cast<Table*>(memory)->mutex, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
    ::munmap(memory, sizeof(Table));
    return fd;
}

ClientCounts::ClientCounts(base::Fd shared)
{
    if (!shared) shared = make();
    void* memory = ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, shared.get(), 0);
    if (memory == MAP_FAILED) throw base::SystemError("counts of clients");
    table_ = static_cast<Table*>(memory);
    Locked lock(*table_);
    if (table_->reported == 0) table_->reported = seconds_now();
    for (place_ = 0; place_ + 1 < places; ++place_) {
        int32_t owner = table_->owners[place_];
        if (owner == 0 || (::kill(owner, 0) != 0 && errno == ESRCH)) break;
    }
    if (place_ + 1 == places) return;
    if (table_->owners[place_] != 0)
        for (Slot& slot : table_->slots) slot.connections[place_] = 0;
    table_->owners[place_] = ::getpid();
}

ClientCounts::~ClientCounts()
{
    {
        Locked lock(*table_);
        if (place_ + 1 < places) {
            for (Slot& slot : table_->slots)
                if (slot.connections[place_] != 0) slot.connections[place_] = 0;
            table_->owners[place_] = 0;
        }
    }
    ::munmap(table_, sizeof(Table));
}

// The client's slot, or one that it can have: an empty one, one whose client is forgotten, else the one that was quiet for longest.
ClientCounts::Slot* ClientCounts::find(std::string_view who, int64_t now)
{
    who = who.substr(0, longest_name);
    Slot* bucket = &table_->slots[std::hash<std::string_view>()(who) % buckets * ways];
    Slot* oldest = nullptr;
    for (Slot* slot = bucket; slot != bucket + ways; ++slot) {
        if (slot->named(who)) return slot;
        if (slot->open() == 0 && (!oldest || slot->since < oldest->since)) oldest = slot;
    }
    if (!oldest) return nullptr;
    if (oldest->who[0] == 0) note(table_->size, ++table_->used, "");
    std::memset(oldest, 0, sizeof *oldest);
    std::memcpy(oldest->who, who.data(), who.size());
    oldest->since = now;
    return oldest;
}

void ClientCounts::note(Extreme& extreme, int64_t value, std::string_view who)
{
    if (value <= extreme.value) return;
    extreme.value = value;
    extreme.when = base::unix_seconds(base::wall_now());
    std::memset(extreme.who, 0, sizeof extreme.who);
    std::memcpy(extreme.who, who.data(), std::min(who.size(), longest_name));
}

int64_t ClientCounts::count(Slot& slot, ClientEvent event, int64_t now, std::chrono::seconds unit)
{
    if (slot.since + unit.count() < now) {
        slot.rates = {};
        slot.since = now;
    }
    auto index = static_cast<size_t>(event);
    uint32_t& rate = slot.rates[index];
    if (rate < UINT32_MAX) ++rate;
    note(table_->rates[index], rate, slot.who);
    return rate;
}

ClientCounts::Connections ClientCounts::connect(std::string_view who, std::chrono::seconds unit)
{
    Locked lock(*table_);
    int64_t now = seconds_now();
    Slot* slot = find(who, now);
    if (!slot) return {};
    int64_t rate = count(*slot, ClientEvent::connection, now, unit);
    if (slot->connections[place_] < UINT16_MAX) ++slot->connections[place_];
    int64_t open = slot->open();
    note(table_->connections, open, slot->who);
    return {open, rate};
}

void ClientCounts::disconnect(std::string_view who)
{
    Locked lock(*table_);
    who = who.substr(0, longest_name);
    Slot* bucket = &table_->slots[std::hash<std::string_view>()(who) % buckets * ways];
    for (Slot* slot = bucket; slot != bucket + ways; ++slot)
        if (slot->named(who) && slot->connections[place_] > 0) --slot->connections[place_];
}

int64_t ClientCounts::add(std::string_view who, ClientEvent event, std::chrono::seconds unit)
{
    Locked lock(*table_);
    int64_t now = seconds_now();
    Slot* slot = find(who, now);
    return slot ? count(*slot, event, now, unit) : 0;
}

int64_t ClientCounts::rate(std::string_view who, ClientEvent event, std::chrono::seconds unit)
{
    Locked lock(*table_);
    int64_t now = seconds_now();
    Slot* slot = find(who, now);
    if (!slot || slot->since + unit.count() < now) return 0;
    return slot->rates[static_cast<size_t>(event)];
}

std::vector<std::string> ClientCounts::report(std::chrono::seconds interval, std::chrono::seconds unit)
{
    std::vector<std::string> lines;
    Locked lock(*table_);
    int64_t now = seconds_now();
    if (now - table_->reported < interval.count()) return lines;
    table_->reported = now;
    auto tell = [&](Extreme& extreme, auto describe) {
        std::string date = base::log_date(base::Wall(std::chrono::seconds(extreme.when)));
        if (extreme.value > 0) lines.push_back(fmt::format("statistics: max {} at {}", describe(extreme), date));
        extreme = {};
    };
    auto tell_rate = [&](size_t event) {
        tell(table_->rates[event], [&](const Extreme& most) {
            return fmt::format("{} rate {}/{}s for ({})", event_words[event], most.value, unit.count(), most.who);
        });
    };
    tell_rate(0);
    tell(table_->connections, [](const Extreme& most) { return fmt::format("connection count {} for ({})", most.value, most.who); });
    for (size_t event = 1; event < events; ++event) tell_rate(event);
    tell(table_->size, [](const Extreme& most) { return fmt::format("cache size {}", most.value); });
    for (Slot& slot : table_->slots)
        if (slot.who[0] != 0 && slot.expired(now, unit)) {
            slot.who[0] = 0;
            slot.since = 0;
            --table_->used;
        }
    return lines;
}

} // namespace ipc
