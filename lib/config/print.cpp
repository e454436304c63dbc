#include "config/print.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace config {
namespace {

constexpr size_t widest_parameter = 80, widest_service = 79; // as Postfix folds them
constexpr std::string_view indent = "    ";

// Words in lines of at most 80 columns.
class Folder {
public:
    Folder(std::string first, size_t width) : text_(std::move(first)), column_(text_.size()), width_(width) {}

    void add(std::string_view word, bool new_line = false)
    {
        if (new_line || (column_ > 0 && column_ + 1 + word.size() > width_)) {
            text_.append("\n").append(indent);
            column_ = indent.size();
        } else if (column_ > 0) {
            text_ += ' ';
            ++column_;
        }
        text_.append(word);
        column_ += word.size();
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
    size_t column_;
    size_t width_;
};

bool needs_braces(std::string_view word)
{
    return word.empty() || word.front() == '{' || std::any_of(word.begin(), word.end(), base::is_space);
}

std::string braced(const std::string& word) { return needs_braces(word) ? "{" + word + "}" : word; }

// The arguments as words of a line; an -o and what belongs to it are one word, with the spaces around its "=" gone.
struct Word {
    std::string text;
    bool option;
};

std::vector<Word> argument_words(const Service& service)
{
    std::vector<Word> words;
    bool foreign = false;
    size_t option = 0;
    for (size_t i = 0; i < service.arguments.size(); ++i) {
        const std::string& word = service.arguments[i];
        foreign = foreign || word.starts_with("argv=");
        if (foreign || !word.starts_with("-o") || option == service.overrides.size()) {
            words.push_back({braced(word), false});
            continue;
        }
        if (word == "-o") ++i;
        const Override& set = service.overrides[option++];
        words.push_back({"-o " + braced(set.name + "=" + set.value), true});
    }
    return words;
}

std::string time_column(const Service& service)
{
    if (!service.wakeup) return "-";
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*service.wakeup).count();
    return fmt::format("{}{}", seconds, service.wakeup_optional ? "?" : "");
}

std::string first_columns(const Service& service)
{
    auto columns = print_columns(service);
    return fmt::format("{:<10} {:<5} {:<7} {:<7} {:<7} {:<7} {:<7} {}", columns[0], columns[1], columns[2], columns[3],
                       columns[4], columns[5], columns[6], service.command);
}

} // namespace

std::string fold(std::string_view text)
{
    Folder folder("", widest_parameter);
    for (std::string_view word : base::split(text, " \t\r\n")) folder.add(word);
    return folder.take();
}

std::vector<std::string> print_columns(const Service& service)
{
    auto yes_no = [](const std::optional<bool>& value) { return std::string(!value ? "-" : *value ? "y" : "n"); };
    return {service.name,
            std::string(type_word(service.type)),
            yes_no(service.private_),
            yes_no(service.unprivileged),
            yes_no(service.chroot),
            time_column(service),
            service.maxproc < 0 ? "-" : fmt::format("{}", service.maxproc)};
}

std::string print_command(const Service& service)
{
    std::string text = service.command;
    for (const Word& word : argument_words(service)) text += " " + word.text;
    return text;
}

std::string print_service(const Service& service, bool folded)
{
    Folder folder(first_columns(service), widest_service);
    std::string line = first_columns(service);
    bool after_option = false;
    for (const Word& word : argument_words(service)) {
        folder.add(word.text, word.option || after_option);
        after_option = word.option;
        line += " " + word.text;
    }
    return folded ? folder.take() : line;
}

} // namespace config
