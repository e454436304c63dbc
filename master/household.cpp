#include "household.h"

#include "base/clock.h"
#include "base/log.h"
#include "sandbox/sandbox.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

namespace master {
namespace {

constexpr async::Limit owner_limit{8000};
constexpr async::Limit worker_limit{4000};
constexpr async::Limit look_again{50};
constexpr async::Limit bind_patience{5000};

void own(const std::string& path, mode_t mode, const std::string& user, std::optional<gid_t> group = std::nullopt)
{
    base::make_folders(path, mode);
    if (::geteuid() != 0) return;
    auto owner = sandbox::find_user(user);
    if (::chown(path.c_str(), owner.uid, group.value_or(owner.gid)) != 0 || ::chmod(path.c_str(), mode) != 0)
        throw base::SystemError("set owner of " + path);
}

std::string key(const config::Service& line) { return std::string(config::type_word(line.type)) + " " + line.name; }

bool is_network_door(const Service& service)
{
    return service.program().order == Order::door && service.line().type == config::Service::Type::inet;
}

} // namespace

Plan read_plan(const std::string& folder)
{
    Plan plan;
    plan.config = std::make_unique<config::Config>(config::Config::load(folder));
    plan.warnings = plan.config->warnings;
    auto table = config::MasterTable::load(folder);
    plan.warnings.insert(plan.warnings.end(), table.warnings.begin(), table.warnings.end());
    for (auto& line : table.services) {
        const Program* program = find_program(line.command);
        if (!program) {
            plan.warnings.push_back(fmt::format("{}:{}: service {}: program \"{}\" is not carried out", line.file, line.line, line.name, line.command));
            continue;
        }
        bool ours = !program->executable.empty() && line.type != config::Service::Type::pass;
        if (!ours) continue;
        auto names = socket_names(*plan.config, line, *program);
        plan.entries.push_back({std::move(line), program, std::move(names)});
    }
    return plan;
}

void prepare_folders(const config::Config& config)
{
    const std::string& queue = config.queue_directory;
    base::make_folders(queue, 0755);
    bool root = ::geteuid() == 0;
    own(queue + "/pid", 0755, "root");
    // Our own programs come in by the group; which socket serves whom is checked by the peer's uid.
    own(queue + "/private", 0750, config.mail_owner, root ? std::optional(sandbox::find_user(config.null_owner).gid) : std::nullopt);
    own(queue + "/public", 0755, config.mail_owner);
    for (const char* name : {"/incoming", "/active", "/deferred", "/hold", "/corrupt"}) own(queue + name, 0700, config.mail_owner);
    // postdrop writes with the rights of its group, and the folder hands that group on to the files.
    own(queue + "/maildrop", 02730, config.mail_owner, root ? sandbox::find_group(config.setgid_group) : std::nullopt);
    own(config.data_directory, 0700, config.mail_owner);
}

std::shared_ptr<Socket> Household::socket(const std::string& name, Wire wire)
{
    if (auto known = sockets_[name].lock()) return known;
    // Processes of a master that was killed may hold the address for a moment more.
    auto give_up = base::steady_now() + bind_patience;
    while (true) {
        try {
            auto made = std::make_shared<Socket>(open_socket(*config_, name, wire));
            sockets_[name] = made;
            return made;
        } catch (const base::SystemError& failure) {
            if (failure.code() != EADDRINUSE || base::steady_now() > give_up) throw;
            ::usleep(100000);
        }
    }
}

void Household::start(Plan plan)
{
    config_ = std::move(plan.config);
    for (auto& entry : plan.entries) {
        std::vector<std::shared_ptr<Socket>> sockets;
        for (const auto& name : entry.sockets) sockets.push_back(socket(name, entry.program->wire));
        services_.push_back(std::make_unique<Service>(*config_, std::move(entry.line), *entry.program, std::move(sockets)));
    }
    for (auto& service : services_) service->start();
}

// Waits for the processes of a service that is no more; their configuration lives as long as they do.
async::Task<> Household::bury(std::unique_ptr<Service> old, std::shared_ptr<config::Config> its_config)
{
    old->retire(SIGHUP);
    while (!old->quiet()) {
        old->clear_ended();
        co_await async::wait(old->ended());
    }
    old.reset();
    its_config.reset();
}

// The queue has one owner: the new one starts when the old one is gone.
async::Task<> Household::replace(std::unique_ptr<Service> old, std::shared_ptr<config::Config> its_config, Service* successor)
{
    old->retire(SIGTERM);
    auto give_up = base::steady_now() + owner_limit;
    while (!old->quiet()) {
        if (base::steady_now() > give_up) old->signal(SIGKILL);
        co_await async::sleep(look_again);
    }
    old.reset();
    its_config.reset();
    successor->start();
}

void Household::reload(Plan plan)
{
    auto old_config = std::exchange(config_, std::move(plan.config));
    auto old_services = std::move(services_);
    services_.clear();
    std::map<std::string, Service*> waiting;    // successors that must not start yet
    std::vector<Service*> ready;
    for (auto& entry : plan.entries) {
        std::vector<std::shared_ptr<Socket>> sockets;
        for (const auto& name : entry.sockets) sockets.push_back(socket(name, entry.program->wire));
        services_.push_back(std::make_unique<Service>(*config_, std::move(entry.line), *entry.program, std::move(sockets)));
        Service* service = services_.back().get();
        if (service->program().order == Order::owner)
            waiting[key(service->line())] = service;
        else
            ready.push_back(service);
    }
    for (auto& old : old_services) {
        auto successor = waiting.find(key(old->line()));
        if (successor != waiting.end()) {
            nursery_.start(replace(std::move(old), old_config, successor->second));
            waiting.erase(successor);
        } else {
            nursery_.start(bury(std::move(old), old_config));
        }
    }
    for (Service* service : ready) service->start();
    for (auto& [name, service] : waiting) service->start();
}

void Household::renew_doors()
{
    for (auto& service : services_) {
        if (!is_network_door(*service)) continue;
        auto successor = std::make_unique<Service>(*config_, service->line(), service->program(), service->sockets());
        nursery_.start(bury(std::exchange(service, std::move(successor)), config_));
        service->start();
    }
}

std::vector<std::vector<config::Override>> Household::overrides_of_doors() const
{
    std::vector<std::vector<config::Override>> all;
    for (const auto& service : services_)
        if (is_network_door(*service) && !service->line().overrides.empty()) all.push_back(service->line().overrides);
    return all;
}

async::Task<> Household::wait_until_quiet(Order order, bool only_order, async::Limit limit)
{
    auto give_up = base::steady_now() + limit;
    auto quiet = [&] {
        return std::all_of(services_.begin(), services_.end(),
                           [&](const auto& service) { return (only_order && service->program().order != order) || service->quiet(); });
    };
    while (!quiet() && base::steady_now() < give_up) co_await async::sleep(look_again);
}

async::Task<> Household::stop()
{
    for (auto& service : services_)
        if (service->program().order != Order::worker) service->retire(SIGTERM);
    co_await wait_until_quiet(Order::owner, true, owner_limit);
    for (auto& service : services_) service->retire(SIGTERM);
    co_await wait_until_quiet(Order::worker, false, worker_limit);
    for (auto& service : services_) service->signal(SIGKILL);
    nursery_.cancel();
}

} // namespace master
