// file_stream: a stream that reads from a file and keeps what is written to it: the dialogue that postdrop left, and our replies.
#pragma once

#include "net/stream.h"

#include <string>

namespace smtpd {

class FileTransport final : public net::Transport {
public:
    explicit FileTransport(base::Fd file) : file_(std::move(file)) {}
    Result read(std::span<char> into) override;
    Result write(std::string_view bytes) override;
    Result close() override { return {Result::done}; }
    const std::string& written() const { return written_; }

private:
    base::Fd file_;
    std::string written_;
};

// The stream's transport is a FileTransport, which lives as long as the stream.
net::Stream stream_over_file(base::Fd file);

} // namespace smtpd
