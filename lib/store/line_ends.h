// line_ends: between the CRLF of the network and the LF of files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace store {

// CRLF becomes LF; a CR without LF stays. Chunks may be cut anywhere, also between CR and LF.
class LfFilter {
public:
    void feed(std::string_view chunk, std::string& out);
    void finish(std::string& out);      // a CR that was the last byte

private:
    bool held_cr_ = false;
};

// Counts what a text will weigh with CRLF ends, chunk by chunk.
class CrlfCounter {
public:
    void feed(std::string_view chunk);
    uint64_t size() const { return size_; }

private:
    uint64_t size_ = 0;
    char last_ = 0;
};

std::string to_crlf(std::string_view text);     // LF without CR becomes CRLF; everything else stays
uint64_t crlf_size(std::string_view text);      // to_crlf(text).size()

} // namespace store
