// annotations: what mail programs note of mailboxes (RFC 5464), in one file beside the mailboxes: a line for each,
// "mailbox<TAB>entry<TAB>value in base64", sorted. The mailbox "" is the server itself.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class Annotations {
public:
    static constexpr size_t largest_value = 64 << 10, most_entries = 1000;

    explicit Annotations(std::string path) : path_(std::move(path)) {}

    using Entries = std::map<std::string, std::string>; // entry to value
    // Entry names are in lower case.
    Entries of(std::string_view mailbox) const;
    // The value of one entry for all mailboxes that have it.
    std::map<std::string, std::string> everywhere(std::string_view entry) const;

    struct Change {
        std::string entry;
        std::optional<std::string> value; // nothing: remove
    };
    // All or nothing; false: there would be more than most_entries.
    bool change(std::string_view mailbox, const std::vector<Change>& changes);
    // The mailbox and those below it have another name now; without one they are gone.
    void follow(std::string_view from, std::optional<std::string_view> to, char separator);

private:
    using All = std::map<std::pair<std::string, std::string>, std::string>;
    All read() const;
    void write(const All& all) const;

    std::string path_;
};

} // namespace store
