#include "certificates.h"

#include "base/log.h"
#include "base/text.h"

#include <sys/stat.h>

#include <map>
#include <set>
#include <tuple>

namespace master {
namespace {

constexpr async::Limit look_again{60'000};  // while it is turned off
constexpr async::Limit settling_time{1'000}; // certificate and key are two files

using Stamp = std::tuple<ino_t, off_t, time_t, long>;
using Stamps = std::map<std::string, Stamp>;

void add_files(const config::Config& config, std::set<std::string>& files)
{
    for (const auto& file : config.smtpd_tls_chain_files) files.insert(file);
    for (const auto* file : {&config.smtpd_tls_cert_file, &config.smtpd_tls_key_file, &config.smtpd_tls_eccert_file, &config.smtpd_tls_eckey_file,
                             &config.smtpd_tls_dcert_file, &config.smtpd_tls_dkey_file, &config.ssl_cert, &config.ssl_key}) {
        std::string_view name = *file;
        if (name.starts_with('<')) name.remove_prefix(1);   // Dovecot's way to name a file's content
        files.emplace(base::trim(name));
    }
    for (const auto& table : config.tls_server_sni_maps) {
        auto [type, path, found] = base::cut(table, ':');
        if (!found) continue;
        files.emplace(path);
        files.insert(std::string(path) + ".db");
    }
}

// Those of main.cf, and of the services that have others.
std::set<std::string> files_of(const Household& household, const std::string& folder)
{
    std::set<std::string> files;
    add_files(household.config(), files);
    for (const auto& overrides : household.overrides_of_doors()) {
        try {
            add_files(config::Config::load(folder, overrides), files);
        } catch (const std::exception& trouble) {
            base::log::debug("certificates of a service: {}", trouble.what());
        }
    }
    return files;
}

// Of those that are there: one that is missing for a moment is being replaced.
Stamps look(const Household& household, const std::string& folder)
{
    Stamps stamps;
    for (const auto& file : files_of(household, folder)) {
        struct stat info {};
        if (!file.empty() && ::stat(file.c_str(), &info) == 0)
            stamps[file] = Stamp(info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    }
    return stamps;
}

// The first file that was there before, and is another one now.
std::string renewed(const Stamps& before, const Stamps& now)
{
    for (const auto& [file, stamp] : now) {
        auto known = before.find(file);
        if (known != before.end() && known->second != stamp) return file;
    }
    return {};
}

} // namespace

async::Task<> watch_certificates(Household& household, std::string folder)
{
    Stamps known = look(household, folder);
    while (true) {
        async::Limit pause = household.config().tls_certificate_check_time;
        co_await async::sleep(pause > async::Limit::zero() ? pause : look_again);
        if (pause <= async::Limit::zero()) continue;
        Stamps now = look(household, folder);
        std::string file = renewed(known, now);
        while (!file.empty()) {
            co_await async::sleep(settling_time);
            Stamps later = look(household, folder);
            bool settled = later == now;
            now = std::move(later);
            if (!settled) continue;
            base::log::info("{} was renewed: new connections get the new certificate", file);
            household.renew_doors();
            file.clear();
        }
        known = std::move(now);
    }
}

} // namespace master
