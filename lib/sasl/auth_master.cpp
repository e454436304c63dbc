#include "sasl/auth_master.h"

#include "base/error.h"
#include "base/text.h"
#include "net/service.h"
#include "sasl/tab_fields.h"

#include <fmt/format.h>

#include <unistd.h>

namespace sasl {
namespace {

constexpr size_t most_handshake_lines = 100;

std::string text_of(std::string_view escaped)
{
    auto text = tab_unescape(escaped);
    if (!text) throw Unavailable("auth: broken escape");
    return *text;
}

UserRecord user_record(const std::vector<std::string_view>& fields)
{
    UserRecord record;
    if (fields.size() < 3) throw Unavailable("auth: USER without a name");
    record.name = text_of(fields[2]);
    for (size_t i = 3; i < fields.size(); ++i) {
        auto [key, escaped, found] = base::cut(fields[i], '=');
        std::string value = text_of(escaped);
        if (key == "uid") {
            record.uid = base::number<uid_t>(value);
            if (!record.uid) throw Unavailable("auth: bad uid");
        } else if (key == "gid") {
            record.gid = base::number<gid_t>(value);
            if (!record.gid) throw Unavailable("auth: bad gid");
        } else if (key == "home") {
            record.home = value;
        } else if (key == "mail") {
            record.mail = value;
        } else {
            record.more[std::string(key)] = value;
        }
    }
    return record;
}

async::Task<std::optional<UserRecord>> ask(net::Stream& stream, std::string question, uint32_t id, net::Limit limit)
{
    stream.write("VERSION\t1\t2\n");
    stream.write(question);
    co_await stream.flush(limit);
    std::string number = std::to_string(id);
    for (size_t lines = 0; lines < most_handshake_lines; ++lines) {
        std::string_view line = co_await stream.line(limit, longest_auth_line);
        auto fields = tab_fields(line);
        if (fields[0] == "VERSION") {
            if (fields.size() < 3 || fields[1] != "1") throw Unavailable("auth speaks another version");
            continue;
        }
        if (fields.size() < 2 || fields[1] != number) continue; // SPID and whatever else comes first
        if (fields[0] == "USER") co_return user_record(fields);
        if (fields[0] == "NOTFOUND") co_return std::nullopt;
        if (fields[0] == "FAIL") {
            auto reason = tab_value(fields, 2, "reason");
            throw Unavailable("auth: " + (reason ? base::printable(*reason, 200) : "internal failure"));
        }
    }
    throw Unavailable("auth does not answer what was asked");
}

// The failures of the connection in the one class that callers expect.
async::Task<std::optional<UserRecord>> ask_in_words(net::Stream& stream, std::string question, uint32_t id,
                                                    net::Limit limit)
{
    std::string trouble;
    try {
        auto answer = co_await ask(stream, std::move(question), id, limit);
        co_return answer;
    } catch (const net::Gone& gone) {
        trouble = gone.what();
    } catch (const net::LineTooLong& fault) {
        trouble = fault.what();
    }
    throw Unavailable("auth: " + trouble);
}

async::Task<net::Stream> reach(const std::string& where, net::Limit limit)
{
    std::string trouble;
    try {
        net::Stream stream = co_await net::connect_to_service(where, limit);
        co_return stream;
    } catch (const net::Gone& gone) {
        trouble = gone.what();
    } catch (const base::SystemError& failure) {
        trouble = failure.what();
    }
    throw Unavailable("can't connect to auth at " + where + ": " + trouble);
}

} // namespace

async::Task<std::optional<UserRecord>> redeem_over(net::Stream& stream, Ticket ticket, net::Limit limit)
{
    auto question = fmt::format("REQUEST\t1\t{}\t{}\t{}\tsession_pid={}\n", ticket.client_pid, ticket.request,
                                tab_escape(ticket.cookie), ::getpid());
    auto answer = co_await ask_in_words(stream, std::move(question), 1, limit);
    co_return answer;
}

async::Task<std::optional<UserRecord>> find_user_over(net::Stream& stream, std::string name, std::string service,
                                                      net::Limit limit)
{
    auto question = fmt::format("USER\t1\t{}\tservice={}\n", tab_escape(name), tab_escape(service));
    auto answer = co_await ask_in_words(stream, std::move(question), 1, limit);
    co_return answer;
}

async::Task<std::optional<UserRecord>> redeem(std::string where, Ticket ticket, net::Limit limit)
{
    net::Stream stream = co_await reach(where, limit);
    auto answer = co_await redeem_over(stream, std::move(ticket), limit);
    co_return answer;
}

async::Task<std::optional<UserRecord>> find_user(std::string where, std::string name, std::string service,
                                                 net::Limit limit)
{
    net::Stream stream = co_await reach(where, limit);
    auto answer = co_await find_user_over(stream, std::move(name), std::move(service), limit);
    co_return answer;
}

} // namespace sasl
