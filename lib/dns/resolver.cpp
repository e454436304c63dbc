#include "dns/resolver.h"

#include "base/log.h"
#include "base/text.h"
#include "dns/engine.h"
#include "dns/hosts_file.h"
#include "dns/wire.h"

#include <algorithm>
#include <unordered_map>

namespace dns {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_kept{3600};
constexpr std::chrono::seconds longest_negative{60};
constexpr int most_cnames = 10;
constexpr size_t most_clients_names = 10;

// What the DNS said to one question, CNAMEs of this answer followed.
struct Verdict {
    Status status = Status::try_again;
    std::vector<wire::Record> records;
    std::string name;      // the last name of the CNAME chain
    bool open_end = false; // that name still has to be asked for
    bool authentic = false;
    std::chrono::seconds ttl{0};
};

constexpr std::chrono::seconds no_ttl_yet = std::chrono::seconds::max();

void lessen(std::chrono::seconds& ttl, uint32_t other) { ttl = std::min(ttl, std::chrono::seconds(other)); }

void follow_cnames(const wire::Message& message, Verdict& verdict)
{
    for (int i = 0; i < most_cnames; ++i) {
        auto is_next = [&](const wire::Record& each) {
            return each.type == wire::type_cname && base::same_word(each.owner, verdict.name);
        };
        auto next = std::find_if(message.answers.begin(), message.answers.end(), is_next);
        if (next == message.answers.end()) return;
        verdict.name = next->target;
        lessen(verdict.ttl, next->ttl);
        verdict.open_end = true;
    }
}

Verdict judge(const std::string& name, uint16_t type, const wire::Message& message)
{
    Verdict verdict;
    verdict.name = name;
    verdict.ttl = no_ttl_yet;
    verdict.authentic = message.authentic;
    if (type != wire::type_cname) follow_cnames(message, verdict);
    for (const auto& each : message.answers) {
        if (each.type != type || !base::same_word(each.owner, verdict.name)) continue;
        lessen(verdict.ttl, each.ttl);
        verdict.records.push_back(each);
    }
    if (!verdict.records.empty()) {
        verdict.status = Status::found;
        verdict.open_end = false;
        return verdict;
    }
    if (message.negative_ttl) lessen(verdict.ttl, *message.negative_ttl);
    bool says_no = message.rcode == 3 || message.negative_ttl;
    if (message.rcode == 3)
        verdict.status = Status::no_such_domain;
    else
        verdict.status = message.unusable ? Status::try_again : Status::no_data;
    verdict.open_end = verdict.open_end && !says_no && is_askable(verdict.name);
    if (!message.negative_ttl && !verdict.open_end) verdict.ttl = std::chrono::seconds(0);
    return verdict;
}

std::string reverse_name(const net::Address& address)
{
    std::string bytes = address.bytes(), name;
    if (bytes.size() == 4) {
        for (auto each = bytes.rbegin(); each != bytes.rend(); ++each)
            name += fmt::format("{}.", static_cast<unsigned char>(*each));
        return name + "in-addr.arpa";
    }
    for (auto each = bytes.rbegin(); each != bytes.rend(); ++each) {
        auto byte = static_cast<unsigned char>(*each);
        name += fmt::format("{:x}.{:x}.", byte & 15, byte >> 4);
    }
    return name + "ip6.arpa";
}

net::Address to_address(const wire::Record& record)
{
    if (record.type == wire::type_a) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        std::copy_n(record.data.data(), 4, reinterpret_cast<char*>(&four.sin_addr));
        return net::Address(reinterpret_cast<sockaddr*>(&four), sizeof four);
    }
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    std::copy_n(record.data.data(), 16, reinterpret_cast<char*>(&six.sin6_addr));
    return net::Address(reinterpret_cast<sockaddr*>(&six), sizeof six);
}

template <class Record> Answer<Record> answer_from(const Verdict& verdict)
{
    Answer<Record> answer;
    answer.status = verdict.status;
    answer.ttl = verdict.ttl;
    answer.name = verdict.name;
    answer.authentic = verdict.authentic;
    return answer;
}

// RFC 6761 6.3: never a question for a name server.
bool is_localhost(std::string_view name)
{
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    return base::same_word(name, "localhost") || base::ends_with_word(name, ".localhost");
}

std::string key_of(const std::string& name, uint16_t type) { return fmt::format("{}/{}", type, base::lower(name)); }

bool has_family(const net::Address& address, Families families)
{
    return families == Families::any || address.is_ipv6() == (families == Families::ipv6);
}

} // namespace

bool is_askable(std::string_view name)
{
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    if (name.empty() || name.size() > 253) return false;
    for (auto label : base::split_exact(name, '.')) {
        if (label.empty() || label.size() > 63) return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; }))
            return false;
    }
    return true;
}

