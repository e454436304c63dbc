#include "dns/hosts_file.h"

#include "base/fd.h"
#include "base/text.h"

#include <sys/stat.h>

namespace dns {
namespace {

constexpr std::chrono::seconds look_every{2};
constexpr size_t largest_file = 16 << 20;

} // namespace

std::vector<net::Address> HostsFile::addresses(std::string_view name)
{
    refresh();
    auto found = addresses_.find(base::lower(name));
    return found == addresses_.end() ? std::vector<net::Address>() : found->second;
}

std::string HostsFile::name(const net::Address& address)
{
    refresh();
    auto found = names_.find(address.bytes());
    return found == names_.end() ? std::string() : found->second;
}

void HostsFile::refresh()
{
    auto now = std::chrono::steady_clock::now();
    if (stamp_ != -1 && now - looked_at_ < look_every) return;
    looked_at_ = now;
    struct stat file {};
    int64_t stamp = ::stat(path_.c_str(), &file) == 0 ? file.st_mtim.tv_sec * 1'000'000'000 + file.st_mtim.tv_nsec : 0;
    if (stamp == stamp_) return;
    stamp_ = stamp;
    addresses_.clear();
    names_.clear();
    try {
        if (stamp != 0) read(base::read_file(path_, largest_file));
    } catch (const std::exception&) {
        // As with no file: what it would have said, the DNS is asked for.
    }
}

void HostsFile::read(std::string_view text)
{
    for (auto line : base::split_exact(text, '\n')) {
        auto words = base::split(base::cut(line, '#').before, " \t\r");
        if (words.size() < 2) continue;
        auto address = net::Address::parse_ip(words[0], 0);
        if (!address) continue;
        names_.try_emplace(address->bytes(), words[1]);
        for (size_t i = 1; i < words.size(); ++i) addresses_[base::lower(words[i])].push_back(*address);
    }
}

} // namespace dns
