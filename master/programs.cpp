#include "programs.h"

namespace master {
namespace {

constexpr Program programs[] = {
    {"smtpd", "smtpd", Wire::stream, Count::each_processor, When::at_first_client, Order::door, true},
    {"postscreen", "smtpd", Wire::stream, Count::each_processor, When::at_first_client, Order::door, true},
    {"pickup", "smtpd", Wire::stream, Count::one, When::at_start, Order::door},
    {"qmgr", "qmgr", Wire::packets, Count::one, When::at_start, Order::owner},
    {"oqmgr", "qmgr", Wire::packets, Count::one, When::at_start, Order::owner},
    {"smtp", "smtp-client", Wire::packets, Count::one, When::at_first_client, Order::worker},
    {"lmtp", "smtp-client", Wire::packets, Count::one, When::at_first_client, Order::worker},
    {"local", "local-delivery", Wire::packets, Count::one, When::at_first_client, Order::worker},
    {"virtual", "local-delivery", Wire::packets, Count::one, When::at_first_client, Order::worker},
    {"pipe", "local-delivery", Wire::packets, Count::one, When::at_first_client, Order::worker},
    {"auth", "auth", Wire::stream, Count::one, When::at_first_client, Order::worker},
    {"imap-login", "imap-login", Wire::stream, Count::each_processor, When::at_first_client, Order::door},
    {"imapd", "imapd", Wire::packets, Count::one, When::at_first_client, Order::worker},
    {"pop3-login", "pop3-login", Wire::stream, Count::each_processor, When::at_first_client, Order::door},
    {"pop3d", "pop3d", Wire::packets, Count::one, When::at_first_client, Order::worker},
    // Functions of the programs above, where Postfix has processes.
    {"cleanup", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"trivial-rewrite", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"bounce", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"verify", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"flush", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"proxymap", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"showq", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"error", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"discard", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"anvil", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"scache", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"tlsmgr", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"tlsproxy", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"dnsblog", "", Wire::stream, Count::one, When::at_start, Order::worker},
    {"postlogd", "", Wire::stream, Count::one, When::at_start, Order::worker},
};

} // namespace

const Program* find_program(std::string_view command)
{
    for (const Program& program : programs)
        if (program.command == command) return &program;
    return nullptr;
}

} // namespace master
