// stream: a byte stream with a peer: buffered reading, gathered writing, a limit on every wait. Plain or TLS below, the same above.
//
// Reading: fill() waits for bytes and adds them to buffered(); consume() gives them up. line() does both for line protocols.
// Writing: write() only gathers; flush() or send() puts it on the wire and waits while the peer is slow. A session that answers
// before it reads on therefore never holds more than it was asked for.
// Errors: the peer is gone, or a limit passed: Gone. Misuse is not an error of the peer and is not checked.
#pragma once

#include "async/task.h"
#include "async/watch.h"
#include "base/fd.h"
#include "net/address.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace net {

using async::Limit;
using async::no_limit;

// The conversation cannot go on.
class Gone : public std::runtime_error {
public:
    enum Why { closed, timed_out, failed };
    Gone(Why why, const std::string& text) : std::runtime_error(text), why_(why) {}
    Why why() const { return why_; }

private:
    Why why_;
};

// The line is longer than the reader allows. The rest of it has been thrown away up to its end.
class LineTooLong : public std::runtime_error {
public:
    LineTooLong() : std::runtime_error("line too long") {}
};

// What carries the bytes: a socket, or TLS over it. Never blocks.
class Transport {
public:
    struct Result {
        enum Status { done, want_read, want_write, end, failed } status;
        size_t bytes = 0;
        int error = 0;              // errno, when failed
        std::string detail = {};    // more than errno can say (TLS)
    };
    virtual ~Transport() = default;
    virtual Result read(std::span<char> into) = 0;
    virtual Result write(std::string_view bytes) = 0;
    virtual Result close() = 0;     // says goodbye (close_notify)
};

class Stream {
public:
    Stream() = default;
    Stream(base::Fd fd, Address peer);
    Stream(Stream&&) = default;
    Stream& operator=(Stream&&) = default;

    explicit operator bool() const { return static_cast<bool>(core_); }
    const Address& peer() const { return core_->peer; }
    int fd() const { return core_->fd.get(); }

    std::string_view buffered() const;
    void consume(size_t bytes);
    // Adds at least one byte to buffered(). Throws Gone at the peer's end.
    async::Task<> fill(Limit limit);
    // As fill(), but false at the peer's end.
    async::Task<bool> fill_or_end(Limit limit);
    // As fill(), but does not wait: false when there is nothing yet. Then readable() tells of more.
    bool try_fill();
    // Whether the peer has said more than was consumed: asks the kernel. Does not notice its end.
    bool peek();
    // The next line without its LF or CRLF; valid until the next call that reads. At most longest bytes, else LineTooLong.
    async::Task<std::string_view> line(Limit limit, size_t longest);
    bool line_end_was_bare() const { return core_->bare_line_end; }    // the last line() ended in LF without CR
    // From now on all reading together may take so long, whatever the limits of single waits; no_limit: no such bound.
    void set_deadline(Limit from_now);
    // The peer has earned so much more time by what it sent, but never more than `most` from now.
    void extend_deadline(Limit more, Limit most);
    // Exactly so many bytes, which must fit in memory; valid as above.
    async::Task<std::string_view> exactly(size_t bytes, Limit limit);
    bool has_line() const { return buffered().find('\n') != std::string_view::npos; }
    async::Source& readable() { return core_->watch.readable(); }
    async::Watch& watch() { return core_->watch; }      // for those who drive the transport themselves
    // Something to read without waiting: buffered, or perhaps at the kernel's.
    bool ready() const;

    void write(std::string_view bytes);
    size_t unsent() const;
    async::Task<> flush(Limit limit);
    // What was gathered, then bytes, which are not copied. The caller keeps them until the task ends.
    async::Task<> send(std::string_view bytes, Limit limit);
    // The last words are sent, TLS says goodbye, and the socket is closed; waits no longer than limit. Does not throw.
    async::Task<> close(Limit limit);

    // What another process has read of this connection already: as if it came from the peer now.
    void preload(std::string_view bytes) { core_->in.append(bytes); }

    // STARTTLS: what the peer pipelined in the clear, and must not be believed afterwards (CVE-2011-0411).
    bool discard_buffered();
    void set_transport(std::unique_ptr<Transport> transport);
    // For a transport over this one, which must be set at once.
    std::unique_ptr<Transport> take_transport() { return std::move(core_->transport); }
    Transport* transport() const { return core_->transport.get(); }
    // Waits as a transport asks during its handshake.
    async::Task<> wait_for(Transport::Result::Status want, Limit limit);
    // Gives the descriptor away, for another process to go on with. REQUIRES: plain, nothing buffered or unsent.
    base::Fd release();

private:
    struct Core {
        Core(base::Fd fd, Address peer);
        base::Fd fd;
        async::Watch watch;
        Address peer;
        std::unique_ptr<Transport> transport;
        std::string in;
        size_t in_start = 0;
        std::string out;
        size_t out_start = 0;
        bool bare_line_end = false;
        std::optional<std::chrono::steady_clock::time_point> deadline;
    };
    Limit within_deadline(Limit limit) const;
    async::Task<> put(std::string_view bytes, Limit limit);
    std::unique_ptr<Core> core_;
};

} // namespace net
