#include "filters/policy.h"

#include "base/log.h"
#include "base/text.h"
#include "config/values.h"
#include "net/service.h"

namespace smtpd {
namespace {

constexpr size_t longest_line = 4096;
constexpr int most_lines = 100;

// It must not be possible to forge an attribute by a value with a line end in it.
std::string write_request(const PolicyAttributes& attributes)
{
    std::string request;
    for (const auto& [name, value] : attributes) {
        request.append(name).append("=");
        for (char c : value) request += c == '\n' || c == '\r' || c == '\0' ? '?' : c;
        request += '\n';
    }
    return request + '\n';
}

void set_option(PolicyService& service, std::string_view option)
{
    if (option.starts_with('{') && option.ends_with('}')) option = option.substr(1, option.size() - 2);
    auto [name_text, value_text, found] = base::cut(option, '=');
    std::string name(base::trim(name_text)), value(base::trim(value_text));
    if (!found) throw config::Error(fmt::format("policy service {}: \"{}\", expected name=value", service.name, name));
    auto time = [&] {
        auto parsed = config::to_seconds(value);
        if (!parsed) throw config::Error(fmt::format("policy service {}: {}: bad time \"{}\"", service.name, name, value));
        return *parsed;
    };
    auto number = [&] {
        auto parsed = config::to_number(value);
        if (!parsed || *parsed < 0) throw config::Error(fmt::format("policy service {}: {}: bad number \"{}\"", service.name, name, value));
        return *parsed;
    };
    if (name == "timeout")
        service.timeout = time();
    else if (name == "max_idle")
        service.max_idle = time();
    else if (name == "max_ttl")
        service.max_ttl = time();
    else if (name == "retry_delay")
        service.retry_delay = time();
    else if (name == "try_limit")
        service.try_limit = std::max<int64_t>(1, number());
    else if (name == "request_limit")
        service.request_limit = number();
    else if (name == "default_action")
        service.default_action = value;
    else if (name == "policy_context")
        service.context = value;
    else
        throw config::Error(fmt::format("policy service {}: unknown setting {}", service.name, name));
}

} // namespace

PolicyService read_policy_service(const config::Config& config, std::string_view text)
{
    PolicyService service;
    service.default_action = config.smtpd_policy_service_default_action;
    service.context = config.smtpd_policy_service_policy_context;
    service.timeout = config.smtpd_policy_service_timeout;
    service.max_idle = config.smtpd_policy_service_max_idle;
    service.max_ttl = config.smtpd_policy_service_max_ttl;
    service.retry_delay = config.smtpd_policy_service_retry_delay;
    service.try_limit = config.smtpd_policy_service_try_limit;
    service.request_limit = config.smtpd_policy_service_request_limit;
    text = base::trim(text);
    std::vector<std::string> pieces{std::string(text)};
    if (text.starts_with('{') && text.ends_with('}')) pieces = config::to_list(text.substr(1, text.size() - 2));
    if (pieces.empty() || pieces[0].empty()) throw config::Error("check_policy_service without a service");
    service.name = service.address = pieces[0];
    if (!service.name.starts_with("inet:") && !service.name.starts_with("unix:"))
        throw config::Error(fmt::format("policy service \"{}\": expected inet:host:port or unix:path", service.name));
    if (service.name.starts_with("unix:") && !service.name.starts_with("unix:/")) service.address = config.queue_directory + "/" + service.name.substr(5);
    for (size_t i = 1; i < pieces.size(); ++i) set_option(service, pieces[i]);
    return service;
}

void PolicyClient::drop_stale()
{
    auto now = base::steady_now();
    std::erase_if(idle_, [&](const Connection& each) { return now - each.used >= service_.max_idle || now - each.opened >= service_.max_ttl; });
    if (!idle_.empty()) timer_.start(service_.max_idle, at_timer, this);
}

async::Task<PolicyClient::Connection> PolicyClient::connection()
{
    drop_stale();
    Connection connection;
    if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
        co_return connection;
    }
    connection.stream = co_await net::connect_to_service(service_.address, service_.timeout);
    connection.opened = base::steady_now();
    co_return connection;
}

void PolicyClient::give_back(Connection connection)
{
    ++connection.requests;
    connection.used = base::steady_now();
    if (service_.request_limit > 0 && connection.requests >= service_.request_limit) return;
    idle_.push_back(std::move(connection));
    timer_.start(service_.max_idle, at_timer, this);
}

// One question, one answer: "name=value" lines up to an empty one.
async::Task<std::string> PolicyClient::exchange(Connection& connection, std::string_view request)
{
    co_await connection.stream.send(request, service_.timeout);
    std::string action;
    bool found = false;
    for (int lines = 0;; ++lines) {
        std::string_view line = co_await connection.stream.line(service_.timeout, longest_line);
        if (line.empty() && found) co_return action;
        auto [name, value, cut] = base::cut(line, '=');
        if (!cut || lines > most_lines) throw net::Gone(net::Gone::failed, "malformed response");
        if (name != "action") continue;
        action = base::trim(value);
        found = true;
    }
}

async::Task<std::string> PolicyClient::ask(PolicyAttributes attributes)
{
    std::string request = write_request(attributes);
    for (int64_t attempt = 1;; ++attempt) {
        std::string trouble;
        bool kept = false;      // a connection that was left open may have been closed at the other end meanwhile
        try {
            Connection connected = co_await connection();
            kept = connected.requests > 0;
            std::string action = co_await exchange(connected, request);
            give_back(std::move(connected));
            co_return action;
        } catch (const net::Gone& gone) {
            trouble = gone.what();
        } catch (const net::LineTooLong&) {
            trouble = "malformed response";
        }
        if (kept) {
            idle_.clear();
            --attempt;
            continue;
        }
        base::log::warning("problem talking to server {}: {}", service_.name, trouble);
        if (attempt >= service_.try_limit) co_return service_.default_action;
        co_await async::sleep(service_.retry_delay);
    }
}

} // namespace smtpd
