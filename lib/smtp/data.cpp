// data: lines are found with memchr and copied in runs; only what is irregular (dots, bare LF, stray CR) is handled
// bytewise.
#include "smtp/data.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace smtp {

namespace {

struct RunFacts {
    uint64_t carriage_returns = 0, nuls = 0;
    bool has_8bit = false;
};

// Plain loops over small blocks with narrow counters, so that the compiler makes vector instructions of them.
RunFacts survey(const char* begin, const char* end)
{
    RunFacts facts;
    unsigned char any = 0;
    while (begin != end) {
        const char* stop = begin + std::min<std::ptrdiff_t>(end - begin, 248);
        unsigned char returns = 0, nuls = 0;
        for (; begin != stop; ++begin) {
            auto c = static_cast<unsigned char>(*begin);
            any |= c;
            returns = static_cast<unsigned char>(returns + (c == '\r'));
            nuls = static_cast<unsigned char>(nuls + (c == 0));
        }
        facts.carriage_returns += returns;
        facts.nuls += nuls;
    }
    facts.has_8bit = any >= 0x80;
    return facts;
}

const char* find_lf(const char* at, const char* end)
{
    return at == end ? nullptr : static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
}

} // namespace

void Canonicalizer::feed(std::string_view chunk, std::string& sink)
{
    feed_lines(chunk.data(), chunk.data() + chunk.size(), false, sink);
}

void Canonicalizer::finish(std::string& sink)
{
    if (held_cr_) {
        held_cr_ = false;
        add_stray_cr(sink);
    }
    if (!at_line_start_) end_line(sink);
}

const char* Canonicalizer::feed_lines(const char* at, const char* end, bool stop_at_dots, std::string& sink)
{
    if (held_cr_ && at != end) {
        held_cr_ = false;
        if (*at == '\n') {
            end_line(sink);
            last_end_was_bare_ = false;
            ++at;
        } else {
            add_stray_cr(sink);
        }
    }
    const char* run = at;
    uint64_t line_ends = 0;
    while (at != end) {
        if (at_line_start_ && *at == '.') {
            if (stop_at_dots) break;
            facts_.has_leading_dot = true;
        }
        const char* lf = find_lf(at, end);
        if (!lf) {
            at_line_start_ = false;
            held_cr_ = end[-1] == '\r';
            const char* stop = held_cr_ ? end - 1 : end;
            add_run(run, stop, line_ends, sink);
            line_length_ += static_cast<uint64_t>(stop - at);
            return end;
        }
        if (lf != at && lf[-1] == '\r') {
            count_line(line_length_ + static_cast<uint64_t>(lf - 1 - at));
            ++line_ends;
            last_end_was_bare_ = false;
        } else {
            add_run(run, lf, line_ends, sink);
            line_length_ += static_cast<uint64_t>(lf - at);
            end_line(sink);
            last_end_was_bare_ = facts_.bare_newline = true;
            run = lf + 1;
            line_ends = 0;
        }
        at_line_start_ = true;
        line_length_ = 0;
        at = lf + 1;
    }
    add_run(run, at, line_ends, sink);
    return at;
}

// Text with line_ends whole CRLFs in it, and no other LF: any further CR is stray.
void Canonicalizer::add_run(const char* begin, const char* end, uint64_t line_ends, std::string& sink)
{
    if (begin == end) return;
    const RunFacts found = survey(begin, end);
    facts_.nul_count += found.nuls;
    facts_.has_8bit |= found.has_8bit;
    facts_.octets += static_cast<uint64_t>(end - begin);
    const size_t start = sink.size();
    sink.append(begin, end);
    if (found.carriage_returns == line_ends) return;
    facts_.stray_cr = true;
    if (!replace_stray_cr_) return;
    for (size_t i = sink.find('\r', start); i != std::string::npos; i = sink.find('\r', i + 1))
        if (i + 1 == sink.size() || sink[i + 1] != '\n') sink[i] = ' ';
}

void Canonicalizer::add_stray_cr(std::string& sink)
{
    facts_.stray_cr = true;
    at_line_start_ = false;
    ++line_length_;
    ++facts_.octets;
    sink.push_back(replace_stray_cr_ ? ' ' : '\r');
}

