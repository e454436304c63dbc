#include "filters/milter_message.h"

#include "async/offload.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/header.h"
#include "smtp/command.h"

namespace smtpd {
namespace {

constexpr size_t longest_body = 256 << 20;      // where message_size_limit is 0
constexpr size_t most_fields = 20000;

bool is_named(const std::string& field, std::string_view name)
{
    size_t length = mail::field_name_length(field);
    return length > 0 && base::same_word(std::string_view(field).substr(0, length), name);
}

// An address with or without <>, in internal form.
std::string internal_address(const std::string& text)
{
    std::string_view bare = base::trim(text);
    if (bare == "<>" || bare.empty()) return {};
    auto path = smtp::parse_path(bare);
    return path ? path->address : std::string(bare);
}

} // namespace

TakenMessage::TakenMessage(cleanup::Intake& intake, base::Fd file, Service& service) : intake_(intake), file_(std::move(file)), service_(service)
{
    for (const mail::Field& field : mail::Fields(intake.header())) fields_.emplace_back(field.whole);
}

// The first Received: is ours; Sendmail's milters do not see it, nor do Postfix's.
size_t TakenMessage::own_received() const
{
    for (size_t i = 0; i < fields_.size(); ++i)
        if (is_named(fields_[i], "Received")) return i;
    return std::string::npos;
}

std::vector<milter::Message::Field> TakenMessage::fields() const
{
    std::vector<Field> seen;
    size_t hidden = own_received();
    for (size_t i = 0; i < fields_.size(); ++i) {
        if (i == hidden) continue;
        mail::Fields parsed(fields_[i]);
        auto field = parsed.begin();
        if (field == parsed.end()) continue;
        seen.push_back({std::string(field->name), base::replace_all(field->value, "\r\n", "\n")});
    }
    return seen;
}

async::Task<std::string_view> TakenMessage::body(uint64_t offset)
{
    std::string_view in_memory = intake_.gathered_body();
    uint64_t in_file = intake_.body_size() - in_memory.size();
    if (offset >= in_file) co_return in_memory.substr(std::min<uint64_t>(offset - in_file, in_memory.size()), milter::body_piece);
    uint64_t size = std::min<uint64_t>(milter::body_piece, intake_.body_size() - offset);
    uint64_t from_file = std::min(size, in_file - offset);
    auto read = [fd = file_.duplicate(), at = intake_.body_offset() + offset, from_file, id = intake_.envelope().id] {
        std::string piece(from_file, '\0');
        piece.resize(base::pread_some(fd.get(), piece, static_cast<off_t>(at), id));
        return piece;
    };
    piece_ = co_await async::offload(std::move(read));
    piece_ += in_memory.substr(0, size - from_file);
    co_return piece_;
}

async::Task<> TakenMessage::apply(milter::Change asked, bool spaced)
{
    spaced_ = spaced;
    try {
        std::visit([this](const auto& each) { change(each); }, asked);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}: {}", intake_.envelope().id, trouble.what());
        failed_ = true;
    }
    co_return;
}

std::string TakenMessage::field_of(const std::string& name, const std::string& value) const
{
    std::string field = name + (spaced_ ? ":" : ": ");
    // Whatever the milter divides lines with: each further line must be a fold, or it would be a field or the header's end.
    std::string text = base::replace_all(value, "\r\n", "\n");
    auto lines = base::split_exact(text, '\n');
    for (size_t i = 0; i < lines.size(); ++i) {
        std::string_view line = base::trim_right(lines[i]);
        if (i > 0 && base::trim(line).empty()) continue;
        if (i > 0) field += line[0] == ' ' || line[0] == '\t' ? "\r\n" : "\r\n\t";
        field += line;
    }
    std::replace(field.begin(), field.end(), '\0', ' ');
    field = field + "\r\n";
    if (mail::field_name_length(field) != name.size()) throw milter::Malformed("bad header name \"" + base::printable(name, 100) + "\"");
    if (fields_.size() >= most_fields) throw milter::Malformed("too many headers");
    return field;
}

