// watch: readiness of a descriptor, edge-triggered, so that a session registers with the kernel once in its life. The user reads or
// writes until the kernel says EAGAIN, and then calls clear_readable() or clear_writable().
#pragma once

#include "async/wait.h"

#include <event2/event_struct.h>

namespace async {

class Watch {
public:
    explicit Watch(int fd);     // non-blocking; must outlive the Watch
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();

    Source& readable() { return readable_; }
    Source& writable() { return writable_; }
    void clear_readable() { readable_.clear(); }
    void clear_writable();

private:
    void add(short events);

    Flag readable_;
    Flag writable_;
    int fd_;
    bool watches_writes_ = false;
    event event_;
};

} // namespace async
