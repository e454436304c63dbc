// text_drivers: a line each way (tcp), a netstring each way (socketmap).
#include "maps/text_drivers.h"
#include "maps/text_peer.h"

#include "base/text.h"

#include <fmt/format.h>

namespace maps {

namespace {

using driver::ServerLost;

constexpr base::Duration limit = std::chrono::seconds(5);
constexpr size_t longest_tcp_line = 4096;
constexpr size_t largest_socketmap_reply = 100000;

std::string percent_encoded(std::string_view text)
{
    std::string out;
    for (unsigned char c : text) {
        if (c > ' ' && c < 127 && c != '%') out += static_cast<char>(c);
        else out += fmt::format("%{:02X}", c);
    }
    return out;
}

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        auto byte = base::from_hex(text.substr(i + 1, 2));
        if (!byte || byte->empty()) throw ServerLost("malformed %XX in the server's reply");
        out += *byte;
        i += 2;
    }
    return out;
}

class TcpConnection final : public driver::Connection {
public:
    explicit TcpConnection(const Endpoint& endpoint) : peer_(endpoint, limit) {}
    std::string quote(std::string_view text, size_t) override { return std::string(text); }
    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        std::string request = "get " + percent_encoded(filled[0]) + "\n";
        if (request.size() > longest_tcp_line) return {};
        peer_.send(request);
        std::string reply = peer_.line(longest_tcp_line);
        std::string_view code = std::string_view(reply).substr(0, 3);
        bool well_formed = reply.size() >= 4 && reply[3] == ' ';
        if (well_formed && code == "500") return {};
        std::string text = well_formed ? percent_decoded(reply.substr(4)) : std::string();
        if (well_formed && code == "200") return {text};
        if (well_formed && code == "400") throw std::runtime_error("the server says: " + text);
        throw ServerLost(fmt::format("malformed reply \"{}\"", base::printable(reply, 100)));
    }

private:
    TextPeer peer_;
};

class SocketmapConnection final : public driver::Connection {
public:
    SocketmapConnection(const Endpoint& endpoint, const std::string& map) : peer_(endpoint, limit), map_(map) {}
    std::string quote(std::string_view text, size_t) override { return std::string(text); }
    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        std::string request = map_ + " " + filled[0];
        peer_.send(fmt::format("{}:{},", request.size(), request));
        auto reply = netstring();
        auto words = base::cut(reply, ' ');
        if (words.before == "OK") return {std::string(words.after)};
        if (words.before == "NOTFOUND") return {};
        // PERM is an answer for good, and still none about the key: the mail waits until somebody mends the table.
        for (std::string_view trouble : {"TEMP", "TIMEOUT", "PERM"})
            if (words.before == trouble) throw std::runtime_error(fmt::format("the server says: {}", reply));
        throw ServerLost(fmt::format("malformed reply \"{}\"", base::printable(reply, 100)));
    }

private:
    std::string netstring()
    {
        std::string digits;
        for (char c; (c = peer_.bytes(1)[0]) != ':';) {
            digits += c;
            if (!base::is_digit(c) || digits.size() > 9) throw ServerLost("the server's reply is no netstring");
        }
        auto size = base::number<size_t>(digits);
        if (!size) throw ServerLost("the server's reply is no netstring");
        if (*size > largest_socketmap_reply) throw ServerLost(fmt::format("the server's reply is longer than {} bytes", largest_socketmap_reply));
        std::string text = peer_.bytes(*size);
        if (peer_.bytes(1) != ",") throw ServerLost("the server's reply is no netstring");
        return text;
    }

    TextPeer peer_;
    std::string map_;
};

template <class Made, class... More> class TextDriver final : public driver::Driver {
public:
    TextDriver(const std::string& server, More... more) : endpoint_(Endpoint::parse(server)), more_(std::move(more)...)
    {
        traits.patterns = {"%s"};
        traits.servers = {server};
        traits.only_utf8 = false;
        traits.needs_internet = !endpoint_.is_unix();
    }
    std::unique_ptr<driver::Connection> connect(const std::string&) override
    {
        return std::apply([&](const More&... more) { return std::make_unique<Made>(endpoint_, more...); }, more_);
    }

private:
    Endpoint endpoint_;
    std::tuple<More...> more_;
};

} // namespace

std::unique_ptr<driver::Driver> tcp_driver(const std::string& name) { return std::make_unique<TextDriver<TcpConnection>>("inet:" + name); }

std::unique_ptr<driver::Driver> socketmap_driver(const std::string& name)
{
    auto cut = base::cut_last(name, ':');
    bool known = base::starts_with_word(name, "inet:") || base::starts_with_word(name, "unix:");
    if (!known || !cut.found || cut.after.empty())
        throw std::runtime_error(fmt::format("socketmap:{}: expected inet:host:port:name or unix:pathname:name", name));
    return std::make_unique<TextDriver<SocketmapConnection, std::string>>(std::string(cut.before), std::string(cut.after));
}

} // namespace maps
