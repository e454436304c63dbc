#include "tls/sni_tables.h"

#include "base/fd.h"
#include "base/text.h"
#include "maps/map.h"
#include "maps/table_text.h"
#include "tls/error.h"

#include <memory>
#include <unordered_map>

namespace tls {
namespace {

constexpr size_t largest_file = 4 << 20;

class SniTables {
public:
    explicit SniTables(const std::vector<std::string>& names) : tables_(names)
    {
        constexpr std::string_view text_table = "texthash:";
        for (const auto& name : names)
            if (name.starts_with(text_table)) read_files_of(name.substr(text_table.size()));
    }

    std::optional<std::string> find(std::string_view name)
    {
        while (true) {
            if (auto value = tables_.find(name)) return pem_of(*value);
            size_t dot = name.find('.', 1);
            if (dot == std::string_view::npos) return std::nullopt;
            name.remove_prefix(dot);
        }
    }

private:
    // Afterwards we are nobody, who may not read keys.
    void read_files_of(const std::string& table)
    {
        std::string text;
        try {
            text = base::read_file(table, largest_file);
        } catch (const std::exception& failure) {
            throw Failed(std::string("tls_server_sni_maps: ") + failure.what());
        }
        for (const auto& entry : maps::parse_table(text).entries) known_[entry.value] = pem_of(entry.value);
    }

    std::string pem_of(const std::string& value) const
    {
        auto known = known_.find(value);
        if (known != known_.end()) return known->second;
        auto decoded = base::from_base64(value);
        if (decoded && decoded->find("-----BEGIN ") != std::string::npos) return std::move(*decoded);
        std::string pem;
        try {
            for (auto file : base::split(value)) pem += base::read_file(std::string(file), largest_file) + "\n";
        } catch (const std::exception& failure) {
            throw Failed(std::string("tls_server_sni_maps: ") + failure.what());
        }
        return pem;
    }

    maps::Maps tables_;
    std::unordered_map<std::string, std::string> known_; // by value
};

} // namespace

std::function<std::optional<std::string>(const std::string& name)> certificates_by_name(const std::vector<std::string>& tables)
{
    auto shared = std::make_shared<SniTables>(tables);
    return [shared](const std::string& name) { return shared->find(name); };
}

} // namespace tls
