// intake: the header is gathered and gone through field by field; the body passes by, or goes line by line where somebody asks.
#include "cleanup/intake.h"

#include "cleanup/address_fields.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/message_id.h"

#include <algorithm>

namespace cleanup {
namespace {

constexpr size_t longest_header = 1 << 20;      // all fields together; what follows is taken as it is

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

bool dropped(const config::List& names, std::string_view name)
{
    return std::any_of(names.begin(), names.end(), [&](const std::string& each) { return base::same_word(each, name); });
}

// A field or line as tables see it: folds are LF, and the end has none.
std::string as_key(std::string_view whole)
{
    while (whole.ends_with('\n') || whole.ends_with('\r')) whole.remove_suffix(1);
    return base::replace_all(whole, "\r\n", "\n");
}

// What a table gave as a field or line: CRLF ended, and one field stays one.
std::string as_lines(std::string_view text, bool folded)
{
    std::string lines;
    for (std::string_view line : base::split_exact(text, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (folded && line.empty()) continue;
        if (folded && !lines.empty() && line[0] != ' ' && line[0] != '\t') lines += '\t';
        lines.append(line).append("\r\n");
    }
    return lines;
}

// header_size_limit: whole lines are left out behind it.
std::string_view limited(std::string_view whole, size_t limit)
{
    if (whole.size() <= limit) return whole;
    size_t end = whole.find('\n', limit);
    return end == std::string_view::npos ? whole : whole.substr(0, end + 1);
}

} // namespace

Intake::Intake(Rules& rules, Origin origin, std::string id)
    : rules_(rules), config_(rules.config), origin_(std::move(origin)), duties_(rules.duties(origin_.source)),
      rewriting_(origin_.ours ? &rules.local_rewriting : rules.remote_rewriting ? &*rules.remote_rewriting : nullptr), recipients_(rules, duties_),
      checks_(subject_, treatment_, duties_.checks), filter_checks_(subject_, treatment_, true, "milter-header-")
{
    envelope_.id = std::move(id);
    envelope_.arrival = origin_.arrival;
    envelope_.attributes = std::move(origin_.attributes);
    if (duties_.checks && rules_.reads_structure) structure_.emplace(config_, static_cast<Structure::Reader&>(*this));
}

void Intake::begin()
{
    begun_ = true;
    subject_.id = envelope_.id;
    subject_.client = origin_.client;
    if (origin_.client != "local") {
        subject_.protocol = envelope_.attribute("protocol_name");
        subject_.helo = envelope_.attribute("helo_name");
    }
    try {
        envelope_.sender = origin_.sender;
        if (duties_.mappings) envelope_.sender = rules_.addresses.canonical(origin_.sender, routing::Place::envelope_sender);
        subject_.sender = envelope_.sender;
        recipients_.add_copy_of_sender(envelope_.sender);
        for (spool::Recipient& recipient : given_) recipients_.add(std::move(recipient));
        if (duties_.copies && !given_.empty() && !config_.always_bcc.empty()) recipients_.add_copy(config_.always_bcc);
    } catch (const maps::Unavailable& trouble) {
        checks_.refuse(table_trouble(envelope_.id, trouble));
    }
    subject_.recipient = recipients_.last();
    for (const std::string& field : treatment_.prepend) read_header(as_lines(field, true));
    read_header(origin_.prepend);
    read_header(origin_.received);
}

void Intake::add(std::string_view content)
{
    if (!begun_) begin();
    if (!in_header_) return add_body(content);
    size_t seen = header_.rfind('\n') == std::string::npos ? 0 : header_.rfind('\n') + 1;
    header_ += content;
    size_t end = header_ends(header_, seen);
    if (end == std::string::npos && header_.size() < longest_header) return;
    std::string gathered = std::move(header_);
    header_.clear();
    if (end == std::string::npos) end = gathered.rfind('\n') + 1;
    read_header(std::string_view(gathered).substr(0, end));
    end_fields();
    std::string_view rest = std::string_view(gathered).substr(end);
    // RFC 5322 2.1: an empty line divides header and body; a message that forgot it gets one.
    if (rest.starts_with("\r\n")) rest.remove_prefix(2);
    add_body(rest);
}

void Intake::close_header()
{
    if (!begun_) begin();
    if (!in_header_) return;
    // What is left is the header's end, or a last line without an end, which may be no field.
    std::string gathered = std::move(header_);
    header_.clear();
    size_t length = gathered.size();
    if (length > 0 && gathered.back() != '\n') gathered += "\r\n";
    size_t end = std::min(header_ends(gathered, 0), gathered.size());
    read_header(std::string_view(gathered).substr(0, end));
    end_fields();
    if (end < length) add_body(std::string_view(gathered).substr(end, length - end));
}

void Intake::read_header(std::string_view fields)
{
    for (const mail::Field& field : mail::Fields(fields)) take_field(field);
}

void Intake::append_field(std::string_view whole)
{
    front_ += whole;
    if (!whole.ends_with('\n')) front_ += "\r\n";
}

void Intake::take_field(mail::Field field)
{
    if (auto limit = static_cast<size_t>(config_.header_size_limit); field.whole.size() > limit) {
        std::string_view whole = limited(field.whole, limit);
        if (whole.size() < field.whole.size())
            for (const mail::Field& shorter : mail::Fields(whole)) field = shorter;
    }
    if (duties_.checks && rules_.strict_headers && !origin_.utf8 && !base::is_ascii(field.whole) && !given_up())
        checks_.refuse_mime("improper use of 8-bit data in message header", as_key(field.whole));
    const KnownField* known = find_known_field(field.name);
    bool mime = known && known->roles & role::mime;
    maps::Maps& table = mime ? rules_.mime_header_checks : rules_.header_checks;
    if (!checks_.enabled() || table.empty()) return take_checked(field, known);
    Checks::Result found = checks_.look(Part::header, table, mime ? "mime_header_checks" : "header_checks", as_key(field.whole));
    for (const std::string& each : found.before) append_field(as_lines(each, true));
    if (found.dropped) return;
    if (!found.instead) return take_checked(field, known);
    std::string other = as_lines(*found.instead, true);
    for (const mail::Field& replaced : mail::Fields(other)) take_checked(replaced, find_known_field(replaced.name));
}

void Intake::take_checked(const mail::Field& field, const KnownField* known)
{
    if (structure_ && known && known->roles & role::mime) structure_->header_field(field.name, field.value);
    if (known && known->id == Name::content_transfer_encoding) declares_8bit_ = base::same_word(base::trim(mail::unfold(field.value)), "8bit");
    bool drop = dropped(config_.message_drop_headers, field.name);
    if (!known) {
        if (!drop) append_field(field.whole);
        return;
    }
    fields_seen_ |= bit(known->id);
    resent_ = resent_ || known->roles & role::resent;
    if (known->id == Name::message_id || known->id == Name::resent_message_id) note_message_id(mail::unfold(field.value), known->roles & role::resent);
    if (known->id == Name::received && ++hops_ == config_.hopcount_limit) {
        base::log::warning("{}: message rejected: hopcount exceeded", envelope_.id);
        checks_.refuse({554, "5.4.0", "Error: too many hops"});
    }
    if (drop) return;
    std::optional<std::string> changed;
    if (known->roles & (role::sender | role::recipient)) changed = rewritten(field, known->roles & role::sender);
    append_field(changed ? *changed : field.whole);
}

void Intake::note_message_id(std::string_view value, bool resent)
{
    base::log::info_as("cleanup", fmt::format("{}: {}message-id={}", envelope_.id, resent ? "resent-" : "", base::printable(value)));
    if (!resent && message_id_.empty()) message_id_ = value;
}

std::optional<std::string> Intake::rewritten(const mail::Field& field, bool sender)
{
    if (!rewriting_ || given_up()) return std::nullopt;
    auto place = sender ? routing::Place::header_sender : routing::Place::header_recipient;
    auto change = [&](const std::string& external) {
        std::string whole = routing::rewrite_address(external, *rewriting_);
        if (!external.starts_with('"')) whole = mail::to_internal(whole);
        return duties_.mappings ? rules_.addresses.canonical(whole, place) : whole;
    };
    try {
        return change_addresses(field.name, field.value, static_cast<size_t>(config_.header_address_token_limit), change);
    } catch (const maps::Unavailable& trouble) {
        checks_.refuse(table_trouble(envelope_.id, trouble));
    }
    return std::nullopt;
}

void Intake::add_missing_fields()
{
    bool complete = origin_.ours || config_.always_add_missing_headers;
    auto lacks = [&](Name plain, Name resent) { return complete && !(fields_seen_ & bit(resent_ ? resent : plain)); };
    std::string prefix = resent_ ? "Resent-" : "";
    base::Wall arrival{std::chrono::microseconds(envelope_.arrival)};
    if (lacks(Name::message_id, Name::resent_message_id)) {
        std::string made = mail::make_message_id(arrival, envelope_.id, config_.myhostname);
        note_message_id(made, resent_);
        front_ += fmt::format("{}Message-Id: {}\r\n", prefix, made);
        if (!resent_) fields_seen_ |= bit(Name::message_id);
    }
    if (!(fields_seen_ & bit(Name::message_id))) base::log::info_as("cleanup", fmt::format("{}: message-id=<>", envelope_.id));
    if (lacks(Name::date, Name::resent_date)) front_ += fmt::format("{}Date: {}\r\n", prefix, base::mail_date(arrival));
    if (lacks(Name::from, Name::resent_from)) {
        std::string from = envelope_.sender.empty() ? "MAILER-DAEMON" : mail::to_external(envelope_.sender);
        front_ += fmt::format("{}From: {}\r\n", prefix, origin_.from.empty() ? from : origin_.from);
    }
    constexpr uint64_t visible = bit(Name::to) | bit(Name::cc) | bit(Name::resent_to) | bit(Name::resent_cc);
    const std::string& undisclosed = config_.undisclosed_recipients_header;
    if (!complete || fields_seen_ & visible || undisclosed.empty()) return;
    if (mail::field_name_length(undisclosed) > 0) append_field(undisclosed);
    else base::log::warning("bad undisclosed_recipients_header header text \"{}\" -- need \"headername: headervalue\"", base::printable(undisclosed));
}

void Intake::end_fields()
{
    in_header_ = false;
    add_missing_fields();
    // RFC 6532: what is neither ASCII nor UTF-8 is just old.
    if (origin_.detects_utf8 && !base::is_ascii(front_) && base::is_utf8(front_)) origin_.utf8 = true;
    if (structure_) structure_->end_header();
}

void Intake::append_body(std::string_view bytes)
{
    body_ += bytes;
    body_checksum_ = base::crc32(bytes, body_checksum_);
}

void Intake::add_body(std::string_view body)
{
    if (given_up()) return;
    if (structure_) structure_->feed(body);
    else append_body(body);
}

void Intake::text_line(std::string_view line, std::string_view end, uint64_t offset)
{
    auto limit = static_cast<uint64_t>(config_.body_checks_size_limit);
    Checks::Result found;
    if (checks_.enabled() && !rules_.body_checks.empty() && (limit == 0 || offset < limit))
        found = checks_.look(Part::body, rules_.body_checks, "body_checks", std::string(line));
    for (const std::string& each : found.before) append_body(as_lines(each, false));
    if (found.dropped) return;
    if (found.instead) {
        std::string other = as_lines(*found.instead, false);
        if (end.empty()) other.resize(other.size() - 2);
        return append_body(other);
    }
    append_body(line);
    append_body(end);
}

void Intake::part_field(std::string_view field, bool nested)
{
    size_t length = mail::field_name_length(field.substr(0, field.find('\n')));
    const KnownField* known = find_known_field(field.substr(0, length));
    bool mime = !nested || (known && known->roles & role::mime);
    if (rules_.strict_headers && !origin_.utf8 && !base::is_ascii(field) && !given_up())
        checks_.refuse_mime("improper use of 8-bit data in message header", as_key(field));
    maps::Maps& table = mime ? rules_.mime_header_checks : rules_.nested_header_checks;
    Checks::Result found;
    if (checks_.enabled() && !table.empty())
        found = checks_.look(Part::header, table, mime ? "mime_header_checks" : "nested_header_checks", as_key(field));
    for (const std::string& each : found.before) append_body(as_lines(each, true));
    if (found.dropped) return;
    append_body(found.instead ? as_lines(*found.instead, true) : field);
}

void Intake::too_deep()
{
    if (rules_.limits_nesting && !given_up()) checks_.refuse_mime("MIME nesting exceeds safety limit", "");
}

void Intake::unlabelled_8bit(std::string_view line)
{
    if (rules_.strict_body && !given_up()) checks_.refuse_mime("improper use of 8-bit data in message body", line);
}

void Intake::encoded_structure(std::string_view value)
{
    if (rules_.strict_encoding && !given_up()) checks_.refuse_mime("invalid message/* or multipart/* encoding domain", value);
}

spool::Writes Intake::take_writes()
{
    spool::Writes writes;
    if (body_.empty()) return writes;
    // Where it will stay, unless the envelope or the header changes.
    if (body_offset_ == 0) {
        envelope_.recipients = recipients_.peek();
        body_offset_ = spool::head_size + spool::write_envelope(envelope_).size() + front_.size() + 2;
    }
    uint64_t size = body_.size();
    writes.blocks.push_back({body_offset_ + written_, std::move(body_)});
    body_.clear();
    written_ += size;
    return writes;
}

void Intake::note(const ContentSeen& seen)
{
    head_.content_flags &= ~static_cast<uint32_t>(spool::content_8bit | spool::content_dot_lines | spool::content_long_lines);
    if (seen.has_8bit) head_.content_flags |= spool::content_8bit;
    if (seen.has_leading_dot) head_.content_flags |= spool::content_dot_lines;
    if (seen.longest_line > 998) head_.content_flags |= spool::content_long_lines;
}

void Intake::finish(const ContentSeen& seen)
{
    close_header();
    if (structure_) structure_->finish();
    head_.content_flags = 0;
    note(seen);
    if (declares_8bit_ && config_.detect_8bit_encoding_header) head_.content_flags |= spool::content_8bit;
    if (origin_.utf8) head_.content_flags |= spool::content_utf8;
    if (origin_.ours) head_.content_flags |= spool::content_ours;
}

void Intake::change_sender(const std::string& address, const std::map<std::string, std::string>& attributes)
{
    envelope_.sender = duties_.mappings ? rules_.addresses.canonical(address, routing::Place::envelope_sender) : address;
    for (const auto& [name, value] : attributes) envelope_.attributes[name] = value;
}

std::vector<std::string> Intake::check_filters_field(const std::string& whole)
{
    if (rules_.milter_header_checks.empty()) return {whole};
    Checks::Result found = filter_checks_.look(Part::header, rules_.milter_header_checks, "milter_header_checks", as_key(whole));
    std::vector<std::string> fields;
    for (const std::string& each : found.before) fields.push_back(as_lines(each, true));
    if (!found.dropped) fields.push_back(found.instead ? as_lines(*found.instead, true) : whole);
    return fields;
}

void Intake::replace_body(std::string_view body, const ContentSeen& seen)
{
    note(seen);
    body_ = body;
    body_checksum_ = base::crc32(body);
    body_replaced_ = written_ > 0;
    written_ = 0;
    body_offset_ = 0;
}

void Intake::carry_out_treatment()
{
    try {
        if (!recipients_.last().empty())
            for (const std::string& address : treatment_.bcc) recipients_.add_copy(address);
    } catch (const maps::Unavailable& trouble) {
        checks_.refuse(table_trouble(envelope_.id, trouble));
    }
    envelope_.recipients = recipients_.take();
    if (!treatment_.redirect.empty() && !envelope_.recipients.empty()) {
        envelope_.recipients.resize(1);
        envelope_.recipients[0].address = rules_.router.rewrite(treatment_.redirect);
    }
    if (treatment_.hold) envelope_.attributes["hold"] = "yes";
    if (!treatment_.filter.empty()) envelope_.attributes["content_filter"] = treatment_.filter;
    for (uint32_t i = 0; i < envelope_.recipients.size(); ++i) envelope_.recipients[i].number = i;
}

spool::Writes Intake::seal()
{
    carry_out_treatment();
    std::string envelope = spool::write_envelope(envelope_);
    front_ += "\r\n";
    head_.envelope_size = envelope.size();
    head_.envelope_checksum = base::crc32(envelope);
    head_.content_length = front_.size() + body_size();
    head_.content_checksum = base::joined_crc32(base::crc32(front_), body_checksum_, body_size());
    uint64_t body_at = spool::head_size + envelope.size() + front_.size();

    spool::Writes writes;
    std::string top = spool::write_head(head_);
    top.reserve(body_at + (written_ > 0 ? 0 : body_.size()));
    top.append(envelope).append(front_);
    if (written_ == 0) {
        top.append(body_);
    } else {
        if (body_at != body_offset_) writes.move = spool::Writes::Move{body_offset_, body_at, written_};
        if (body_at < body_offset_) writes.size = body_at + body_size();
        if (!body_.empty()) writes.blocks.push_back({body_at + written_, std::move(body_)});
    }
    if (body_replaced_) writes.size = body_at + body_size();
    // The head makes it valid: last.
    writes.blocks.push_back({0, std::move(top)});
    written_ = 0;
    body_.clear();
    return writes;
}

} // namespace cleanup
