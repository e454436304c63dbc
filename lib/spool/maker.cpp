#include "spool/maker.h"

#include "base/log.h"

#include <unistd.h>

namespace spool {
namespace {

constexpr async::Limit reconnect_pause{500};
constexpr async::Limit answer_limit{30000};

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
    if (!maker_->tell(connection_, std::move(message))) {
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
    if (!maker_->tell(connection_, std::move(message)))
        if (::ftruncate(fd_.get(), 0) != 0) base::log::warning("{}: truncate: {}", id_, base::error_text(errno));
    maker_ = nullptr;
    fd_.reset();
}

void Maker::connect()
{
    if (current_ != 0) return;
    ipc::Channel channel = ipc::connect_to(path_);
    current_ = ++last_connection_;
    connections_.emplace(current_, std::move(channel));
    lost_.clear();
    nursery_.start(read_answers(current_));
    if (on_pickup_) tell(current_, OfferPickup{});
}

async::Task<> Maker::read_answers(uint64_t number)
{
    ipc::Channel& channel = connections_.at(number);
    std::string why = "it closed the connection";
    try {
        while (true) {
            auto packet = co_await channel.receive();
            if (!packet) break;
            take(number, *packet);
        }
    } catch (const ipc::Malformed& fault) {
        why = fault.what();
    }
    if (number == current_) base::log::warning("queue manager: {}", why);
    lose(number);
}

void Maker::lose(uint64_t number)
{
    connections_.erase(number);
    give_up_verifying(number);
    std::erase_if(pickups_, [number](const auto& entry) { return entry.second == number; });
    // Whoever waits is told; a file whose commit was on its way is found by the queue manager when it looks through its folders.
    std::erase_if(waiting_, [number](const auto& entry) {
        Waiting& waiting = *entry.second;
        if (waiting.connection != number) return false;
        waiting.answer.problem = "queue manager is not available";
        waiting.answered.set();
        return true;
    });
    if (number != current_) return;
    current_ = 0;
    lost_.set();
}

bool Maker::ask(uint64_t request, Waiting& waiting)
{
    try {
        connect();
    } catch (const base::SystemError& failure) {
        waiting.answer.problem = failure.what();
        return false;
    }
    waiting.connection = current_;
    Create create;
    create.request = request;
    tell(current_, create);
    return true;
}

void Maker::give_up_verifying(uint64_t connection)
{
    std::erase_if(verifying_, [connection](const auto& entry) {
        if (entry.second->connection != connection) return false;
        entry.second->answered.set();
        return true;
    });
}

void Maker::ask_again(uint64_t left)
{
    give_up_verifying(left);
    if (current_ == left) {
        current_ = 0;
        lost_.set();
    }
    std::erase_if(waiting_, [&](const auto& entry) {
        Waiting& waiting = *entry.second;
        if (waiting.connection != left || ask(entry.first, waiting)) return false;
        waiting.answered.set();
        return true;
    });
}

void Maker::take(uint64_t number, ipc::Packet& packet)
{
    if (packet.type == Leaving::type) {
        ask_again(number);
        return;
    }
    if (packet.type == Pickup::type && on_pickup_) {
        auto pickup = ipc::unpack<Pickup>(packet);
        pickups_[pickup.name] = number;
        nursery_.start(on_pickup_(std::move(pickup)));
        return;
    }
    if (packet.type == Verified::type) {
        auto verified = ipc::unpack<Verified>(packet);
        auto asked = verifying_.find(verified.request);
        if (asked == verifying_.end() || asked->second->connection != number) return;
        Verifying* verifying = asked->second;
        verifying_.erase(asked);
        verifying->answer = std::move(verified);
        verifying->answered.set();
        return;
    }
    Created created = ipc::unpack<Created>(packet);
    auto found = waiting_.find(created.request);
    if (found == waiting_.end() || found->second->connection != number) {
        if (created.id.empty()) return;
        Abandon message;
        message.id = created.id;
        tell(number, std::move(message));
        return;
    }
    Waiting* waiting = found->second;
    waiting_.erase(found);
    waiting->answer = std::move(created);
    waiting->answered.set();
}

async::Task<NewFile> Maker::create(async::Limit limit)
{
    struct Registered {
        Maker& maker;
        uint64_t request;
        Waiting waiting;
        explicit Registered(Maker& maker) : maker(maker), request(maker.next_request_++) { maker.waiting_[request] = &waiting; }
        ~Registered() { maker.waiting_.erase(request); }
    };
    Registered registered(*this);
    if (!ask(registered.request, registered.waiting)) throw Unavailable(registered.waiting.answer.problem);
    bool in_time = co_await async::wait(registered.waiting.answered, limit);
    if (!in_time) throw Unavailable("queue manager does not answer");
    Created& answer = registered.waiting.answer;
    if (!answer.file) throw Unavailable(answer.problem);
    co_return NewFile(this, registered.waiting.connection, answer.id, std::move(answer.file));
}

async::Task<std::optional<Verified>> Maker::verify(std::string address, async::Limit wait)
{
    struct Registered {
        Maker& maker;
        uint64_t request;
        Verifying verifying;
        explicit Registered(Maker& maker) : maker(maker), request(maker.next_request_++) { maker.verifying_[request] = &verifying; }
        ~Registered() { maker.verifying_.erase(request); }
    };
    Registered registered(*this);
    try {
        connect();
    } catch (const base::SystemError& failure) {
        base::log::warning("queue manager: {}", failure.what());
        co_return std::nullopt;
    }
    registered.verifying.connection = current_;
    Verify question;
    question.request = registered.request;
    question.address = std::move(address);
    question.wait = static_cast<uint64_t>(wait.count());
    tell(current_, std::move(question));
    co_await async::wait(registered.verifying.answered, wait + answer_limit);
    co_return std::move(registered.verifying.answer);
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
        else
            co_await async::sleep(reconnect_pause);
    }
}

void Maker::answer(PickedUp verdict)
{
    auto found = pickups_.find(verdict.name);
    if (found == pickups_.end()) return;
    uint64_t number = found->second;
    pickups_.erase(found);
    tell(number, std::move(verdict));
}

} // namespace spool
