#include "verdict_cache.h"

#include "base/random.h"
#include "passwords/scram_keys.h"

namespace auth {
namespace {

size_t size_of(std::string_view key, const Verdict& verdict)
{
    constexpr size_t overhead = 300;
    size_t size = overhead + key.size() + verdict.user.name.size() + verdict.user.home.size() + verdict.user.mail.size();
    for (const auto& [name, value] : verdict.user.more) size += name.size() + value.size();
    return size;
}

} // namespace

VerdictCache::VerdictCache(size_t size, base::Duration lifetime, base::Duration wrong_lifetime)
    : most_(size), lifetime_(lifetime), wrong_lifetime_(wrong_lifetime), secret_(base::random_bytes(32))
{
}

std::string VerdictCache::key_of(std::string_view name, std::string_view password) const
{
    std::string text(name);
    text += '\0';
    std::string key = text + passwords::hmac(secret_, text + std::string(password), "SHA256");
    return key;
}

void VerdictCache::drop(std::list<Entry>::iterator entry)
{
    used_ -= entry->size;
    by_key_.erase(entry->key);
    entries_.erase(entry);
}

std::optional<Verdict> VerdictCache::find(std::string_view name, std::string_view password, base::Steady now)
{
    if (most_ == 0) return std::nullopt;
    auto found = by_key_.find(key_of(name, password));
    if (found == by_key_.end()) return std::nullopt;
    auto entry = found->second;
    if (now >= entry->until) {
        drop(entry);
        return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->verdict;
}

void VerdictCache::keep(std::string_view name, std::string_view password, const Verdict& verdict, base::Steady now)
{
    bool right = verdict.kind == Verdict::ok;
    base::Duration lifetime = right ? lifetime_ : wrong_lifetime_;
    if (most_ == 0 || lifetime <= base::Duration::zero() || !verdict.lasting) return;
    if (!right && verdict.kind != Verdict::wrong) return;
    std::string key = key_of(name, password);
    auto known = by_key_.find(key);
    if (known != by_key_.end()) drop(known->second);
    size_t size = size_of(key, verdict);
    if (size > most_) return;
    while (used_ + size > most_) drop(std::prev(entries_.end()));
    used_ += size;
    entries_.push_front(Entry{key, verdict, now + lifetime, size});
    by_key_[std::move(key)] = entries_.begin();
}

} // namespace auth
