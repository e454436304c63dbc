#include "store/names.h"

#include "store/utf7.h"
#include "base/text.h"

#include <algorithm>

namespace store {

namespace {

constexpr size_t longest = 255;     // NAME_MAX
constexpr size_t deepest = 32;

// C0, DEL, and C1 (as UTF-8): they would forge lines in subscriptions, logs and terminals.
bool has_control(std::string_view name)
{
    for (size_t i = 0; i < name.size(); ++i) {
        auto c = static_cast<unsigned char>(name[i]);
        if (c < 0x20 || c == 0x7f) return true;
        if (c == 0xc2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xa0) return true;
    }
    return false;
}

std::string encode(std::string_view name, bool utf8) { return utf8 ? std::string(name) : to_utf7(name); }

std::optional<std::string> decode(std::string_view text, bool utf8)
{
    if (!utf8) return from_utf7(text);
    return std::string(text);
}

} // namespace

bool is_inbox(std::string_view name) { return base::same_word(name, "INBOX"); }

bool good_name(std::string_view name, char separator)
{
    if (name.empty() || name.size() > 4 * longest || !base::is_utf8(name) || has_control(name)) return false;
    std::vector<std::string_view> parts = base::split_exact(name, separator);
    return parts.size() <= deepest && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
        return !part.empty() && part[0] != '.' && part.find('/') == std::string_view::npos;
    });
}

std::optional<std::string> maildir_folder_name(std::string_view name, bool utf8)
{
    if (!good_name(name, '.')) return std::nullopt;
    std::string folder = "." + encode(name, utf8);
    if (folder.size() > longest) return std::nullopt;
    return folder;
}

std::optional<std::string> name_of_maildir_folder(std::string_view folder, bool utf8)
{
    if (folder.size() < 2 || folder[0] != '.') return std::nullopt;
    std::optional<std::string> name = decode(folder.substr(1), utf8);
    if (!name || !good_name(*name, '.')) return std::nullopt;
    return name;
}

std::optional<std::string> mbox_file_name(std::string_view name, bool utf8)
{
    if (!good_name(name, '/')) return std::nullopt;
    std::string file = encode(name, utf8);
    if (file.size() > longest) return std::nullopt;
    for (std::string_view part : base::split_exact(file, '/'))
        if (part.size() > 5 && part.substr(part.size() - 5) == ".lock") return std::nullopt;
    return file;
}

std::optional<std::string> name_of_mbox_file(std::string_view path, bool utf8)
{
    std::optional<std::string> name = decode(path, utf8);
    if (!name || !mbox_file_name(*name, utf8)) return std::nullopt;
    return name;
}

std::string_view parent_of(std::string_view name, char separator)
{
    size_t at = name.rfind(separator);
    return at == std::string_view::npos ? std::string_view() : name.substr(0, at);
}

} // namespace store
