#include "spool/listing.h"

#include "base/text.h"
#include "spool/queue_file.h"

#include <map>

namespace spool {
namespace {

ListedMessage read_one(const Folders& folders, const Place& place, const std::string& id)
{
    base::Fd fd = folders.open_to_read(place, id);
    StoredMessage stored = read_message(fd.get(), id);
    ListedMessage listed;
    listed.queue = place.queue;
    listed.id = stored.envelope.id;
    listed.sender = stored.envelope.sender;
    listed.arrival = stored.envelope.arrival / 1000000;
    listed.size = stored.head.content_length;
    std::map<uint32_t, Event> last;
    for (auto& event : stored.journal) {
        if (event.type == RecordType::next_attempt) listed.next_attempt = event.time;
        if (event.type == RecordType::forced_expiry) listed.forced_expiry = true;
        if (event.type == RecordType::delivered || event.type == RecordType::deferred)
            last[event.recipient] = event;
    }
    for (const auto& recipient : stored.envelope.recipients) {
        auto found = last.find(recipient.number);
        if (found != last.end() && found->second.type == RecordType::delivered) continue;
        listed.recipients.push_back({recipient.address, recipient.original, found == last.end() ? "" : found->second.text});
    }
    return listed;
}

} // namespace

std::vector<ListedMessage> list_message(const Folders& folders, const Place& place, const std::string& id)
{
    std::vector<ListedMessage> found;
    try {
        found.push_back(read_one(folders, place, id));
    } catch (const Damaged&) {
    } catch (const base::SystemError& failure) {
        if (failure.code() != ENOENT) throw;
    }
    return found;
}

void list_queue(const Folders& folders, const std::function<bool(ListedMessage&&)>& take)
{
    std::vector<Place> places = {{Queue::active}, {Queue::incoming}};
    for (int64_t when : folders.due_times()) places.push_back({Queue::deferred, when});
    places.push_back({Queue::hold});
    for (const Place& place : places)
        for (const auto& id : folders.list(place))
            for (auto& message : list_message(folders, place, id))
                if (!take(std::move(message))) return;
}

std::string listing_lines(const ListedMessage& message)
{
    auto clean = [](const std::string& text) { return base::printable(text, 4000); };
    std::string lines =
        fmt::format("M\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", queue_name(message.queue), message.id, message.arrival, message.size,
                    message.next_attempt, message.forced_expiry ? 1 : 0, clean(message.sender));
    for (const auto& recipient : message.recipients)
        lines += fmt::format("R\t{}\t{}\t{}\n", clean(recipient.address), clean(recipient.original), clean(recipient.reason));
    return lines;
}

std::vector<ListedMessage> parse_listing(std::string_view lines)
{
    std::vector<ListedMessage> messages;
    for (auto line : base::split(lines, "\n")) {
        auto part = base::split_exact(line, '\t');
        if (part.size() == 8 && part[0] == "M") {
            ListedMessage message;
            message.queue = find_queue(part[1]).value_or(Queue::incoming);
            message.id = part[2];
            message.arrival = base::number<int64_t>(part[3]).value_or(0);
            message.size = base::number<uint64_t>(part[4]).value_or(0);
            message.next_attempt = base::number<int64_t>(part[5]).value_or(0);
            message.forced_expiry = part[6] == "1";
            message.sender = part[7];
            messages.push_back(std::move(message));
        } else if (part.size() == 4 && part[0] == "R" && !messages.empty()) {
            messages.back().recipients.push_back({std::string(part[1]), std::string(part[2]), std::string(part[3])});
        }
    }
    return messages;
}

} // namespace spool
