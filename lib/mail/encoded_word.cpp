// encoded_word: RFC 2047 words. Neighbouring words of one character set are joined before conversion, because many
// senders cut characters in two.
#include "mail/encoded_word.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/transfer.h"

#include <fmt/format.h>

#include <algorithm>

namespace mail {

namespace {

struct Word {
    std::string_view charset, text;
    char encoding; // 'B' or 'Q'
    size_t end;    // offset after "?="
};

std::optional<int> hex_digit(char c)
{
    if (base::is_digit(c)) return c - '0';
    const char low = base::lower(c);
    if (low >= 'a' && low <= 'f') return low - 'a' + 10;
    return std::nullopt;
}

std::string decode_q(std::string_view text)
{
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '=' && i + 2 < text.size()) {
            const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high && low) {
                out.push_back(static_cast<char>(*high * 16 + *low));
                i += 2;
                continue;
            }
        }
        out.push_back(text[i] == '_' ? ' ' : text[i]);
    }
    return out;
}

class Decoder {
public:
    explicit Decoder(std::string_view text) : text_(text) {}

    std::string decode()
    {
        size_t plain = 0;
        for (size_t at = text_.find("=?"); at != std::string_view::npos; at = text_.find("=?", at)) {
            const auto word = read_word(at);
            if (!word) {
                at += 2;
                continue;
            }
            add_plain(text_.substr(plain, at - plain));
            add_word(*word, text_.substr(at, word->end - at));
            plain = at = word->end;
        }
        add_plain(text_.substr(plain));
        flush();
        return std::move(out_);
    }

private:
    // encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
    std::optional<Word> read_word(size_t at)
    {
        const size_t charset = at + 2;
        size_t question = charset;
        while (question < text_.size() && question - charset < 60 && text_[question] > ' ' && text_[question] != '?')
            ++question;
        if (question + 2 >= text_.size() || text_[question] != '?' || text_[question + 2] != '?') return std::nullopt;
        const char encoding = base::upper(text_[question + 1]);
        if (encoding != 'B' && encoding != 'Q') return std::nullopt;
        const size_t start = question + 3;
        if (close_ < start) close_ = std::min(text_.find("?=", start), text_.size());
        if (close_ == text_.size()) return std::nullopt;
        const std::string_view name = text_.substr(charset, question - charset);
        return Word{base::cut(name, '*').before, text_.substr(start, close_ - start), encoding, close_ + 2};
    }

    void add_plain(std::string_view text)
    {
        const bool only_space = std::all_of(text.begin(), text.end(), base::is_space);
        // RFC 2047 6.2: space between two encoded words is not part of the text.
        if (only_space && after_word_) {
            held_space_ = text;
            return;
        }
        if (text.empty()) return;
        flush();
        out_.append(base::is_utf8(text) ? std::string(text) : guess_to_utf8(text));
        after_word_ = false;
    }

    void add_word(const Word& word, std::string_view raw)
    {
        if (!base::same_word(word.charset, charset_)) {
            if (!known_charset(word.charset)) {
                flush();
                out_.append(raw);
                after_word_ = false;
                return;
            }
            held_space_ = {};
            flush();
            charset_ = base::lower(word.charset);
        }
        held_space_ = {};
        bytes_.append(word.encoding == 'B' ? decode_base64_lenient(word.text) : decode_q(word.text));
        after_word_ = true;
    }

    void flush()
    {
        if (!charset_.empty()) {
            // Line ends hidden in a word would make new header lines of it.
            for (char c : to_utf8(bytes_, charset_).value_or(std::string())) {
                if (c != '\0') out_.push_back(c == '\r' || c == '\n' ? ' ' : c);
            }
        }
        out_.append(held_space_);
        held_space_ = {};
        charset_.clear();
        bytes_.clear();
    }

    std::string_view text_, held_space_;
    std::string out_, charset_, bytes_;
    size_t close_ = 0;
    bool after_word_ = false;
};

constexpr bool is_q_text(char c)
{
    // RFC 2047 5 (3): what may stand in a word within a phrase.
    return base::is_alnum(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/';
}

size_t q_length(std::string_view text)
{
    size_t length = 0;
    for (char c : text) length += is_q_text(c) || c == ' ' ? 1 : 3;
    return length;
}

std::string encode_q(std::string_view text)
{
    std::string out;
    for (char c : text) {
        if (is_q_text(c))
            out.push_back(c);
        else if (c == ' ')
            out.push_back('_');
        else
            fmt::format_to(std::back_inserter(out), "={:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

size_t character_size(std::string_view text)
{
    size_t size = 1;
    while (size < text.size() && (text[size] & 0xc0) == 0x80) ++size;
    return size;
}

} // namespace

std::string decode_words(std::string_view value) { return Decoder(unfold(value)).decode(); }

std::string encode_words(std::string_view utf8_text)
{
    const std::string text = base::is_utf8(utf8_text) ? std::string(utf8_text) : guess_to_utf8(utf8_text);
    const bool quoted = q_length(text) <= (text.size() + 2) / 3 * 4;
    // RFC 2047 2: a word has at most 75 characters, of which "=?utf-8?Q?" and "?=" take 12.
    const size_t room = quoted ? 63 : 45;
    std::string out;
    std::string_view rest = text;
    do {
        size_t size = 0, cost = 0;
        while (size < rest.size()) {
            const size_t more = character_size(rest.substr(size));
            const size_t price = quoted ? q_length(rest.substr(size, more)) : more;
            if (size != 0 && cost + price > room) break;
            size += more;
            cost += price;
        }
        const std::string_view piece = rest.substr(0, size);
        out.append(out.empty() ? "" : " ").append(quoted ? "=?utf-8?Q?" : "=?utf-8?B?");
        out.append(quoted ? encode_q(piece) : base::to_base64(piece)).append("?=");
        rest.remove_prefix(size);
    } while (!rest.empty());
    return out;
}

} // namespace mail
