// small_tables: inline, static, fail, environ and unix.
#include "maps/map_types.h"
#include "maps/table_text.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

namespace maps {

namespace {

class InlineMap final : public Map {
public:
    InlineMap(const std::string& text, const Options& options) : Map("inline:" + text), fold_(options.fold_case)
    {
        auto members = split_braces(text);
        if (!members || members->empty()) throw Unavailable(fmt::format("bad syntax: \"{}\"; expected inline:{{ {{key = value}}, … }}", name()));
        for (const std::string& member : *members) {
            auto pair = split_equals(without_braces(member));
            if (!pair) throw Unavailable(fmt::format("bad member \"{}\" in \"{}\"; expected key = value", member, name()));
            entries_[fold_ ? base::lower(pair->key) : std::string(pair->key)] = pair->value;
        }
    }
    std::optional<std::string> find(std::string_view key) override
    {
        auto found = entries_.find(fold_ ? base::lower(key) : std::string(key));
        if (found == entries_.end()) return std::nullopt;
        return found->second;
    }

private:
    bool fold_;
    std::map<std::string, std::string> entries_;
};

class StaticMap final : public Map {
public:
    explicit StaticMap(const std::string& value) : Map("static:" + value), value_(without_braces(value)) {}
    std::optional<std::string> find(std::string_view) override { return value_; }

private:
    std::string value_;
};

class FailMap final : public Map {
public:
    explicit FailMap(const std::string& name) : Map("fail:" + name) {}
    std::optional<std::string> find(std::string_view) override { throw Unavailable("table " + name() + ": fails always"); }
};

class EnvironMap final : public Map {
public:
    explicit EnvironMap(const std::string& name) : Map("environ:" + name) {}
    std::optional<std::string> find(std::string_view key) override
    {
        const char* value = std::getenv(std::string(key).c_str());
        if (!value) return std::nullopt;
        return value;
    }
};

// Calls get…_r with a buffer that grows as the library asks for it. Nothing: no such entry.
template <class Entry, class Get> bool ask_system(const std::string& table, Entry& entry, std::string& buffer, Get get)
{
    constexpr size_t most = 16 << 20;
    for (buffer.resize(4096);; buffer.resize(buffer.size() * 4)) {
        Entry* found = nullptr;
        int code = get(&entry, buffer.data(), buffer.size(), &found);
        if (code == ERANGE && buffer.size() < most) continue;
        if (found) return true;
        // getpwnam_r(3): these codes mean "not found" too, depending on the name service.
        if (code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM) return false;
        throw Unavailable(fmt::format("table {}: {}", table, base::error_text(code)));
    }
}

class UnixMap final : public Map {
public:
    UnixMap(const std::string& name, const Options& options) : Map("unix:" + name), users_(name == "passwd.byname"), fold_(options.fold_case)
    {
        if (!users_ && name != "group.byname") throw Unavailable("unknown table: " + this->name() + "; expected passwd.byname or group.byname");
    }
    std::optional<std::string> find(std::string_view key) override
    {
        if (key.empty() || key.find('\0') != key.npos) return std::nullopt;
        std::string wanted = fold_ ? base::lower(key) : std::string(key);
        return users_ ? user(wanted) : group(wanted);
    }

private:
    std::optional<std::string> user(const std::string& wanted)
    {
        struct passwd entry {};
        std::string buffer;
        if (!ask_system(name(), entry, buffer, [&](auto... rest) { return ::getpwnam_r(wanted.c_str(), rest...); })) return std::nullopt;
        return fmt::format("{}:{}:{}:{}:{}:{}:{}", entry.pw_name, entry.pw_passwd, entry.pw_uid, entry.pw_gid, entry.pw_gecos, entry.pw_dir,
                           entry.pw_shell);
    }
    std::optional<std::string> group(const std::string& wanted)
    {
        struct group entry {};
        std::string buffer;
        if (!ask_system(name(), entry, buffer, [&](auto... rest) { return ::getgrnam_r(wanted.c_str(), rest...); })) return std::nullopt;
        std::string text = fmt::format("{}:{}:{}:", entry.gr_name, entry.gr_passwd, entry.gr_gid);
        for (char** member = entry.gr_mem; member && *member; ++member) {
            if (member != entry.gr_mem) text += ',';
            text += *member;
        }
        return text;
    }

    bool users_, fold_;
};

} // namespace

std::unique_ptr<Map> open_inline(const std::string& name, const Options& options) { return std::make_unique<InlineMap>(name, options); }
std::unique_ptr<Map> open_static(const std::string& name, const Options&) { return std::make_unique<StaticMap>(name); }
std::unique_ptr<Map> open_fail(const std::string& name, const Options&) { return std::make_unique<FailMap>(name); }
std::unique_ptr<Map> open_environ(const std::string& name, const Options&) { return std::make_unique<EnvironMap>(name); }
std::unique_ptr<Map> open_unix(const std::string& name, const Options& options) { return std::make_unique<UnixMap>(name, options); }

} // namespace maps
