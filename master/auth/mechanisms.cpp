#include "mechanisms.h"

#include "base/text.h"

#include <iterator>

namespace auth {
namespace {

constexpr size_t longest_name = 255;
constexpr size_t longest_password = 1024;

Move refuse(std::string text)
{
    Move move;
    move.text = std::move(text);
    return move;
}

Move ask(std::string text)
{
    Move move;
    move.kind = Move::challenge;
    move.text = std::move(text);
    return move;
}

Move check(std::string_view user, std::string_view password)
{
    if (user.empty() || user.size() > longest_name) return refuse("bad user name");
    if (password.size() > longest_password) return refuse("password too long");
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
        if (!response) return ask("");
        auto first = base::cut(response->view(), '\0');
        auto second = base::cut(first.after, '\0');
        if (!second.found || second.after.find('\0') != std::string_view::npos) return refuse("invalid PLAIN message");
        // To act as somebody else needs a right that nobody is given here.
        if (!first.before.empty() && first.before != second.before) return refuse("authorization as another user");
        return check(second.before, second.after);
    }
};

// draft-murchison-sasl-login: two questions, whose words old clients expect.
class Login final : public Mechanism {
public:
    Move next(std::optional<sasl::Secret> response) override
    {
        if (!response) return ask("Username:");
        if (user_.empty()) {
            user_ = response->view();
            return user_.empty() || user_.size() > longest_name ? refuse("bad user name") : ask("Password:");
        }
        return check(user_, response->view());
    }

private:
    std::string user_;
};

template <class Dialogue> std::unique_ptr<Mechanism> make() { return std::make_unique<Dialogue>(); }

constexpr MechanismRow rows[] = {
    {"PLAIN", "plaintext", make<Plain>},
    {"LOGIN", "plaintext", make<Login>},
};

} // namespace

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
