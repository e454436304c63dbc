// cache: what probes have found out, address by address.
#include "verify/cache.h"

#include "message.h"

#include "async/offload.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "maps/map.h"

#include <filesystem>

namespace qmgr {
namespace {

constexpr size_t most_entries = 200'000;    // strangers choose the addresses
constexpr size_t longest_text = 500;

int64_t seconds(config::Seconds time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); }

void write_changes(const VerifyFile& file, const std::map<std::string, std::optional<std::string>>& changes)
{
    std::error_code ignored;
    maps::IndexWriter index(file.path, file.kind, std::filesystem::exists(file.path, ignored), 0600);
    for (const auto& [address, value] : changes) {
        if (value) index.put(address, *value, true);
        else index.erase(address);
    }
    index.finish();
}

} // namespace

std::string write_verify_entry(const VerifyEntry& entry)
{
    return fmt::format("{}:{}:{}:{}", static_cast<uint32_t>(entry.verdict), entry.probed, entry.updated, entry.text);
}

std::optional<VerifyEntry> read_verify_entry(std::string_view text)
{
    auto verdict = base::cut(text, ':');
    auto probed = base::cut(verdict.after, ':');
    auto updated = base::cut(probed.after, ':');
    auto number = base::number<uint32_t>(verdict.before);
    auto probed_at = base::number<int64_t>(probed.before), updated_at = base::number<int64_t>(updated.before);
    if (!number || *number > VerifyEntry::Verdict::in_progress || !probed_at || !updated_at || !updated.found) return std::nullopt;
    VerifyEntry entry;
    entry.verdict = static_cast<VerifyEntry::Verdict>(*number);
    entry.probed = *probed_at;
    entry.updated = *updated_at;
    entry.text = base::printable(updated.after, longest_text);
    return entry;
}

VerifyTimes::VerifyTimes(const config::Config& config)
    : positive_expire(seconds(config.address_verify_positive_expire_time)), positive_refresh(seconds(config.address_verify_positive_refresh_time)),
      negative_expire(seconds(config.address_verify_negative_expire_time)), negative_refresh(seconds(config.address_verify_negative_refresh_time))
{
}

bool VerifyTimes::expired(const VerifyEntry& entry, int64_t now) const
{
    return now - entry.updated > (entry.verdict == spool::Verified::deliverable ? positive_expire : negative_expire);
}

bool VerifyTimes::due_again(const VerifyEntry& entry, int64_t now) const
{
    return now - entry.updated > (entry.verdict == spool::Verified::deliverable ? positive_refresh : negative_refresh);
}

std::optional<VerifyFile> verify_file(const config::Config& config)
{
    std::string_view name = config.address_verify_map;
    while (name.starts_with("proxy:")) name.remove_prefix(6);
    auto parts = base::cut(name, ':');
    if ((parts.before != "btree" && parts.before != "hash") || !parts.after.starts_with('/')) return std::nullopt;
    return VerifyFile{std::string(parts.after) + ".db", parts.before == "hash" ? maps::IndexKind::hash : maps::IndexKind::btree};
}

VerifyCache::VerifyCache(const config::Config& config, async::Nursery& nursery) : nursery_(nursery), times_(config), file_(verify_file(config))
{
    if (!file_ && !config.address_verify_map.empty())
        base::log::warning("address_verify_map = {}: expected btree:/file or hash:/file; what probes find out is kept in memory only",
                           config.address_verify_map);
    if (file_) load();
}

void VerifyCache::load()
{
    std::error_code ignored;
    if (!std::filesystem::exists(file_->path, ignored)) return;
    int64_t now = now_seconds();
    try {
        maps::IndexReader index(file_->path);
        index.for_each([&](std::string_view address, std::string_view value) {
            auto entry = read_verify_entry(value);
            bool usable = entry && entry->verdict != spool::Verified::in_progress && !times_.expired(*entry, now);
            if (usable && entries_.size() < most_entries) entries_[std::string(address)] = std::move(*entry);
        });
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("address_verify_map: {}: what probes find out is kept in memory only", trouble.what());
        file_.reset();
    }
}

const VerifyEntry* VerifyCache::find(const std::string& address) const
{
    auto found = entries_.find(address);
    return found == entries_.end() || times_.expired(found->second, now_seconds()) ? nullptr : &found->second;
}

void VerifyCache::make_room()
{
    if (entries_.size() < most_entries) return;
    remove_expired();
    if (entries_.size() < most_entries) return;
    note(entries_.begin()->first, std::nullopt);
    entries_.erase(entries_.begin());
}

void VerifyCache::put(const std::string& address, VerifyEntry entry)
{
    entry.text = base::printable(entry.text, longest_text);
    make_room();
    note(address, write_verify_entry(entry));
    entries_[address] = std::move(entry);
}

void VerifyCache::remove_expired()
{
    int64_t now = now_seconds();
    std::erase_if(entries_, [&](const auto& each) {
        if (!times_.expired(each.second, now)) return false;
        note(each.first, std::nullopt);
        return true;
    });
}

void VerifyCache::note(const std::string& address, std::optional<std::string> value)
{
    if (!file_) return;
    changes_[address] = std::move(value);
    if (writing_) return;
    writing_ = true;
    nursery_.start(write());
}

// What changes while a batch is written goes with the next one.
async::Task<> VerifyCache::write()
{
    co_await async::Yield();
    while (!changes_.empty()) {
        auto work = [file = *file_, changes = std::exchange(changes_, {})] {
            try {
                write_changes(file, changes);
            } catch (const maps::Unavailable& trouble) {
                return std::string(trouble.what());
            }
            return std::string();
        };
        std::string trouble = co_await async::offload(std::move(work));
        if (!trouble.empty()) base::log::warning("address_verify_map: {}", trouble);
    }
    writing_ = false;
}

} // namespace qmgr
