// fetching: one message as FETCH answers it: what is costly is read at most once, and large parts are not copied.
#pragma once

#include "fetch.h"
#include "news.h"
#include "session.h"

#include <map>

namespace imapd {

// A piece of the answer: text, then perhaps a part of the message.
struct Piece {
    std::string text;
    WirePart part;
    size_t item = 0;
};

// One message being fetched. What is costly is read at most once.
class Fetching {
public:
    Fetching(Session& session, uint32_t uid) : session_(session), box_(*session.mail.box), uid_(uid) {}

    // False: the message is gone.
    bool load(const std::vector<FetchItem>& items);
    std::vector<Piece> compose(const std::vector<FetchItem>& items, uint32_t number);
    void remember(const FetchItem& item, const WirePart& part, WirePlace end);
    bool unknown_encoding() const { return unknown_encoding_; } // RFC 3516 4.3: an item BINARY could not be answered

private:
    const mail::Part& structure()
    {
        if (!structure_) structure_ = mail::parse_mime(content_->raw());
        return *structure_;
    }
    bool load_content(const std::vector<FetchItem>& items);
    template <class Make> const std::string& noted(store::Notes::Kind kind, Make make);
    std::string simple_value(const FetchItem& item);
    void put_section(const FetchItem& item, Piece& piece);
    void put_made(const FetchItem& item, std::string_view made, Piece& piece);
    std::string binary_size(const FetchItem& item);
    bool recall(const FetchItem& item, WirePart& part, uint64_t& octets);
    WirePart whole_section(const FetchItem& item, Piece& piece, uint64_t& octets);

    Session& session_;
    store::Mailbox& box_;
    uint32_t uid_;
    bool newly_seen_ = false, unknown_encoding_ = false;
    std::map<store::Notes::Kind, std::string> noted_;
    std::optional<store::Content> content_;
    std::optional<mail::Part> structure_;
    uint64_t size_ = 0;
    std::time_t date_ = 0;
};

} // namespace imapd
