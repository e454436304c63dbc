#include "sasl/auth_client.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "net/service.h"
#include "sasl/tab_fields.h"

#include <fmt/format.h>

#include <sys/socket.h>
#include <unistd.h>

namespace sasl {
namespace {

constexpr net::Limit connect_limit{10'000};
constexpr net::Limit write_limit{30'000};
constexpr size_t most_mechanisms = 64;

// auth broke the protocol.
class Broken : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct MechanismFlag {
    std::string_view word;
    bool Mechanism::*field;
};
constexpr MechanismFlag mechanism_flags[] = {
    {"anonymous", &Mechanism::anonymous},
    {"plaintext", &Mechanism::plaintext},
    {"dictionary", &Mechanism::dictionary},
    {"active", &Mechanism::active},
    {"forward-secrecy", &Mechanism::forward_secrecy},
    {"mutual-auth", &Mechanism::mutual_auth},
    {"private", &Mechanism::is_private},
    {"channel-binding", &Mechanism::binds},
};

Mechanism read_mechanism(const std::vector<std::string_view>& fields)
{
    Mechanism mechanism;
    mechanism.name = fields[1];
    for (size_t i = 2; i < fields.size(); ++i)
        for (const auto& flag : mechanism_flags)
            if (flag.word == fields[i]) mechanism.*flag.field = true;
    return mechanism;
}

std::string auth_line(uint32_t id, const Request& request)
{
    std::string line =
        fmt::format("AUTH\t{}\t{}\tservice={}", id, base::upper(request.mechanism), tab_escape(request.service));
    if (!request.wants_ticket) line += "\tnologin";
    auto add_address = [&](const net::Address& address, std::string_view ip, std::string_view port) {
        if (address.family() == AF_INET || address.family() == AF_INET6)
            line += fmt::format("\t{}={}\t{}={}", ip, address.ip(), port, address.port());
    };
    add_address(request.local, "lip", "lport");
    add_address(request.remote, "rip", "rport");
    if (!request.local_name.empty()) line += "\tlocal_name=" + tab_escape(request.local_name);
    if (request.secured) line += "\tsecured";
    if (request.no_penalty) line += "\tno-penalty";
    if (!request.certificate_name.empty())
        line += "\tvalid-client-cert\tcert_username=" + tab_escape(request.certificate_name);
    if (base::starts_with_word(request.mechanism, "SCRAM-")) {
        if (!request.tls_exporter.empty()) line += "\ttls_exporter=" + base::to_base64(request.tls_exporter);
        if (!request.tls_server_end_point.empty())
            line += "\ttls_server_end_point=" + base::to_base64(request.tls_server_end_point);
    }
    if (request.initial_response)
        line += "\tresp=" + base::to_base64(request.initial_response->view()); // must be the last
    return line;
}

Step failure_for_now(std::string reason)
{
    Step step;
    step.temporary = true;
    step.code = "temp_fail";
    step.reason = std::move(reason);
    return step;
}

Step read_failure(const std::vector<std::string_view>& fields)
{
    Step step;
    step.user = tab_value(fields, 2, "user").value_or("");
    step.reason = tab_value(fields, 2, "reason").value_or("");
    step.code = tab_value(fields, 2, "code").value_or("");
    if (step.code.empty() && tab_flag(fields, 2, "user_disabled")) step.code = "user_disabled";
    if (step.code.empty() && tab_flag(fields, 2, "pass_expired")) step.code = "pass_expired";
    step.temporary = tab_flag(fields, 2, "temp") || step.code == "temp_fail";
    return step;
}

} // namespace

struct AuthClient::Waiting {
    explicit Waiting(AuthClient& client) : client(client) { client.waiting_.push_back(this); }
    ~Waiting() { std::erase(client.waiting_, this); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    AuthClient& client;
    async::Flag changed;
};

AuthClient::AuthClient(std::string where) : where_(std::move(where)) {}

AuthClient::~AuthClient()
{
    writer_.cancel();
    reader_.cancel();
}

void AuthClient::begin()
{
    state_ = State::connecting;
    trouble_.clear();
    reader_.start(run());
}

async::Task<> AuthClient::run()
{
    std::string why;
    try {
        co_await converse();
    } catch (const net::Gone& gone) {
        why = gone.what();
    } catch (const net::LineTooLong& fault) {
        why = fault.what();
    } catch (const Broken& fault) {
        why = fault.what();
    } catch (const base::SystemError& failure) {
        why = failure.what();
    }
    lost(why);
}

async::Task<> AuthClient::converse()
{
    if (make_stream_)
        stream_ = make_stream_();
    else
        stream_ = co_await net::connect_to_service(where_, connect_limit);
    coming_mechanisms_.clear();
    cookie_.clear();
    auth_pid_ = 0;
    client_pid_ = static_cast<uint32_t>(::getpid());
    to_send_.clear();
    writer_.start(write_out());
    send("VERSION\t1\t2");
    send(fmt::format("CPID\t{}", client_pid_));
    while (true) {
        net::Limit limit = state_ == State::connecting ? connect_limit : net::no_limit;
        std::string_view line = co_await stream_.line(limit, longest_auth_line);
        take(line);
    }
}

async::Task<> AuthClient::write_out()
{
    while (true) {
        co_await async::wait(to_send_);
        to_send_.clear();
        bool stuck = false;
        try {
            co_await stream_.flush(write_limit);
        } catch (const net::Gone&) {
            stuck = true;
        }
        if (!stuck) continue;
        ::shutdown(stream_.fd(), SHUT_RDWR); // the reader notices, and begins anew
        co_return;
    }
}

void AuthClient::send(std::string_view line)
{
    stream_.write(line);
    stream_.write("\n");
    to_send_.set();
}

void AuthClient::take(std::string_view line)
{
    auto fields = tab_fields(line);
    if (state_ == State::connecting)
        take_handshake(fields);
    else
        take_answer(fields);
}

void AuthClient::take_handshake(const std::vector<std::string_view>& fields)
{
    std::string_view verb = fields[0];
    if (verb == "DONE") return greeted();
    std::string_view value = fields.size() < 2 ? std::string_view() : fields[1];
    if (verb == "VERSION" && value != "1") throw Broken("it speaks version " + base::printable(value, 20));
    if (verb == "SPID") auth_pid_ = base::number<uint32_t>(value).value_or(0);
    if (verb == "COOKIE") cookie_ = value;
    if (verb == "MECH" && !value.empty() && coming_mechanisms_.size() < most_mechanisms)
        coming_mechanisms_.push_back(read_mechanism(fields));
}

void AuthClient::greeted()
{
    mechanisms_ = std::move(coming_mechanisms_);
    state_ = State::ready;
    wake_waiting();
}

void AuthClient::take_answer(const std::vector<std::string_view>& fields)
{
    std::string_view verb = fields[0];
    if (verb != "OK" && verb != "CONT" && verb != "FAIL") return; // later versions may say more
    auto id = fields.size() < 2 ? std::nullopt : base::number<uint32_t>(fields[1]);
    if (!id) throw Broken("an answer without a number");
    auto found = exchanges_.find(*id);
    if (found == exchanges_.end()) return; // given up meanwhile
    Exchange& exchange = *found->second;

    Step step;
    if (verb == "CONT") {
        auto text = fields.size() < 3 ? std::optional<std::string>("") : base::from_base64(fields[2]);
        if (!text) throw Broken("a challenge that is no base64");
        step.kind = Step::challenge;
        step.text = std::move(*text);
    } else {
        exchanges_.erase(found);
        exchange.id_ = 0;
        if (verb == "FAIL") {
            step = read_failure(fields);
        } else {
            step.kind = Step::ok;
            step.user = tab_value(fields, 2, "user").value_or("");
            step.final_response = base::from_base64(tab_value(fields, 2, "resp").value_or("")).value_or("");
            Ticket ticket;
            ticket.auth_pid = auth_pid_;
            ticket.client_pid = client_pid_;
            ticket.request = *id;
            ticket.cookie = cookie_;
            if (!cookie_.empty()) step.ticket = std::move(ticket);
            if (step.user.empty()) step = failure_for_now("authentication service names no user");
        }
    }
    exchange.answer_ = std::move(step);
    exchange.answered_.set();
}

void AuthClient::lost(const std::string& why)
{
    bool was_ready = state_ == State::ready;
    bool busy = !exchanges_.empty();
    writer_.cancel();
    stream_ = net::Stream();
    state_ = State::idle;
    trouble_ = why;
    // auth may end whenever nobody needs it.
    if (!was_ready || busy) base::log::warning("authentication service {}: {}", where_, base::printable(why));
    auto given_up = std::exchange(exchanges_, {});
    for (auto& [id, exchange] : given_up) {
        exchange->id_ = 0;
        exchange->answer_ = failure_for_now("connection to authentication service lost");
        exchange->answered_.set();
    }
    wake_waiting();
}

void AuthClient::wake_waiting()
{
    for (Waiting* each : waiting_) each->changed.set();
}

uint32_t AuthClient::new_id()
{
    do ++last_id_;
    while (last_id_ == 0 || exchanges_.contains(last_id_));
    return last_id_;
}

async::Task<bool> AuthClient::be_connected(net::Limit limit)
{
    if (state_ == State::idle) begin();
    while (state_ == State::connecting) {
        Waiting waiting(*this);
        bool in_time = co_await async::wait(waiting.changed, limit);
        if (!in_time) co_return false;
    }
    co_return state_ == State::ready;
}

async::Task<std::vector<Mechanism>> AuthClient::mechanisms(net::Limit limit)
{
    bool connected = co_await be_connected(limit);
    if (!connected) co_return std::vector<Mechanism>();
    co_return mechanisms_;
}

async::Task<Step> Exchange::start(Request request, net::Limit limit)
{
    bool connected = co_await client_.be_connected(limit);
    if (!connected) co_return failure_for_now("authentication service is not available");
    uint32_t id = client_.new_id();
    Secret line(auth_line(id, request));
    if (line.view().size() > longest_auth_line) co_return Step();
    id_ = id;
    answer_.reset();
    client_.exchanges_[id_] = this;
    client_.send(line.view());
    wants_ticket_ = request.wants_ticket;
    Step step = co_await answer(limit);
    if (!wants_ticket_) step.ticket.reset();
    co_return step;
}

async::Task<Step> Exchange::go_on(Secret response, net::Limit limit)
{
    if (id_ == 0) co_return failure_for_now("connection to authentication service lost");
    Secret line(fmt::format("CONT\t{}\t{}", id_, base::to_base64(response.view())));
    if (line.view().size() > longest_auth_line) co_return Step();
    client_.send(line.view());
    Step step = co_await answer(limit);
    if (!wants_ticket_) step.ticket.reset();
    co_return step;
}

async::Task<Step> Exchange::answer(net::Limit limit)
{
    answered_.clear();
    if (!answer_) {
        bool in_time = co_await async::wait(answered_, limit);
        if (!in_time) {
            leave();
            co_return failure_for_now("authentication service is too slow");
        }
    }
    Step step = std::move(*answer_);
    answer_.reset();
    co_return step;
}

void Exchange::leave()
{
    if (id_ == 0) return;
    client_.exchanges_.erase(id_);
    if (client_.state_ == AuthClient::State::ready) client_.send(fmt::format("CANCEL\t{}", id_));
    id_ = 0;
}

} // namespace sasl
