// rookpost-mysql: mysql_table(5), for MySQL and MariaDB.
#include "maps/driver.h"

#include <errmsg.h>
#include <mysql.h>

#include <charconv>

namespace {

using namespace maps::driver;

struct Login {
    std::string user, password, database, charset, option_file, option_group;
    std::string tls_cert, tls_key, tls_ca, tls_ca_path, tls_ciphers;
    bool tls_verify = false;
    bool require_result_set = true;
    unsigned timeout = 5;
};

unsigned port_of(const HostPort& place)
{
    unsigned port = 0;
    auto [end, error] = std::from_chars(place.port.data(), place.port.data() + place.port.size(), port);
    if (!place.port.empty() && (error != std::errc() || end != place.port.data() + place.port.size() || port > 65535))
        throw ServerLost("\"" + place.port + "\" is no port");
    return port;
}

class MysqlConnection final : public Connection {
public:
    MysqlConnection(const std::string& server, const Login& login) : connection_(::mysql_init(nullptr), ::mysql_close), require_result_set_(login.require_result_set)
    {
        if (!connection_) throw ServerLost("out of memory");
        set_options(login);
        bool is_unix = server.starts_with("unix:");
        HostPort place = is_unix ? HostPort{} : host_and_port(server);
        std::string path = is_unix ? server.substr(5) : "";
        if (!::mysql_real_connect(connection_.get(), is_unix ? nullptr : place.host.c_str(), login.user.c_str(), login.password.c_str(), login.database.c_str(),
                                  port_of(place), is_unix ? path.c_str() : nullptr, CLIENT_MULTI_RESULTS))
            throw ServerLost(::mysql_error(connection_.get()));
    }

    std::string quote(std::string_view text, size_t) override
    {
        std::string quoted(2 * text.size() + 1, '\0');
        quoted.resize(::mysql_real_escape_string(connection_.get(), quoted.data(), text.data(), text.size()));
        return quoted;
    }

    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        if (::mysql_real_query(connection_.get(), filled[0].data(), filled[0].size()) != 0) fail();
        Values values;
        bool any = false;
        // A stored procedure gives its own sets, and one more without rows.
        for (int more = 0; more == 0; more = ::mysql_next_result(connection_.get())) {
            std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> result(::mysql_store_result(connection_.get()), ::mysql_free_result);
            if (result && !any) gather(result.get(), values);
            any |= result != nullptr;
            if (!result && ::mysql_errno(connection_.get()) != 0) fail();
        }
        if (::mysql_errno(connection_.get()) != 0) fail();
        if (!any && require_result_set_) throw std::runtime_error("the query gave no result set");
        return values.take();
    }

private:
    void set(mysql_option option, const std::string& value)
    {
        if (!value.empty()) ::mysql_options(connection_.get(), option, value.c_str());
    }
    void set_options(const Login& login)
    {
        for (auto option : {MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT}) ::mysql_options(connection_.get(), option, &login.timeout);
        unsigned no = 0;
        ::mysql_options(connection_.get(), MYSQL_OPT_LOCAL_INFILE, &no);
        set(MYSQL_SET_CHARSET_NAME, login.charset);
        set(MYSQL_READ_DEFAULT_FILE, login.option_file);
        set(MYSQL_READ_DEFAULT_GROUP, login.option_group);
        set(MYSQL_OPT_SSL_CERT, login.tls_cert);
        set(MYSQL_OPT_SSL_KEY, login.tls_key);
        set(MYSQL_OPT_SSL_CA, login.tls_ca);
        set(MYSQL_OPT_SSL_CAPATH, login.tls_ca_path);
        set(MYSQL_OPT_SSL_CIPHER, login.tls_ciphers);
        if (login.tls_verify) {
            my_bool yes = 1;
            ::mysql_options(connection_.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
        }
    }

    [[noreturn]] void fail()
    {
        unsigned code = ::mysql_errno(connection_.get());
        std::string why = ::mysql_error(connection_.get());
        if (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) throw ServerLost(why);
        throw std::runtime_error("query failed: " + why);
    }

    static void gather(MYSQL_RES* result, Values& values)
    {
        unsigned columns = ::mysql_num_fields(result);
        while (MYSQL_ROW row = ::mysql_fetch_row(result)) {
            unsigned long* sizes = ::mysql_fetch_lengths(result);
            for (unsigned i = 0; i < columns; ++i)
                if (row[i]) values.add({row[i], sizes[i]});
        }
    }

    std::unique_ptr<MYSQL, void (*)(MYSQL*)> connection_;
    bool require_result_set_;
};

class MysqlDriver final : public Driver {
public:
    explicit MysqlDriver(const Settings& settings)
    {
        login_.user = settings.text("user");
        login_.password = settings.text("password");
        login_.database = settings.text("dbname");
        login_.charset = settings.text("charset", "utf8mb4");
        login_.option_file = settings.text("option_file");
        login_.option_group = settings.text("option_group", "client");
        login_.tls_cert = settings.text("tls_cert_file");
        login_.tls_key = settings.text("tls_key_file");
        login_.tls_ca = settings.text("tls_CAfile");
        login_.tls_ca_path = settings.text("tls_CApath");
        login_.tls_ciphers = settings.text("tls_ciphers");
        login_.tls_verify = settings.flag("tls_verify_cert", false);
        login_.require_result_set = settings.flag("require_result_set", true);
        login_.timeout = static_cast<unsigned>(settings.number("timeout", 5, 1, 3600));
        traits.patterns = {select_of(settings)};
        traits.servers = shuffled_hosts(settings);
        traits.needs_internet = any_internet(traits.servers);
    }
    std::unique_ptr<Connection> connect(const std::string& server) override { return std::make_unique<MysqlConnection>(server, login_); }

private:
    Login login_;
};

} // namespace

ROOKPOST_TABLE_DRIVER(MysqlDriver)
