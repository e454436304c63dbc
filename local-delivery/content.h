// content: the bytes of the message that is delivered, read from the queue file piece by piece, and what its header says of loops.
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace local_delivery {

class Content {
public:
    // fd must outlive it.
    Content(int fd, uint64_t offset, uint64_t length, std::string name);

    // The next piece; empty at the end. Valid until the next call. Throws base::SystemError, and when the file is shorter than it should be.
    std::string_view next();
    // The first piece, which holds all of an ordinary header; next() gives it again.
    std::string_view beginning();

private:
    static constexpr size_t piece_size = 512 << 10;
    int fd_;
    uint64_t offset_, left_;
    std::string name_;
    std::string piece_;
    bool kept_ = false;
};

// Whether a Delivered-To: field names the address: it has been here before.
bool was_delivered_to(std::string_view message, std::string_view address);

} // namespace local_delivery
