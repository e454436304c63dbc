#include "makers.h"

#include "base/log.h"

namespace qmgr {

struct Maker {
    Maker(ipc::Channel channel, Makers& all) : channel(std::move(channel)), all(all), manager(all.manager_) { all.present_.insert(this); }
    ~Maker();

    ipc::Channel channel;
    Makers& all;
    Manager& manager;
    std::unordered_map<std::string, base::Fd> files;    // created, and neither committed nor abandoned
    async::Nursery answers{"address verification"};     // that wait for a probe
};

namespace {

constexpr size_t most_open_files = 5000;     // of one maker
constexpr uint64_t longest_wait = 3'600'000; // ms, for a probe

bool is_complete(int fd, const std::string& id)
{
    try {
        spool::read_message(fd, id, true);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

} // namespace

Maker::~Maker()
{
    all.present_.erase(this);
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

namespace {

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

// in_flow_delay: who sends faster than we deliver waits a little before each message.
async::Task<> create_later(const std::set<Maker*>& present, Maker* maker, spool::Create request, async::Limit delay)
{
    co_await async::sleep(delay);
    if (present.count(maker) > 0) create(*maker, request);
}

void create_in_turn(Maker& maker, const spool::Create& request)
{
    async::Limit delay = maker.manager.config().in_flow_delay;
    if (maker.manager.full() && delay > async::Limit(0))
        maker.manager.nursery().start(create_later(maker.all.present(), &maker, request, delay));
    else
        create(maker, request);
}

async::Task<> verify(Maker& maker, Probes& probes, spool::Verify question)
{
    spool::Verified answer = co_await probes.ask(std::move(question.address), async::Limit(std::min(question.wait, longest_wait)));
    answer.request = question.request;
    maker.channel.post(std::move(answer));
}

void take(Maker& maker, ipc::Packet& packet, Maildrop& maildrop, Probes& probes)
{
    switch (packet.type) {
    case spool::Create::type: create_in_turn(maker, ipc::unpack<spool::Create>(packet)); break;
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
    case spool::Verify::type: maker.answers.start(verify(maker, probes, ipc::unpack<spool::Verify>(packet))); break;
    case spool::OfferPickup::type: maildrop.offered(maker.channel); break;
    case spool::PickedUp::type: maildrop.answered(ipc::unpack<spool::PickedUp>(packet)); break;
    default: throw ipc::Malformed("unexpected type " + std::to_string(packet.type));
    }
}

} // namespace

async::Task<> Makers::serve(ipc::Channel channel)
{
    Maker maker(std::move(channel), *this);
    if (leaving_) maker.channel.post(spool::Leaving{});
    try {
        while (true) {
            auto packet = co_await maker.channel.receive();
            if (!packet) break;
            // Whoever asks now has been told, or will be, to ask elsewhere.
            if (leaving_ && (packet->type == spool::Create::type || packet->type == spool::OfferPickup::type)) continue;
            take(maker, *packet, maildrop_, probes_);
        }
    } catch (const ipc::Malformed& fault) {
        base::log::warning("a mail maker (pid {}): {}", maker.channel.peer().pid, fault.what());
    }
    maildrop_.withdrawn(maker.channel);
}

void Makers::send_away()
{
    leaving_ = true;
    for (Maker* maker : present_) maker->channel.post(spool::Leaving{});
}

bool Makers::busy() const
{
    return maildrop_.awaits_verdict() || std::any_of(present_.begin(), present_.end(), [](const Maker* maker) { return !maker->files.empty(); });
}

} // namespace qmgr
