#include "content.h"

#include "base/error.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"

#include <algorithm>

namespace local_delivery {

Content::Content(int fd, uint64_t offset, uint64_t length, std::string name) : fd_(fd), offset_(offset), left_(length), name_(std::move(name))
{
}

std::string_view Content::next()
{
    if (kept_) {
        kept_ = false;
        return piece_;
    }
    piece_.resize(static_cast<size_t>(std::min<uint64_t>(left_, piece_size)));
    if (piece_.empty()) return {};
    size_t got = base::pread_some(fd_, piece_, static_cast<off_t>(offset_), name_);
    if (got < piece_.size()) throw base::SystemError(name_ + " is cut off", EIO);
    offset_ += got;
    left_ -= got;
    return piece_;
}

std::string_view Content::beginning()
{
    std::string_view piece = next();
    kept_ = !piece.empty();
    return piece;
}

bool was_delivered_to(std::string_view message, std::string_view address)
{
    std::string wanted = mail::fold_case(address);
    for (const mail::Field& field : mail::Fields(message, mail::BadLine::ends_header)) {
        if (!base::same_word(field.name, "Delivered-To")) continue;
        if (mail::fold_case(mail::to_internal(mail::unfold(field.value))) == wanted) return true;
    }
    return false;
}

} // namespace local_delivery
