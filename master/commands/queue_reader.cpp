#include "queue_reader.h"

#include "queue_client.h"

#include "base/error.h"
#include "base/log.h"

namespace commands {

void ListingReader::add(std::string_view lines)
{
    pending_ += lines;
    size_t last = pending_.rfind("\nM\t");
    if (last == std::string::npos) return;
    for (const auto& message : spool::parse_listing(std::string_view(pending_).substr(0, last + 1))) take_(message);
    pending_.erase(0, last + 1);
}

void ListingReader::end()
{
    for (const auto& message : spool::parse_listing(pending_)) take_(message);
    pending_.clear();
}

void read_queue(const config::Config& config, const std::function<void(const spool::ListedMessage&)>& take)
{
    ListingReader reader(take);
    auto answer = ask_queue_manager(config, {"list"}, [&](std::string_view lines) { reader.add(lines); });
    if (answer.failed) throw base::SystemError(answer.last_line, EIO);
    if (!answer.reached) {
        base::log::warning("Mail system is down -- accessing queue directly");
        spool::list_queue(spool::Folders(config.queue_directory), [&](spool::ListedMessage&& message) {
            take(message);
            return true;
        });
    }
    reader.end();
}

} // namespace commands
