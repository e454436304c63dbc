// scram_fuzz: SCRAM, CRAM-MD5, OAUTHBEARER and XOAUTH2 with messages, hashes and tokens that mean harm.
#include "json_object.h"
#include "mechanism_scram.h"

#include "base/text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto [hash, messages, found] = base::cut(text, '\n');
    auth::Circumstances given;
    given.tls_exporter = "exporter";
    for (auto name : {"SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN", "EXTERNAL"}) {
        auto mechanism = auth::find_mechanism(name)->make(given);
        for (auto message : base::split_exact(messages, '\n')) {
            auth::Move move = mechanism->next(sasl::Secret(message));
            if (move.kind == auth::Move::want_hash) move = mechanism->with_hash(std::string(hash));
            if (move.kind == auth::Move::check_token) move = mechanism->with_token({});
            if (move.kind == auth::Move::proven && move.user.empty()) std::abort();
            if (move.kind == auth::Move::refused || move.kind == auth::Move::proven) break;
        }
    }
    auth::parse_json_object(text);
    auth::check_token(text, {}, 0);
    return 0;
}
