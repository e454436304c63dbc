#include "sendmail_options.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace sendmail {
namespace {

constexpr size_t longest_envid = 100;       // RFC 3461 4.4

// Letters that take a value, attached or as the next word; the others stand alone. -q, -d and -Q take what is attached only.
constexpr std::string_view with_value = "ABCDFLMNOpRrVXbefho";
constexpr std::string_view without_value = "EGIJTUacgijlmnstvwxy";
constexpr std::string_view with_attached = "dqQ";

std::string unbracket(const std::string& address)
{
    if (address.size() >= 2 && address.front() == '<' && address.back() == '>') return address.substr(1, address.size() - 2);
    return address;
}

struct ModeLetter {
    char letter;
    Mode mode;
};
constexpr ModeLetter mode_letters[] = {
    {'m', Mode::deliver},    {'a', Mode::deliver}, {'s', Mode::smtp},        {'p', Mode::list_queue}, {'P', Mode::count_queue},
    {'i', Mode::new_aliases}, {'v', Mode::verify},  {'d', Mode::daemon},      {'l', Mode::daemon},     {'D', Mode::foreground},
    {'C', Mode::check},      {'t', Mode::test},    {'h', Mode::nothing},     {'H', Mode::nothing},
};

struct ModeName {
    std::string_view name;
    Mode mode;
};
constexpr ModeName mode_names[] = {{"mailq", Mode::list_queue}, {"newaliases", Mode::new_aliases}, {"smtpd", Mode::daemon},
                                   {"runq", Mode::flush},       {"hoststat", Mode::nothing},       {"purgestat", Mode::nothing}};

void choose_mode(const std::string& letters, Options& options)
{
    for (auto [letter, mode] : mode_letters)
        if (!letters.empty() && letters[0] == letter) {
            options.mode = mode;
            return;
        }
    throw Usage("unsupported: -b" + letters.substr(0, 1));
}

// -oi, -oA file, -o7, -om … Options that only Sendmail has are passed over.
void old_option(const std::string& letters, Options& options)
{
    switch (letters[0]) {
    case 'i': options.dot_ends = false; break;
    case '7': options.body = "7BIT"; break;
    case '8': options.body = "8BITMIME"; break;
    case 'A':
        options.alias_file = letters.substr(1);
        if (options.alias_file.empty()) throw Usage("-oA requires pathname");
        break;
    default: break;
    }
}

bool is_yes(std::string_view value, const std::string& name)
{
    if (base::same_word(value, "yes")) return true;
    if (base::same_word(value, "no")) return false;
    throw Usage(fmt::format("bad -O option: {}={}: specify yes or no", name, base::printable(value, 100)));
}

void long_option(const std::string& setting, Options& options)
{
    auto pair = base::cut(setting, '=');
    std::string_view name = base::trim(pair.before), value = base::trim(pair.after);
    if (base::same_word(name, "IgnoreDots")) options.dot_ends = base::same_word(value, "no") || base::same_word(value, "false");
    if (base::same_word(name, "smtputf8")) options.utf8 = is_yes(value, "smtputf8");
    if (base::same_word(name, "requiretls") && is_yes(value, "requiretls")) throw Usage("-O requiretls=yes: not supported");
}

// -q, -q15m, -qf, -qp5m: all of the queue; -q[!]Iid, -q[!]Rrecipient, -q[!]Ssender: some of it.
void queue_option(const std::string& rest, Options& options)
{
    if (options.mode == Mode::daemon || options.mode == Mode::foreground) return;   // its interval: the queue manager has its own
    options.mode = Mode::flush;
    Selection chosen;
    size_t at = 0;
    if (at < rest.size() && rest[at] == '!') {
        chosen.negated = true;
        ++at;
    }
    if (at < rest.size() && std::string_view("IRS").find(rest[at]) != std::string_view::npos) {
        chosen.kind = rest[at];
        chosen.text = rest.substr(at + 1);
        if (chosen.text.empty()) throw Usage(fmt::format("specify: -q{}{}", chosen.kind, chosen.kind == 'I' ? "queueid" : chosen.kind == 'R' ? "sitename" : "sender"));
    } else if (chosen.negated) {
        throw Usage("-q!: I, R or S is expected");
    } else if (!rest.empty() && !base::is_digit(rest[0]) && std::string_view("fpQGL").find(rest[0]) == std::string_view::npos) {
        throw Usage(fmt::format("-q{} is not implemented", rest[0]));
    }
    options.flush = chosen;
}

bool is_notify(std::string_view value)
{
    static constexpr std::string_view words[] = {"success", "failure", "delay"};
    if (base::same_word(value, "never")) return true;
    auto given = base::split(value, ",");
    return !given.empty() && std::all_of(given.begin(), given.end(), [](std::string_view one) {
        return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return base::same_word(base::trim(one), word); });
    });
}

