// makers: the programs that bring mail: they get queue files, and say when those are complete. Each connection is one maker.
#pragma once

#include "manager.h"
#include "maildrop.h"

#include "ipc/channel.h"

namespace qmgr {

// Serves one maker until it goes; what it leaves behind unfinished is removed, what is complete is delivered.
async::Task<> serve_maker(ipc::Channel channel, Manager& manager, Maildrop& maildrop);

} // namespace qmgr
