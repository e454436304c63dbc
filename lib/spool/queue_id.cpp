#include "spool/queue_id.h"

namespace spool {
namespace {

// No vowels, so that no id spells a word; "z" is the divider and no digit of base 51.
constexpr std::string_view digits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
constexpr size_t longest = 40;

std::string to_base(uint64_t value, unsigned base, size_t least_digits)
{
    std::string text;
    while (value > 0 || text.size() < least_digits) {
        text.insert(text.begin(), digits[value % base]);
        value /= base;
    }
    return text;
}

std::optional<uint64_t> from_base(std::string_view text, unsigned base)
{
    uint64_t value = 0;
    for (char c : text) {
        size_t digit = digits.find(c);
        if (digit == std::string_view::npos || digit >= base || value > UINT64_MAX / base - digit) return std::nullopt;
        value = value * base + digit;
    }
    return value;
}

} // namespace

std::string make_queue_id(int64_t microseconds, uint64_t number)
{
    auto time = static_cast<uint64_t>(microseconds);
    return to_base(time / 1000000, 52, 6) + to_base(time % 1000000, 52, 4) + "z" + to_base(number, 51, 1);
}

std::optional<int64_t> queue_id_time(std::string_view id)
{
    size_t divider = id.rfind('z');
    if (id.size() > longest || divider == std::string_view::npos || divider < 10 || divider + 1 == id.size()) return std::nullopt;
    auto seconds = from_base(id.substr(0, divider - 4), 52);
    auto micros = from_base(id.substr(divider - 4, 4), 52);
    auto number = from_base(id.substr(divider + 1), 51);
    if (!seconds || !micros || !number || *micros >= 1000000 || *seconds > 1'000'000'000'000) return std::nullopt;
    return static_cast<int64_t>(*seconds * 1000000 + *micros);
}

} // namespace spool
