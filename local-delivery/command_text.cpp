#include "command_text.h"

#include "base/text.h"
#include "store/mbox_writer.h"

#include <ctime>

namespace local_delivery {
namespace {

constexpr std::string_view from = "From ";

std::string with_eol(std::string text, const std::string& eol) { return eol == "\n" ? text : base::replace_all(text, "\n", eol); }

} // namespace

void LineEditor::begin_line(std::string& out)
{
    if (wishes_.dot_lines && beginning_.front() == '.') out += '.';
    if (wishes_.quote_from && beginning_ == from) out += '>';
    at_line_start_ = beginning_.back() == '\n';
    if (at_line_start_) beginning_.pop_back();
    out += beginning_;
    if (at_line_start_) out += wishes_.eol;
    beginning_.clear();
}

void LineEditor::feed(std::string_view text, std::string& out)
{
    while (!text.empty()) {
        if (at_line_start_) {
            beginning_ += text.front();
            text.remove_prefix(1);
            if (beginning_.size() == from.size() || beginning_.back() == '\n') begin_line(out);
            continue;
        }
        size_t end = text.find('\n');
        out += text.substr(0, end);
        if (end == text.npos) return;
        out += wishes_.eol;
        at_line_start_ = true;
        text.remove_prefix(end + 1);
    }
}

void LineEditor::finish(std::string& out)
{
    if (!beginning_.empty()) begin_line(out);
    if (!at_line_start_) out += wishes_.eol;
    at_line_start_ = true;
}

CommandReader::CommandReader(const Order& order)
    : wishes_(order.text), content_(order.content.get(), order.content_offset, order.content_length, order.queue_id), editor_(order.text),
      plain_(!wishes_.dot_lines && !wishes_.quote_from && !wishes_.blank_line_at_end && wishes_.eol == "\n")
{
    store::LfFilter lines;
    std::string header;
    if (wishes_.from_line) header = store::from_line(order.sender, std::time(nullptr));
    lines.feed(order.header, header);
    lines.finish(header);
    next_ = with_eol(std::move(header), wishes_.eol);
}

std::string_view CommandReader::next()
{
    while (next_.empty() && !ended_) {
        std::string& text = plain_ ? next_ : lf_text_;
        std::string_view piece = content_.next();
        filter_.feed(piece, text);
        ended_ = piece.empty();
        if (ended_) filter_.finish(text);
        if (plain_) continue;
        editor_.feed(lf_text_, next_);
        lf_text_.clear();
        if (ended_) editor_.finish(next_);
        if (ended_ && wishes_.blank_line_at_end) next_ += wishes_.eol;
    }
    return std::string_view(next_).substr(given_);
}

void CommandReader::consume(size_t bytes)
{
    given_ += bytes;
    if (given_ < next_.size()) return;
    next_.clear();
    given_ = 0;
}

} // namespace local_delivery
