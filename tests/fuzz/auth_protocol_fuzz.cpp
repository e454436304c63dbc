// auth_protocol_fuzz: whatever a broken or hostile program says to auth, as a client, as a session stage, and as auth
// to its clients.
#include "async/nursery.h"
#include "base/log.h"
#include "client_session.h"
#include "master_session.h"
#include "sasl/auth_client.h"
#include "sasl/auth_master.h"
#include "sasl/responses.h"
#include "sasl/tab_fields.h"
#include "user_names.h"
#include "verify.h"

#include <sys/socket.h>

#include <cstdlib>

namespace {

constexpr size_t most_input = 32 << 10; // what a socket takes at once

auth::Context& context()
{
    static auth::Context shared = [] {
        base::log::open("fuzz", "/dev/null");
        auth::Rules rules;
        rules.system_users = false;
        rules.failure_delay = async::Limit(0);
        rules.most_requests = 16;
        return auth::Context(rules);
    }();
    return shared;
}

// Says `text` to the one that serves `ours`, hangs up, and waits for its end.
void play(async::Nursery& sessions, base::Fd theirs, std::string_view text)
{
    base::write_all(theirs.get(), text, "auth");
    ::shutdown(theirs.get(), SHUT_WR);
    for (int round = 0; sessions.size() > 0; ++round) {
        char bytes[65536];
        while (::recv(theirs.get(), bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
        }
        async::loop().run_once(async::Limit(20));
        if (round > 2000) std::abort();
    }
}

struct Pair {
    Pair()
    {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) std::abort();
        ours = net::Stream(base::Fd(fds[0]), net::Address::unix_path("auth"));
        theirs = base::Fd(fds[1]);
    }
    net::Stream ours;
    base::Fd theirs;
};

async::Task<> log_in(sasl::AuthClient& client)
{
    sasl::Exchange exchange(client);
    sasl::Request request("LOGIN", "imap");
    request.wants_ticket = true;
    sasl::Step step = co_await exchange.start(std::move(request), net::Limit(1000));
    if (step.kind == sasl::Step::challenge) step = co_await exchange.go_on(sasl::Secret(step.text), net::Limit(1000));
    if (step.kind == sasl::Step::ok && step.user.empty()) std::abort();
}

async::Task<> redeem(net::Stream stream)
{
    try {
        co_await sasl::redeem_over(stream, sasl::Ticket(), net::Limit(1000));
    } catch (const sasl::Unavailable&) {
    }
}

void as_client_of_auth(std::string_view text)
{
    Pair pair;
    sasl::AuthClient client("fuzz");
    client.connect_by([&] { return std::move(pair.ours); });
    async::Nursery sessions("login");
    sessions.start(log_in(client));
    play(sessions, std::move(pair.theirs), text);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    if (size == 0 || size > most_input) return 0;
    std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (data[0] % 4 == 3) {
        as_client_of_auth(text);
        return 0;
    }
    Pair pair;
    async::Nursery sessions("session");
    if (data[0] % 4 == 0) sessions.start(auth::serve_client(std::move(pair.ours), context()));
    if (data[0] % 4 == 1) sessions.start(auth::serve_master(std::move(pair.ours), context()));
    if (data[0] % 4 == 2) sessions.start(redeem(std::move(pair.ours)));
    play(sessions, std::move(pair.theirs), text);

    if (auto plain = sasl::tab_unescape(text); plain && sasl::tab_unescape(sasl::tab_escape(*plain)) != plain)
        std::abort();
    sasl::decode_response(text);
    auth::names_to_try(text, context().rules.names);
    auth::address_allowed(text, "192.0.2.1");
    return 0;
}
