#include "mailbox.h"

#include "base/text.h"
#include "config/config.h"
#include "content.h"
#include "store/location.h"
#include "store/maildir_writer.h"
#include "store/mbox_writer.h"
#include "store/trouble.h"

#include <fmt/format.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace local_delivery {
namespace {

template <class Writer> void copy(Content& content, const Order& order, Writer& writer)
{
    writer.write(order.header);
    for (auto piece = content.next(); !piece.empty(); piece = content.next()) writer.write(piece);
}

void write_maildir(Content& content, const Order& order, const std::string& folder)
{
    if (order.size_limit > 0 && order.header.size() + order.content_length > order.size_limit)
        throw base::SystemError("create maildir file in " + folder, EFBIG);
    store::MaildirWriter writer(folder);
    copy(content, order, writer);
    writer.commit();
}

// comsat(8): "user@offset" in a datagram. Whoever wants to know listens; nobody waits for him.
void tell_comsat(const std::string& user, uint64_t offset)
{
    constexpr uint16_t port = 512;      // biff, in services(5) and at IANA
    base::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return;
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(port);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string news = fmt::format("{}@{}", user, offset);
    ::sendto(fd.get(), news.c_str(), news.size() + 1, 0, reinterpret_cast<const sockaddr*>(&here), sizeof here);
}

void write_mbox(Content& content, const Order& order, const std::string& path, const store::LockPolicy& locks)
{
    store::MboxPolicy policy;
    policy.lock = locks;
    policy.lock.dotlock_may_fail = order.kind == Order::file;
    policy.size_limit = order.size_limit;
    if (order.owner >= 0) policy.owner = static_cast<uid_t>(order.owner);
    policy.special_files = order.kind == Order::file;
    store::MboxWriter writer(path, order.sender, policy);
    copy(content, order, writer);
    writer.commit();
    if (order.biff) tell_comsat(order.user, writer.message_start());
}

// A full disk or quota is waited for; a mailbox that is full by our own limit is not.
Report trouble(int error, const std::string& text)
{
    if (error == EFBIG) return bounced("5.2.2", text);
    if (error == ENOSPC || error == EDQUOT) return deferred("4.2.2", text);
    return deferred("4.2.0", text);
}

std::string prefix(const Order& order, const store::Destination& place)
{
    if (order.kind == Order::file) return fmt::format("cannot append message to file {}. ", order.path);
    if (place.format == store::Format::maildir) return "maildir delivery failed: ";
    return fmt::format("cannot update mailbox {} for user {}. ", place.path, order.user);
}

Report trouble(const store::Trouble& fault, const std::string& prefix)
{
    using Kind = store::Trouble::Kind;
    switch (fault.kind()) {
    case Kind::too_large: return bounced("5.2.2", prefix + fault.what());
    case Kind::locked: return deferred("4.2.0", prefix + "unable to lock for exclusive access: " + fault.what());
    default: return deferred("4.2.0", prefix + fault.what());
    }
}

Report write(const Order& order, const store::LockPolicy& locks)
{
    Content content(order.content.get(), order.content_offset, order.content_length, order.queue_id);
    if (!order.loop_address.empty() && was_delivered_to(content.beginning(), order.loop_address))
        return bounced("5.4.6", "mail forwarding loop for " + order.loop_address);
    store::Destination place = store::postfix_path(order.path);
    try {
        if (place.format == store::Format::maildir) write_maildir(content, order, place.path);
        else write_mbox(content, order, place.path, locks);
    } catch (const store::Trouble& fault) {
        return trouble(fault, prefix(order, place));
    } catch (const base::SystemError& failure) {
        return trouble(failure.code(), prefix(order, place) + failure.what());
    }
    if (order.kind == Order::file) return delivered("delivered to file: " + order.path);
    return delivered(place.format == store::Format::maildir ? "delivered to maildir" : "delivered to mailbox");
}

} // namespace

store::LockPolicy lock_policy(const config::Config& config, bool for_virtual)
{
    store::LockPolicy locks;
    const auto& words = for_virtual ? config.virtual_mailbox_lock : config.mailbox_delivery_lock;
    if (auto methods = store::parse_lock_methods(base::join(words, ","))) locks.methods = *methods;
    locks.attempts = static_cast<int>(config.deliver_lock_attempts);
    locks.delay = config.deliver_lock_delay;
    locks.stale = config.stale_lock_time;
    return locks;
}

Report deliver_to_mailbox(const Order& order, const store::LockPolicy& locks)
{
    try {
        return write(order, locks);
    } catch (const std::exception& failure) {
        return deferred("4.3.0", failure.what());
    }
}

} // namespace local_delivery