struct Resolver::Core {
    // One who waits for a question, in the frame of the waiting task.
    struct Waiting;

    // A question under way, and everybody who waits for its answer.
    struct Pending final : Asker {
        Pending(Core& core, std::string key, std::string name, uint16_t type)
            : core(core), key(std::move(key)), name(std::move(name)), type(type)
        {
        }
        void answered(Result result, std::string_view bytes) override { core.answered(*this, result, bytes); }

        Core& core;
        std::string key, name;
        uint16_t type;
        std::vector<Waiting*> waiting;
    };

    struct Waiting final : async::Source {
        explicit Waiting(Pending& of) : of(&of) { of.waiting.push_back(this); }
        ~Waiting()
        {
            if (of) std::erase(of->waiting, this);
        }
        bool ready() const override { return !of; }
        using Source::wake;
        Pending* of; // nothing once the answer is here
        Verdict verdict;
    };

    struct Kept {
        Verdict verdict;
        Clock::time_point until;
    };

    explicit Core(Options given)
        : options(std::move(given)), hosts(options.hosts_file), engine(options.servers, options.timeout, options.tries)
    {
    }

    async::Task<Verdict> ask(std::string name, uint16_t type);
    async::Task<Verdict> ask_once(std::string name, uint16_t type);
    void begin(std::string name, uint16_t type);
    void answered(Pending& pending, Asker::Result result, std::string_view bytes);
    void keep(const std::string& key, const Verdict& verdict);

    Options options;
    HostsFile hosts;
    std::unordered_map<std::string, Kept> cache;
    std::unordered_map<std::string, std::unique_ptr<Pending>> pending;
    Engine engine; // the last: its destructor answers what is pending
};

async::Task<Verdict> Resolver::Core::ask_once(std::string name, uint16_t type)
{
    std::string key = key_of(name, type);
    if (auto kept = cache.find(key); kept != cache.end()) {
        if (kept->second.until > Clock::now()) co_return kept->second.verdict;
        cache.erase(kept);
    }
    auto& place = pending[key];
    bool is_new = !place;
    if (is_new) place = std::make_unique<Pending>(*this, key, name, type);
    Pending* question = place.get();
    Waiting waiting(*question);
    if (is_new) engine.ask(name, type, *question);
    co_await async::wait(waiting);
    co_return std::move(waiting.verdict);
}

// Asks without waiting: a task that asks the same soon joins, or finds the answer in the cache.
void Resolver::Core::begin(std::string name, uint16_t type)
{
    if (!name.empty() && name.back() == '.') name.pop_back();
    std::string key = key_of(name, type);
    auto kept = cache.find(key);
    bool known = kept != cache.end() && kept->second.until > Clock::now();
    if (known || pending.count(key) || !is_askable(name)) return;
    auto question = std::make_unique<Pending>(*this, key, name, type);
    Pending* asker = question.get();
    pending.emplace(key, std::move(question));
    engine.ask(name, type, *asker);
}

async::Task<Verdict> Resolver::Core::ask(std::string name, uint16_t type)
{
    if (!name.empty() && name.back() == '.') name.pop_back();
    Verdict verdict;
    verdict.name = name;
    verdict.status = Status::no_such_domain;
    if (!is_askable(name)) co_return verdict;
    std::chrono::seconds least = no_ttl_yet;
    for (int links = 0; links < most_cnames; ++links) {
        verdict = co_await ask_once(verdict.name.empty() ? name : verdict.name, type);
        least = std::min(least, verdict.ttl);
        if (!verdict.open_end) {
            verdict.ttl = least;
            co_return verdict;
        }
    }
    verdict.status = Status::try_again;
    co_return verdict;
}

void Resolver::Core::answered(Pending& question, Asker::Result result, std::string_view bytes)
{
    auto mine = pending.extract(question.key);
    Verdict verdict;
    verdict.name = question.name;
    auto message = result == Asker::Result::answered ? wire::parse(bytes) : std::nullopt;
    if (message) verdict = judge(question.name, question.type, *message);
    keep(question.key, verdict);
    for (auto* each : question.waiting) {
        each->of = nullptr;
        each->verdict = verdict;
        each->wake();
    }
}

void Resolver::Core::keep(const std::string& key, const Verdict& verdict)
{
    if (verdict.status == Status::try_again || verdict.ttl.count() <= 0) return;
    auto now = Clock::now();
    if (cache.size() >= options.cache_entries) {
        std::erase_if(cache, [&](const auto& each) { return each.second.until <= now; });
        if (cache.size() >= options.cache_entries) cache.clear();
    }
    auto ttl = std::min(verdict.ttl, verdict.status == Status::found ? longest_kept : longest_negative);
    cache.insert_or_assign(key, Kept{verdict, now + ttl});
}

