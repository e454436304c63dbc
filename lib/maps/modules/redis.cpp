// rookpost-redis: keys of a Redis (or Valkey, KeyDB) server; GET, or HGET where key_format names a hash's field with a hash parameter.
#include "maps/driver.h"

#include <hiredis/hiredis.h>

#include <charconv>

namespace {

using namespace maps::driver;

struct Login {
    std::string user, password, hash;
    int database = 0;
    int timeout = 5;
};

class RedisConnection final : public Connection {
public:
    RedisConnection(const std::string& server, const Login& login) : connection_(nullptr, ::redisFree), hash_(login.hash)
    {
        timeval limit{login.timeout, 0};
        if (server.starts_with("unix:")) {
            connection_.reset(::redisConnectUnixWithTimeout(server.c_str() + 5, limit));
        } else {
            HostPort place = host_and_port(server);
            int port = 6379;
            if (!place.port.empty()) std::from_chars(place.port.data(), place.port.data() + place.port.size(), port);
            connection_.reset(::redisConnectWithTimeout(place.host.c_str(), port, limit));
        }
        if (!connection_) throw ServerLost("out of memory");
        if (connection_->err) throw ServerLost(connection_->errstr);
        ::redisSetTimeout(connection_.get(), limit);
        if (!login.user.empty()) log_in({"AUTH", login.user, login.password});
        else if (!login.password.empty()) log_in({"AUTH", login.password});
        if (login.database != 0) log_in({"SELECT", std::to_string(login.database)});
    }

    std::string quote(std::string_view text, size_t) override { return std::string(text); }     // arguments are counted, not parsed

    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        auto reply = hash_.empty() ? send({"GET", filled[0]}) : send({"HGET", hash_, filled[0]});
        Values values;
        if (reply->type == REDIS_REPLY_STRING) values.add({reply->str, reply->len});
        else if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string("the server says: ") + reply->str);
        else if (reply->type != REDIS_REPLY_NIL) throw std::runtime_error("the server's reply is no string");
        return values.take();
    }

private:
    using Reply = std::unique_ptr<redisReply, void (*)(void*)>;

    Reply send(const std::vector<std::string>& words)
    {
        std::vector<const char*> texts;
        std::vector<size_t> sizes;
        for (const auto& word : words) {
            texts.push_back(word.data());
            sizes.push_back(word.size());
        }
        Reply reply(static_cast<redisReply*>(::redisCommandArgv(connection_.get(), static_cast<int>(words.size()), texts.data(), sizes.data())), ::freeReplyObject);
        if (!reply) throw ServerLost(connection_->errstr);
        return reply;
    }
    void log_in(const std::vector<std::string>& words)
    {
        auto reply = send(words);
        if (reply->type == REDIS_REPLY_ERROR) throw ServerLost(words[0] + ": " + reply->str);
    }

    std::unique_ptr<redisContext, void (*)(redisContext*)> connection_;
    std::string hash_;
};

class RedisDriver final : public Driver {
public:
    explicit RedisDriver(const Settings& settings)
    {
        login_.user = settings.text("user");
        login_.password = settings.text("password");
        login_.hash = settings.text("hash");
        login_.database = settings.number("dbname", 0, 0, 1 << 20);
        login_.timeout = settings.number("timeout", 5, 1, 3600);
        traits.patterns = {settings.text("key_format", "%s")};
        traits.servers = settings.list("hosts");
        if (traits.servers.empty()) traits.servers = {"inet:localhost:6379"};
        traits.only_utf8 = false;
        traits.needs_internet = any_internet(traits.servers);
    }
    std::unique_ptr<Connection> connect(const std::string& server) override { return std::make_unique<RedisConnection>(server, login_); }

private:
    Login login_;
};

} // namespace

ROOKPOST_TABLE_DRIVER(RedisDriver)
