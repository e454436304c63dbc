// blocks: writing at places.
#include "spool/blocks.h"

#include "base/error.h"
#include "base/fd.h"

#include <unistd.h>

#include <algorithm>

namespace spool {

namespace {

constexpr uint64_t piece_size = 256 << 10;

void read_all(int fd, std::string& bytes, uint64_t offset, const std::string& name)
{
    for (size_t done = 0; done < bytes.size();) {
        ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw base::SystemError("read " + name);
        if (got == 0) throw base::SystemError("read " + name + ": the file is shorter than it was", EIO);
        done += static_cast<size_t>(got);
    }
}

// The two places may overlap: pieces go from the end that is not in the way.
void move(int fd, const Writes::Move& move, const std::string& name)
{
    bool backwards = move.to > move.from;
    std::string piece;
    for (uint64_t done = 0; done < move.length;) {
        uint64_t length = std::min(piece_size, move.length - done);
        uint64_t at = backwards ? move.length - done - length : done;
        piece.resize(length);
        read_all(fd, piece, move.from + at, name);
        base::pwrite_all(fd, piece, static_cast<off_t>(move.to + at), name);
        done += length;
    }
}

} // namespace

void write_blocks(int fd, const Writes& writes, bool seal, const std::string& name)
{
    if (writes.move) move(fd, *writes.move, name);
    for (const Block& block : writes.blocks) base::pwrite_all(fd, block.bytes, static_cast<off_t>(block.offset), name);
    if (writes.size && ::ftruncate(fd, static_cast<off_t>(*writes.size)) != 0) throw base::SystemError("truncate " + name);
    if (seal && ::fdatasync(fd) != 0) throw base::SystemError("fdatasync " + name);
}

} // namespace spool
