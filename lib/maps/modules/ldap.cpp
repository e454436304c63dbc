// rookpost-ldap: ldap_table(5). Values of entries found, and of entries that those name by DN or LDAP URL.
#include "maps/driver.h"

#include <ldap.h>
#include <strings.h>

#include <charconv>
#include <map>
#include <set>

namespace {

using namespace maps::driver;

constexpr size_t filter_pattern = 0;
constexpr const char* hexadecimal = "0123456789ABCDEF";

struct Attributes {
    std::vector<std::string> plain, special, leaf, terminal;
};

struct Directory {
    Attributes attributes;
    std::string bind_dn, password, tls_ca, tls_ca_dir, tls_cert, tls_key, tls_ciphers;
    int scope = LDAP_SCOPE_SUBTREE;
    int version = LDAP_VERSION3;
    int dereference = 0;
    int recursion_limit = 1000;
    int size_limit = 0;
    int timeout = 5;
    bool bind = true, start_tls = false, chase_referrals = false, tls_require_cert = false;
};

bool is_one_of(const std::vector<std::string>& names, const char* name)
{
    return std::any_of(names.begin(), names.end(), [&](const std::string& each) { return ::strcasecmp(each.c_str(), name) == 0; });
}

class LdapConnection final : public Connection {
public:
    LdapConnection(const std::string& url, const Directory& directory) : directory_(directory), ldap_(nullptr, close)
    {
        LDAP* made = nullptr;
        check(::ldap_initialize(&made, url.c_str()), "initialize");
        ldap_.reset(made);
        set_options();
        if (directory.start_tls) check(::ldap_start_tls_s(made, nullptr, nullptr), "start_tls");
        if (!directory.bind) return;
        std::string password = directory.password;
        berval credentials{password.size(), password.data()};
        int id = 0, code = 0;
        check(::ldap_sasl_bind(made, directory.bind_dn.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr, nullptr, &id), "bind");
        auto answer = wait(id, "bind");
        check(::ldap_parse_result(made, answer.get(), &code, nullptr, nullptr, nullptr, nullptr, 0), "bind");
        check(code, "bind");
    }

    // RFC 4515 3 for the filter; RFC 4514 2.4 for the base: each byte that could have a meaning is written as two digits.
    std::string quote(std::string_view text, size_t pattern) override
    {
        std::string_view special = pattern == filter_pattern ? std::string_view("*()\\\0", 5) : std::string_view(" \t\"#+,;<>\\=\0", 12);
        std::string quoted;
        for (char c : text) {
            auto byte = static_cast<unsigned char>(c);
            if (special.find(c) == special.npos) quoted += c;
            else quoted.append({'\\', hexadecimal[byte >> 4], hexadecimal[byte & 15]});
        }
        return quoted;
    }

    std::vector<std::string> ask(const std::vector<std::string>& filled) override
    {
        values_ = {};
        entries_ = 0;
        seen_.clear();
        search(filled[1], directory_.scope, filled[filter_pattern], 0);
        return values_.take();
    }

private:
    using Message = std::unique_ptr<LDAPMessage, int (*)(LDAPMessage*)>;

    static void close(LDAP* ldap) { ::ldap_unbind_ext_s(ldap, nullptr, nullptr); }