// As milter_header_checks allow it.
void TakenMessage::put(size_t at, const std::string& field)
{
    auto allowed = intake_.check_filters_field(field);
    fields_.insert(fields_.begin() + static_cast<ptrdiff_t>(at), allowed.begin(), allowed.end());
    header_changed_ = true;
}

void TakenMessage::change(const milter::AddHeader& header)
{
    put(fields_.size(), field_of(header.name, header.value));
}

void TakenMessage::change(const milter::InsertHeader& header)
{
    std::string field = field_of(header.name, header.value);
    size_t hidden = own_received();
    size_t at = header.index;
    if (hidden != std::string::npos && at >= hidden && at < fields_.size()) ++at;
    put(std::min(at, fields_.size()), field);
}

void TakenMessage::change(const milter::ChangeHeader& header)
{
    size_t hidden = own_received();
    uint32_t count = 0;
    for (size_t i = 0; i < fields_.size(); ++i) {
        if (i == hidden || !is_named(fields_[i], header.name) || ++count < std::max(header.index, 1u)) continue;
        std::string field = header.value.empty() ? "" : field_of(header.name, header.value);
        fields_.erase(fields_.begin() + static_cast<ptrdiff_t>(i));
        header_changed_ = true;
        if (!field.empty()) put(i, field);
        return;
    }
    if (!header.value.empty()) change(milter::AddHeader{header.name, header.value});
}

void TakenMessage::change(const milter::ReplaceBody& piece)
{
    if (!body_) {
        body_.emplace();
        lines_.emplace(false);
    }
    lines_->feed(piece.bytes, *body_);
    int64_t limit = service_.config.message_size_limit;
    if (body_->size() > (limit > 0 ? static_cast<size_t>(limit) : longest_body)) throw milter::Malformed("a body beyond message_size_limit");
}

void TakenMessage::finish_changes()
{
    if (!body_) return;
    lines_->finish(*body_);
    auto facts = lines_->facts();
    intake_.replace_body(*body_, {facts.has_8bit, facts.has_leading_dot, facts.longest_line});
    body_.reset();
    lines_.reset();
}

void TakenMessage::finish()
{
    if (!header_changed_) return;
    intake_.header().clear();
    for (const auto& field : fields_) intake_.header() += field;
}

void TakenMessage::change(const milter::ChangeSender& sender)
{
    std::string address = internal_address(sender.address);
    if (!address.empty()) address = service_.router.rewrite(address);
    std::map<std::string, std::string> attributes;
    // RFC 3461 4.3: RET and ENVID go with the sender.
    for (auto word : base::split(sender.arguments, " \t")) {
        auto [name, value, found] = base::cut(word, '=');
        if (base::same_word(name, "RET")) attributes["ret"] = base::upper(value);
        if (base::same_word(name, "ENVID")) attributes["envid"] = base::from_xtext(value).value_or("");
    }
    intake_.change_sender(address, attributes);
}

void TakenMessage::change(const milter::AddRecipient& added)
{
    std::string address = internal_address(added.address);
    if (address.empty()) return;
    spool::Recipient recipient;
    recipient.address = service_.router.rewrite(address);
    recipient.original = address;
    for (auto word : base::split(added.arguments, " \t")) {
        auto [name, value, found] = base::cut(word, '=');
        if (base::same_word(name, "NOTIFY")) recipient.notify = smtp::parse_notify(value).value_or(0);
        if (base::same_word(name, "ORCPT")) recipient.dsn_original = value;
    }
    intake_.add_late_recipient(std::move(recipient));
}

void TakenMessage::change(const milter::DeleteRecipient& deleted)
{
    intake_.remove_recipient(service_.router.rewrite(internal_address(deleted.address)));
}

} // namespace smtpd
