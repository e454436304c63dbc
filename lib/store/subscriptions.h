// subscriptions: the file that lists the folders a user subscribed to, in Dovecot's two spellings: one name a line, or after a
// head "V<TAB>2" and an empty line, levels separated by TAB.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace store {

struct Subscriptions {
    std::vector<std::string> names;     // UTF-8
    bool version_2 = true;
};

// Names that we would not take are left out, doubles too.
Subscriptions parse_subscriptions(std::string_view text, char separator, bool utf8);
std::string format_subscriptions(const Subscriptions& subscriptions, char separator, bool utf8);

std::vector<std::string> read_subscriptions(const std::string& path, char separator, bool utf8);
// False: the file said so already.
bool change_subscription(const std::string& path, std::string_view name, bool on, char separator, bool utf8);

} // namespace store
