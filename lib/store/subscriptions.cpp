#include "store/subscriptions.h"

#include "store/folder_lock.h"
#include "store/names.h"
#include "store/utf7.h"
#include "base/text.h"

#include <algorithm>
#include <unordered_set>

namespace store {

namespace {

constexpr std::string_view head = "V\t2\n\n";
constexpr size_t largest = 16 << 20;

Subscriptions read_file(const std::string& path, char separator, bool utf8)
{
    return base::exists(path) ? parse_subscriptions(base::read_file(path, largest), separator, utf8) : Subscriptions{};
}

} // namespace

Subscriptions parse_subscriptions(std::string_view text, char separator, bool utf8)
{
    Subscriptions result;
    result.version_2 = text.empty() || text.substr(0, head.size()) == head;
    if (result.version_2) text.remove_prefix(std::min(head.size(), text.size()));
    std::unordered_set<std::string> seen;
    for (std::string_view line : base::split(text, "\n")) {
        std::string spelled(line);
        if (result.version_2) std::replace(spelled.begin(), spelled.end(), '\t', separator);
        std::optional<std::string> name = utf8 ? std::optional(spelled) : from_utf7(spelled);
        if (name && is_inbox(*name)) name = "INBOX";
        if (name && good_name(*name, separator) && seen.insert(*name).second) result.names.push_back(std::move(*name));
    }
    return result;
}

std::string format_subscriptions(const Subscriptions& subscriptions, char separator, bool utf8)
{
    std::string text(subscriptions.version_2 ? head : "");
    for (const std::string& name : subscriptions.names) {
        std::string spelled = utf8 ? name : to_utf7(name);
        if (subscriptions.version_2) std::replace(spelled.begin(), spelled.end(), separator, '\t');
        text += spelled + "\n";
    }
    return text;
}

std::vector<std::string> read_subscriptions(const std::string& path, char separator, bool utf8)
{
    return read_file(path, separator, utf8).names;
}

bool change_subscription(const std::string& path, std::string_view name, bool on, char separator, bool utf8)
{
    DotLock lock = lock_beside(path);
    Subscriptions all = read_file(path, separator, utf8);
    auto found = std::find(all.names.begin(), all.names.end(), name);
    if ((found != all.names.end()) == on) return false;
    if (on) all.names.emplace_back(name);
    else all.names.erase(found);
    base::replace_file(path, format_subscriptions(all, separator, utf8), 0600);
    return true;
}

} // namespace store
