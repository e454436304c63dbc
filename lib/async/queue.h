// queue: values passed from one task to another on the same loop.
#pragma once

#include "async/wait.h"

#include <deque>

namespace async {

template <class T> class Queue final : public Source {
public:
    bool ready() const override { return !items_.empty(); }
    size_t size() const { return items_.size(); }
    void push(T item)
    {
        items_.push_back(std::move(item));
        wake();
    }
    T pop()
    {
        T item = std::move(items_.front());
        items_.pop_front();
        return item;
    }

private:
    std::deque<T> items_;
};

} // namespace async
