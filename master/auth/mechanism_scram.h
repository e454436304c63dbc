// mechanism_scram: the server's side of SCRAM, RFC 5802, 7677; with channel binding by RFC 5929 and 9266.
#pragma once

#include "mechanisms.h"
#include "passwords/scram_keys.h"

#include <string>
#include <string_view>

namespace auth {

struct ScramKind {
    const char* scheme; // "SCRAM-SHA-256"
    const char* digest; // OpenSSL's name
    bool plus;
};

class Scram final : public Mechanism {
public:
    // nonce: our part of it; printable, no commas.
    Scram(const ScramKind& kind, const Circumstances& circumstances, std::string nonce);

    Move next(std::optional<sasl::Secret> response) override;
    Move with_hash(std::optional<std::string> hash) override;
    std::string user() const override { return user_; }

private:
    enum class Stage { start, wait_for_first, wait_for_hash, wait_for_final, over };
    Move take_first(std::string_view message);
    Move take_final(std::string_view message);
    std::string binding_data(std::string_view type) const;
    std::string refuse_binding(std::string_view flag);

    ScramKind kind_;
    Circumstances circumstances_;
    std::string nonce_;
    Stage stage_ = Stage::start;
    std::string user_;
    std::string gs2_header_, binding_; // what the client's c= must hold
    std::string first_bare_, server_first_;
    passwords::ScramKeys keys_;
    bool known_ = false;
};

} // namespace auth
