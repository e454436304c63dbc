#include "mechanisms.h"

#include "base/text.h"

#include <iterator>

namespace auth {
namespace {

constexpr size_t longest_password = 1024;

Move check(std::string_view user, std::string_view password)
{
    if (user.empty() || user.size() > longest_name) return Move::refuse("bad user name");
    if (password.size() > longest_password) return Move::refuse("password too long");
    Move move;
    move.kind = Move::check_password;
    move.user = user;
    move.password = sasl::Secret(password);
    return move;
}

// RFC 4616 2: message = [authzid] NUL authcid NUL passwd
class Plain final : public Mechanism {
public:
    Move next(std::optional<sasl::Secret> response) override
    {
        if (!response) return Move::ask("");
        auto first = base::cut(response->view(), '\0');
        auto second = base::cut(first.after, '\0');
        if (!first.found || !second.found || second.after.find('\0') != std::string_view::npos)
            return Move::refuse("invalid PLAIN message");
        Move move = check(second.before, second.after);
        if (first.before.empty() || first.before == second.before || move.kind != Move::check_password) return move;
        // Only a master may act as somebody else.
        if (first.before.size() > longest_name) return Move::refuse("bad user name");
        move.master = std::exchange(move.user, std::string(first.before));
        return move;
    }
};

// draft-murchison-sasl-login: two questions, whose words old clients expect.
class Login final : public Mechanism {
public:
    Move next(std::optional<sasl::Secret> response) override
    {
        if (!response) return Move::ask("Username:");
        if (user_.empty()) {
            user_ = response->view();
            bool good = !user_.empty() && user_.size() <= longest_name;
            return good ? Move::ask("Password:") : Move::refuse("bad user name");
        }
        return check(user_, response->view());
    }
    std::string user() const override { return user_; }

private:
    std::string user_;
};

// RFC 4422 A: who the client's certificate names.
class External final : public Mechanism {
public:
    explicit External(std::string name) : name_(std::move(name)) {}

    Move next(std::optional<sasl::Secret> response) override
    {
        if (!response) return Move::ask("");
        if (name_.empty()) return Move::refuse("no trusted client certificate");
        if (!response->empty() && response->view() != name_) return Move::refuse("the certificate names another user");
        Move move;
        move.kind = Move::proven;
        move.user = name_;
        return move;
    }
    std::string user() const override { return name_; }

private:
    std::string name_;
};

template <class Dialogue> std::unique_ptr<Mechanism> make(const Circumstances&) { return std::make_unique<Dialogue>(); }

std::unique_ptr<Mechanism> make_external(const Circumstances& circumstances)
{
    return std::make_unique<External>(circumstances.certificate_name);
}

// "private" keeps programs from offering what they would have to hand us a channel binding for.
constexpr MechanismRow rows[] = {
    {"PLAIN", "plaintext", make<Plain>},
    {"LOGIN", "plaintext", make<Login>},
    {"CRAM-MD5", "dictionary\tactive", make_cram_md5},
    {"SCRAM-SHA-256-PLUS", "mutual-auth\tprivate\tchannel-binding", make_scram_sha256_plus, true},
    {"SCRAM-SHA-256", "mutual-auth", make_scram_sha256},
    {"SCRAM-SHA-1-PLUS", "mutual-auth\tprivate\tchannel-binding", make_scram_sha1_plus, true},
    {"SCRAM-SHA-1", "mutual-auth", make_scram_sha1},
    {"OAUTHBEARER", "", make_oauthbearer},
    {"XOAUTH2", "", make_xoauth2},
    {"EXTERNAL", "", make_external},
};

} // namespace

Move Move::refuse(std::string text)
{
    Move move;
    move.text = std::move(text);
    return move;
}

Move Move::ask(std::string text)
{
    Move move;
    move.kind = challenge;
    move.text = std::move(text);
    return move;
}

const MechanismRow* find_mechanism(std::string_view name)
{
    for (const auto& row : rows)
        if (base::same_word(row.name, name)) return &row;
    return nullptr;
}

std::vector<const MechanismRow*> offered_mechanisms(const std::vector<std::string>& names,
                                                    std::vector<std::string>& unknown)
{
    std::vector<const MechanismRow*> offered;
    for (const auto& name : names) {
        if (auto* row = find_mechanism(name))
            offered.push_back(row);
        else
            unknown.push_back(name);
    }
    return offered;
}

} // namespace auth
