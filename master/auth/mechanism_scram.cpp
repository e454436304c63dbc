#include "mechanism_scram.h"

#include "base/random.h"
#include "base/text.h"

#include <fmt/format.h>

namespace auth {
namespace {

constexpr size_t longest_nonce = 256;
constexpr ScramKind sha1{"SCRAM-SHA-1", "SHA1", false}, sha1_plus{"SCRAM-SHA-1", "SHA1", true};
constexpr ScramKind sha256{"SCRAM-SHA-256", "SHA256", false}, sha256_plus{"SCRAM-SHA-256", "SHA256", true};

// The value of "x=value"; nothing when it is another attribute.
std::optional<std::string_view> attribute(std::string_view text, char name)
{
    if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
    return text.substr(2);
}

// RFC 5802 5.1: in names "," is "=2C", "=" is "=3D", and no other "=" may stand there.
std::optional<std::string> decode_name(std::string_view text)
{
    std::string name;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            name += text[i];
            continue;
        }
        std::string_view code = text.substr(i + 1, 2);
        if (code != "2C" && code != "3D") return std::nullopt;
        name += code == "2C" ? ',' : '=';
        i += 2;
    }
    if (name.empty() || name.size() > longest_name || name.find('\0') != std::string::npos) return std::nullopt;
    return name;
}

bool is_nonce(std::string_view text)
{
    if (text.empty() || text.size() > longest_nonce) return false;
    for (char c : text)
        if (c < 0x21 || c > 0x7e || c == ',') return false;
    return true;
}

template <const ScramKind& kind> std::unique_ptr<Mechanism> make(const Circumstances& circumstances)
{
    return std::make_unique<Scram>(kind, circumstances, base::random_token(24));
}

} // namespace

Scram::Scram(const ScramKind& kind, const Circumstances& circumstances, std::string nonce)
    : kind_(kind), circumstances_(circumstances), nonce_(std::move(nonce))
{
}

Move Scram::next(std::optional<sasl::Secret> response)
{
    if (stage_ == Stage::start) stage_ = Stage::wait_for_first;
    if (!response) return Move::ask("");
    if (stage_ == Stage::wait_for_first) return take_first(response->view());
    if (stage_ == Stage::wait_for_final) return take_final(response->view());
    return Move::refuse("unexpected");
}

std::string Scram::binding_data(std::string_view type) const
{
    if (type == "tls-exporter") return circumstances_.tls_exporter;
    if (type == "tls-server-end-point") return circumstances_.tls_server_end_point;
    return {};
}

// RFC 5802 6: "p=type" with -PLUS alone; "y" says that the client believes we could not bind, which somebody between us
// may have made it believe.
std::string Scram::refuse_binding(std::string_view flag)
{
    if (auto type = attribute(flag, 'p')) {
        if (!kind_.plus) return "channel binding with a mechanism that has none";
        binding_ = binding_data(*type);
        return binding_.empty() ? "channel binding " + base::printable(*type, 40) + " is not available" : "";
    }
    if (kind_.plus) return "no channel binding with a mechanism that demands it";
    if (flag == "y" && circumstances_.offers_binding) return "channel binding was taken away on the way";
    return flag == "n" || flag == "y" ? "" : "invalid channel binding flag";
}

// client-first-message = gs2-cbind-flag "," [authzid] "," [reserved-mext ","] "n=" name "," "r=" nonce ["," extensions]
Move Scram::take_first(std::string_view message)
{
    stage_ = Stage::over;
    auto flag = base::cut(message, ',');
    auto authzid = base::cut(flag.after, ',');
    if (!flag.found || !authzid.found) return Move::refuse("invalid SCRAM message");
    std::string trouble = refuse_binding(flag.before);
    if (!trouble.empty()) return Move::refuse(trouble);
    gs2_header_ = message.substr(0, message.size() - authzid.after.size());
    first_bare_ = authzid.after;

    auto name = base::cut(first_bare_, ',');
    auto nonce = base::cut(name.after, ',');
    auto encoded = attribute(name.before, 'n');
    auto client_nonce = attribute(nonce.before, 'r');
    auto user = encoded ? decode_name(*encoded) : std::nullopt;
    if (!user || !client_nonce || !is_nonce(*client_nonce)) return Move::refuse("invalid SCRAM message");
    user_ = *user;
    auto acts_as = attribute(authzid.before, 'a');
    bool as_another = acts_as && decode_name(*acts_as) != user;
    if (as_another || (!acts_as && !authzid.before.empty())) return Move::refuse("authorization as another user");

    nonce_ = std::string(*client_nonce) + nonce_;
    stage_ = Stage::wait_for_hash;
    Move move;
    move.kind = Move::want_hash;
    move.user = user_;
    move.scheme = kind_.scheme;
    return move;
}

Move Scram::with_hash(std::optional<std::string> hash)
{
    if (stage_ != Stage::wait_for_hash) return Move::refuse("unexpected");
    auto keys = hash ? passwords::ScramKeys::parse(*hash, kind_.digest) : std::nullopt;
    known_ = keys.has_value();
    if (known_) {
        keys_ = std::move(*keys);
    } else {
        // The same salt each time, as somebody who exists would have.
        keys_.salt = passwords::hmac(circumstances_.secret, kind_.scheme + user_, "SHA256").substr(0, 16);
        keys_.stored_key = passwords::hash(keys_.salt, kind_.digest);
    }
    server_first_ = fmt::format("r={},s={},i={}", nonce_, base::to_base64(keys_.salt), keys_.iterations);
    stage_ = Stage::wait_for_final;
    return Move::ask(server_first_);
}

// client-final-message = "c=" base64 "," "r=" nonce ["," extensions] "," "p=" base64
Move Scram::take_final(std::string_view message)
{
    stage_ = Stage::over;
    auto [unproved, last, found] = base::cut_last(message, ',');
    auto encoded_proof = attribute(last, 'p');
    auto proof = encoded_proof ? base::from_base64(*encoded_proof) : std::nullopt;
    auto binding = base::cut(unproved, ',');
    auto encoded_binding = attribute(binding.before, 'c');
    auto nonce = attribute(base::cut(binding.after, ',').before, 'r');
    if (!found || !proof || !encoded_binding || !nonce) return Move::refuse("invalid SCRAM message");
    if (*nonce != nonce_) return Move::refuse("another nonce");
    if (base::from_base64(*encoded_binding) != gs2_header_ + binding_) return Move::refuse("channel binding does not match");
    std::string text = fmt::format("{},{},{}", first_bare_, server_first_, unproved);
    bool right = passwords::is_client_proof(keys_, *proof, text, kind_.digest);
    if (!known_) return Move::refuse("unknown user, or no password that SCRAM can use");
    if (!right) return Move::refuse("wrong password");
    Move move;
    move.kind = Move::proven;
    move.user = user_;
    move.text = "v=" + base::to_base64(passwords::hmac(keys_.server_key, text, kind_.digest));
    return move;
}

std::unique_ptr<Mechanism> make_scram_sha1(const Circumstances& circumstances) { return make<sha1>(circumstances); }
std::unique_ptr<Mechanism> make_scram_sha1_plus(const Circumstances& circumstances)
{
    return make<sha1_plus>(circumstances);
}
std::unique_ptr<Mechanism> make_scram_sha256(const Circumstances& circumstances) { return make<sha256>(circumstances); }
std::unique_ptr<Mechanism> make_scram_sha256_plus(const Circumstances& circumstances)
{
    return make<sha256_plus>(circumstances);
}

} // namespace auth
