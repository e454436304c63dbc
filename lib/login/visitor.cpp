#include "login/visitor.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "login/relay.h"
#include "net/proxy_protocol.h"
#include "sasl/responses.h"
#include "tls/handshake.h"

#include <fcntl.h>
#include <sys/socket.h>

namespace login {
namespace {

constexpr net::Limit auth_limit{60'000};
constexpr net::Limit hand_over_limit{30'000};
constexpr size_t session_id_length = 16;

net::Address local_of(int fd)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return net::Address(reinterpret_cast<sockaddr*>(&storage), size);
}

// No name may look like the end of its own field: the readers of these lines ban addresses by them.
std::string for_log(const std::string& name)
{
    std::string safe = base::printable(name, 200);
    for (char& c : safe)
        if (c == '<' || c == '>' || c == ',') c = '?';
    return safe;
}

base::Fd duplicate(int fd)
{
    int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) throw base::SystemError("duplicate descriptor");
    return base::Fd(copy);
}

} // namespace

Visitor::Visitor(Porter& porter, net::Stream client)
    : porter_(porter), stream_(std::move(client)), local_(local_of(stream_.fd())), arrived_(base::steady_now()),
      leave_by_(arrived_ + porter.rules().login_limit), session_id_(base::random_token(session_id_length))
{
    now_from(stream_.peer());
}

void Visitor::now_from(net::Address remote)
{
    remote_ = std::move(remote);
    beside_us_ = remote_.is_loopback() || remote_.is_unix() || porter_.is_trusted(remote_);
}

async::Task<bool> Visitor::ask_proxy()
{
    std::string trouble;
    try {
        if (!porter_.is_proxy(stream_.peer())) throw net::BadProxyHeader("Client not trusted");
        auto header = co_await net::read_proxy_header(stream_, std::min(rules().haproxy_limit, time_left()));
        if (header.local) co_return true;
        local_ = header.server;
        now_from(header.client);
        co_return true;
    } catch (const net::BadProxyHeader& fault) {
        trouble = fmt::format("haproxy: {}", base::replace_all(fault.what(), "(", "["));
    } catch (const net::Gone& gone) {
        trouble = gone.why() == net::Gone::timed_out ? "haproxy: no header in time" : "haproxy: Connection closed";
    }
    leaves_because("Disconnected: " + trouble);
    co_return false;
}

net::Limit Visitor::time_left() const
{
    auto left = std::chrono::duration_cast<net::Limit>(leave_by_ - base::steady_now());
    return std::max(left, net::Limit::zero());
}

void Visitor::say(std::string_view line)
{
    stream_.write(line);
    stream_.write("\r\n");
}

void Visitor::say_last(std::string_view line)
{
    if (!in_handshake_) say(line);
}

bool Visitor::may_start_tls() const { return porter_.tls() && !secured_; }

async::Task<> Visitor::start_tls()
{
    in_handshake_ = true;
    auto info = co_await tls::accept(stream_, *porter_.tls(), time_left());
    if (info.plaintext_discarded) base::log::warning("{}-login: commands in the clear behind the start of TLS thrown away:{}", rules().protocol, where());
    server_name_ = info.server_name;
    tls_exporter_ = info.exporter;
    tls_server_end_point_ = info.server_end_point;
    secured_ = true;
    in_handshake_ = false;
}

bool Visitor::plain_allowed() const
{
    if (secured_ || beside_us()) return true;
    return !rules().plain_needs_tls && !rules().tls_required;
}

async::Task<std::vector<std::string>> Visitor::mechanisms()
{
    std::vector<std::string> names;
    if (rules().tls_required && !plain_allowed()) co_return names;
    auto offered = co_await porter_.auth().mechanisms(std::min(time_left(), auth_limit));
    for (const auto& mechanism : offered)
        if (mechanism.is_offered(secured_) && (!mechanism.plaintext || plain_allowed())) names.push_back(mechanism.name);
    co_return names;
}

// Why a mechanism can't be used; nothing when it can.
async::Task<std::optional<Attempt>> Visitor::refusal(const std::string& mechanism)
{
    Attempt refused;
    refused.kind = Attempt::no_such_mechanism;
    auto offered = co_await porter_.auth().mechanisms(std::min(time_left(), auth_limit));
    if (offered.empty()) {
        refused.kind = Attempt::unavailable;
        co_return refused;
    }
    for (const auto& known : offered) {
        if (known.name != mechanism || (known.binds && !secured_)) continue;
        if (!plain_allowed() && (known.plaintext || rules().tls_required)) {
            tried_clear_ = known.plaintext ? "plaintext" : mechanism;
            refused.kind = Attempt::needs_tls;
            co_return refused;
        }
        co_return std::nullopt;
    }
    co_return refused;
}

async::Task<Attempt> Visitor::authenticate(std::string mechanism, std::optional<sasl::Secret> initial, std::string tag)
{
    mechanism = base::upper(mechanism);
    auto refused = co_await refusal(mechanism);
    if (refused) co_return *refused;
    sasl::Request request(mechanism, rules().protocol);
    request.initial_response = std::move(initial);
    co_return co_await exchange(std::move(request), std::move(tag), "");
}

async::Task<Attempt> Visitor::log_in(std::string user, sasl::Secret password, std::string tag)
{
    auto refused = co_await refusal("PLAIN");
    if (refused) co_return *refused;
    // RFC 4616 2: the octet NUL separates, and so cannot be part of a name or password.
    constexpr char nul = '\0';
    if (user.find(nul) != std::string::npos || password.view().find(nul) != std::string_view::npos) {
        sasl::Step wrong;
        co_return failed(wrong, user);
    }
    sasl::Secret message;
    message.text().reserve(user.size() + password.view().size() + 2);
    message.text().append(1, nul).append(user).append(1, nul).append(password.view());
    sasl::Request request("PLAIN", rules().protocol);
    request.initial_response = std::move(message);
    co_return co_await exchange(std::move(request), std::move(tag), std::move(user));
}

async::Task<Attempt> Visitor::exchange(sasl::Request request, std::string tag, std::string user)
{
    tried_method_ = request.mechanism;
    tried_user_ = user;
    request.secured = secured_ || beside_us();
    request.wants_ticket = true;
    request.remote = remote_;
    request.no_penalty = beside_us();
    request.local = local_;
    request.local_name = server_name_;
    request.tls_exporter = tls_exporter_;
    request.tls_server_end_point = tls_server_end_point_;
    sasl::Exchange exchange(porter_.auth());
    auto step = co_await exchange.start(std::move(request), auth_limit);
    Attempt attempt;
    attempt.kind = Attempt::taken;
    step = co_await converse(exchange, std::move(step), attempt.kind);
    if (attempt.kind != Attempt::taken) co_return attempt;
    if (step.kind == sasl::Step::fail) co_return failed(step, user);
    tried_user_ = step.user;
    if (!step.ticket) {
        base::log::error("auth at {} gave no ticket for {}", porter_.auth().where(), for_log(step.user));
        attempt.kind = Attempt::unavailable;
        co_return attempt;
    }
    co_return co_await hand_over(step.ticket->text(), step.user, std::move(tag));
}

// Carries challenges and responses, until auth has decided or the client gives up.
async::Task<sasl::Step> Visitor::converse(sasl::Exchange& exchange, sasl::Step step, Attempt::Kind& given_up)
{
    while (step.kind == sasl::Step::challenge || (step.kind == sasl::Step::ok && !step.final_response.empty())) {
        bool decided = step.kind == sasl::Step::ok;
        say("+ " + base::to_base64(decided ? step.final_response : step.text));
        co_await flush();
        sasl::Response response;
        try {
            auto line = co_await stream_.line(time_left(), sasl::longest_response);
            response = sasl::decode_response(line);
        } catch (const net::LineTooLong&) {
            response.kind = sasl::Response::malformed;
        }
        if (response.kind != sasl::Response::data) {
            given_up = response.kind == sasl::Response::cancelled ? Attempt::cancelled : Attempt::malformed;
            co_return step;
        }
        if (decided) co_return step;
        step = co_await exchange.go_on(std::move(response.bytes), auth_limit);
    }
    co_return step;
}

Attempt Visitor::failed(const sasl::Step& step, const std::string& user)
{
    Attempt attempt;
    attempt.reason = step.reason;
    attempt.code = step.code;
    attempt.kind = step.temporary ? Attempt::unavailable : Attempt::wrong;
    tried_user_ = step.user.empty() ? user : step.user;
    if (!step.temporary) ++failures_;
    return attempt;
}

async::Task<HandedOver> Visitor::ask_session_stage(HandOver message)
{
    HandedOver answer;
    try {
        auto channel = ipc::connect_to(rules().session_socket);
        channel.post(std::move(message));
        bool in_time = co_await async::wait(channel.readable(), hand_over_limit);
        if (!in_time) throw std::runtime_error("no answer in time");
        auto packet = co_await channel.receive();
        if (!packet) throw std::runtime_error("no answer");
        answer = ipc::unpack<HandedOver>(*packet);
    } catch (const std::exception& failure) {
        base::log::error("hand over to {}: {}", rules().session_socket, failure.what());
        answer.verdict = HandedOver::unavailable;
    }
    co_return answer;
}

async::Task<Attempt> Visitor::hand_over(std::string ticket, std::string user, std::string tag)
{
    co_await flush();
    HandOver message;
    message.ticket = std::move(ticket);
    message.pending = stream_.buffered();
    message.session_id = session_id_;
    message.remote = remote_.ip();
    message.local = local_.ip();
    message.secured = secured_;
    message.tag = std::move(tag);
    message.user = user;
    base::Fd ours;
    if (secured_) {
        int both[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) != 0) throw base::SystemError("socketpair");
        ours = base::Fd(both[0]);
        message.connection = base::Fd(both[1]);
    } else {
        message.connection = duplicate(stream_.fd());
    }
    auto answer = co_await ask_session_stage(std::move(message));

