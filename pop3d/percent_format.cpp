#include "percent_format.h"

#include "base/text.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

namespace pop3d {
namespace {

constexpr size_t widest = 256;

std::string md5(std::string_view text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t size = 0;
    if (EVP_Q_digest(nullptr, "MD5", nullptr, text.data(), text.size(), digest, &size) != 1) throw std::runtime_error("no MD5 here");
    return base::to_hex(std::string_view(reinterpret_cast<char*>(digest), size));
}

} // namespace

PercentFormat::PercentFormat(std::string_view text, std::span<const std::string_view> known)
{
    Piece piece;
    while (!text.empty()) {
        auto [literal, rest, found] = base::cut(text, '%');
        piece.literal += literal;
        text = rest;
        if (!found) break;
        if (text.starts_with('%')) {
            piece.literal += '%';
            text.remove_prefix(1);
            continue;
        }
        if (text.starts_with('0')) piece.zeros = true;
        while (!text.empty() && base::is_digit(text.front())) {
            piece.width = std::min(piece.width * 10 + static_cast<size_t>(text.front() - '0'), widest);
            text.remove_prefix(1);
        }
        while (!text.empty() && std::string_view("XLUM").find(text.front()) != std::string_view::npos) {
            piece.modifiers += text.front();
            text.remove_prefix(1);
        }
        if (text.starts_with('{')) {
            auto name = base::cut(text.substr(1), '}');
            if (!name.found) throw BadFormat("expected } after %{");
            piece.name = name.before;
            text = name.after;
        } else {
            piece.name = text.substr(0, 1);
            text.remove_prefix(piece.name.size());
        }
        if (std::find(known.begin(), known.end(), piece.name) == known.end()) throw BadFormat("unknown variable %" + piece.name);
        pieces_.push_back(std::move(piece));
        piece = {};
    }
    if (!piece.literal.empty()) pieces_.push_back(std::move(piece));
}

std::string PercentFormat::shaped(const Piece& piece, std::string value)
{
    for (char modifier : piece.modifiers) switch (modifier) {
        case 'X': value = fmt::format("{:x}", base::number<uint64_t>(value).value_or(0)); break;
        case 'L': value = base::lower(value); break;
        case 'U': value = base::upper(value); break;
        case 'M': value = md5(value); break;
        }
    if (piece.zeros && value.size() < piece.width) value.insert(0, piece.width - value.size(), '0');
    if (!piece.zeros && piece.width > 0 && value.size() > piece.width) value.resize(piece.width);
    return value;
}

std::string PercentFormat::expand(const Value& value) const
{
    std::string text;
    for (const auto& piece : pieces_) {
        text += piece.literal;
        if (!piece.name.empty()) text += shaped(piece, value(piece.name));
    }
    return text;
}

} // namespace pop3d