void take_envid(const std::string& value, Options& options)
{
    bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c > 32 && c < 127; });
    if (value.size() > longest_envid)
        options.warnings.push_back("too long -V option value -- ignored");
    else if (!printable || value.empty())
        options.warnings.push_back("bad syntax in -V option value -- ignored");
    else
        options.envid = value;
}

void take_value(char letter, const std::string& value, Options& options)
{
    switch (letter) {
    case 'b': choose_mode(value, options); break;
    case 'o': old_option(value, options); break;
    case 'f': case 'r': options.sender = unbracket(value); break;
    case 'F': options.full_name = value; break;
    case 'B':
        options.body = base::upper(value);
        if (options.body != "7BIT" && options.body != "8BITMIME") throw Usage("-B option needs 8BITMIME or 7BIT");
        break;
    case 'C': options.config_folder = value; break;
    case 'N':
        if (is_notify(value)) options.notify = base::upper(value);
        else options.warnings.push_back("bad -N option value -- ignored");
        break;
    case 'R':
        if (base::same_word(value, "hdrs") || base::same_word(value, "full")) options.ret = base::upper(value);
        else options.warnings.push_back("bad -R option value -- ignored");
        break;
    case 'V': take_envid(value, options); break;
    case 'O': long_option(value, options); break;
    case 'X': options.warnings.push_back("-X" + value + " -- ignored: neither VERP nor a file of the traffic is made"); break;
    default: break;
    }
}

void take_flag(char letter, Options& options)
{
    switch (letter) {
    case 't': options.recipients_from_header = true; break;
    case 'i': options.dot_ends = false; break;
    case 'U': options.utf8 = true; break;
    case 'v': options.verbose = true; break;
    case 'I': options.mode = Mode::new_aliases; break;
    default: break;
    }
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

bool is_one_of(char letter, std::string_view letters) { return letters.find(letter) != std::string_view::npos; }

void read_flags(const std::string& word, Words& words, Options& options, bool exim)
{
    for (size_t i = 1; i < word.size(); ++i) {
        char letter = word[i];
        std::string rest = word.substr(i + 1);
        if (is_one_of(letter, with_attached)) {     // debug levels, what of the queue, why it is held
            if (letter == 'q') queue_option(rest, options);
            if (letter == 'Q') options.quarantine = rest;
            return;
        }
        if (exim && letter == 'N') continue;        // "deliver nothing", for Exim's own tests
        if (is_one_of(letter, without_value)) {
            take_flag(letter, options);
            continue;
        }
        if (!is_one_of(letter, with_value)) throw Usage(std::string("invalid option -- '") + letter + "'");
        if (rest.empty() && !words.more()) throw Usage(std::string("option requires an argument -- '") + letter + "'");
        std::string value = rest.empty() ? words.next() : rest;
        if (value.empty() && is_one_of(letter, "bo")) throw Usage(std::string("option requires an argument -- '") + letter + "'");
        take_value(letter, value, options);
        return;
    }
}

struct Alone {
    Mode mode;
    std::string_view text;
};
constexpr Alone without_recipients[] = {
    {Mode::list_queue, "display queue mode requires no recipient"}, {Mode::count_queue, "display queue mode requires no recipient"},
    {Mode::flush, "flush queue mode requires no recipient"},        {Mode::new_aliases, "alias initialization mode requires no recipient"},
    {Mode::daemon, "daemon mode requires no recipient"},            {Mode::foreground, "daemon mode requires no recipient"},
    {Mode::smtp, "stand-alone mode requires no recipient"},
};

void check(const Options& options)
{
    if (options.recipients_from_header && options.mode != Mode::deliver && options.mode != Mode::smtp)
        throw Usage("-t can be used only in delivery mode");
    if (options.recipients.empty()) return;
    for (auto [mode, text] : without_recipients)
        if (options.mode == mode) throw Usage(std::string(text));
}

} // namespace

bool is_exim_name(const std::string& name) { return name == "exim" || name == "exim4"; }

Options parse_options(const std::string& name, const std::vector<std::string>& arguments)
{
    Options options;
    for (auto [known, mode] : mode_names)
        if (name == known) options.mode = mode;
    options.sender_from_mbox = name == "rmail";
    if (options.sender_from_mbox) options.dot_ends = false;
    options.without_arguments = is_exim_name(name);
    Words words(arguments);
    bool flags = true, after_dashes = false;
    while (words.more()) {
        const std::string& word = words.next();
        if (flags && word == "--") {
            flags = false;
            after_dashes = true;
        } else if (flags && word.size() > 1 && word[0] == '-') {
            read_flags(word, words, options, options.without_arguments);
        } else {
            // As getopt in its POSIX form: what follows an address is an address. One that looks like an option is no honest one.
            if (!word.empty() && word[0] == '-' && !after_dashes) throw Usage("bad recipient address: " + word);
            flags = false;
            options.recipients.push_back(word);
        }
    }
    check(options);
    return options;
}

} // namespace sendmail