    Attempt attempt;
    switch (answer.verdict) {
    case HandedOver::taken: attempt.kind = Attempt::taken; break;
    case HandedOver::too_many: attempt.kind = Attempt::too_many; break;
    case HandedOver::not_authenticated: attempt.kind = Attempt::unavailable; break;
    case HandedOver::unavailable: attempt.kind = Attempt::unavailable; break;
    }
    if (attempt.kind != Attempt::taken) co_return attempt;
    handed_over_ = true;
    stream_.consume(stream_.buffered().size());
    if (secured_) session_ = net::Stream(std::move(ours), net::Address::unix_path(""));
    base::log::info("{}-login: Login: user=<{}>, method={}, rip={}, lip={}, mpid={}, {}session=<{}>", rules().protocol, for_log(user),
                    tried_method_, remote_.ip(), local_.ip(), answer.pid, secured_ ? "TLS, " : "", session_id_);
    co_return attempt;
}

async::Task<> Visitor::relay_session()
{
    if (!session_) co_return;
    co_await relay(stream_, session_);
    session_ = {};
}

std::string Visitor::where() const
{
    std::string text = fmt::format(" rip={}, lip={}, ", remote_.ip(), local_.ip());
    if (secured_) text += "TLS, ";
    return text + fmt::format("session=<{}>", session_id_);
}

void Visitor::log_leaving() const
{
    if (handed_over_) return;
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(base::steady_now() - arrived_).count();
    std::string outcome = fmt::format("no auth attempts in {} secs", seconds);
    std::string who;
    if (failures_ > 0) {
        outcome = fmt::format("auth failed, {} attempts in {} secs", failures_, seconds);
        who = fmt::format(" user=<{}>, method={},", for_log(tried_user_), tried_method_);
    } else if (!tried_clear_.empty()) {
        outcome = fmt::format("tried to use disallowed {} auth", tried_clear_);
        who = " user=<>,";
    } else {
        who = " user=<>,";
    }
    base::log::info("{}-login: {} ({}):{}{}", rules().protocol, leaves_, outcome, who, where());
}

} // namespace login
