// mechanisms: the SASL dialogues that we lead, one row each. A mechanism asks for what it needs and ends with something
// to check, or with a name that was proved.
#pragma once

#include "oauth_token.h"
#include "sasl/secret.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

// What a mechanism wants next.
struct Move {
    enum Kind {
        challenge,      // send `text`
        check_password, // of `user`, or of `master`, who would act as `user`
        want_hash,      // of `user` and `scheme`; with_hash() goes on
        check_token,    // `password`; with_token() goes on
        proven,         // he is `user`; `text`, if any, is the last word to the client
        refused,        // `text` says why, for the log
    } kind = refused;
    std::string text;
    std::string user;
    std::string master;
    std::string scheme;
    sasl::Secret password;

    static Move refuse(std::string text);
    static Move ask(std::string text);
};

// What is known of the connection that the client speaks over.
struct Circumstances {
    std::string service;
    std::string certificate_name; // of a TLS client certificate that is trusted; "": there is none
    // RFC 5929, 9266: what the TLS session can be recognized by; "" when unknown.
    std::string tls_exporter, tls_server_end_point;
    bool offers_binding = false; // a mechanism with channel binding could have been chosen
    std::string secret;          // random, one for the process
    const OauthRules* oauth = nullptr;
};

class Mechanism {
public:
    virtual ~Mechanism() = default;
    // Nothing: the client began without an initial response.
    virtual Move next(std::optional<sasl::Secret> response) = 0;
    virtual Move with_hash(std::optional<std::string>) { return Move::refuse("unexpected"); }
    virtual Move with_token(TokenVerdict) { return Move::refuse("unexpected"); }
    virtual std::string user() const { return {}; } // as far as it is known, for the log
};

struct MechanismRow {
    std::string_view name;
    std::string_view flags; // as in the MECH line, with tabs between
    std::unique_ptr<Mechanism> (*make)(const Circumstances& circumstances);
    bool binds = false; // -PLUS
};

const MechanismRow* find_mechanism(std::string_view name);
// Those of auth_mechanisms that exist, in its order; the others' names go to `unknown`.
std::vector<const MechanismRow*> offered_mechanisms(const std::vector<std::string>& names,
                                                    std::vector<std::string>& unknown);

inline constexpr size_t longest_name = 255;

std::unique_ptr<Mechanism> make_cram_md5(const Circumstances& circumstances);
std::unique_ptr<Mechanism> make_xoauth2(const Circumstances& circumstances);
std::unique_ptr<Mechanism> make_oauthbearer(const Circumstances& circumstances);
std::unique_ptr<Mechanism> make_scram_sha1(const Circumstances& circumstances);
std::unique_ptr<Mechanism> make_scram_sha1_plus(const Circumstances& circumstances);
std::unique_ptr<Mechanism> make_scram_sha256(const Circumstances& circumstances);
std::unique_ptr<Mechanism> make_scram_sha256_plus(const Circumstances& circumstances);

} // namespace auth
