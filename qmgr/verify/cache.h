// cache: what probes have found out, address by address: in memory, and in address_verify_map for the next queue manager, in the form that
// Postfix's verify(8) gives it: "verdict:probed:updated:text", times in seconds since 1970.
#pragma once

#include "async/nursery.h"
#include "config/config.h"
#include "maps/berkeley.h"
#include "spool/messages.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace qmgr {

struct VerifyEntry {
    using Verdict = spool::Verified::Verdict;
    Verdict verdict = Verdict::in_progress;
    int64_t probed = 0, updated = 0;
    std::string text;
};
std::string write_verify_entry(const VerifyEntry& entry);
std::optional<VerifyEntry> read_verify_entry(std::string_view text);

// address_verify_positive_expire_time and its kin, in seconds.
struct VerifyTimes {
    explicit VerifyTimes(const config::Config& config);
    bool expired(const VerifyEntry& entry, int64_t now) const;
    bool due_again(const VerifyEntry& entry, int64_t now) const;

    int64_t positive_expire, positive_refresh, negative_expire, negative_refresh;
};

// Where address_verify_map is; nothing when it is empty, or of a type that is not kept on disk here.
struct VerifyFile {
    std::string path;                   // the .db file itself
    maps::IndexKind kind = maps::IndexKind::btree;
};
std::optional<VerifyFile> verify_file(const config::Config& config);

class VerifyCache {
public:
    // Reads what is there. Trouble with the file is logged; then all is kept in memory alone.
    VerifyCache(const config::Config& config, async::Nursery& nursery);

    const VerifyTimes& times() const { return times_; }
    const VerifyEntry* find(const std::string& address) const;      // null also when it has expired
    void put(const std::string& address, VerifyEntry entry);
    void remove_expired();
    bool writing() const { return writing_; }
    size_t size() const { return entries_.size(); }

private:
    using Changes = std::map<std::string, std::optional<std::string>>;      // nothing: erased
    void load();
    void make_room();
    void note(const std::string& address, std::optional<std::string> value);
    async::Task<> write();

    async::Nursery& nursery_;
    VerifyTimes times_;
    std::optional<VerifyFile> file_;
    std::unordered_map<std::string, VerifyEntry> entries_;
    Changes changes_;
    bool writing_ = false;
};

} // namespace qmgr
