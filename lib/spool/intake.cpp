#include "spool/intake.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "mail/header.h"
#include "mail/message_id.h"

#include <unistd.h>

namespace spool {
namespace {

constexpr size_t longest_header = 1 << 20;      // all fields together; what follows is taken as it is

bool in_list(const config::List& words, std::string_view name)
{
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return base::same_word(word, name); });
}

// Where the header gathered so far ends: at the empty line, or at the first line that is no field. npos: not seen yet.
size_t header_ends(std::string_view text, size_t from)
{
    size_t at = from;
    while (at < text.size()) {
        size_t end = text.find('\n', at);
        if (end == std::string_view::npos) return std::string_view::npos;
        std::string_view line = text.substr(at, end - at);
        bool continues = at > 0 && !line.empty() && (line[0] == ' ' || line[0] == '\t');
        if (!continues && mail::field_name_length(line) == 0) return at;
        at = end + 1;
    }
    return std::string_view::npos;
}

} // namespace

void write_blocks(int fd, const std::vector<Block>& blocks, bool seal, const std::string& name)
{
    for (const Block& block : blocks) base::pwrite_all(fd, block.bytes, static_cast<off_t>(block.offset), name);
    if (seal && ::fdatasync(fd) != 0) throw base::SystemError("fdatasync " + name);
}

Intake::Intake(const config::Config& config, Origin origin, std::string id) : config_(config), origin_(std::move(origin))
{
    envelope_.id = std::move(id);
    envelope_.arrival = origin_.arrival;
    envelope_.sender = origin_.sender;
    envelope_.attributes = std::move(origin_.attributes);
}

void Intake::append(std::string_view bytes)
{
    pending_ += bytes;
    content_length_ += bytes.size();
    head_.content_checksum = base::crc32(bytes, head_.content_checksum);
}

void Intake::begin_content()
{
    begun_ = true;
    for (uint32_t i = 0; i < envelope_.recipients.size(); ++i) envelope_.recipients[i].number = i;
    std::string envelope = write_envelope(envelope_);
    head_.envelope_size = envelope.size();
    head_.envelope_checksum = base::crc32(envelope);
    pending_ = std::string(head_size, '\0') + envelope;
    pending_offset_ = 0;
    append(origin_.prepend);
    append(origin_.received);
}

void Intake::add(std::string_view content)
{
    if (!begun_) begin_content();
    if (!in_header_) {
        add_body(content);
        return;
    }
    size_t seen = header_.rfind('\n') == std::string::npos ? 0 : header_.rfind('\n') + 1;
    header_ += content;
    size_t end = header_ends(header_, seen);
    if (end == std::string::npos && header_.size() < longest_header) return;
    in_header_ = false;
    std::string gathered = std::move(header_);
    header_.clear();
    if (end == std::string::npos) end = gathered.rfind('\n') + 1;
    end_header(std::string_view(gathered).substr(0, end));
    std::string_view rest = std::string_view(gathered).substr(end);
    // RFC 5322 2.1: an empty line divides header and body; a message that forgot it gets one.
    if (rest.substr(0, 2) != "\r\n") append("\r\n");
    add_body(rest);
}

void Intake::add_body(std::string_view body) { append(body); }

void Intake::end_header(std::string_view header)
{
    bool date = false, from = false;
    bool resent = false;
    int hops = 0;
    for (const mail::Field& field : mail::Fields(header)) {
        if (in_list(config_.message_drop_headers, field.name)) continue;
        if (base::same_word(field.name, "Received")) ++hops;
        date = date || base::same_word(field.name, "Date");
        from = from || base::same_word(field.name, "From");
        resent = resent || base::starts_with_word(field.name, "Resent-");
        if (base::same_word(field.name, "Message-ID") && message_id_.empty()) message_id_ = mail::unfold(field.value);
        append(field.whole);
        if (field.whole.empty() || field.whole.back() != '\n') append("\r\n");
    }
    // Our own field counts, as in Postfix.
    if (hops + 1 >= config_.hopcount_limit) refusal_ = Refusal{554, "5.4.6", "Error: too many hops"};
    bool complete = origin_.complete_headers || config_.always_add_missing_headers;
    if (complete) append(missing_fields(!date, message_id_.empty(), !from));
}

std::string Intake::missing_fields(bool date, bool message_id, bool from)
{
    std::string fields;
    base::Wall arrival{std::chrono::microseconds(envelope_.arrival)};
    if (message_id) {
        message_id_ = mail::make_message_id(arrival, envelope_.id, config_.myhostname);
        fields += "Message-Id: " + message_id_ + "\r\n";
    }
    if (date) fields += "Date: " + base::mail_date(arrival) + "\r\n";
    if (from && !origin_.from.empty()) fields += "From: " + origin_.from + "\r\n";
    return fields;
}

std::vector<Block> Intake::take_blocks()
{
    std::vector<Block> blocks;
    if (pending_.empty()) return blocks;
    uint64_t size = pending_.size();
    blocks.push_back({pending_offset_, std::move(pending_)});
    pending_.clear();
    pending_offset_ += size;
    return blocks;
}

std::vector<Block> Intake::finish(const ContentSeen& seen)
{
    if (!begun_) begin_content();
    if (in_header_) {
        // No body came: what is left is the header's end, or a last line without an end, which may be no field.
        in_header_ = false;
        std::string gathered = std::move(header_);
        size_t length = gathered.size();
        if (length > 0 && gathered.back() != '\n') gathered += "\r\n";
        size_t end = std::min(header_ends(gathered, 0), gathered.size());
        end_header(std::string_view(gathered).substr(0, end));
        append("\r\n");
        if (end < length) add_body(std::string_view(gathered).substr(end, length - end));
    }
    head_.content_length = content_length_;
    if (seen.has_8bit) head_.content_flags |= content_8bit;
    if (seen.has_leading_dot) head_.content_flags |= content_dot_lines;
    if (seen.longest_line > 998) head_.content_flags |= content_long_lines;
    if (origin_.utf8) head_.content_flags |= content_utf8;
    std::string head = write_head(head_);
    if (pending_offset_ == 0) {
        pending_.replace(0, head_size, head);
        return take_blocks();
    }
    std::vector<Block> blocks = take_blocks();
    blocks.push_back({0, std::move(head)});
    return blocks;
}

} // namespace spool
