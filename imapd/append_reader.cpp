#include "append_reader.h"

#include "catenate_url.h"
#include "fetch.h"

#include "base/text.h"

#include <fmt/format.h>

namespace imapd {

namespace {

constexpr size_t most_messages = 500; // each is an open file

} // namespace

// append-message = [SP flag-list] [SP date-time] SP append-data
async::Task<std::optional<Tagged>> AppendReader::read(size_t most)
{
    do {
        if (messages_.size() >= std::min(most, most_messages)) co_return no("[LIMIT] Too many messages in one command");
        ReadMessage one;
        arguments_.space();
        if (arguments_.at('(')) {
            one.flags = arguments_.flag_list(true);
            arguments_.space();
        }
        one.date = std::time(nullptr);
        if (arguments_.at('"')) {
            one.date = static_cast<std::time_t>(arguments_.date_time().unix_seconds);
            arguments_.space();
        }
        one.message = session_.mail.store->append(mailbox_);
        if (!one.message) co_return no("[TRYCREATE] No such mailbox");
        messages_.push_back(std::move(one));
        size_ = 0;
        co_await read_one();
        if (refused_) co_return refused_;
        if (size_ == 0) co_return no("[CANNOT] A message of no octets");
    } while (arguments_.at(' '));
    arguments_.end();
    co_return std::nullopt;
}

// append-data = literal / literal8 / "UTF8" SP "(" literal8 ")" / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
async::Task<> AppendReader::read_one()
{
    if (arguments_.skip_keyword("CATENATE")) {
        arguments_.space();
        co_await read_catenated();
        co_return;
    }
    bool utf8 = arguments_.skip_keyword("UTF8");
    if (utf8) {
        if (!session_.enabled.utf8) throw Bad("UTF8=ACCEPT is not enabled");
        arguments_.space();
        arguments_.expect('(');
    }
    co_await read_literal(false);
    if (utf8 && !refused_) arguments_.expect(')');
}

// cat-part = "URL" SP astring / "TEXT" SP literal
async::Task<> AppendReader::read_catenated()
{
    arguments_.expect('(');
    do {
        if (arguments_.skip_keyword("URL")) {
            arguments_.space();
            add_url(arguments_.astring());
        } else if (arguments_.skip_keyword("TEXT")) {
            arguments_.space();
            co_await read_literal(true);
        } else {
            throw Bad("Expected URL or TEXT");
        }
        if (refused_) co_return;
    } while (arguments_.skip(' '));
    arguments_.expect(')');
}

async::Task<> AppendReader::read_literal(bool in_pieces)
{
    arguments_.skip('~');
    auto head = literal_head(arguments_.rest());
    if (!head || head->start != 0 || !session_.client.message()) throw Bad("Expected a literal with the message");
    // RFC 3502 6.3.11: a message of no octets takes the whole command back.
    if (!in_pieces && head->size == 0) {
        refused_ = no("[CANNOT] A message of no octets");
        co_return;
    }
    uint64_t limit = session_.settings.message_size_limit;
    if (limit > 0 && (head->size > limit || size_ > limit - head->size)) {
        refused_ = no(fmt::format("[TOOBIG] Messages may have {} octets", limit));
        co_return;
    }
    co_await session_.client.accept_message();
    while (true) {
        std::string_view piece = co_await session_.client.message_piece();
        if (piece.empty()) break;
        write(piece);
    }
    CommandText next = co_await session_.client.after_message();
    if (!next.refused.empty()) throw Bad(next.refused);
    text_ = std::move(next.text);
    arguments_ = Arguments(text_, session_.utf8_names());
}

void AppendReader::write(std::string_view bytes)
{
    size_ += bytes.size();
    messages_.back().message->write(bytes);
}

// RFC 4469 4.2: BADURL, and nothing is appended.
void AppendReader::add_url(const std::string& url)
{
    auto part = read_url_part(session_, url);
    uint64_t limit = session_.settings.message_size_limit;
    if (!part)
        refused_ = no(fmt::format("[BADURL \"{}\"] There is nothing of that URL", base::printable(url, 200)));
    else if (limit > 0 && size_ + part->size() > limit)
        refused_ = no(fmt::format("[TOOBIG] Messages may have {} octets", limit));
    else
        write(*part);
}

} // namespace imapd
