// folders: where queue files lie, and the renames that are a message's transitions. Used by the queue manager alone while it runs, and by
// postsuper when it does not. Blocking; errors are base::SystemError.
//
//   incoming/ID  being written, or complete and waiting for room    active/ID  being delivered     hold/ID  waiting for a person
//   deferred/WHEN/ID  to be tried again at WHEN (seconds since 1970)  corrupt/ID  not readable    maildrop/NAME  left by postdrop
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace spool {

enum class Queue { incoming, active, deferred, hold, corrupt };
const char* queue_name(Queue queue);
std::optional<Queue> find_queue(std::string_view name);

// Where a queue file lies. `when` counts for deferred only.
struct Place {
    Queue queue = Queue::incoming;
    int64_t when = 0;
    bool operator==(const Place&) const = default;
};

class Folders {
public:
    explicit Folders(std::string root) : root_(std::move(root)) {}

    void make() const;                                       // all of them, 0700; maildrop is left as installed
    std::string path(const Place& place, const std::string& id) const;
    base::Fd create(const std::string& id) const;            // in incoming; EEXIST when the id is taken
    base::Fd open(const Place& place, const std::string& id) const;             // for reading and appending
    base::Fd open_to_read(const Place& place, const std::string& id) const;
    void move(const Place& from, const Place& to, const std::string& id) const;
    bool remove(const Place& place, const std::string& id) const;               // false: there was none
    std::optional<Place> find(const std::string& id) const;                     // looks at each folder it may be in

    std::vector<std::string> list(const Place& place) const;                    // ids, in order of time
    std::vector<int64_t> due_times() const;                                     // of deferred, ascending
    void forget_due_time(int64_t when) const;                                   // removes the folder if it is empty
    const std::string& root() const { return root_; }

private:
    std::string folder(const Place& place) const;
    std::string root_;
};

} // namespace spool
