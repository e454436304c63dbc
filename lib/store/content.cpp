#include "store/content.h"

#include "store/line_ends.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

namespace store {

namespace {
constexpr size_t map_from = 256 << 10;      // below, reading costs less than mapping
}

Content::Content(const base::Fd& file, const std::string& name)
{
    struct stat info{};
    if (::fstat(file.get(), &info) != 0) throw base::SystemError("stat " + name);
    size_t size = static_cast<size_t>(info.st_size);
    if (size < map_from) {
        owned_ = base::read_all(file.get(), name);
        return;
    }
    void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (map == MAP_FAILED) throw base::SystemError("map " + name);
    mapped_ = static_cast<const char*>(map);
    length_ = size;
}

Content::Content(Content&& other) noexcept
    : owned_(std::move(other.owned_)), mapped_(std::exchange(other.mapped_, nullptr)), length_(other.length_),
      converted_(std::move(other.converted_)), checked_(other.checked_)
{
}

Content::~Content()
{
    if (mapped_) ::munmap(const_cast<char*>(mapped_), length_);
}

std::string_view Content::crlf()
{
    if (!checked_ && crlf_size(raw()) != raw().size()) converted_ = to_crlf(raw());
    checked_ = true;
    return converted_ ? std::string_view(*converted_) : raw();
}

} // namespace store
