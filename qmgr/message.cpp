#include "message.h"

#include "base/clock.h"

namespace qmgr {

int64_t now_microseconds()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(base::wall_now().time_since_epoch()).count();
}

namespace {

void apply(const spool::Event& event, Message& message)
{
    using spool::RecordType;
    if (event.type == RecordType::forced_expiry) message.forced_expiry = true;
    if (event.type == RecordType::delay_told) message.delay_told = true;
    bool about_recipient = event.type == RecordType::delivered || event.type == RecordType::deferred;
    if (!about_recipient || event.recipient >= message.recipients.size()) return;
    RecipientState& state = message.recipients[event.recipient];
    if (event.type == RecordType::delivered) state.state = RecipientState::delivered;
    state.dsn = event.dsn;
    state.text = event.text;
    state.remote = event.remote;
    state.last_attempt = event.time;
}

} // namespace

std::unique_ptr<Message> make_message(spool::StoredMessage stored, spool::Place place)
{
    auto message = std::make_unique<Message>();
    message->id = stored.envelope.id;
    message->head = stored.head;
    message->place = place;
    for (auto& recipient : stored.envelope.recipients) {
        message->recipients.emplace_back();
        message->recipients.back().recipient = std::move(recipient);
    }
    stored.envelope.recipients.clear();
    message->envelope = std::move(stored.envelope);
    uint64_t journal_size = 0;
    for (const auto& event : stored.journal) {
        apply(event, *message);
        journal_size += spool::write_event(event).size();
    }
    message->journal_end = message->head.journal_offset() + journal_size;
    return message;
}

} // namespace qmgr
