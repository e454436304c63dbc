// uidlist: Dovecot's "dovecot-uidlist" (version 3, and 1): which file of a Maildir folder has which UID.
//   3 V1700000000 N12 G0123…          UIDVALIDITY, next UID, GUID
//   7 W1234 Pid7 :1700000000.M1P2.host,S=1200
// Records are appended; a rewrite replaces the file. The last record of a file name counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

struct UidRecord {
    uint32_t uid = 0;
    std::string base;           // file name without ":2,…"
    std::string extra;          // "W1234 Pid7": kept as it is
};

struct UidList {
    uint32_t uid_validity = 0;  // 0: there is no usable header
    uint32_t next_uid = 1;
    std::string extra;          // further header fields: "G0123…"
    std::vector<UidRecord> records;
    bool damaged = false;       // some lines were of no use: write the list anew before appending to it
};

// A line without its newline at the end is somebody's write under way, or torn: it is not used. used: how many bytes were.
UidList parse_uidlist(std::string_view text, size_t* used = nullptr);
// Lines that were appended later.
void parse_uid_records(std::string_view text, UidList& into, size_t* used = nullptr);

std::string uidlist_header(const UidList& list);
std::string uidlist_line(const UidRecord& record);
std::string format_uidlist(const UidList& list);

// Whether a file name's base can stand in the list: no line end, no '/', not hidden.
bool good_base(std::string_view base);

// The value of field key in "W1234 Pid7".
std::optional<std::string_view> extra_field(std::string_view extra, char key);

} // namespace store
