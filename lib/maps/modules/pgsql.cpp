// rookpost-pgsql: pgsql_table(5). Every wait has the limit of timeout, which libpq's own calls have not.
#include "maps/driver.h"

#include <libpq-fe.h>
#include <poll.h>

#include <chrono>

namespace {

using namespace maps::driver;
using Clock = std::chrono::steady_clock;

class PgsqlConnection final : public Connection {
public:
    PgsqlConnection(const std::vector<std::pair<std::string, std::string>>& parameters, std::chrono::seconds limit) : connection_(nullptr, ::PQfinish), limit_(limit)
    {
        std::vector<const char*> names, values;
        for (const auto& [name, value] : parameters) {
            names.push_back(name.c_str());
            values.push_back(value.c_str());
        }
        names.push_back(nullptr);
        values.push_back(nullptr);
        deadline_ = Clock::now() + limit_;
        connection_.reset(::PQconnectStartParams(names.data(), values.data(), 1));
        if (!connection_) throw ServerLost("out of memory");
        // libpq(3): as if the last call had said that it waits for writing.
        for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK; state = ::PQconnectPoll(connection_.get())) {
            if (state == PGRES_POLLING_FAILED || ::PQstatus(connection_.get()) == CONNECTION_BAD) lost();
            wait(state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
        }
        ::PQsetnonblocking(connection_.get(), 1);
        ::PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
    }

    std::string quote(std::string_view text, size_t) override
    {
        std::string quoted(2 * text.size() + 1, '\0');
        int error = 0;
        quoted.resize(::PQescapeStringConn(connection_.get(), quoted.data(), text.data(), text.size(), &error));
        if (error) throw std::runtime_error("the key cannot be quoted: " + why());
        return quoted;
    }

    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        deadline_ = Clock::now() + limit_;
        if (!::PQsendQuery(connection_.get(), filled[0].c_str())) lost();
        Values values;
        std::string fault;
        while (auto result = next_result()) {
            auto status = ::PQresultStatus(result.get());
            if (status == PGRES_TUPLES_OK) gather(result.get(), values);
            else if (status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) fault = ::PQresultErrorMessage(result.get());
        }
        if (::PQstatus(connection_.get()) == CONNECTION_BAD) lost();
        if (!fault.empty()) throw std::runtime_error("query failed: " + without_newline(fault));
        return values.take();
    }

private:
    using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;

    static std::string without_newline(std::string text)
    {
        while (text.ends_with('\n')) text.pop_back();
        return text;
    }
    std::string why() const { return without_newline(::PQerrorMessage(connection_.get())); }
    [[noreturn]] void lost() const { throw ServerLost(why()); }

    void wait(short events)
    {
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
        pollfd one{::PQsocket(connection_.get()), events, 0};
        int ready = left > 0 ? ::poll(&one, 1, static_cast<int>(left)) : 0;
        if (ready == 0) throw ServerLost("no answer within " + std::to_string(limit_.count()) + " s");
    }

    Result next_result()
    {
        for (int flushing = 1; flushing != 0;) {
            if ((flushing = ::PQflush(connection_.get())) < 0) lost();
            if (flushing) wait(POLLOUT | POLLIN);
            if (flushing && !::PQconsumeInput(connection_.get())) lost();
        }
        while (::PQisBusy(connection_.get())) {
            wait(POLLIN);
            if (!::PQconsumeInput(connection_.get())) lost();
        }
        return {::PQgetResult(connection_.get()), ::PQclear};
    }

    static void gather(const PGresult* result, Values& values)
    {
        for (int row = 0; row < ::PQntuples(result); ++row)
            for (int column = 0; column < ::PQnfields(result); ++column)
                if (!::PQgetisnull(result, row, column)) values.add({::PQgetvalue(result, row, column), static_cast<size_t>(::PQgetlength(result, row, column))});
    }

    std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
    std::chrono::seconds limit_;
    Clock::time_point deadline_{};
};

class PgsqlDriver final : public Driver {
public:
    explicit PgsqlDriver(const Settings& settings) : timeout_(settings.number("timeout", 5, 1, 3600))
    {
        for (const char* name : {"user", "password", "dbname"})
            if (auto value = settings.find(name); value && !value->empty()) parameters_.emplace_back(name, *value);
        parameters_.emplace_back("client_encoding", settings.text("encoding", "UTF8"));
        parameters_.emplace_back("fallback_application_name", "rookpost");
        traits.patterns = {select_of(settings)};
        traits.servers = shuffled_hosts(settings);
        traits.needs_internet = any_internet(traits.servers);
    }

    std::unique_ptr<Connection> connect(const std::string& server) override
    {
        std::vector<std::pair<std::string, std::string>> parameters;
        if (server.starts_with("postgresql:") || server.starts_with("postgres:")) {
            parameters = {{"dbname", server}};      // a URI; what the file says besides does not change its database
            for (const auto& each : parameters_)
                if (each.first != "dbname") parameters.push_back(each);
            return std::make_unique<PgsqlConnection>(parameters, timeout_);
        }
        parameters = parameters_;
        HostPort place = server.starts_with("unix:") ? unix_place(server.substr(5)) : host_and_port(server);
        parameters.emplace_back("host", place.host);
        if (!place.port.empty()) parameters.emplace_back("port", place.port);
        return std::make_unique<PgsqlConnection>(parameters, timeout_);
    }

private:
    // libpq wants the folder; people also write the socket in it.
    static HostPort unix_place(const std::string& path)
    {
        constexpr std::string_view mark = "/.s.PGSQL.";
        size_t at = path.rfind(mark);
        if (at == path.npos) return {path, ""};
        return {path.substr(0, at), path.substr(at + mark.size())};
    }

    std::vector<std::pair<std::string, std::string>> parameters_;
    std::chrono::seconds timeout_;
};

} // namespace

ROOKPOST_TABLE_DRIVER(PgsqlDriver)
