// memcache: the text protocol's get and set.
#include "maps/memcache.h"
#include "maps/query_pattern.h"
#include "maps/server_map.h"
#include "maps/text_peer.h"

#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace maps {

namespace {

constexpr size_t longest_key = 250;     // of memcached

std::string server_of(const ClientFile& file) { return file.text("memcache", "inet:localhost:11211"); }

class MemcacheMap final : public Map {
public:
    MemcacheMap(const std::string& name, const ClientFile& file, const Options& options)
        : Map("memcache:" + name), endpoint_(Endpoint::parse(server_of(file))), key_format_(file.text("key_format", "%s")),
          domains_(file.text("domain"), Matching::strings), all_domains_(file.text("domain").empty()), fold_(options.fold_case),
          flags_(file.number("flags", 0, 0, 0x7fffffff)), ttl_(file.number("ttl", 3600, 0, 0x7fffffff)),
          tries_(file.number("max_try", 2, 1, 100)), timeout_(file.number("timeout", 2, 1, 3600)),
          most_line_(static_cast<size_t>(file.number("line_size_limit", 1024, 32, 1 << 20))),
          most_data_(static_cast<size_t>(file.number("data_size_limit", 10240, 1, 1 << 20)))
    {
        if (auto backup = file.find("backup"); backup && !backup->empty()) backup_ = open(*backup, options);
    }

    std::optional<std::string> find(std::string_view key) override
    {
        std::string wanted = fold_ ? base::lower(key) : std::string(key);
        auto cached_as = cache_key(wanted);
        std::optional<std::string> found;
        if (cached_as) found = from_cache("get " + *cached_as + "\r\n");
        if (found || !backup_) return found;
        found = backup_->find(key);
        if (found && cached_as && found->size() <= most_data_)
            from_cache(fmt::format("set {} {} {} {}\r\n{}\r\n", *cached_as, flags_, ttl_, found->size(), *found));
        return found;
    }

private:
    // Nothing for keys that memcached cannot hold: white space would be a command of its own.
    std::optional<std::string> cache_key(const std::string& key)
    {
        if (!all_domains_) {
            auto address = base::cut_last(key, '@');
            if (!address.found || address.before.empty() || address.after.empty() || !domains_.matches(address.after)) return std::nullopt;
        }
        auto filled = key_format_.fill(key, key);
        bool fits = filled && !filled->empty() && filled->size() <= longest_key &&
                    std::all_of(filled->begin(), filled->end(), [](unsigned char c) { return c > ' ' && c != 127; });
        return fits ? filled : std::nullopt;
    }

    // With a backup the cache may be away; without one its silence is no answer.
    std::optional<std::string> from_cache(const std::string& request)
    {
        std::string why;
        if (base::steady_now() >= retry_at_) {
            for (int i = 0; i < tries_; ++i) {
                try {
                    if (!peer_) peer_ = std::make_unique<TextPeer>(endpoint_, timeout_);
                    return talk(request);
                } catch (const driver::ServerLost& lost) {
                    why = lost.what();
                    peer_.reset();
                }
            }
            retry_at_ = base::steady_now() + std::chrono::seconds(1);
            failure_ = why;
        }
        if (!backup_) throw Unavailable(fmt::format("table {}: {}", name(), failure_));
        if (!why.empty()) base::log::warning("table {}: {}", name(), why);
        return std::nullopt;
    }

    std::optional<std::string> talk(const std::string& request)
    {
        peer_->send(request);
        std::string reply = peer_->line(most_line_);
        if (reply == "END" || reply == "STORED" || reply == "NOT_STORED") return std::nullopt;
        auto words = base::split(reply, " ");
        auto size = words.size() >= 4 && words[0] == "VALUE" ? base::number<size_t>(words[3]) : std::nullopt;
        if (!size) throw driver::ServerLost(fmt::format("the server says: {}", base::printable(reply, 100)));
        if (*size > most_data_) throw driver::ServerLost(fmt::format("a value is longer than data_size_limit = {}", most_data_));
        std::string value = peer_->bytes(*size);
        if (peer_->bytes(2) != "\r\n" || peer_->line(most_line_) != "END") throw driver::ServerLost("malformed reply");
        return value;
    }

    Endpoint endpoint_;
    QueryPattern key_format_;
    MatchList domains_;
    bool all_domains_, fold_;
    int flags_, ttl_, tries_;
    std::chrono::seconds timeout_;
    size_t most_line_, most_data_;
    std::unique_ptr<Map> backup_;
    std::unique_ptr<TextPeer> peer_;
    base::Steady retry_at_{};
    std::string failure_;
};

} // namespace

bool memcache_needs_internet(const ClientFile& file) { return !Endpoint::parse(server_of(file)).is_unix(); }

std::unique_ptr<Map> open_memcache(const std::string& name, const Options& options)
{
    ClientFile file = ClientFile::read(name);
    try {
        return std::make_unique<MemcacheMap>(name, file, options);
    } catch (const Unavailable&) {
        throw;
    } catch (const std::runtime_error& why) {
        throw Unavailable(fmt::format("table memcache:{}: {}", name, why.what()));
    }
}

} // namespace maps