Resolver::Resolver(Options options) : core_(std::make_unique<Core>(std::move(options))) {}
Resolver::~Resolver() = default;
size_t Resolver::cached() const { return core_->cache.size(); }
void Resolver::forget() { core_->cache.clear(); }

async::Task<Answer<Mx>> Resolver::mx(std::string name)
{
    Verdict verdict = co_await core_->ask(std::move(name), wire::type_mx);
    auto answer = answer_from<Mx>(verdict);
    for (auto& each : verdict.records) {
        Mx mx;
        mx.preference = each.preference;
        mx.host = std::move(each.target);
        auto less_preferred = [&](const Mx& other) { return other.preference > mx.preference; };
        auto place = std::find_if(answer.records.begin(), answer.records.end(), less_preferred);
        answer.records.insert(place, std::move(mx));
    }
    co_return answer;
}

async::Task<Answer<net::Address>> Resolver::addresses(std::string name, Families families, bool use_hosts_file)
{
    Answer<net::Address> answer;
    answer.name = name;
    if (use_hosts_file) {
        for (const auto& each : core_->hosts.addresses(name))
            if (has_family(each, families)) answer.records.push_back(each);
        if (!answer.records.empty()) {
            answer.status = Status::found;
            co_return answer;
        }
    }
    if (is_localhost(name)) {
        for (const char* ip : {"127.0.0.1", "::1"})
            if (auto each = *net::Address::parse_ip(ip, 0); has_family(each, families)) answer.records.push_back(each);
        answer.status = Status::found;
        co_return answer;
    }
    if (families == Families::any) core_->begin(name, wire::type_a); // on its way while the first answer is waited for
    Verdict six, four;
    if (families != Families::ipv4) six = co_await core_->ask(name, wire::type_aaaa);
    if (families != Families::ipv6) four = co_await core_->ask(name, wire::type_a);
    if (families == Families::ipv4) six.status = four.status;
    if (families == Families::ipv6) four.status = six.status;
    const Verdict& first = families == Families::ipv6 || !six.records.empty() ? six : four;
    answer = answer_from<net::Address>(first);
    if (first.status != Status::found) {
        // RFC 8020: no such name for one type is none for the other. A failure of either may hide addresses.
        bool unsure = six.status == Status::try_again || four.status == Status::try_again;
        answer.status = unsure ? Status::try_again : first.status;
        co_return answer;
    }
    for (const auto* each : {&six, &four}) {
        if (each->records.empty()) continue;
        answer.ttl = std::min(answer.ttl, each->ttl);
        answer.authentic = answer.authentic && each->authentic;
        for (const auto& record : each->records) answer.records.push_back(to_address(record));
    }
    co_return answer;
}

async::Task<ClientName> Resolver::reverse(net::Address client, bool use_hosts_file)
{
    ClientName result;
    if (client.bytes().empty()) co_return result;
    std::vector<std::string> names;
    if (use_hosts_file) {
        if (auto name = core_->hosts.name(client); is_askable(name)) names.push_back(name);
        if (!names.empty()) result.reverse = Status::found;
    }
    if (names.empty()) {
        Verdict verdict = co_await core_->ask(reverse_name(client), wire::type_ptr);
        result.reverse = verdict.status;
        for (auto& each : verdict.records)
            if (is_askable(each.target) && names.size() < most_clients_names) names.push_back(std::move(each.target));
        if (names.empty() && result.reverse == Status::found) result.reverse = Status::no_data;
    }
    if (names.empty()) {
        result.forward = result.reverse;
        co_return result;
    }
    // A PTR that looks like an address would pass for one in logs and tables.
    std::erase_if(names, [](const std::string& name) { return net::Address::parse_ip(name, 0).has_value(); });
    if (names.empty()) {
        result.forward = Status::no_data;
        co_return result;
    }
    result.reverse_name = names[0];
    Families family = client.is_ipv6() ? Families::ipv6 : Families::ipv4;
    result.forward = Status::no_data;
    for (const auto& name : names) {
        auto forward = co_await addresses(name, family, use_hosts_file);
        auto is_client = [&](const net::Address& each) { return each.bytes() == client.bytes(); };
        if (forward.found() && std::any_of(forward.records.begin(), forward.records.end(), is_client)) {
            result.name = result.reverse_name = name;
            result.forward = Status::found;
            co_return result;
        }
        if (forward.status == Status::try_again) result.forward = Status::try_again;
    }
    co_return result;
}

async::Task<Answer<std::string>> Resolver::txt(std::string name) { return raw(std::move(name), wire::type_txt); }

async::Task<Answer<std::string>> Resolver::raw(std::string name, uint16_t type)
{
    Verdict verdict = co_await core_->ask(std::move(name), type);
    auto answer = answer_from<std::string>(verdict);
    for (auto& each : verdict.records) answer.records.push_back(std::move(each.data));
    co_return answer;
}

} // namespace dns
