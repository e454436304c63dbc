// mechanisms: the SASL dialogues that we lead, one row each. A mechanism asks for what it needs and ends with something
// to check.
#pragma once

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
        check_password, // of `user`
        refused,        // the client's slip; `text` says which
    } kind = refused;
    std::string text;
    std::string user;
    sasl::Secret password;
};

class Mechanism {
public:
    virtual ~Mechanism() = default;
    // Nothing: the client began without an initial response.
    virtual Move next(std::optional<sasl::Secret> response) = 0;
};

struct MechanismRow {
    std::string_view name;
    std::string_view flags; // as in the MECH line: "plaintext"
    std::unique_ptr<Mechanism> (*make)();
};

const MechanismRow* find_mechanism(std::string_view name);
// Those of auth_mechanisms that exist, in its order; the others' names go to `unknown`.
std::vector<const MechanismRow*> offered_mechanisms(const std::vector<std::string>& names,
                                                    std::vector<std::string>& unknown);

} // namespace auth
