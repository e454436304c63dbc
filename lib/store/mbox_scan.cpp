#include "store/mbox_scan.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace store {

namespace {

// Empty when the first line has no colon: then it is no header.
std::string_view field_name(std::string_view line)
{
    line = line.substr(0, line.find('\n'));
    size_t colon = line.find(':');
    return colon == std::string_view::npos ? std::string_view() : base::trim_right(line.substr(0, colon));
}

std::string_view field_value(std::string_view line)
{
    size_t colon = line.find(':');
    return colon == std::string_view::npos ? std::string_view() : base::trim(line.substr(colon + 1));
}

// "From sender  Sun Nov 22 20:50:19 2026": a time of day tells it from a sentence that begins so.
bool is_from_line(std::string_view line)
{
    if (line.substr(0, 5) != "From ") return false;
    for (size_t at = line.find(':', 7); at != std::string_view::npos && at + 2 < line.size(); at = line.find(':', at + 1))
        if (base::is_digit(line[at - 1]) && base::is_digit(line[at - 2]) && base::is_digit(line[at + 1]) && base::is_digit(line[at + 2])) return true;
    return false;
}

// The asctime date at the end; a zone name may stand before or after the year.
std::time_t date_of(std::string_view line)
{
    std::vector<std::string_view> words = base::split(line, " \t\r\n");
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (size_t i = 2; i + 2 < words.size(); ++i) {
        size_t month = words[i].size() == 3 ? months.find(words[i]) : std::string_view::npos;
        auto day = base::number<int>(words[i + 1]);
        std::vector<std::string_view> clock = base::split_exact(words[i + 2], ':');
        if (month == std::string_view::npos || month % 3 != 0 || !day || clock.size() < 2) continue;
        std::tm when{};
        for (size_t y = i + 3; y < words.size(); ++y)
            if (auto year = base::number<int>(words[y]); year && *year > 1969 && *year < 10000) when.tm_year = *year - 1900;
        if (when.tm_year == 0) continue;
        when.tm_mon = static_cast<int>(month / 3);
        when.tm_mday = std::clamp(*day, 1, 31);
        when.tm_hour = std::clamp(base::number<int>(clock[0]).value_or(0), 0, 23);
        when.tm_min = std::clamp(base::number<int>(clock[1]).value_or(0), 0, 59);
        when.tm_sec = clock.size() > 2 ? std::clamp(base::number<int>(clock[2]).value_or(0), 0, 60) : 0;
        when.tm_isdst = -1;
        return std::mktime(&when);
    }
    return 0;
}

struct Letter {
    char letter;
    Flags flag;
};
constexpr Letter x_status[] = {{'A', flag::answered}, {'F', flag::flagged}, {'T', flag::draft}, {'D', flag::deleted}};

} // namespace

bool is_flag_header(std::string_view line)
{
    std::string_view name = field_name(line);
    return base::same_word(name, "Status") || base::same_word(name, "X-Status") || base::same_word(name, "X-Keywords");
}

bool is_hidden_header(std::string_view line)
{
    std::string_view name = field_name(line);
    if (name.empty() || base::upper(name[0]) < 'C') return false;
    for (std::string_view hidden : {"Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase", "Content-Length", "Lines"})
        if (base::same_word(name, hidden)) return true;
    return false;
}

