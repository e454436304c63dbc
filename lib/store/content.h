// content: the bytes of one stored message, as they lie in the file and as the network wants them.
#pragma once

#include "base/fd.h"

#include <optional>
#include <string>
#include <string_view>

namespace store {

// Movable; views live as long as it does. Large files are mapped: a program that truncates a message file while we read it kills
// the reader (its own owner's process), as with every mail reader that maps.
class Content {
public:
    explicit Content(std::string bytes) : owned_(std::move(bytes)) {}
    Content(const base::Fd& file, const std::string& name);
    Content(Content&& other) noexcept;
    Content& operator=(Content&&) = delete;
    ~Content();

    std::string_view raw() const { return mapped_ ? std::string_view(mapped_, length_) : std::string_view(owned_); }
    // With CRLF ends. Converted once, at the first call; free of cost when the file has CRLF already.
    std::string_view crlf();

private:
    std::string owned_;
    const char* mapped_ = nullptr;
    size_t length_ = 0;
    std::optional<std::string> converted_;
    bool checked_ = false;
};

} // namespace store
