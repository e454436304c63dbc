// handshake: from a plain stream to one under TLS.
//
//     stream.write("220 2.0.0 Ready to start TLS\r\n");
//     tls::Info info = co_await tls::accept(stream, context, limit);
//
// Both flush the stream first, throw away what was pipelined in the clear (Info::plaintext_discarded tells), and finish
// within the limit as a whole. They throw net::Gone (the peer left, or is too slow) or Failed (OpenSSL's reason); after
// either the stream is only good for closing. Nothing of the session may be believed from before the handshake.
#pragma once

#include "net/stream.h"
#include "tls/context.h"
#include "tls/info.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tls {

async::Task<Info> accept(net::Stream& stream, const ServerContext& context, net::Limit limit);

// How sure we want to be of the server, in Postfix's words.
enum class Level { none, may, encrypt, fingerprint, dane, verify, secure };
std::optional<Level> level(std::string_view word); // also "dane-only", which is dane for the handshake
const char* word(Level level);

// RFC 6698: one TLSA record.
struct Tlsa {
    uint8_t usage = 0, selector = 0, matching = 0;
    std::string data;
};

// Which server is wanted.
struct Target {
    Target(std::string server_name, Level level) : server_name(std::move(server_name)), level(level) {}

    std::string server_name; // sent as SNI unless empty or an address; also the name to find when `match` is empty
    Level level;
    std::vector<std::string> match; // names, one of which must be in the certificate; ".example.com": any name below
    std::vector<std::string>
        fingerprints;        // Level::fingerprint: of certificates or of public keys, with or without colons
    std::vector<Tlsa> tlsa;  // Level::dane; server_name is the base domain
    std::string session_key; // sessions are remembered under this; "": server_name

    // In place of the context's, where they are set.
    std::string protocols, cipher_grade;
    std::vector<std::string> exclude_ciphers;        // counts with cipher_grade
    std::vector<std::string> trust_anchor_files;     // PEM; the only certificates that may vouch for the server
};

// The handshake was fine, but the server is not who it should be. info.trust_trouble says why.
class NotVerified : public Failed {
public:
    explicit NotVerified(Info info) : Failed("Server certificate not verified"), info(std::move(info)) {}
    Info info;
};

// Levels above encrypt throw NotVerified when the server is not who it should be.
async::Task<Info> connect(net::Stream& stream, const ClientContext& context, Target target, net::Limit limit);

} // namespace tls
