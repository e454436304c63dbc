#include "content.h"

#include "async/wait.h"
#include "base/log.h"
#include "base/text.h"
#include "smtp/data.h"

#include <memory>

namespace smtp_client {

const char* const stage_body = "sending message body";
const char* const stage_end_of_data = "sending end of data -- message may be sent more than once";

namespace {

constexpr size_t piece_size = 128 << 10;
constexpr std::string_view end_of_data = "\r\n.\r\n";

// A piece of the file, with room behind it for the end of data.
class Piece {
public:
    explicit Piece(size_t largest) : room_(std::make_unique_for_overwrite<char[]>(largest + end_of_data.size())) {}

    std::string_view read(const spool::Deliver& job, uint64_t from, size_t size)
    {
        auto got = base::pread_some(job.file.get(), {room_.get(), size}, static_cast<off_t>(job.content_offset + from),
                                    job.queue_id);
        if (got != size) throw base::SystemError("queue file " + job.queue_id + " is shorter than it says", EIO);
        return {room_.get(), size};
    }
    // The text that read() gave, and the end of data behind it.
    std::string_view finished(std::string_view text)
    {
        bool has_end = text.size() >= 2 && text.substr(text.size() - 2) == "\r\n";
        auto end = has_end || text.empty() ? end_of_data.substr(2) : end_of_data;
        std::copy(end.begin(), end.end(), room_.get() + text.size());
        return {room_.get(), text.size() + end.size()};
    }

private:
    std::unique_ptr<char[]> room_;
};

bool must_be_stuffed(const spool::Deliver& job, size_t line_limit)
{
    if (job.content_flags & (spool::content_dot_lines | spool::content_no_final_newline)) return true;
    return line_limit != 0 && (line_limit < 998 || job.content_flags & spool::content_long_lines);
}

// From pieces of the file to pieces for the wire.
class Transformer {
public:
    Transformer(const spool::Deliver& job, const ContentForm& form)
        : rewrites_(form.seven_bits_only || form.editor), stuffs_(rewrites_ || must_be_stuffed(job, form.line_limit)),
          rewriter_(form.editor, form.seven_bits_only, form.edit_body_limit), stuffer_(form.line_limit)
    {
    }
    bool changes() const { return stuffs_; }
    // Valid until the next call.
    std::string_view take(std::string_view text, bool last)
    {
        stuffed_.clear();
        if (rewrites_) {
            rewritten_.clear();
            rewriter_.feed(text, rewritten_);
            if (last) rewriter_.finish(rewritten_);
            text = rewritten_;
        }
        stuffer_.feed(text, stuffed_);
        if (last) stuffer_.finish(stuffed_);
        return stuffed_;
    }
    bool broke_lines() const { return stuffer_.broke_lines(); }

private:
    bool rewrites_, stuffs_;
    Rewriter rewriter_;
    smtp::DotStuffer stuffer_;
    std::string rewritten_, stuffed_;
};

// How long the next piece may take.
class Deadline {
public:
    explicit Deadline(const ContentForm& form) : limit_(form.limit), rate_(form.least_rate) {}
    async::Limit left(size_t bytes)
    {
        if (rate_ <= 0) return limit_;
        bytes_ += static_cast<int64_t>(bytes);
        auto until = start_ + limit_ + std::chrono::milliseconds(bytes_ * 1000 / rate_);
        return std::max(async::Limit(1), std::chrono::duration_cast<async::Limit>(until - base::steady_now()));
    }

private:
    async::Limit limit_;
    int64_t rate_, bytes_ = 0;
    base::Steady start_ = base::steady_now();
};

} // namespace

async::Task<> send_content(Session& session, const spool::Deliver& job, ContentForm form)
{
    session.stage = stage_body;
    Transformer transformer(job, form);
    Deadline deadline(form);
    uint64_t at = 0;
    Piece piece(static_cast<size_t>(std::min<uint64_t>(piece_size, job.content_length)));
    do {
        auto size = static_cast<size_t>(std::min<uint64_t>(piece_size, job.content_length - at));
        std::string_view text = piece.read(job, at, size);
        at += size;
        bool last = at == job.content_length;
        if (transformer.changes())
            text = transformer.take(text, last);
        else if (last)
            text = piece.finished(text);
        if (last && form.dot_delay.count() > 0) {
            size_t before_dot = text.size() - end_of_data.substr(2).size();
            co_await session.stream.send(text.substr(0, before_dot), deadline.left(before_dot));
            co_await async::sleep(form.dot_delay);
            text.remove_prefix(before_dot);
        }
        if (last) session.stage = stage_end_of_data;
        co_await session.stream.send(text, deadline.left(text.size()));
    } while (at < job.content_length);
    if (transformer.broke_lines())
        base::log::info("{}: breaking line > {} bytes with <CR><LF>SPACE", job.queue_id, form.line_limit);
}

bool header_beyond_ascii(const spool::Deliver& job)
{
    auto size = static_cast<size_t>(std::min<uint64_t>(piece_size, job.content_length));
    try {
        Piece piece(size);
        std::string_view text = piece.read(job, 0, size);
        return !base::is_ascii(text.substr(0, text.find("\r\n\r\n")));
    } catch (const base::SystemError&) {
        return false;
    }
}

} // namespace smtp_client
