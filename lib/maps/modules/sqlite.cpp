// rookpost-sqlite: sqlite_table(5).
#include "maps/driver.h"

#include <sqlite3.h>

namespace {

using namespace maps::driver;

class SqliteConnection final : public Connection {
public:
    SqliteConnection(const std::string& path, int timeout) : database_(nullptr, ::sqlite3_close)
    {
        sqlite3* opened = nullptr;
        int code = ::sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
        database_.reset(opened);
        if (code != SQLITE_OK) throw ServerLost(std::string("open: ") + (opened ? ::sqlite3_errmsg(opened) : ::sqlite3_errstr(code)));
        ::sqlite3_busy_timeout(opened, timeout * 1000);
    }

    std::string quote(std::string_view text, size_t) override
    {
        std::string quoted;
        for (char c : text) quoted.append(c == '\'' ? 2 : 1, c);
        return quoted;
    }

    // The first column of each row, as sqlite_table(5) has it.
    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        sqlite3_stmt* prepared = nullptr;
        const char* rest = nullptr;
        int code = ::sqlite3_prepare_v2(database_.get(), filled[0].data(), static_cast<int>(filled[0].size()), &prepared, &rest);
        std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, ::sqlite3_finalize);
        if (code != SQLITE_OK) fail(code);
        Values values;
        while ((code = ::sqlite3_step(statement.get())) == SQLITE_ROW) {
            auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(statement.get(), 0));
            if (text) values.add({text, static_cast<size_t>(::sqlite3_column_bytes(statement.get(), 0))});
        }
        if (code != SQLITE_DONE) fail(code);
        return values.take();
    }

private:
    [[noreturn]] void fail(int code)
    {
        std::string why = ::sqlite3_errmsg(database_.get());
        if (code == SQLITE_ERROR || code == SQLITE_BUSY) throw std::runtime_error("SQL query failed: " + why);
        throw ServerLost(why);
    }

    std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_;
};

class SqliteDriver final : public Driver {
public:
    explicit SqliteDriver(const Settings& settings) : timeout_(settings.number("timeout", 5, 1, 3600))
    {
        auto path = settings.find("dbpath");
        if (!path || path->empty()) throw std::runtime_error("expected the parameter dbpath");
        traits.patterns = {select_of(settings)};
        traits.servers = {*path};
        traits.connect_at_once = traits.keep = true;
        traits.reads = {*path};
    }
    std::unique_ptr<Connection> connect(const std::string& path) override { return std::make_unique<SqliteConnection>(path, timeout_); }

private:
    int timeout_;
};

} // namespace

ROOKPOST_TABLE_DRIVER(SqliteDriver)
