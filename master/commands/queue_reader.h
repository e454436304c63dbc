// queue_reader: the messages in the queue, one by one: from the running queue manager, or from the files when it does not run or does not
// let us. Blocking.
#pragma once

#include "config/config.h"
#include "spool/listing.h"

#include <functional>
#include <string>
#include <string_view>

namespace commands {

// Cuts a listing that comes in pieces into messages.
class ListingReader {
public:
    explicit ListingReader(std::function<void(const spool::ListedMessage&)> take) : take_(std::move(take)) {}
    void add(std::string_view lines);
    void end();

private:
    std::function<void(const spool::ListedMessage&)> take_;
    std::string pending_;
};

// Throws base::SystemError when neither can be had.
void read_queue(const config::Config& config, const std::function<void(const spool::ListedMessage&)>& take);

} // namespace commands
