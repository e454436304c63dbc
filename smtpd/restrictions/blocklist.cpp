#include "restrictions/blocklist.h"

#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

namespace smtpd::restrictions {
namespace {

std::optional<int> octet_number(std::string_view text)
{
    auto value = base::number<int>(text);
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    return value;
}

std::optional<Blocklist::Range> parse_range(std::string_view text)
{
    size_t dots = text.find("..");
    auto from = octet_number(text.substr(0, dots));
    auto to = dots == text.npos ? from : octet_number(text.substr(dots + 2));
    if (!from || !to || *from > *to) return std::nullopt;
    return Blocklist::Range{*from, *to};
}

// "2" or "[2;4..7]" at the beginning of text, which is left behind it.
std::optional<Blocklist::Octet> take_octet(std::string_view& text)
{
    Blocklist::Octet octet;
    if (!text.starts_with('[')) {
        auto range = parse_range(text.substr(0, text.find('.')));
        text.remove_prefix(std::min(text.find('.'), text.size()));
        if (!range) return std::nullopt;
        octet.push_back(*range);
        return octet;
    }
    size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    for (auto piece : base::split_exact(text.substr(1, end - 1), ';')) {
        auto range = parse_range(piece);
        if (!range) return std::nullopt;
        octet.push_back(*range);
    }
    text.remove_prefix(end + 1);
    return octet;
}

std::optional<std::array<Blocklist::Octet, 4>> parse_filter(std::string_view text)
{
    std::array<Blocklist::Octet, 4> octets;
    for (size_t i = 0; i < octets.size(); ++i) {
        if (i > 0) {
            if (!text.starts_with('.')) return std::nullopt;
            text.remove_prefix(1);
        }
        auto octet = take_octet(text);
        if (!octet) return std::nullopt;
        octets[i] = std::move(*octet);
    }
    if (!text.empty()) return std::nullopt;
    return octets;
}

} // namespace

std::shared_ptr<const Blocklist> Blocklist::parse(std::string_view text)
{
    auto list = std::make_shared<Blocklist>();
    list->written = text;
    auto cut = base::cut(text, '=');
    list->domain = cut.before;
    if (cut.found) {
        list->filter = parse_filter(cut.after);
        if (!list->filter) {
            base::log::warning("bad DNS list filter \"{}\": expected domain=d.d.d.d, each d a number or [number;number..number]", text);
            return nullptr;
        }
    }
    return list;
}

bool Blocklist::counts(const net::Address& answer) const
{
    if (!filter) return true;
    std::string bytes = answer.bytes();
    if (bytes.size() != filter->size()) return false;
    for (size_t i = 0; i < bytes.size(); ++i) {
        int value = static_cast<unsigned char>(bytes[i]);
        const Octet& octet = (*filter)[i];
        bool fits = std::any_of(octet.begin(), octet.end(), [&](const Range& range) { return range.from <= value && value <= range.to; });
        if (!fits) return false;
    }
    return true;
}

std::string reversed(const net::Address& address)
{
    std::string bytes = address.bytes(), name;
    for (auto each = bytes.rbegin(); each != bytes.rend(); ++each) {
        auto byte = static_cast<unsigned char>(*each);
        name += bytes.size() == 4 ? fmt::format("{}.", byte) : fmt::format("{:x}.{:x}.", byte & 15, byte >> 4);
    }
    if (!name.empty()) name.pop_back();
    return name;
}

} // namespace smtpd::restrictions
