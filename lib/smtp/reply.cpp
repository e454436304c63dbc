// reply: writing replies, and reading a peer's with limits.
#include "smtp/reply.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace smtp {

namespace {

bool is_code(std::string_view text)
{
    return text.size() >= 3 && text[0] >= '2' && text[0] <= '5' && base::is_digit(text[1]) && base::is_digit(text[2]);
}

int code_of(std::string_view text) { return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'); }

bool fits(std::string_view enhanced, int code) { return enhanced.empty() || enhanced[0] - '0' == code / 100; }

void append_visible(std::string& out, std::string_view text)
{
    for (char c : text) out.push_back((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f ? '?' : c);
}

} // namespace

size_t enhanced_length(std::string_view text)
{
    // RFC 3463 2: class "." subject "." detail, the last two of 1 to 3 digits.
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return 0;
    size_t at = 1;
    for (int number = 0; number < 2; ++number) {
        if (at >= text.size() || text[at] != '.') return 0;
        const size_t start = ++at;
        while (at < text.size() && at - start < 3 && base::is_digit(text[at])) ++at;
        if (at == start) return 0;
    }
    return at == text.size() || text[at] == ' ' || text[at] == '\t' || text[at] == '\n' ? at : 0;
}

std::string fit_enhanced(std::string_view enhanced, int code)
{
    const int kind = code / 100;
    if (kind != 2 && kind != 4 && kind != 5) return {};
    if (enhanced.size() < 5) return fmt::format("{}.0.0", kind);
    return fmt::format("{}{}", kind, enhanced.substr(1));
}

std::optional<Reply> Reply::parse(std::string_view line)
{
    if (!is_code(line) || (line.size() > 3 && line[3] != ' ' && line[3] != '-')) return std::nullopt;
    Reply reply;
    reply.code = code_of(line);
    std::string_view text = base::trim(line.size() > 3 ? line.substr(4) : std::string_view());
    if (size_t length = enhanced_length(text); length && fits(text.substr(0, length), reply.code)) {
        reply.enhanced = text.substr(0, length);
        text = base::trim_left(text.substr(length));
    }
    reply.text = text;
    return reply;
}

std::string Reply::wire() const
{
    std::string out;
    std::string_view rest = text;
    for (;;) {
        const size_t end = rest.find('\n');
        const bool last = end == std::string_view::npos;
        fmt::format_to(std::back_inserter(out), "{:03}{}", code, last ? ' ' : '-');
        if (!enhanced.empty()) out.append(enhanced).push_back(' ');
        std::string_view one = rest.substr(0, end);
        if (!one.empty() && one.back() == '\r') one.remove_suffix(1);
        append_visible(out, one);
        out.append("\r\n");
        if (last) return out;
        rest.remove_prefix(end + 1);
    }
}

std::string Reply::line() const
{
    std::string out = fmt::format("{:03}", code);
    if (!enhanced.empty()) out.append(" ").append(enhanced);
    if (!text.empty()) {
        out.push_back(' ');
        std::string flat = text;
        std::replace(flat.begin(), flat.end(), '\n', ' ');
        append_visible(out, flat);
    }
    return out;
}

std::string Reply::status() const { return enhanced.empty() ? fit_enhanced("", code) : enhanced; }

bool ReplyReader::add_line(std::string_view line)
{
    if (complete_) throw BadReply("a reply line after the end of the reply");
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.size() > limits_.line) throw BadReply("reply line too long");
    if (!is_code(line) || (line.size() > 3 && line[3] != ' ' && line[3] != '-'))
        throw BadReply(fmt::format("not an SMTP reply: {}", base::printable(line, 200)));
    const int code = code_of(line);
    if (lines_ && code != reply_.code)
        throw BadReply(fmt::format("reply code changes from {} to {} within a reply", reply_.code, code));
    total_ += line.size();
    if (++lines_ > limits_.lines || total_ > limits_.total) throw BadReply("reply too long");

    reply_.code = code;
    std::string_view text = line.size() > 3 ? line.substr(4) : std::string_view();
    const size_t length = enhanced_length(text);
    if (length && fits(text.substr(0, length), code)) {
        if (lines_ == 1) reply_.enhanced = text.substr(0, length);
        // RFC 2034 4: each line repeats the status; it is kept once.
        if (text.substr(0, length) == reply_.enhanced) text = base::trim_left(text.substr(length));
    }
    if (lines_ > 1) reply_.text.push_back('\n');
    reply_.text.append(text);
    complete_ = line.size() <= 3 || line[3] == ' ';
    return complete_;
}

size_t ReplyReader::feed(std::string_view chunk)
{
    size_t consumed = 0;
    while (!complete_ && consumed < chunk.size()) {
        const std::string_view rest = chunk.substr(consumed);
        const size_t end = rest.find('\n');
        const std::string_view piece = rest.substr(0, end == std::string_view::npos ? end : end + 1);
        if (partial_.size() + piece.size() > limits_.line + 2) throw BadReply("reply line too long");
        partial_.append(piece);
        consumed += piece.size();
        if (end == std::string_view::npos) break;
        const std::string line = std::exchange(partial_, {});
        add_line(line);
    }
    return consumed;
}

Reply ReplyReader::take()
{
    complete_ = false;
    lines_ = total_ = 0;
    return std::exchange(reply_, {});
}

} // namespace smtp
