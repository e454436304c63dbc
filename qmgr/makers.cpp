#include "makers.h"

#include "base/log.h"

namespace qmgr {
namespace {

constexpr size_t most_open_files = 5000;     // of one maker

struct Maker {
    Maker(ipc::Channel channel, Manager& manager) : channel(std::move(channel)), manager(manager) {}
    ~Maker();

    ipc::Channel channel;
    Manager& manager;
    std::unordered_map<std::string, base::Fd> files;    // created, and neither committed nor abandoned
};

bool is_complete(int fd, const std::string& id)
{
    try {
        spool::read_message(fd, id, true);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

Maker::~Maker()
{
    for (auto& [id, fd] : files) {
        try {
            if (is_complete(fd.get(), id))
                manager.accept(id, std::move(fd));
            else
                manager.folders().remove({spool::Queue::incoming}, id);
        } catch (const base::SystemError& failure) {
            base::log::warning("{}: {}", id, failure.what());
        }
    }
}

void create(Maker& maker, const spool::Create& request)
{
    spool::Created answer;
    answer.request = request.request;
    answer.problem = "4.3.1 Insufficient system storage";
    try {
        if (maker.files.size() >= most_open_files) {
            answer.problem = "4.3.2 Too many messages at once";
        } else if (maker.manager.has_room()) {
            Manager::NewFile file = maker.manager.create();
            answer.id = file.id;
            answer.file = file.fd.duplicate();
            answer.problem.clear();
            maker.files.emplace(std::move(file.id), std::move(file.fd));
        }
    } catch (const base::SystemError& failure) {
        base::log::warning("create queue file: {}", failure.what());
        if (!failure.no_space()) answer.problem = "4.3.0 Queue file cannot be created";
    }
    maker.channel.post(std::move(answer));
}

void take(Maker& maker, ipc::Packet& packet, Maildrop& maildrop)
{
    switch (packet.type) {
    case spool::Create::type: create(maker, ipc::unpack<spool::Create>(packet)); break;
    case spool::Commit::type: {
        auto commit = ipc::unpack<spool::Commit>(packet);
        auto node = maker.files.extract(commit.id);
        if (node.empty()) throw ipc::Malformed("commit of a file that was not given out");
        maker.manager.accept(commit.id, std::move(node.mapped()));
        break;
    }
    case spool::Abandon::type: {
        auto abandon = ipc::unpack<spool::Abandon>(packet);
        if (maker.files.erase(abandon.id) > 0) maker.manager.folders().remove({spool::Queue::incoming}, abandon.id);
        break;
    }
    case spool::OfferPickup::type: maildrop.offered(maker.channel); break;
    case spool::PickedUp::type: maildrop.answered(ipc::unpack<spool::PickedUp>(packet)); break;
    default: throw ipc::Malformed("unexpected type " + std::to_string(packet.type));
    }
}

} // namespace

async::Task<> serve_maker(ipc::Channel channel, Manager& manager, Maildrop& maildrop)
{
    Maker maker(std::move(channel), manager);
    try {
        while (true) {
            auto packet = co_await maker.channel.receive();
            if (!packet) break;
            take(maker, *packet, maildrop);
        }
    } catch (const ipc::Malformed& fault) {
        base::log::warning("a mail maker (pid {}): {}", maker.channel.peer().pid, fault.what());
    }
    maildrop.withdrawn(maker.channel);
}

} // namespace qmgr
