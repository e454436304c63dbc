#include "async/watch.h"

#include <event2/event.h>

namespace async {

Watch::Watch(int fd) : fd_(fd)
{
    add(EV_READ);
    writable_.set();    // nearly always true: the first write tells
}

void Watch::add(short events)
{
    auto ready = [](evutil_socket_t, short what, void* self) {
        auto* watch = static_cast<Watch*>(self);
        if (what & EV_READ) watch->readable_.set();
        if (what & EV_WRITE) watch->writable_.set();
        loop().drain();
    };
    event_assign(&event_, loop().base(), fd_, static_cast<short>(events | EV_ET | EV_PERSIST), ready, this);
    event_add(&event_, nullptr);
}

void Watch::clear_writable()
{
    writable_.clear();
    if (watches_writes_) return;
    // Only who ever met a full buffer hears of room in it: a Unix socket would otherwise wake us each time its peer reads.
    watches_writes_ = true;
    event_del(&event_);
    add(EV_READ | EV_WRITE);
}

Watch::~Watch() { event_del(&event_); }

} // namespace async
