// mechanism_cram_md5: RFC 2195. Needs a password that is stored in the clear, or as {CRAM-MD5}.
#include "mechanisms.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "passwords/cram_md5.h"

#include <fmt/format.h>

#include <unistd.h>

namespace auth {
namespace {

std::string host_name()
{
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    return *name ? name : "localhost";
}

class CramMd5 final : public Mechanism {
public:
    Move next(std::optional<sasl::Secret> response) override
    {
        if (challenge_.empty()) {
            // The client must not speak first, so nothing of what it says could be an answer.
            challenge_ = fmt::format("<{}.{}@{}>", base::random_token(16), base::unix_seconds(base::wall_now()), host_name());
            return Move::ask(challenge_);
        }
        // "name digest"; a name may have spaces.
        auto [name, digest, found] = base::cut_last(response ? response->view() : std::string_view(), ' ');
        if (!found || name.empty() || name.size() > longest_name || digest.size() != 32)
            return Move::refuse("invalid CRAM-MD5 answer");
        user_ = name;
        digest_ = base::lower(digest);
        Move move;
        move.kind = Move::want_hash;
        move.user = user_;
        move.scheme = "CRAM-MD5";
        return move;
    }

    Move with_hash(std::optional<std::string> hash) override
    {
        auto key = hash ? passwords::CramMd5Key::parse(*hash) : std::nullopt;
        if (!key) return Move::refuse("unknown user, or no password that CRAM-MD5 can use");
        if (!sasl::same_secret(key->answer(challenge_), digest_)) return Move::refuse("wrong password");
        Move move;
        move.kind = Move::proven;
        move.user = user_;
        return move;
    }
    std::string user() const override { return user_; }

private:
    std::string challenge_, user_, digest_;
};

} // namespace

std::unique_ptr<Mechanism> make_cram_md5(const Circumstances&) { return std::make_unique<CramMd5>(); }

} // namespace auth
