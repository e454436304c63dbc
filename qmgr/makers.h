// makers: the programs that bring mail: they get queue files, and say when those are complete. Each connection is one maker.
#pragma once

#include "manager.h"
#include "maildrop.h"
#include "verify/probes.h"

#include "ipc/channel.h"

#include <set>

namespace qmgr {

struct Maker;

// All makers there are.
class Makers {
public:
    Makers(Manager& manager, Maildrop& maildrop, Probes& probes) : manager_(manager), maildrop_(maildrop), probes_(probes) {}

    // Serves one until it goes; what it leaves behind unfinished is removed, what is complete is delivered.
    async::Task<> serve(ipc::Channel channel);
    // We are about to end: they ask our successor from now on. What they have of ours they may still bring to an end.
    void send_away();
    const std::set<Maker*>& present() const { return present_; }
    bool busy() const;              // somebody still holds a file of ours

private:
    friend struct Maker;
    Manager& manager_;
    Maildrop& maildrop_;
    Probes& probes_;
    std::set<Maker*> present_;
    bool leaving_ = false;
};

} // namespace qmgr
