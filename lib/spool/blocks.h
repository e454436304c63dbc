// blocks: what is to be written into a queue file, and the thread's part of it: writing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spool {

struct Block {
    uint64_t offset = 0;
    std::string bytes;
};

// In this order.
struct Writes {
    // Bytes written before, whose place has changed because what stands before them has grown or shrunk.
    struct Move {
        uint64_t from = 0, to = 0, length = 0;
    };
    std::optional<Move> move;
    std::vector<Block> blocks;
    std::optional<uint64_t> size;       // the file is cut to this
};

// Blocks: for async::offload. When seal is set, makes all of it durable (fdatasync) before it returns. Throws base::SystemError.
void write_blocks(int fd, const Writes& writes, bool seal, const std::string& name);

} // namespace spool
