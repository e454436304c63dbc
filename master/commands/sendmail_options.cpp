#include "sendmail_options.h"

#include "base/text.h"

namespace sendmail {
namespace {

// Letters that take a value, attached or as the next word. -q, -b, -o and -d are read apart.
constexpr std::string_view with_value = "ABCDFGhLMNOpRrVXf";
constexpr std::string_view without_value = "GIJTUcimnstvxQE";

std::string unbracket(const std::string& address)
{
    if (address.size() >= 2 && address.front() == '<' && address.back() == '>') return address.substr(1, address.size() - 2);
    return address;
}

Mode mode_of(const std::string& letters)
{
    switch (letters.empty() ? '\0' : letters[0]) {
    case 'm': case 'a': return Mode::deliver;
    case 's': return Mode::smtp;
    case 'p': return Mode::list_queue;
    case 'i': return Mode::new_aliases;
    case 'v': return Mode::verify;
    case 'd': case 'l': case 'D': return Mode::daemon;
    case 'C': return Mode::check;
    case 'h': case 'H': return Mode::nothing;
    default: throw Usage("unsupported: -b" + letters);
    }
}

// -oi, -oA file, -o7, -om … Options that only Sendmail has are passed over.
void old_option(const std::string& letters, Options& options)
{
    if (letters.empty()) throw Usage("option requires an argument -- 'o'");
    if (letters[0] == 'i') options.dot_ends = false;
    if (letters[0] == 'A') options.alias_file = letters.substr(1);
    if (letters[0] == '7') options.body = "7BIT";
    if (letters[0] == '8') options.body = "8BITMIME";
}

void long_option(const std::string& setting, Options& options)
{
    auto pair = base::cut(setting, '=');
    std::string_view name = base::trim(pair.before), value = base::trim(pair.after);
    if (base::same_word(name, "IgnoreDots")) options.dot_ends = base::same_word(value, "no") || base::same_word(value, "false");
    if (base::same_word(name, "smtputf8")) options.utf8 = base::same_word(value, "yes");
}

void queue_option(const std::string& rest, Options& options)
{
    options.mode = Mode::flush;
    if (rest.empty() || (rest[0] != 'I' && rest[0] != 'R')) return;    // an interval or a persistent runner: the queue manager's business
    options.flush_what = rest[0] == 'I' ? "-i" : "-s";
    options.flush_argument = rest.substr(1);
    if (options.flush_argument.empty()) throw Usage("-q" + rest + ": value expected");
}

void take_value(char letter, const std::string& value, Options& options)
{
    switch (letter) {
    case 'f': case 'r': options.sender = unbracket(value); break;
    case 'F': options.full_name = value; break;
    case 'B':
        options.body = base::upper(value);
        if (options.body != "7BIT" && options.body != "8BITMIME") throw Usage("specify '-B 7BIT' or '-B 8BITMIME'");
        break;
    case 'C': options.config_folder = value; break;
    case 'N': options.notify = value; break;
    case 'R': options.ret = value; break;
    case 'V': options.envid = value; break;
    case 'O': long_option(value, options); break;
    default: break;
    }
}

void by_name(const std::string& name, Options& options)
{
    if (name == "mailq") options.mode = Mode::list_queue;
    if (name == "newaliases") options.mode = Mode::new_aliases;
    if (name == "smtpd") options.mode = Mode::daemon;
    if (name == "runq") options.mode = Mode::flush;
    if (name == "hoststat" || name == "purgestat") options.mode = Mode::nothing;
}

class Words {
public:
    explicit Words(const std::vector<std::string>& words) : words_(words) {}
    bool more() const { return at_ < words_.size(); }
    const std::string& next() { return words_[at_++]; }

private:
    const std::vector<std::string>& words_;
    size_t at_ = 0;
};

void read_flags(const std::string& word, Words& words, Options& options)
{
    for (size_t i = 1; i < word.size(); ++i) {
        char letter = word[i];
        std::string rest = word.substr(i + 1);
        auto value = [&] {
            if (!rest.empty()) return rest;
            if (!words.more()) throw Usage(std::string("option requires an argument -- '") + letter + "'");
            return words.next();
        };
        if (letter == 'q') return queue_option(rest, options);
        if (letter == 'b') {
            options.mode = mode_of(value());
            return;
        }
        if (letter == 'o') return old_option(value(), options);
        if (letter == 'e') return (void)value();
        if (letter == 'd') return;    // debug flags come attached, or not at all
        if (letter == 't') options.recipients_from_header = true;
        if (letter == 'i') options.dot_ends = false;
        if (letter == 'U') options.utf8 = true;
        if (letter == 'v') options.verbose = true;
        if (letter == 'I') options.mode = Mode::new_aliases;
        if (without_value.find(letter) != std::string_view::npos) continue;
        if (with_value.find(letter) == std::string_view::npos) throw Usage(std::string("invalid option -- '") + letter + "'");
        take_value(letter, value(), options);
        return;
    }
}

} // namespace

Options parse_options(const std::string& name, const std::vector<std::string>& arguments)
{
    Options options;
    by_name(name, options);
    Words words(arguments);
    bool flags = true;
    while (words.more()) {
        const std::string& word = words.next();
        if (flags && word == "--")
            flags = false;
        else if (flags && word.size() > 1 && word[0] == '-')
            read_flags(word, words, options);
        else {
            flags = false;    // as getopt in its POSIX form: what follows an address is an address
            if (!word.empty() && word[0] == '-') throw Usage("bad recipient address: " + word);
            options.recipients.push_back(word);
        }
    }
    if (options.mode == Mode::verify && options.recipients_from_header) throw Usage("-t can be used only in delivery mode");
    return options;
}

} // namespace sendmail
