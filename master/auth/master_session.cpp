#include "master_session.h"

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "protocol_error.h"
#include "sasl/tab_fields.h"
#include "verify.h"

#include <fmt/format.h>

#include <sys/socket.h>
#include <unistd.h>

namespace auth {
namespace {

constexpr net::Limit idle_limit{300'000};
constexpr net::Limit write_limit{30'000};

std::string user_line(std::string_view id, const sasl::UserRecord& user)
{
    std::string line = fmt::format("USER\t{}\t{}", id, sasl::tab_escape(user.name));
    auto add = [&](std::string_view key, const std::string& value) {
        line += fmt::format("\t{}={}", sasl::tab_escape(key), sasl::tab_escape(value));
    };
    if (user.uid) add("uid", std::to_string(*user.uid));
    if (user.gid) add("gid", std::to_string(*user.gid));
    if (!user.home.empty()) add("home", user.home);
    if (!user.mail.empty()) add("mail", user.mail);
    for (const auto& [key, value] : user.more) add(key, value);
    return line;
}

std::string failure_line(std::string_view id, const std::string& reason)
{
    return fmt::format("FAIL\t{}\treason={}\tcode=temp_fail", id, sasl::tab_escape(reason));
}

// REQUEST <id> <client pid> <request id> <cookie> …
std::string redeem(Context& context, const std::vector<std::string_view>& fields)
{
    if (fields.size() < 5) return "";
    auto client_pid = base::number<uint32_t>(fields[2]), request = base::number<uint32_t>(fields[3]);
    if (!client_pid || !request) return "";
    sasl::Ticket ticket;
    ticket.auth_pid = static_cast<uint32_t>(::getpid());
    ticket.client_pid = *client_pid;
    ticket.request = *request;
    ticket.cookie = base::lower(fields[4]);
    auto user = context.tickets.redeem(ticket, base::steady_now());
    if (user) return user_line(fields[1], *user);
    base::log::warning("a ticket of process {} is unknown, expired or was used before", *client_pid);
    return fmt::format("NOTFOUND\t{}", fields[1]);
}

// USER <id> <name> service=…
async::Task<std::string> look_up(Context& context, std::string id, std::string name)
{
    std::string trouble;
    try {
        auto names = names_to_try(name, context.rules.names);
        auto user = co_await find_record(context, std::move(names));
        if (!user) co_return fmt::format("NOTFOUND\t{}", id);
        co_return user_line(id, *user);
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    base::log::warning("{}", trouble);
    co_return failure_line(id, "can't look up users now");
}

// Told to drain, it hears no more questions; the answer to the last one is still sent.
class Open final : public Drainable {
public:
    Open(net::Stream& stream, Context& context) : stream_(stream), context_(context) { context_.open.insert(this); }
    ~Open() { context_.open.erase(this); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    void drain() override { ::shutdown(stream_.fd(), SHUT_RD); }

private:
    net::Stream& stream_;
    Context& context_;
};

async::Task<> converse(net::Stream& stream, Context& context)
{
    Open open(stream, context);
    stream.write(fmt::format("VERSION\t1\t2\nSPID\t{}\n", ::getpid()));
    co_await stream.flush(write_limit);
    while (true) {
        std::string_view line = co_await stream.line(idle_limit, sasl::longest_auth_line);
        auto fields = sasl::tab_fields(line);
        if (fields[0] == "VERSION") {
            if (fields.size() < 3 || fields[1] != "1") throw ProtocolError("speaks another version");
            continue;
        }
        if (fields[0] == "CPID") continue;
        std::string question(line);
        std::string answer = co_await master_answer(context, std::move(question));
        if (answer.empty()) throw ProtocolError("malformed line");
        answer += '\n';
        stream.write(answer);
        co_await stream.flush(write_limit);
    }
}

} // namespace

bool is_trusted_peer(int fd)
{
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return peer.uid == 0 || peer.uid == ::geteuid();
}

async::Task<std::string> master_answer(Context& context, std::string line)
{
    auto fields = sasl::tab_fields(line);
    if (fields.size() < 2 || !base::number<uint32_t>(fields[1])) co_return std::string();
    if (fields[0] == "REQUEST") co_return redeem(context, fields);
    if (fields[0] == "USER") {
        auto name = fields.size() < 3 ? std::nullopt : sasl::tab_unescape(fields[2]);
        if (!name) co_return std::string();
        std::string id(fields[1]);
        std::string answer = co_await look_up(context, std::move(id), std::move(*name));
        co_return answer;
    }
    if (fields[0] == "PASS" || fields[0] == "LIST") co_return failure_line(fields[1], "not supported");
    co_return std::string();
}

async::Task<> serve_master(net::Stream stream, Context& context)
{
    if (!is_trusted_peer(stream.fd())) {
        base::log::warning("auth-master: refused a process that is neither root's nor ours");
        co_return;
    }
    std::string fault;
    try {
        co_await converse(stream, context);
    } catch (const net::Gone&) {
    } catch (const net::LineTooLong& why) {
        fault = why.what();
    } catch (const ProtocolError& why) {
        fault = why.what();
    }
    if (!fault.empty()) base::log::warning("auth-master client: {}", fault);
}

} // namespace auth
