// verdict_cache: passwords that were checked lately, so that a client that logs in again and again costs no hash. What is
// kept of a password is a keyed digest that dies with the process.
#pragma once

#include "base/clock.h"
#include "sasl/auth_master.h"

#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace auth {

struct Verdict {
    enum Kind { ok, wrong, disabled, temporary } kind = wrong;
    sasl::UserRecord user; // ok
    std::string why;       // for the log; never sent
    bool lasting = true;   // the same question would get the same answer from anywhere
};

class VerdictCache {
public:
    // size: bytes that names and records may take, 0: nothing is kept.
    VerdictCache(size_t size, base::Duration lifetime, base::Duration wrong_lifetime);

    // A right password whose name is known, or a wrong one that was tried before.
    std::optional<Verdict> find(std::string_view name, std::string_view password, base::Steady now);
    void keep(std::string_view name, std::string_view password, const Verdict& verdict, base::Steady now);

private:
    struct Entry {
        std::string key;
        Verdict verdict;
        base::Steady until;
        size_t size;
    };
    std::string key_of(std::string_view name, std::string_view password) const;
    void drop(std::list<Entry>::iterator entry);

    size_t most_, used_ = 0;
    base::Duration lifetime_, wrong_lifetime_;
    std::string secret_;
    std::list<Entry> entries_; // the latest used first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

} // namespace auth
