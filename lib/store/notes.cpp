#include "store/notes.h"

#include "store/store.h"
#include "base/checksum.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace store {

namespace {

constexpr std::string_view magic = "RPNOTE1\n";
constexpr size_t header_size = 16, record_header = 16, checked_header = 12;
constexpr uint64_t largest_file = 256 << 20;
constexpr size_t save_from = 1 << 20;               // bytes that wait
constexpr uint64_t tidy_from = 1 << 20;
constexpr size_t chunk = 1 << 20, sequential_window = 128 << 10, single_window = 4 << 10;

template <class Number> void put(std::string& out, Number value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

template <class Number> Number get(std::string_view bytes, size_t at)
{
    Number value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

std::string file_header(uint32_t uid_validity)
{
    std::string out(magic);
    put(out, uid_validity);
    put(out, uint32_t{0});
    return out;
}

bool checks(std::string_view record)
{
    uint32_t sum = base::crc32(record.substr(0, checked_header));
    return base::crc32(record.substr(record_header), sum) == get<uint32_t>(record, checked_header);
}

base::Fd open_notes(const std::string& path, int how)
{
    base::Fd file(::open(path.c_str(), how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    struct stat info{};
    if (file && (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))) file.reset();
    return file;
}

} // namespace

bool Notes::before(const Place& a, const Place& b) { return std::tie(a.uid, a.kind) < std::tie(b.uid, b.kind); }

Notes::Notes(std::string path, uint32_t uid_validity) : path_(std::move(path)), uid_validity_(uid_validity) { open(); }

Notes::~Notes() { save(); }

void Notes::open()
{
    places_.clear();
    window_.clear();
    end_ = 0;
    file_ = open_notes(path_, O_RDWR);
    if (!file_) file_ = open_notes(path_, O_RDONLY);
    if (!file_) return;
    try {
        read_on();
    } catch (const base::SystemError&) {
        file_.reset();
    }
}

// What was added to the file since, up to the first record that is none: a crash may have torn it, or somebody is writing it.
void Notes::read_on()
{
    char head[header_size];
    size_t there = base::pread_some(file_.get(), head, 0, path_);
    if (std::string_view(head, there) != file_header(uid_validity_)) {
        places_.clear();
        end_ = 0;
        return;
    }
    end_ = std::max<uint64_t>(end_, header_size);
    size_t known = places_.size();
    std::string bytes(chunk, '\0');
    while (end_ < largest_file) {
        size_t got = base::pread_some(file_.get(), bytes, static_cast<off_t>(end_), path_);
        size_t used = take(std::string_view(bytes).substr(0, got), end_);
        end_ += used;
        if (used == 0 || got < bytes.size()) break;
    }
    if (!std::is_sorted(places_.begin() + static_cast<std::ptrdiff_t>(known > 0 ? known - 1 : 0), places_.end(), before))
        std::stable_sort(places_.begin(), places_.end(), before);
}

size_t Notes::take(std::string_view bytes, uint64_t offset)
{
    size_t used = 0;
    while (bytes.size() - used >= record_header) {
        std::string_view rest = bytes.substr(used);
        auto uid = get<uint32_t>(rest, 0);
        auto length = get<uint32_t>(rest, 8);
        if (uid == 0 || length > value_limit || rest.size() < record_header + length) break;
        if (!checks(rest.substr(0, record_header + length))) break;
        places_.push_back({uid, static_cast<Kind>(get<uint32_t>(rest, 4)), offset + used, length});
        used += record_header + length;
    }
    return used;
}

const Notes::Place* Notes::place_of(uint32_t uid, Kind kind) const
{
    auto found = std::lower_bound(places_.begin(), places_.end(), Place{uid, kind}, before);
    return found != places_.end() && found->uid == uid && found->kind == kind ? &*found : nullptr;
}

// The record in the window, which moves over it. Mostly the next one asked for is the next one in the file.
std::optional<std::string_view> Notes::record(const Place& place)
{
    size_t size = record_header + place.length;
    bool inside = place.offset >= window_at_ && place.offset + size <= window_at_ + window_.size();
    if (!inside) {
        bool follows = place.offset >= window_at_ && place.offset <= window_at_ + window_.size() + single_window;
        window_.resize(std::max(size, follows ? sequential_window : single_window));
        window_at_ = place.offset;
        window_.resize(base::pread_some(file_.get(), window_, static_cast<off_t>(window_at_), path_));
        if (window_.size() < size) return std::nullopt;
    }
    std::string_view found = std::string_view(window_).substr(place.offset - window_at_, size);
    bool same = get<uint32_t>(found, 0) == place.uid && get<uint32_t>(found, 4) == static_cast<uint32_t>(place.kind);
    if (!same || get<uint32_t>(found, 8) != place.length || !checks(found)) return std::nullopt;
    return found;
}

std::optional<std::string_view> Notes::find(uint32_t uid, Kind kind)
{
    const Place* place = place_of(uid, kind);
    if (!place) return std::nullopt;
    try {
        auto found = record(*place);
        if (found) return found->substr(record_header);
    } catch (const base::SystemError&) {
        window_.clear();
    }
    return std::nullopt;
}

std::optional<int64_t> Notes::find_number(uint32_t uid, Kind kind)
{
    auto value = find(uid, kind);
    if (!value || value->size() != sizeof(int64_t)) return std::nullopt;
    return get<int64_t>(*value, 0);
}

void Notes::add(uint32_t uid, Kind kind, std::string_view value)
{
    if (value.size() > value_limit || uid == 0) return;
    size_t start = pending_.size();
    pending_places_.push_back({uid, kind, start, static_cast<uint32_t>(value.size())});
    put(pending_, uid);
    put(pending_, static_cast<uint32_t>(kind));
    put(pending_, static_cast<uint32_t>(value.size()));
    uint32_t sum = base::crc32(std::string_view(pending_).substr(start, checked_header));
    put(pending_, base::crc32(value, sum));
    pending_ += value;
    if (pending_.size() >= save_from) save();
}

void Notes::add_number(uint32_t uid, Kind kind, int64_t value)
{
    add(uid, kind, {reinterpret_cast<const char*>(&value), sizeof value});
}

// Locks the file that has the name now. False: somebody else is writing.
bool Notes::lock_current()
{
    base::Fd file = open_notes(path_, O_RDWR | O_CREAT);
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
    struct stat locked{}, named{}, ours{};
    if (::fstat(file.get(), &locked) != 0 || ::stat(path_.c_str(), &named) != 0 || locked.st_ino != named.st_ino) return false;
    bool same = file_ && ::fstat(file_.get(), &ours) == 0 && ours.st_ino == locked.st_ino && static_cast<uint64_t>(locked.st_size) >= end_;
    if (!same) {
        places_.clear();
        end_ = 0;
    }
    file_ = std::move(file);
    window_.clear();
    return true;
}

// The file is locked and read to its end, or to where it is torn.
void Notes::append()
{
    std::string bytes;
    std::vector<Place> placed;
    if (end_ == 0) {
        bytes = file_header(uid_validity_);
        if (::ftruncate(file_.get(), 0) != 0) throw base::SystemError("truncate " + path_);
    }
    for (const Place& place : pending_places_) {
        if (place_of(place.uid, place.kind)) continue;
        placed.push_back(place);
        placed.back().offset = end_ + bytes.size();
        bytes.append(pending_, place.offset, record_header + place.length);
    }
    if (placed.empty() || end_ + bytes.size() > largest_file) return;
    if (::ftruncate(file_.get(), static_cast<off_t>(end_)) != 0) throw base::SystemError("truncate " + path_);
    base::pwrite_all(file_.get(), bytes, static_cast<off_t>(end_), path_);
    end_ += bytes.size();
    std::stable_sort(placed.begin(), placed.end(), before);
    auto middle = places_.insert(places_.end(), placed.begin(), placed.end());
    std::inplace_merge(places_.begin(), middle, places_.end(), before);
}

void Notes::save()
{
    if (pending_places_.empty()) return;
    try {
        if (lock_current()) {
            read_on();
            append();
        }
    } catch (const base::SystemError&) {
        end_ = 0;
        places_.clear();
    }
    if (file_) ::flock(file_.get(), LOCK_UN);
    pending_.clear();
    pending_places_.clear();
}

void Notes::tidy(std::span<const Message> present)
{
    if (end_ < tidy_from) return;
    uint64_t dead = 0;
    auto message = present.begin();
    for (const Place& place : places_) {
        while (message != present.end() && message->uid < place.uid) ++message;
        if (message == present.end() || message->uid != place.uid) dead += record_header + place.length;
    }
    if (dead <= end_ / 2) return;
    try {
        if (lock_current()) rewrite(present);
    } catch (const base::SystemError&) {
        end_ = 0;
        places_.clear();
    }
    open();
}

void Notes::rewrite(std::span<const Message> present)
{
    std::string bytes = file_header(uid_validity_);
    auto message = present.begin();
    for (const Place& place : places_) {
        while (message != present.end() && message->uid < place.uid) ++message;
        if (message == present.end() || message->uid != place.uid) continue;
        if (auto kept = record(place)) bytes += *kept;
    }
    base::replace_file(path_, bytes, 0600);
}

} // namespace store