void Canonicalizer::end_line(std::string& sink)
{
    sink.append("\r\n");
    facts_.octets += 2;
    count_line(line_length_);
    line_length_ = 0;
    at_line_start_ = true;
}

void Canonicalizer::count_line(uint64_t length)
{
    ++facts_.lines;
    facts_.longest_line = std::max(facts_.longest_line, length);
}

DataDecoder::Step DataDecoder::feed(std::string_view chunk, std::string& sink)
{
    const char* at = chunk.data();
    const char* end = at + chunk.size();
    for (;;) {
        while (dot_ != Dot::none && at != end)
            if (after_dot(*at, at) == After::finished) return {static_cast<size_t>(at - chunk.data()), true};
        if (at != end) at = feed_lines(at, end, true, sink);
        if (at == end) return {chunk.size(), false};
        dot_ = Dot::dot;
        ++at;
    }
}

// A '.' stood at the start of a line (and, in dot_cr, a CR after it); c comes next.
DataDecoder::After DataDecoder::after_dot(char c, const char*& at)
{
    if (c == '\n') {
        ++at;
        return lone_dot(dot_ == Dot::dot);
    }
    if (dot_ == Dot::dot && c == '\r') {
        dot_ = Dot::dot_cr;
        ++at;
        return After::more;
    }
    // RFC 5321 4.5.2: the first dot of a line with more text is taken off.
    if (dot_ == Dot::dot_cr)
        held_cr_ = true;
    else if (c == '.')
        facts_.has_leading_dot = true;
    dot_ = Dot::none;
    at_line_start_ = false;
    return After::more;
}

// A line with nothing but a dot. RFC 5321 4.1.1.4: only CRLF.CRLF ends the data. A server before or behind us that sees
// the end in another place could be made to take what follows for commands, so the impostors are dropped and not passed
// on.
DataDecoder::After DataDecoder::lone_dot(bool bare)
{
    const bool standard = !bare && !last_end_was_bare_;
    dot_ = Dot::none;
    facts_.bare_newline |= bare;
    last_end_was_bare_ = bare;
    return standard || policy_ == BareNewline::accept_lines ? After::finished : After::more;
}

void DotStuffer::feed(std::string_view content, std::string& sink)
{
    const char* at = content.data();
    const char* end = at + content.size();
    if (held_cr_ && at != end && *at != '\n') {
        held_cr_ = false;
        add_text("\r", sink);
    }
    const char* run = at;
    while (at != end) {
        const char* lf = find_lf(at, end);
        const char* text_end = lf ? (lf != at && lf[-1] == '\r' ? lf - 1 : lf) : (end[-1] == '\r' ? end - 1 : end);
        const bool needs_dot = at_line_start_ && !held_cr_ && *at == '.';
        const bool too_long = line_limit_ != 0 && line_length_ + static_cast<size_t>(text_end - at) > line_limit_;
        const bool needs_cr = lf && text_end == lf;
        if (needs_dot || too_long || needs_cr || !lf) {
            sink.append(run, at);
            add_text({at, static_cast<size_t>(text_end - at)}, sink);
            run = lf ? lf + 1 : end;
            if (lf) sink.append("\r\n");
        }
        held_cr_ = !lf && text_end != end;
        if (!lf) return;
        at_line_start_ = true;
        line_length_ = 0;
        at = lf + 1;
    }
    sink.append(run, end);
}

void DotStuffer::add_text(std::string_view text, std::string& sink)
{
    if (text.empty()) return;
    if (at_line_start_ && text[0] == '.') sink.push_back('.');
    at_line_start_ = false;
    while (line_limit_ != 0 && line_length_ + text.size() > line_limit_) {
        const size_t room = line_limit_ - line_length_;
        sink.append(text.substr(0, room)).append("\r\n ");
        text.remove_prefix(room);
        line_length_ = 1;
        broke_lines_ = true;
    }
    sink.append(text);
    line_length_ += text.size();
}

void DotStuffer::finish(std::string& sink)
{
    if (held_cr_ || !at_line_start_) sink.append("\r\n");
    held_cr_ = false;
    at_line_start_ = true;
    line_length_ = 0;
    sink.append(".\r\n");
}

} // namespace smtp
