// child: processes that we start, and the news of their end.
#pragma once

#include "async/wait.h"

#include <sys/types.h>

#include <string>

namespace async {

// How a child ended; text() in the words of the log.
struct ExitStatus {
    int code = 0;           // exit status, when signal is 0
    int signal = 0;
    std::string text() const;   // "exit status 1", "killed by signal 9"
    bool success() const { return code == 0 && signal == 0; }
};

// The end of one child. The pid is reaped once its end was noticed; destroying a Child that still runs leaves it running and
// reaps it later.
class Child final : public Source {
public:
    explicit Child(pid_t pid);
    ~Child();
    bool ready() const override { return ended_; }
    pid_t pid() const { return pid_; }
    ExitStatus status() const { return status_; }     // REQUIRES: ready()
    void kill(int signal) const;                      // nothing when it has ended

private:
    friend class Reaper;
    pid_t pid_;
    bool ended_ = false;
    ExitStatus status_;
};

} // namespace async
