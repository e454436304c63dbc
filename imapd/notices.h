// notices: what the kernel tells of changes in folders. One inotify instance serves all sessions of the process: a user
// may have only so many of them.
#pragma once

#include "async/wait.h"

#include <string>
#include <vector>

namespace imapd {

// While it lives, news() becomes ready when something happens at one of the paths. Clear it, then look.
class Notice {
public:
    explicit Notice(const std::vector<std::string>& paths);
    Notice(const Notice&) = delete;
    Notice& operator=(const Notice&) = delete;
    ~Notice();

    async::Flag& news() { return news_; }
    bool sees_all() const { return sees_all_; } // false: the kernel would not watch some path, look by yourself

private:
    std::vector<int> watches_;
    bool sees_all_ = true;
    async::Flag news_;
};

} // namespace imapd
