// client_file: the file of a table behind a server (pgsql:/etc/rookpost/users.cf): lines "name = value", comments and continued lines as
// in main.cf.
#pragma once

#include "maps/driver.h"

#include <map>
#include <string>
#include <string_view>

namespace maps {

class ClientFile final : public driver::Settings {
public:
    // Throws std::runtime_error: "FILE, line N: what was expected".
    static ClientFile parse(std::string_view text, const std::string& path);
    // Throws Unavailable. A file that prepare() read is taken as it was then.
    static ClientFile read(const std::string& path);

    std::optional<std::string> find(std::string_view name) const override;
    int number(std::string_view name, int otherwise, int least, int most) const override;     // also "5s", "1m"
    bool flag(std::string_view name, bool otherwise) const override;
    std::vector<std::string> list(std::string_view name) const override;

private:
    struct Value {
        std::string text;
        int line = 0;
    };
    [[noreturn]] void refuse(std::string_view name, const Value& value, const std::string& expected) const;

    std::string path_;
    std::map<std::string, Value, std::less<>> values_;
};

} // namespace maps
