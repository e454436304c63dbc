#include "content.h"

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

bool must_be_changed(const spool::Deliver& job, size_t line_limit)
{
    if (job.content_flags & (spool::content_dot_lines | spool::content_no_final_newline)) return true;
    return line_limit != 0 && (line_limit < 998 || job.content_flags & spool::content_long_lines);
}

} // namespace

async::Task<> send_content(Session& session, const spool::Deliver& job, size_t line_limit, async::Limit limit)
{
    session.stage = stage_body;
    bool changed = must_be_changed(job, line_limit);
    smtp::DotStuffer stuffer(line_limit);
    std::string stuffed;
    uint64_t at = 0;
    Piece piece(static_cast<size_t>(std::min<uint64_t>(piece_size, job.content_length)));
    do {
        auto size = static_cast<size_t>(std::min<uint64_t>(piece_size, job.content_length - at));
        std::string_view text = piece.read(job, at, size);
        at += size;
        bool last = at == job.content_length;
        if (changed) {
            stuffed.clear();
            stuffer.feed(text, stuffed);
            if (last) stuffer.finish(stuffed);
            text = stuffed;
        } else if (last) {
            text = piece.finished(text);
        }
        if (last) session.stage = stage_end_of_data;
        co_await session.stream.send(text, limit);
    } while (at < job.content_length);
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
