#include "spool/maker.h"

#include "base/log.h"

#include <unistd.h>

namespace spool {
namespace {

constexpr async::Limit reconnect_pause{500};

} // namespace

NewFile& NewFile::operator=(NewFile&& other) noexcept
{
    if (this != &other) {
        abandon();
        maker_ = std::exchange(other.maker_, nullptr);
        connection_ = other.connection_;
        id_ = std::move(other.id_);
        fd_ = std::move(other.fd_);
    }
    return *this;
}

void NewFile::commit()
{
    Commit message;
    message.id = id_;
    if (maker_->connection_ != connection_ || !maker_->tell(std::move(message))) {
        abandon();
        throw Unavailable("queue manager was restarted");
    }
    maker_ = nullptr;
    fd_.reset();
}

void NewFile::abandon()
{
    if (!maker_) return;
    Abandon message;
    message.id = id_;
    // Nobody else may take it for a complete message.
    if (maker_->connection_ != connection_ || !maker_->tell(std::move(message)))
        if (::ftruncate(fd_.get(), 0) != 0) base::log::warning("{}: truncate: {}", id_, base::error_text(errno));
    maker_ = nullptr;
    fd_.reset();
}

void Maker::connect()
{
    if (channel_) return;
    channel_.emplace(ipc::connect_to(path_));
    ++connection_;
    lost_.clear();
    nursery_.start(read_answers());
    if (on_pickup_) tell(OfferPickup{});
}

async::Task<> Maker::read_answers()
{
    std::string why = "it closed the connection";
    try {
        while (true) {
            auto packet = co_await channel_->receive();
            if (!packet) break;
            take(*packet);
        }
    } catch (const ipc::Malformed& fault) {
        why = fault.what();
    }
    base::log::warning("queue manager: {}", why);
    channel_.reset();
    // Whoever waits is told; a file whose commit was on its way is found by the queue manager when it looks through its folders.
    for (auto& [request, waiting] : waiting_) {
        waiting->answer.problem = "queue manager is not available";
        waiting->answered.set();
    }
    waiting_.clear();
    lost_.set();
}

void Maker::take(ipc::Packet& packet)
{
    if (packet.type == Pickup::type && on_pickup_) {
        nursery_.start(on_pickup_(ipc::unpack<Pickup>(packet)));
        return;
    }
    Created created = ipc::unpack<Created>(packet);
    auto found = waiting_.find(created.request);
    if (found == waiting_.end()) {
        if (created.id.empty()) return;
        Abandon message;
        message.id = created.id;
        tell(std::move(message));
        return;
    }
    Waiting* waiting = found->second;
    waiting_.erase(found);
    waiting->answer = std::move(created);
    waiting->answered.set();
}

async::Task<NewFile> Maker::create(async::Limit limit)
{
    try {
        connect();
    } catch (const base::SystemError& failure) {
        throw Unavailable(failure.what());
    }
    struct Registered {
        Maker& maker;
        uint64_t request;
        Waiting waiting;
        explicit Registered(Maker& maker) : maker(maker), request(maker.next_request_++) { maker.waiting_[request] = &waiting; }
        ~Registered() { maker.waiting_.erase(request); }
    };
    Registered registered(*this);
    uint64_t asked_on = connection_;    // not the one there is when we go on: the answer may be older than a restart
    Create ask;
    ask.request = registered.request;
    tell(ask);
    bool in_time = co_await async::wait(registered.waiting.answered, limit);
    if (!in_time) throw Unavailable("queue manager does not answer");
    Created& answer = registered.waiting.answer;
    if (!answer.file) throw Unavailable(answer.problem);
    co_return NewFile(this, asked_on, answer.id, std::move(answer.file));
}

void Maker::offer_pickup(std::function<async::Task<>(Pickup)> on_pickup)
{
    on_pickup_ = std::move(on_pickup);
    nursery_.start(keep_offering());
}

async::Task<> Maker::keep_offering()
{
    while (true) {
        bool connected = true;
        try {
            connect();
        } catch (const base::SystemError&) {
            connected = false;
        }
        if (connected)
            co_await async::wait(lost_);
        co_await async::sleep(reconnect_pause);
    }
}

void Maker::answer(PickedUp verdict) { tell(std::move(verdict)); }

} // namespace spool