void MboxScan::mix(std::string_view bytes)
{
    // FNV-1a, 64 bits: it tells messages apart; who forges two alike confuses his own mailbox only.
    for (char c : bytes) message_.fingerprint = (message_.fingerprint ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}

void MboxScan::feed(std::string_view chunk)
{
    while (!chunk.empty()) {
        size_t end = chunk.find('\n');
        bool ended = end != std::string_view::npos;
        std::string_view piece = chunk.substr(0, ended ? end + 1 : chunk.size());
        chunk.remove_prefix(piece.size());
        if (ended && piece.size() > 1) before_last_ = piece[piece.size() - 2];
        else if (!ended) before_last_ = piece.back();
        line_.append(piece.substr(0, kept_bytes - std::min(kept_bytes, line_.size())));
        line_length_ += piece.size();
        if (ended) line_done(line_length_, true);
    }
}

void MboxScan::line_done(uint64_t length, bool ended)
{
    uint64_t offset = std::exchange(offset_, offset_ + length);
    uint64_t weight = length + (ended && before_last_ != '\r' ? 1 : 0);
    bool empty = line_ == "\n" || line_ == "\r\n";
    if (after_empty_ && is_from_line(line_)) {
        if (part_ != Part::none) end_message(offset - held_empty_, offset);
        begin_message(offset, length);
    } else if (part_ == Part::none) {
        if (!empty) valid_ = false;
    } else if (part_ == Part::header) {
        if (empty) {
            part_ = Part::body;
            message_.body = offset_;
            message_.crlf_size += 2;
        } else header_line(line_, weight);
    } else {
        message_.crlf_size += std::exchange(held_weight_, empty ? weight : 0);
        held_empty_ = empty ? length : 0;
        if (!empty) message_.crlf_size += weight;
    }
    after_empty_ = empty;
    line_.clear();
    line_length_ = 0;
    before_last_ = 0;
}

void MboxScan::begin_message(uint64_t offset, uint64_t length)
{
    message_ = {};
    message_.start = offset;
    message_.header = offset + length;
    message_.fingerprint = 0xcbf29ce484222325;
    message_.flags = flag::recent;
    message_.date = date_of(line_);
    mix(line_);
    part_ = Part::header;
    hidden_ = seen_status_ = seen_x_status_ = false;
    held_empty_ = held_weight_ = 0;
}

void MboxScan::end_message(uint64_t end, uint64_t next)
{
    message_.end = end;
    message_.next = next;
    if (part_ == Part::header) message_.body = end;
    messages_.push_back(std::move(message_));
    held_empty_ = held_weight_ = 0;
    part_ = Part::none;
}

void MboxScan::header_line(std::string_view line, uint64_t weight)
{
    bool continued = line[0] == ' ' || line[0] == '\t';
    if (!continued) hidden_ = is_hidden_header(line);
    if (!hidden_) {
        mix(line);
        message_.crlf_size += weight;
    } else if (!continued) read_hidden(line);
}

void MboxScan::read_hidden(std::string_view line)
{
    std::string_view name = field_name(line), value = field_value(line);
    if (base::same_word(name, "Status") && !std::exchange(seen_status_, true)) {
        if (value.find('R') != std::string_view::npos) message_.flags |= flag::seen;
        if (value.find('O') != std::string_view::npos) message_.flags &= ~flag::recent;
    } else if (base::same_word(name, "X-Status") && !std::exchange(seen_x_status_, true)) {
        for (const Letter& known : x_status)
            if (value.find(known.letter) != std::string_view::npos) message_.flags |= known.flag;
    } else if (base::same_word(name, "X-Keywords") && message_.keywords.empty()) {
        for (std::string_view word : base::split(value, " \t"))
            if (message_.keywords.size() < flag::keyword_limit) message_.keywords.emplace_back(word);
    } else if (base::same_word(name, "X-UID")) {
        message_.uid = base::number<uint32_t>(value).value_or(0);
    } else if (base::same_word(name, "X-IMAPbase") || base::same_word(name, "X-IMAP")) {
        std::vector<std::string_view> words = base::split(value, " \t");
        if (words.size() >= 2) {
            message_.uid_validity = base::number<uint32_t>(words[0]).value_or(0);
            message_.last_uid = base::number<uint32_t>(words[1]).value_or(0);
        }
        if (messages_.empty() && base::same_word(name, "X-IMAP")) message_.internal = true;
    }
}

std::vector<MboxMessage> MboxScan::finish()
{
    if (line_length_ > 0) line_done(line_length_, false);
    if (part_ != Part::none) end_message(offset_ - held_empty_, offset_);
    return std::move(messages_);
}

std::string mbox_flag_headers(Flags flags, const std::vector<std::string>& keywords)
{
    std::string letters;
    for (const Letter& known : x_status)
        if (flags & known.flag) letters += known.letter;
    std::string names;
    for (const std::string& keyword : keywords) names += keyword + " ";
    std::string text = fmt::format("Status: {:<2}\nX-Status: {:<4}\n", flags & flag::seen ? "RO" : "O", letters);
    if (!names.empty()) text += fmt::format("X-Keywords: {:<40}\n", names);
    return text;
}

std::string with_flag_headers(std::string_view header, Flags flags, const std::vector<std::string>& keywords)
{
    std::string out;
    each_header(header, [&](std::string_view field) {
        if (!is_flag_header(field)) out += field;
    });
    if (!out.empty() && out.back() != '\n') out += '\n';
    return out + mbox_flag_headers(flags, keywords) + "\n";
}

std::string visible_message(std::string_view header, std::string_view body)
{
    std::string out;
    out.reserve(header.size() + body.size());
    size_t used = 0;
    each_header(header, [&](std::string_view field) {
        used += field.size();
        if (!is_hidden_header(field)) out += field;
    });
    // The empty line counts as LF whatever it was, as in the scan.
    if (used < header.size()) out += '\n';
    return out += body;
}

} // namespace store
