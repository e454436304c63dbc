#include "client_session.h"

#include "async/nursery.h"
#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "master_session.h"
#include "protocol_error.h"
#include "sasl/tab_fields.h"
#include "verify.h"

#include <fmt/format.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace auth {
namespace {

constexpr net::Limit handshake_limit{30'000};
constexpr net::Limit write_limit{30'000};
constexpr size_t most_unsent = 1 << 20;

using Fields = std::vector<std::string_view>;

struct Request {
    uint64_t serial = 0; // ids may be used again after CANCEL
    std::unique_ptr<Mechanism> mechanism;
    std::string name; // of the mechanism, for the log
    std::string service, remote_ip;
    bool wants_ticket = true;
    bool last_word_with_ok = false; // the client takes the mechanism's last word beside OK
    bool checking = false;
    bool penalized = false;         // waits for the failures of others at its address, and counts for them
    size_t guess = 0;               // the same for the same name and password
    std::string proved;             // the name
    std::optional<Verdict> decided; // only the client's answer to the last word is missing
};

class Session final : public Drainable {
public:
    Session(net::Stream stream, Context& context);
    ~Session() { context_.open.erase(this); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void drain() override;
    async::Task<> converse();
    uint32_t client_pid() const { return client_pid_; }

private:
    struct Verb {
        std::string_view name;
        void (Session::*run)(const Fields&);
    };
    static const Verb verbs[];

    void greet();
    void take(std::string_view line);
    void verb_version(const Fields& fields);
    void verb_cpid(const Fields& fields);
    void verb_auth(const Fields& fields);
    void verb_cont(const Fields& fields);
    void verb_cancel(const Fields& fields);
    void verb_service(const Fields&) {}
    void verb_master(const Fields& fields);

    async::Task<> begin_later(uint32_t id, uint64_t serial, std::optional<sasl::Secret> response, async::Limit wait);
    void note_outcome(const Request& request, Verdict::Kind outcome);
    Circumstances circumstances(const Fields& fields) const;
    void advance(uint32_t id, std::optional<sasl::Secret> response);
    void carry_out(uint32_t id, Move move);
    Attempt attempt_of(const Request& request, const Move& move) const;
    async::Task<> fetch_hash(uint32_t id, uint64_t serial, std::string user, std::string scheme);
    async::Task<> check_bearer(uint32_t id, uint64_t serial, sasl::Secret token);
    async::Task<> admit(uint32_t id, uint64_t serial, Attempt attempt, std::string last_word);
    Request* find(uint32_t id, uint64_t serial);
    void refuse_later(uint32_t id, const std::string& why);
    async::Task<> check(uint32_t id, uint64_t serial, Attempt attempt);
    async::Task<> refuse(uint32_t id, uint64_t serial, std::string why);
    async::Task<> answer_master(std::string line);
    async::Task<> wait_after_failure(base::Steady start);
    void finish(uint32_t id, uint64_t serial, const std::string& typed, Verdict verdict,
                const std::string& last_word = {});
    void fail(uint32_t id, std::string_view parameters);
    async::Task<> write_out();
    void send(std::string_view line);

    net::Stream stream_;
    Context& context_;
    bool trusted_;
    bool version_seen_ = false;
    uint32_t client_pid_ = 0;
    std::string cookie_;
    uint64_t last_serial_ = 0;
    std::unordered_map<uint32_t, Request> requests_;
    async::Flag to_send_;
    async::Nursery tasks_{"auth request"};
    async::Nursery writer_{"auth writer"};
};

const Session::Verb Session::verbs[] = {
    {"VERSION", &Session::verb_version}, {"CPID", &Session::verb_cpid},     {"AUTH", &Session::verb_auth},
    {"CONT", &Session::verb_cont},       {"CANCEL", &Session::verb_cancel}, {"SERVICE", &Session::verb_service},
    {"REQUEST", &Session::verb_master},  {"USER", &Session::verb_master},
};

uint32_t read_id(const Fields& fields)
{
    auto id = fields.size() < 2 ? std::nullopt : base::number<uint32_t>(fields[1]);
    if (!id) throw ProtocolError(fmt::format("{} without a number", fields[0]));
    return *id;
}

Session::Session(net::Stream stream, Context& context)
    : stream_(std::move(stream)), context_(context), trusted_(is_trusted_peer(stream_.fd())),
      cookie_(base::to_hex(base::random_bytes(16)))
{
    context_.open.insert(this);
}

// The reader notices; the client connects anew, to the next auth.
void Session::drain()
{
    if (requests_.empty()) ::shutdown(stream_.fd(), SHUT_RDWR);
}

// At once: some clients speak only after they have heard us.
void Session::greet()
{
    std::string lines = "VERSION\t1\t2\n";
    for (const auto* row : context_.mechanisms) lines += fmt::format("MECH\t{}\t{}\n", row->name, row->flags);
    lines += fmt::format("SPID\t{}\nCUID\t{}\nCOOKIE\t{}\nDONE", ::getpid(), ++context_.connections, cookie_);
    send(lines);
}

async::Task<> Session::converse()
{
    writer_.start(write_out());
    greet();
    while (true) {
        net::Limit limit = client_pid_ == 0 && !version_seen_ ? handshake_limit : net::no_limit;
        std::string_view line = co_await stream_.line(limit, sasl::longest_auth_line);
        take(line);
        if (stream_.unsent() > most_unsent) throw ProtocolError("does not read our answers");
    }
}

void Session::take(std::string_view line)
{
    auto fields = sasl::tab_fields(line);
    for (const auto& verb : verbs)
        if (verb.name == fields[0]) return (this->*verb.run)(fields);
    throw ProtocolError("unknown command " + base::printable(fields[0], 40));
}

void Session::verb_version(const Fields& fields)
{
    if (fields.size() < 3 || fields[1] != "1") throw ProtocolError("speaks another version");
    version_seen_ = true;
}

void Session::verb_cpid(const Fields& fields)
{
    uint32_t pid = read_id(fields);
    if (pid == 0 || (client_pid_ != 0 && client_pid_ != pid)) throw ProtocolError("bad CPID");
    client_pid_ = pid;
}

// What the client's own server vouches for.
Circumstances Session::circumstances(const Fields& fields) const
{
    Circumstances given;
    given.service = sasl::tab_value(fields, 3, "service").value_or("");
    if (sasl::tab_flag(fields, 3, "valid-client-cert"))
        given.certificate_name = sasl::tab_value(fields, 3, "cert_username").value_or("");
    auto binding = [&](std::string_view name) {
        return base::from_base64(sasl::tab_value(fields, 3, name).value_or("")).value_or("");
    };
    given.tls_exporter = binding("tls_exporter");
    given.tls_server_end_point = binding("tls_server_end_point");
    bool can_bind = !given.tls_exporter.empty() || !given.tls_server_end_point.empty();
    given.offers_binding = can_bind && std::any_of(context_.mechanisms.begin(), context_.mechanisms.end(),
                                                   [](const MechanismRow* row) { return row->binds; });
    given.secret = context_.secret;
    given.oauth = &context_.rules.oauth;
    return given;
}

// AUTH <id> <mechanism> service=… [nologin] [secured] [final-resp-ok] [lip=] [rip=] [valid-client-cert cert_username=]
// [tls_exporter=<base64>] [tls_server_end_point=<base64>] [resp=<base64>]
void Session::verb_auth(const Fields& fields)
{
    uint32_t id = read_id(fields);
    if (client_pid_ == 0 || !version_seen_) throw ProtocolError("AUTH before the handshake");
    if (fields.size() < 3 || requests_.contains(id)) throw ProtocolError("malformed AUTH");
    auto service = sasl::tab_value(fields, 3, "service");
    if (!service || service->empty()) throw ProtocolError("AUTH without a service");
    if (requests_.size() + tasks_.size() >= context_.rules.most_requests) return fail(id, "temp\tcode=temp_fail");

    Request request;
    request.serial = ++last_serial_;
    request.service = std::move(*service);
    request.remote_ip = sasl::tab_value(fields, 3, "rip").value_or("");
    request.wants_ticket = !sasl::tab_flag(fields, 3, "nologin");
    auto* row = find_mechanism(fields[2]);
    bool offered =
        row && std::find(context_.mechanisms.begin(), context_.mechanisms.end(), row) != context_.mechanisms.end();
    if (!offered) return fail(id, "reason=Unsupported authentication mechanism.");
    request.last_word_with_ok = sasl::tab_flag(fields, 3, "final-resp-ok");
    request.penalized = context_.rules.penalty && !sasl::tab_flag(fields, 3, "no-penalty");
    auto wait = request.penalized ? context_.penalties.wait(request.remote_ip, base::steady_now()) : base::Duration::zero();
    uint64_t serial = request.guess = request.serial;
    request.mechanism = row->make(circumstances(fields));
    request.name = row->name;
    requests_.emplace(id, std::move(request));

    std::optional<sasl::Secret> response;
    if (auto encoded_text = sasl::tab_value(fields, 3, "resp")) {
        sasl::Secret encoded(std::move(*encoded_text));
        auto bytes = base::from_base64(encoded.view());
        if (!bytes) return refuse_later(id, "invalid base64");
        response = sasl::Secret(std::move(*bytes));
    }
    if (wait == base::Duration::zero()) return advance(id, std::move(response));
    requests_.at(id).checking = true;
    tasks_.start(begin_later(id, serial, std::move(response), wait));
}

async::Task<> Session::begin_later(uint32_t id, uint64_t serial, std::optional<sasl::Secret> response, async::Limit wait)
{
    co_await async::sleep(wait);
    Request* request = find(id, serial);
    if (!request) co_return;
    request->checking = false;
    advance(id, std::move(response));
}

void Session::note_outcome(const Request& request, Verdict::Kind outcome)
{
    if (!request.penalized || outcome == Verdict::temporary) return;
    if (outcome == Verdict::ok)
        context_.penalties.succeeded(request.remote_ip);
    else
        context_.penalties.failed(request.remote_ip, request.guess, base::steady_now());
}

void Session::verb_cont(const Fields& fields)
{
    uint32_t id = read_id(fields);
    auto found = requests_.find(id);
    if (found == requests_.end()) return fail(id, "");
    if (fields.size() < 3 || found->second.checking) throw ProtocolError("malformed CONT");
    auto bytes = base::from_base64(fields[2]);
    if (!bytes) return refuse_later(id, "invalid base64");
    advance(id, sasl::Secret(std::move(*bytes)));
}

void Session::verb_cancel(const Fields& fields) { requests_.erase(read_id(fields)); }

// One socket may serve both protocols, for those who may speak the second.
void Session::verb_master(const Fields& fields)
{
    if (!trusted_) throw ProtocolError("asks about users, but is neither root's nor ours");
    if (tasks_.size() >= context_.rules.most_requests) throw ProtocolError("asks too much at one time");
    std::string line;
    for (const auto& field : fields) {
        if (!line.empty()) line += '\t';
        line += field;
    }
    tasks_.start(answer_master(std::move(line)));
}

async::Task<> Session::answer_master(std::string line)
{
    std::string answer = co_await master_answer(context_, std::move(line));
    if (!answer.empty())
        send(answer);
    else
        ::shutdown(stream_.fd(), SHUT_RDWR);
}

Request* Session::find(uint32_t id, uint64_t serial)
{
    auto found = requests_.find(id);
    return found != requests_.end() && found->second.serial == serial ? &found->second : nullptr;
}

Attempt Session::attempt_of(const Request& request, const Move& move) const
{
    Attempt attempt;
    attempt.typed = move.user;
    attempt.master = move.master;
    attempt.password = move.password.copy();
    attempt.service = request.service;
    attempt.remote_ip = request.remote_ip;
    return attempt;
}

void Session::advance(uint32_t id, std::optional<sasl::Secret> response)
{
    Request& request = requests_.at(id);
    if (request.decided) return finish(id, request.serial, request.proved, std::move(*request.decided));
    carry_out(id, request.mechanism->next(std::move(response)));
}

void Session::carry_out(uint32_t id, Move move)
{
    Request& request = requests_.at(id);
    if (move.kind == Move::challenge) return send(fmt::format("CONT\t{}\t{}", id, base::to_base64(move.text)));
    if (move.kind == Move::refused) return refuse_later(id, move.text);
    request.checking = true;
    Attempt attempt = attempt_of(request, move);
    if (move.kind == Move::check_password) {
        std::string guess = context_.secret + attempt.typed + '\0' + attempt.master + '\0';
        guess += attempt.password.view();
        request.guess = std::hash<std::string>()(guess);
        ::explicit_bzero(guess.data(), guess.size());
    }
    if (move.kind == Move::check_password) return tasks_.start(check(id, request.serial, std::move(attempt)));
    if (move.kind == Move::want_hash)
        return tasks_.start(fetch_hash(id, request.serial, std::move(move.user), std::move(move.scheme)));
    if (move.kind == Move::check_token)
        return tasks_.start(check_bearer(id, request.serial, std::move(move.password)));
    tasks_.start(admit(id, request.serial, std::move(attempt), std::move(move.text)));
}

async::Task<> Session::fetch_hash(uint32_t id, uint64_t serial, std::string user, std::string scheme)
{
    std::optional<std::string> hash;
    std::string trouble;
    try {
        hash = co_await find_hash(context_, user, std::move(scheme));
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    Request* request = find(id, serial);
    if (!request) co_return;
    if (!trouble.empty()) {
        Verdict verdict;
        verdict.kind = Verdict::temporary;
        verdict.why = std::move(trouble);
        finish(id, serial, user, std::move(verdict));
        co_return;
    }
    request->checking = false;
    carry_out(id, request->mechanism->with_hash(std::move(hash)));
}

async::Task<> Session::check_bearer(uint32_t id, uint64_t serial, sasl::Secret token)
{
    auto work = [token = std::move(token), rules = context_.rules.oauth] {
        return check_token(token.view(), rules, base::unix_seconds(base::wall_now()));
    };
    TokenVerdict verdict = co_await async::offload(std::move(work));
    Request* request = find(id, serial);
    if (!request) co_return;
    request->checking = false;
    carry_out(id, request->mechanism->with_token(std::move(verdict)));
}

// He has proved his name. Clients that do not take the last word beside OK get it as a challenge, and answer nothing.
async::Task<> Session::admit(uint32_t id, uint64_t serial, Attempt attempt, std::string last_word)
{
    base::Steady start = base::steady_now();
    std::string typed = attempt.typed;
    Verdict verdict = co_await admit_by_name(context_, std::move(attempt));
    if (verdict.kind == Verdict::wrong || verdict.kind == Verdict::disabled) co_await wait_after_failure(start);
    Request* request = find(id, serial);
    if (!request) co_return;
    if (verdict.kind != Verdict::ok || last_word.empty() || request->last_word_with_ok) {
        finish(id, serial, typed, std::move(verdict), last_word);
        co_return;
    }
    request->checking = false;
    request->proved = std::move(typed);
    request->decided = std::move(verdict);
    send(fmt::format("CONT\t{}\t{}", id, base::to_base64(last_word)));
}

void Session::refuse_later(uint32_t id, const std::string& why)
{
    Request& request = requests_.at(id);
    request.checking = true;
    tasks_.start(refuse(id, request.serial, why));
}

// Counted from the beginning of the check, so that a quick failure takes as long as a slow one.
async::Task<> Session::wait_after_failure(base::Steady start)
{
    auto spent = std::chrono::duration_cast<async::Limit>(base::steady_now() - start);
    if (spent >= context_.rules.failure_delay) co_return;
    co_await async::sleep(context_.rules.failure_delay - spent);
}

async::Task<> Session::check(uint32_t id, uint64_t serial, Attempt attempt)
{
    base::Steady start = base::steady_now();
    std::string typed = attempt.typed;
    Verdict verdict = co_await verify(context_, std::move(attempt));
    if (verdict.kind == Verdict::wrong || verdict.kind == Verdict::disabled) co_await wait_after_failure(start);
    finish(id, serial, typed, std::move(verdict));
}

async::Task<> Session::refuse(uint32_t id, uint64_t serial, std::string why)
{
    co_await wait_after_failure(base::steady_now());
    Request* request = find(id, serial);
    if (!request) co_return;
    Verdict verdict;
    verdict.why = std::move(why);
    finish(id, serial, request->mechanism->user(), std::move(verdict));
}

void Session::finish(uint32_t id, uint64_t serial, const std::string& typed, Verdict verdict,
                     const std::string& last_word)
{
    auto found = requests_.find(id);
    if (found == requests_.end() || found->second.serial != serial) return;
    Request request = std::move(found->second);
    requests_.erase(found);
    note_outcome(request, verdict.kind);
    if (verdict.kind == Verdict::ok) {
        std::string line = fmt::format("OK\t{}\tuser={}", id, sasl::tab_escape(verdict.user.name));
        if (request.wants_ticket) {
            sasl::Ticket ticket;
            ticket.auth_pid = static_cast<uint32_t>(::getpid());
            ticket.client_pid = client_pid_;
            ticket.request = id;
            ticket.cookie = cookie_;
            context_.tickets.keep(ticket, std::move(verdict.user), base::steady_now());
        }
        if (!last_word.empty()) line += "\tresp=" + base::to_base64(last_word);
        return send(line);
    }
    base::log::info("{} login failed for <{}> from {} ({}): {}", request.service, base::printable(typed, 200),
                    request.remote_ip.empty() ? "unknown" : base::printable(request.remote_ip, 50), request.name,
                    base::printable(verdict.why, 200));
    std::string parameters = typed.empty() ? "" : "user=" + sasl::tab_escape(typed);
    auto add = [&](std::string_view more) { parameters += (parameters.empty() ? "" : "\t") + std::string(more); };
    if (verdict.kind == Verdict::temporary) add("temp\tcode=temp_fail");
    if (verdict.kind == Verdict::disabled) add("user_disabled\tcode=user_disabled");
    fail(id, parameters);
}

void Session::fail(uint32_t id, std::string_view parameters)
{
    send(parameters.empty() ? fmt::format("FAIL\t{}", id) : fmt::format("FAIL\t{}\t{}", id, parameters));
}

async::Task<> Session::write_out()
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
        if (!stuck && context_.draining) drain();
        if (!stuck) continue;
        ::shutdown(stream_.fd(), SHUT_RDWR); // the reader notices
        co_return;
    }
}

void Session::send(std::string_view line)
{
    stream_.write(line);
    stream_.write("\n");
    to_send_.set();
}

} // namespace

async::Task<> serve_client(net::Stream stream, Context& context)
{
    Session session(std::move(stream), context);
    std::string fault;
    try {
        co_await session.converse();
    } catch (const net::Gone&) {
    } catch (const net::LineTooLong& why) {
        fault = why.what();
    } catch (const ProtocolError& why) {
        fault = why.what();
    }
    if (!fault.empty()) base::log::warning("auth client {}: {}", session.client_pid(), fault);
}

} // namespace auth
