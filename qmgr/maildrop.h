// maildrop: what postdrop left while the suite was down is handed to a smtpd that offered to take it. A file is an SMTP dialogue, and its
// owner is the sender; it is removed when smtpd has said that a queue file on disk carries it now.
#pragma once

#include "ipc/channel.h"
#include "async/nursery.h"
#include "spool/messages.h"

#include <string>
#include <unordered_map>

namespace qmgr {

class Maildrop {
public:
    explicit Maildrop(std::string folder) : folder_(std::move(folder)) {}

    void offered(ipc::Channel& channel);
    void withdrawn(ipc::Channel& channel);
    void answered(const spool::PickedUp& verdict);
    void scan();                        // hands out what is there; cheap when nothing is
    bool awaits_verdict() const { return open_verdicts_ > 0; }
    void stop() { taker_ = nullptr; }   // hands out no more
    async::Task<> scan_forever();       // postdrop's files are noticed at once (inotify), or by looking now and then

private:
    void hand_out(const std::string& name);

    std::string folder_;
    ipc::Channel* taker_ = nullptr;
    std::unordered_map<std::string, bool> handed_out_;
    size_t open_verdicts_ = 0;
};

} // namespace qmgr