    static void check(int code, const std::string& step)
    {
        if (code != LDAP_SUCCESS) throw ServerLost(step + ": " + ::ldap_err2string(code));
    }
    void set(int option, const std::string& value)
    {
        if (!value.empty()) ::ldap_set_option(ldap_.get(), option, value.c_str());
    }
    void set_options()
    {
        LDAP* ldap = ldap_.get();
        timeval limit{directory_.timeout, 0};
        ::ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &directory_.version);
        ::ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, &limit);
        ::ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &limit);
        ::ldap_set_option(ldap, LDAP_OPT_TIMELIMIT, &directory_.timeout);
        ::ldap_set_option(ldap, LDAP_OPT_DEREF, &directory_.dereference);
        ::ldap_set_option(ldap, LDAP_OPT_SIZELIMIT, &directory_.size_limit);
        ::ldap_set_option(ldap, LDAP_OPT_REFERRALS, directory_.chase_referrals ? LDAP_OPT_ON : LDAP_OPT_OFF);
        set(LDAP_OPT_X_TLS_CACERTFILE, directory_.tls_ca);
        set(LDAP_OPT_X_TLS_CACERTDIR, directory_.tls_ca_dir);
        set(LDAP_OPT_X_TLS_CERTFILE, directory_.tls_cert);
        set(LDAP_OPT_X_TLS_KEYFILE, directory_.tls_key);
        set(LDAP_OPT_X_TLS_CIPHER_SUITE, directory_.tls_ciphers);
        int require = directory_.tls_require_cert ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
        ::ldap_set_option(ldap, LDAP_OPT_X_TLS_REQUIRE_CERT, &require);
        int is_server = 0;
        ::ldap_set_option(ldap, LDAP_OPT_X_TLS_NEWCTX, &is_server);
    }

    Message wait(int id, const std::string& step)
    {
        timeval limit{directory_.timeout, 0};
        LDAPMessage* got = nullptr;
        int type = ::ldap_result(ldap_.get(), id, LDAP_MSG_ALL, &limit, &got);
        Message answer(got, ::ldap_msgfree);
        if (type > 0) return answer;
        int code = LDAP_TIMEOUT;
        if (type < 0) ::ldap_get_option(ldap_.get(), LDAP_OPT_RESULT_CODE, &code);
        throw ServerLost(step + ": " + ::ldap_err2string(code));
    }

    void search(const std::string& base, int scope, const std::string& filter, int depth)
    {
        if (depth > directory_.recursion_limit) throw std::runtime_error("recursion_limit exceeded at " + base);
        std::vector<char*> wanted;
        for (auto* names : {&directory_.attributes.plain, &directory_.attributes.special, &directory_.attributes.leaf, &directory_.attributes.terminal})
            for (const std::string& name : *names) wanted.push_back(const_cast<char*>(name.c_str()));
        wanted.push_back(nullptr);
        int id = 0, code = 0;
        check(::ldap_search_ext(ldap_.get(), base.c_str(), scope, filter.c_str(), wanted.data(), 0, nullptr, nullptr, nullptr, directory_.size_limit, &id), "search");
        auto answer = wait(id, "search");
        check(::ldap_parse_result(ldap_.get(), answer.get(), &code, nullptr, nullptr, nullptr, nullptr, 0), "search");
        // An entry that another names may be gone, and a base made of a key's parts need not be there.
        if (code == LDAP_NO_SUCH_OBJECT) return;
        if (code == LDAP_SIZELIMIT_EXCEEDED) throw std::runtime_error("size_limit exceeded");
        if (code == LDAP_INVALID_DN_SYNTAX || code == LDAP_FILTER_ERROR) throw std::runtime_error(::ldap_err2string(code));
        check(code, "search");
        for (LDAPMessage* entry = ::ldap_first_entry(ldap_.get(), answer.get()); entry; entry = ::ldap_next_entry(ldap_.get(), entry)) take_entry(entry, depth);
    }

    void take_entry(LDAPMessage* entry, int depth)
    {
        auto found = attributes_of(entry);
        const Attributes& names = directory_.attributes;
        bool terminal = std::any_of(found.begin(), found.end(), [&](const auto& each) { return is_one_of(names.terminal, each.first.c_str()); });
        bool special = std::any_of(found.begin(), found.end(), [&](const auto& each) { return is_one_of(names.special, each.first.c_str()); });
        for (const auto& [name, values] : found) {
            // An entry with a terminal attribute ends there; leaf attributes count where nothing is followed.
            if (terminal ? is_one_of(names.terminal, name.c_str()) : is_one_of(names.plain, name.c_str()) || (!special && is_one_of(names.leaf, name.c_str()))) {
                for (const std::string& value : values) values_.add(value);
            } else if (!terminal && is_one_of(names.special, name.c_str())) {
                for (const std::string& value : values) follow(value, depth);
            }
        }
    }

    std::vector<std::pair<std::string, std::vector<std::string>>> attributes_of(LDAPMessage* entry)
    {
        std::vector<std::pair<std::string, std::vector<std::string>>> all;
        BerElement* cursor = nullptr;
        for (char* name = ::ldap_first_attribute(ldap_.get(), entry, &cursor); name; name = ::ldap_next_attribute(ldap_.get(), entry, cursor)) {
            std::vector<std::string> values;
            if (berval** list = ::ldap_get_values_len(ldap_.get(), entry, name)) {
                for (berval** each = list; *each; ++each) values.emplace_back((*each)->bv_val, (*each)->bv_len);
                ::ldap_value_free_len(list);
            }
            all.emplace_back(name, std::move(values));
            ::ldap_memfree(name);
        }
        if (cursor) ::ber_free(cursor, 0);
        return all;
    }

    // Each entry once: groups may contain each other.
    void follow(const std::string& target, int depth)
    {
        if (++entries_ > static_cast<int>(most_values)) throw std::runtime_error("too many entries are followed");
        if (!seen_.insert(target).second) return;
        if (!::ldap_is_ldap_url(target.c_str())) return search(target, LDAP_SCOPE_BASE, "(objectclass=*)", depth + 1);
        LDAPURLDesc* parsed = nullptr;
        if (::ldap_url_parse(target.c_str(), &parsed) != 0) return;
        std::unique_ptr<LDAPURLDesc, void (*)(LDAPURLDesc*)> url(parsed, ::ldap_free_urldesc);
        search(url->lud_dn ? url->lud_dn : "", url->lud_scope < 0 ? LDAP_SCOPE_BASE : url->lud_scope, url->lud_filter ? url->lud_filter : "(objectclass=*)", depth + 1);
    }

    const Directory& directory_;
    std::unique_ptr<LDAP, void (*)(LDAP*)> ldap_;
    Values values_;
    std::set<std::string> seen_;
    int entries_ = 0;
};

