// modules: finding and loading.
#include "maps/modules.h"

#include "maps/map.h"

#include "base/fd.h"
#include "base/log.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <mutex>

#include <fmt/format.h>

namespace maps {

namespace {

constexpr std::array<std::string_view, 5> module_types{"ldap", "mysql", "pgsql", "redis", "sqlite"};

struct Modules {
    std::mutex mutex;       // tables may be opened on other threads
    std::vector<std::string> folders;
    std::map<std::string, driver::Factory, std::less<>> loaded;

    Modules()
    {
        std::error_code none;
        auto program = std::filesystem::read_symlink("/proc/self/exe", none);
        if (!none) folders.push_back(program.parent_path() / "modules");
    }
};

Modules& modules()
{
    static Modules all;
    return all;
}

std::string find_module(const Modules& all, std::string_view type)
{
    for (const std::string& folder : all.folders) {
        std::string path = fmt::format("{}/rookpost-{}.so", folder, type);
        if (base::exists(path)) return path;
    }
    return {};
}

driver::Factory load(Modules& all, const std::string& type)
{
    std::lock_guard lock(all.mutex);
    if (auto found = all.loaded.find(type); found != all.loaded.end()) return found->second;
    std::string path = find_module(all, type);
    if (path.empty()) throw Unavailable(fmt::format("unsupported dictionary type: {} (its module rookpost-{}.so is not installed)", type, type));
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = library ? ::dlsym(library, driver::factory_name) : nullptr;
    if (!symbol) {
        const char* why = ::dlerror();
        throw Unavailable(fmt::format("table type {}: {}", type, why ? why : "cannot be loaded"));
    }
    return all.loaded[type] = reinterpret_cast<driver::Factory>(symbol);
}

} // namespace

void add_module_folder(const std::string& daemon_directory)
{
    std::lock_guard lock(modules().mutex);
    modules().folders.push_back(daemon_directory + "/modules");
}

bool is_module_type(std::string_view type) { return std::find(module_types.begin(), module_types.end(), type) != module_types.end(); }

std::vector<std::string> installed_module_types()
{
    std::lock_guard lock(modules().mutex);
    std::vector<std::string> installed;
    for (std::string_view type : module_types)
        if (!find_module(modules(), type).empty()) installed.emplace_back(type);
    return installed;
}

std::unique_ptr<driver::Driver> make_driver(const std::string& type, const driver::Settings& settings)
{
    driver::Factory make = load(modules(), type);
    try {
        return std::unique_ptr<driver::Driver>(make(settings));
    } catch (const std::exception& why) {
        throw Unavailable(why.what());
    }
}

} // namespace maps
