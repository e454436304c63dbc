#include "deflate.h"

#include <zlib.h>

#include <array>
#include <new>

namespace imapd {

namespace {

using Status = net::Transport::Result::Status;

constexpr int no_header = -15;          // RFC 1951 alone, with the largest window that a client may use
constexpr int small_window = -12;       // of what we send: 4 KB, so that a session is cheap
constexpr int memory_level = 5;
constexpr size_t piece = 16 << 10;

class DeflateTransport final : public net::Transport {
public:
    DeflateTransport(std::unique_ptr<net::Transport> below, std::string_view received)
        : below_(std::move(below)), received_(received)
    {
        if (::inflateInit2(&in_, no_header) != Z_OK) throw std::bad_alloc();
        if (::deflateInit2(&out_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, small_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
            ::inflateEnd(&in_);
            throw std::bad_alloc();
        }
    }
    ~DeflateTransport() override
    {
        ::inflateEnd(&in_);
        ::deflateEnd(&out_);
    }
    DeflateTransport(const DeflateTransport&) = delete;

    Result read(std::span<char> into) override
    {
        while (true) {
            in_.next_in = reinterpret_cast<Bytef*>(received_.data()) + taken_;
            in_.avail_in = static_cast<uInt>(received_.size() - taken_);
            in_.next_out = reinterpret_cast<Bytef*>(into.data());
            in_.avail_out = static_cast<uInt>(into.size());
            int result = ::inflate(&in_, Z_SYNC_FLUSH);
            taken_ = received_.size() - in_.avail_in;
            size_t got = into.size() - in_.avail_out;
            if (got > 0) return {Status::done, got};
            if (result != Z_OK && result != Z_BUF_ERROR) return {Status::failed, 0, 0, "the compressed data is broken"};
            if (taken_ < received_.size()) continue;
            std::array<char, piece> bytes;
            Result below = below_->read(bytes);
            if (below.status != Status::done) {
                received_ = std::string();
                taken_ = 0;
                return below;
            }
            received_.assign(bytes.data(), below.bytes);
            taken_ = 0;
        }
    }

    // Bytes count as written when they are compressed and all of that is sent: want_write is answered by the same call again.
    Result write(std::string_view bytes) override
    {
        if (pending_.empty()) {
            in_flight_ = std::min(bytes.size(), piece);
            compress(bytes.substr(0, in_flight_));
        }
        while (sent_ < pending_.size()) {
            Result below = below_->write(std::string_view(pending_).substr(sent_));
            if (below.status != Status::done) return below;
            sent_ += below.bytes;
        }
        pending_.clear();
        sent_ = 0;
        return {Status::done, in_flight_};
    }

    Result close() override { return below_->close(); }

private:
    void compress(std::string_view bytes)
    {
        out_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        out_.avail_in = static_cast<uInt>(bytes.size());
        std::array<char, piece> out;
        do {
            out_.next_out = reinterpret_cast<Bytef*>(out.data());
            out_.avail_out = static_cast<uInt>(out.size());
            ::deflate(&out_, Z_SYNC_FLUSH);
            pending_.append(out.data(), out.size() - out_.avail_out);
        } while (out_.avail_out == 0);
    }

    std::unique_ptr<net::Transport> below_;
    z_stream in_{}, out_{};
    std::string received_;      // compressed
    size_t taken_ = 0;
    std::string pending_;       // compressed, to be sent
    size_t sent_ = 0;
    size_t in_flight_ = 0;      // how many bytes of the caller pending_ stands for
};

} // namespace

std::unique_ptr<net::Transport> make_deflate_transport(std::unique_ptr<net::Transport> below, std::string_view received)
{
    return std::make_unique<DeflateTransport>(std::move(below), received);
}

} // namespace imapd
