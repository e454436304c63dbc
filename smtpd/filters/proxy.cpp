#include "filters/proxy.h"

#include "session.h"

#include "async/offload.h"
#include "base/log.h"
#include "base/text.h"
#include "net/service.h"

#include <algorithm>

namespace smtpd {
namespace {

constexpr size_t piece_size = 256 << 10;
constexpr size_t longest_line = 4096, longest_command = 512;
constexpr async::Limit farewell_limit{5000};

smtp::Reply own_trouble() { return {451, "4.3.0", "Error: queue file write error"}; }

// "host:port" needs no type here, and a port alone is on this machine. Paths are in the queue's folder.
std::string service_of(const config::Config& config)
{
    const std::string& where = config.smtpd_proxy_filter;
    if (where.starts_with("unix:")) return where.starts_with("unix:/") ? where : "unix:" + config.queue_directory + "/" + where.substr(5);
    std::string place = where.starts_with("inet:") ? where.substr(5) : where;
    size_t colon = place.rfind(':');
    if (colon == std::string::npos) return "inet:localhost:" + place;
    return colon == 0 ? "inet:localhost" + place : "inet:" + place;
}

bool speed_adjust(const config::Config& config)
{
    bool adjusts = false;
    for (auto word : base::split(config.smtpd_proxy_options, " \t,")) {
        if (base::same_word(word, "speed_adjust")) adjusts = true;
        else base::log::warning("smtpd_proxy_options: unknown option \"{}\"", base::printable(word, 40));
    }
    return adjusts;
}

} // namespace

Proxy::Proxy(Session& session, std::string mail)
    : session_(session), name_(session.config.smtpd_proxy_filter), limit_(session.config.smtpd_proxy_timeout),
      collects_(speed_adjust(session.config)), commands_{std::move(mail)}
{}

void Proxy::note(const net::Gone& trouble)
{
    broken_ = true;
    base::log::warning("{} proxy {}", trouble.why() == net::Gone::timed_out ? "timeout talking to" : "lost connection with", name_);
}

async::Task<smtp::Reply> Proxy::read_reply()
{
    smtp::ReplyReader reader;
    while (!reader.complete()) {
        std::string_view line = co_await stream_.line(limit_, longest_line);
        reader.add_line(line);
    }
    co_return reader.take();
}

// An empty command: the greeting. Where no reply comes, one of our own.
async::Task<smtp::Reply> Proxy::ask(std::string command)
{
    if (broken_) co_return own_trouble();
    std::string trouble;
    try {
        if (!command.empty()) stream_.write(command + "\r\n");
        co_await stream_.flush(limit_);
        smtp::Reply reply = co_await read_reply();
        co_return reply;
    } catch (const net::Gone& gone) {
        note(gone);
    } catch (const smtp::BadReply& fault) {
        trouble = fault.what();
    } catch (const net::LineTooLong& fault) {
        trouble = fault.what();
    }
    if (!trouble.empty()) base::log::warning("malformed response from proxy {}: {}", name_, trouble);
    broken_ = true;
    co_return own_trouble();
}

async::Task<Proxy::Refusal> Proxy::insist(std::string command, char wanted)
{
    bool was_broken = broken_;
    smtp::Reply reply = co_await ask(command);
    if (!broken_ && std::to_string(reply.code)[0] == wanted) co_return std::nullopt;
    if (!broken_ && !was_broken)
        base::log::warning("proxy {} rejected \"{}\": \"{}\"", name_, command.empty() ? "connection request" : base::printable(command, 100), reply.line());
    co_return reply;
}

// Postfix's XFORWARD_README: what the filter asked for, as it was told to us, or as we see it.
std::vector<std::string> Proxy::xforward_commands() const
{
    const Session& s = session_;
    const Forwarded& from = s.forwarded;
    bool forwarded = from.any();
    bool ipv6 = (forwarded ? from.address : s.client.address).find(':') != std::string::npos;
    std::string address = (ipv6 ? "IPv6:" : "") + (forwarded ? from.address : s.client.address);
    bool ours = from.domain.empty() ? s.client.trusted : from.domain == "local";
    const std::pair<std::string_view, std::string> known[] = {
        {"NAME", forwarded ? from.name : s.client.name},     {"ADDR", address},
        {"PORT", forwarded ? from.port : s.client.port},     {"HELO", forwarded ? from.helo : s.client.helo},
        {"IDENT", from.ident},                               {"PROTO", forwarded ? from.protocol : s.client.protocol},
        {"SOURCE", ours ? "LOCAL" : "REMOTE"},
    };
    std::vector<std::string> commands;
    for (const auto& [name, value] : known) {
        if (std::find(can_.xforward.begin(), can_.xforward.end(), name) == can_.xforward.end()) continue;
        bool unavailable = value.empty() || value == "unknown" || value == "IPv6:";
        std::string word = fmt::format(" {}={}", name, unavailable ? "[UNAVAILABLE]" : base::to_xtext(value));
        if (commands.empty() || commands.back().size() + word.size() > longest_command) commands.emplace_back("XFORWARD");
        commands.back() += word;
    }
    return commands;
}

// What fails here is between the filter and us: the client only hears that it should come again.
async::Task<Proxy::Refusal> Proxy::introduce()
{
    auto refusal = co_await insist("", '2');
    if (refusal) co_return own_trouble();
    std::string hello = "EHLO " + session_.config.smtpd_proxy_ehlo;
    smtp::Reply reply = co_await ask(hello);
    if (reply.code != 250) {
        if (!broken_) base::log::warning("proxy {} rejected \"{}\": \"{}\"", name_, hello, reply.line());
        co_return own_trouble();
    }
    can_ = smtp::parse_ehlo(reply);
    std::vector<std::string> commands = xforward_commands();
    for (std::string& command : commands) {
        refusal = co_await insist(command, '2');
        if (refusal) co_return own_trouble();
    }
    co_return std::nullopt;
}

async::Task<Proxy::Refusal> Proxy::connect()
{
    std::string trouble;
    try {
        stream_ = co_await net::connect_to_service(service_of(session_.config), limit_);
    } catch (const net::Gone& gone) {
        trouble = gone.what();
    }
    if (!trouble.empty()) {
        base::log::warning("connect to proxy filter {}: {}", name_, trouble);
        broken_ = true;
        co_return own_trouble();
    }
    auto refusal = co_await introduce();
    if (!refusal) refusal = co_await insist(commands_.front(), '2');
    co_return refusal;
}

async::Task<Proxy::Refusal> Proxy::open()
{
    if (!collects_) {
        auto refusal = co_await connect();
        co_return refusal;
    }
    std::string trouble;
    try {
        collected_ = co_await session_.service.maker.create();
    } catch (const spool::Unavailable& failure) {
        trouble = failure.what();
    }
    if (trouble.empty()) co_return std::nullopt;
    base::log::warning("queue file: {}", trouble);
    co_return own_trouble();
}

async::Task<Proxy::Refusal> Proxy::recipient(std::string command)
{
    if (!collects_) {
        auto refusal = co_await insist(std::move(command), '2');
        co_return refusal;
    }
    commands_.push_back(std::move(command));
    co_return std::nullopt;
}

async::Task<Proxy::Refusal> Proxy::data()
{
    if (collects_) co_return std::nullopt;
    auto refusal = co_await insist("DATA", '3');
    co_return refusal;
}

async::Task<> Proxy::send(std::string bytes)
{
    try {
        co_await stream_.send(bytes, limit_);
    } catch (const net::Gone& gone) {
        note(gone);
    }
}

// What has gathered goes to the file.
async::Task<> Proxy::put_aside()
{
    auto write = [fd = collected_.fd().duplicate(), bytes = std::move(stuffed_), at = written_, id = collected_.id()] {
        base::pwrite_all(fd.get(), bytes, static_cast<off_t>(at), id);
        return bytes.size();
    };
    stuffed_.clear();
    try {
        written_ += co_await async::offload(std::move(write));
    } catch (const base::SystemError& failure) {
        base::log::warning("{}: {}", collected_.id(), failure.what());
        broken_ = true;
    }
}

async::Task<Proxy::Refusal> Proxy::add(std::string_view content)
{
    stuffer_.feed(content, stuffed_);
    if (collects_ && stuffed_.size() >= piece_size) co_await put_aside();
    if (!collects_ && !stuffed_.empty()) co_await send(std::exchange(stuffed_, {}));
    if (broken_) co_return own_trouble();
    co_return std::nullopt;
}

// All at once, from the connection to the content's last line.
async::Task<Proxy::Refusal> Proxy::replay()
{
    co_await put_aside();
    if (broken_) co_return own_trouble();
    auto refusal = co_await connect();
    for (size_t i = 1; i < commands_.size() && !refusal; ++i) refusal = co_await insist(commands_[i], '2');
    if (!refusal) refusal = co_await insist("DATA", '3');
    if (refusal) co_return refusal;
    for (uint64_t at = 0; at < written_ && !broken_;) {
        auto read = [fd = collected_.fd().duplicate(), at, id = collected_.id()] {
            std::string piece(piece_size, '\0');
            piece.resize(base::pread_some(fd.get(), piece, static_cast<off_t>(at), id));
            return piece;
        };
        std::string piece = co_await async::offload(std::move(read));
        at += piece.size();
        if (piece.empty()) broken_ = true;
        else co_await send(std::move(piece));
    }
    if (broken_) co_return own_trouble();
    co_return std::nullopt;
}

async::Task<smtp::Reply> Proxy::end()
{
    stuffer_.finish(stuffed_);      // the line with the dot, too
    Refusal refusal;
    if (collects_) refusal = co_await replay();
    else co_await send(std::exchange(stuffed_, {}));
    if (refusal) co_return *refusal;
    smtp::Reply reply = co_await ask("");
    if (!broken_) {
        stream_.write("QUIT\r\n");
        co_await stream_.close(farewell_limit);
        broken_ = true;
    }
    co_return reply;
}

} // namespace smtpd
