// notes: what was found out about a mailbox's messages by reading them, kept in a file beside it so that nobody has to read them again:
//   "RPNOTE1\n", UIDVALIDITY, 0     then records: UID, kind, length, CRC-32 of these and of the value; the value
// It may be removed or damaged at any time: what it does not tell, the messages do. No message ever changes under its UID.
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace store {

struct Message;

class Notes {
public:
    // What a value means. When its form changes it gets another number: then those of other versions are not found.
    enum class Kind : uint32_t { size = 1, date = 2, fields = 3, body = 4, body_structure = 5, preview = 6 };
    static constexpr size_t value_limit = 64 << 10;             // longer ones are not kept

    Notes(std::string path, uint32_t uid_validity);             // reads what there is
    ~Notes();
    Notes(const Notes&) = delete;

    uint32_t uid_validity() const { return uid_validity_; }

    // The view lives until the next call of any function.
    std::optional<std::string_view> find(uint32_t uid, Kind kind);
    std::optional<int64_t> find_number(uint32_t uid, Kind kind);
    // Found from the next save() on. Saves when much has gathered.
    void add(uint32_t uid, Kind kind, std::string_view value);
    void add_number(uint32_t uid, Kind kind, int64_t value);
    // Appends to the file what was added, unless others noted it meanwhile. Where that cannot be, it is forgotten. Never waits for others.
    void save();
    // Makes the file small again when most of it is about messages that are gone. present: ascending UIDs.
    void tidy(std::span<const Message> present);

private:
    struct Place {
        uint32_t uid = 0;
        Kind kind{};
        uint64_t offset = 0;                // of the record
        uint32_t length = 0;                // of its value
    };
    static bool before(const Place& a, const Place& b);
    const Place* place_of(uint32_t uid, Kind kind) const;
    void open();
    void read_on();
    size_t take(std::string_view bytes, uint64_t offset);
    std::optional<std::string_view> record(const Place& place);
    bool lock_current();
    void append();
    void rewrite(std::span<const Message> present);

    std::string path_;
    uint32_t uid_validity_;
    base::Fd file_;                         // what places_ are of
    uint64_t end_ = 0;                      // of what was of use in it; 0: it is none of ours
    std::vector<Place> places_;             // ordered by before()
    std::string window_;                    // a piece of the file
    uint64_t window_at_ = 0;
    std::string pending_;                   // records not yet in the file
    std::vector<Place> pending_places_;     // offsets into pending_
};

} // namespace store
