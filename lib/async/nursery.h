// nursery: owns the tasks of a daemon. A task that ends is freed; an exception that escapes one is logged, and ends that task only.
#pragma once

#include "async/task.h"
#include "async/wait.h"

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace async {

class Nursery {
public:
    explicit Nursery(std::string name);     // what its tasks are called in the log
    Nursery(const Nursery&) = delete;
    Nursery& operator=(const Nursery&) = delete;
    ~Nursery();                             // destroys what still runs; never from inside one of its tasks

    void start(Task<> task);                // runs it to its first wait
    size_t size() const { return children_.size(); }
    Source& empty() { return empty_; }      // ready when nothing runs: how to drain
    void cancel();                          // destroys all tasks; never from inside one of them

private:
    struct Child;
    struct Empty final : Source {
        explicit Empty(const Nursery& of) : of(of) {}
        bool ready() const override { return of.children_.empty(); }
        using Source::wake;
        const Nursery& of;
    };
    void ended(Child& child);

    std::string name_;
    std::unordered_map<Child*, std::unique_ptr<Child>> children_;
    Empty empty_;
};

} // namespace async