int word_of(const Settings& settings, const char* name, const std::string& otherwise, const std::map<std::string, int>& words)
{
    std::string word = settings.text(name, otherwise);
    auto found = words.find(word);
    if (found != words.end()) return found->second;
    throw std::runtime_error(std::string(name) + ": unknown value \"" + word + "\"");
}

// "ldap://host ldapi://%2Frun%2Fldapi", or names of hosts with server_port.
std::vector<std::string> servers_of(const Settings& settings)
{
    std::vector<std::string> servers = settings.list("server_host");
    if (servers.empty()) servers = {"localhost"};
    std::string port = std::to_string(settings.number("server_port", LDAP_PORT, 1, 65535));
    for (std::string& server : servers) {
        if (server.find("://") != server.npos) continue;
        HostPort place = host_and_port(server);
        if (place.host.find(':') != place.host.npos) place.host = "[" + place.host + "]";
        server = "ldap://" + place.host + ":" + (place.port.empty() ? port : place.port);
    }
    return servers;
}

class LdapDriver final : public Driver {
public:
    explicit LdapDriver(const Settings& settings)
    {
        auto base = settings.find("search_base");
        if (!base) throw std::runtime_error("expected the parameter search_base");
        read_attributes(settings);
        directory_.scope = word_of(settings, "scope", "sub", {{"sub", LDAP_SCOPE_SUBTREE}, {"base", LDAP_SCOPE_BASE}, {"one", LDAP_SCOPE_ONELEVEL}});
        directory_.bind = word_of(settings, "bind", "yes", {{"yes", 1}, {"simple", 1}, {"no", 0}, {"none", 0}}) == 1;
        directory_.bind_dn = settings.text("bind_dn");
        directory_.password = settings.text("bind_pw");
        directory_.start_tls = settings.flag("start_tls", false);
        directory_.version = settings.number("version", 3, 2, 3);
        directory_.dereference = settings.number("dereference", 0, 0, 3);
        directory_.recursion_limit = settings.number("recursion_limit", 1000, 1, 1 << 20);
        directory_.size_limit = settings.number("size_limit", settings.number("expansion_limit", 0, 0, 1 << 30), 0, 1 << 30);
        directory_.timeout = settings.number("timeout", 10, 1, 3600);
        directory_.chase_referrals = settings.flag("chase_referrals", false);
        directory_.tls_ca = settings.text("tls_ca_cert_file");
        directory_.tls_ca_dir = settings.text("tls_ca_cert_dir");
        directory_.tls_cert = settings.text("tls_cert");
        directory_.tls_key = settings.text("tls_key");
        directory_.tls_ciphers = settings.text("tls_cipher_suite");
        directory_.tls_require_cert = settings.flag("tls_require_cert", false);
        traits.patterns = {settings.text("query_filter", "(mailacceptinggeneralid=%s)"), *base};
        traits.servers = servers_of(settings);
        traits.needs_internet = std::any_of(traits.servers.begin(), traits.servers.end(), [](const auto& url) { return !url.starts_with("ldapi:"); });
    }
    std::unique_ptr<Connection> connect(const std::string& url) override { return std::make_unique<LdapConnection>(url, directory_); }

private:
    void read_attributes(const Settings& settings)
    {
        directory_.attributes = {settings.list("result_attribute"), settings.list("special_result_attribute"), settings.list("leaf_result_attribute"),
                                 settings.list("terminal_result_attribute")};
        if (!settings.find("result_attribute")) directory_.attributes.plain = {"maildrop"};
    }

    Directory directory_;
};

} // namespace

ROOKPOST_TABLE_DRIVER(LdapDriver)
