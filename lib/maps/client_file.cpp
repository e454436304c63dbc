// client_file: the grammar, and what was read before rights were given up.
#include "maps/client_file.h"

#include "maps/map.h"
#include "maps/prepare.h"
#include "maps/text_lines.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

namespace maps {

namespace {

constexpr size_t largest_file = 1 << 20;

} // namespace

ClientFile ClientFile::parse(std::string_view text, const std::string& path)
{
    ClientFile file;
    file.path_ = path;
    LogicalLines lines(text);
    LogicalLine line;
    while (lines.next(line)) {
        auto pair = base::cut(line.text, '=');
        std::string name(base::trim(pair.before));
        bool is_word = !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == name.npos;
        if (!pair.found || !is_word)
            throw std::runtime_error(fmt::format("{}, line {}: expected \"name = value\" instead of \"{}\"", path, line.first, base::printable(line.text, 100)));
        auto [at, is_new] = file.values_.insert_or_assign(name, Value{std::string(base::trim(pair.after)), line.first});
        if (!is_new) base::log::warning("{}, line {}: overriding earlier entry: {}", path, line.first, at->first);
    }
    return file;
}

ClientFile ClientFile::read(const std::string& path)
{
    if (path.empty() || (path[0] != '/' && path[0] != '.')) throw Unavailable(fmt::format("\"{}\": expected the path of a file of parameters", path));
    try {
        auto text = prepared_text(path);
        return parse(text ? *text : base::read_file(path, largest_file), path);
    } catch (const std::exception& why) {
        throw Unavailable(why.what());
    }
}

std::optional<std::string> ClientFile::find(std::string_view name) const
{
    auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second.text;
}

void ClientFile::refuse(std::string_view name, const Value& value, const std::string& expected) const
{
    throw std::runtime_error(fmt::format("{}, line {}: {} = {}: expected {}", path_, value.line, name, base::printable(value.text, 100), expected));
}

int ClientFile::number(std::string_view name, int otherwise, int least, int most) const
{
    auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    std::string_view text = found->second.text;
    int unit = 1;
    if (text.ends_with('s') || text.ends_with('m')) {
        unit = text.ends_with('m') ? 60 : 1;
        text.remove_suffix(1);
    }
    auto number = base::number<int>(text);
    if (!number || *number > most / unit || *number * unit < least) refuse(name, found->second, fmt::format("a number from {} to {}", least, most));
    return *number * unit;
}

bool ClientFile::flag(std::string_view name, bool otherwise) const
{
    auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    for (const char* word : {"yes", "true", "on", "1"})
        if (base::same_word(found->second.text, word)) return true;
    for (const char* word : {"no", "false", "off", "0"})
        if (base::same_word(found->second.text, word)) return false;
    refuse(name, found->second, "yes or no");
}

std::vector<std::string> ClientFile::list(std::string_view name) const
{
    auto found = values_.find(name);
    std::vector<std::string> words;
    if (found == values_.end()) return words;
    for (auto word : base::split(found->second.text)) words.emplace_back(word);
    return words;
}

} // namespace maps
