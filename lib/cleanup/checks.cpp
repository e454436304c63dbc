// checks: a table of actions.
#include "cleanup/checks.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace cleanup {

struct Checks::Found {
    Part part;
    std::string_view table, content;
    std::string text;               // what follows the action's name
};

struct Checks::Action {
    std::string_view word;
    void (Checks::*carry_out)(const Found&, Result&);
};

namespace {

std::string_view word(Part part) { return part == Part::header ? "header" : "body"; }

bool is_field(std::string_view text) { return mail::field_name_length(text) > 0; }

// RFC 3463: "5.7.1 text" brings a status of its own.
bool is_status(std::string_view text)
{
    auto parts = base::split_exact(text.substr(0, text.find_first_of(" \t")), '.');
    auto digits = [](std::string_view part) { return !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), base::is_digit); };
    return parts.size() == 3 && parts[0].size() == 1 && std::string_view("245").find(parts[0][0]) != std::string_view::npos && digits(parts[1]) &&
           digits(parts[2]);
}

} // namespace

const Checks::Action* Checks::find_action(std::string_view wanted)
{
    static constexpr Action actions[] = {
        {"REJECT", &Checks::reject},   {"WARN", &Checks::warn},       {"INFO", &Checks::inform},     {"FILTER", &Checks::filter},
        {"DISCARD", &Checks::discard}, {"HOLD", &Checks::hold},       {"PREPEND", &Checks::prepend}, {"REPLACE", &Checks::replace},
        {"REDIRECT", &Checks::redirect}, {"BCC", &Checks::copy},      {"STRIP", &Checks::strip},     {"PASS", &Checks::pass},
        {"IGNORE", &Checks::ignore},   {"DUNNO", &Checks::nothing},   {"OK", &Checks::nothing},
    };
    const Action* found = std::find_if(std::begin(actions), std::end(actions), [&](const Action& each) { return base::same_word(each.word, wanted); });
    return found == std::end(actions) ? nullptr : found;
}

Checks::Result Checks::look(Part part, maps::Maps& table, std::string_view table_name, const std::string& text)
{
    Result result;
    if (!enabled_ || table.empty()) return result;
    std::optional<std::string> value;
    try {
        value = table.find(text);
    } catch (const maps::Unavailable& trouble) {
        refuse(table_trouble(subject_.id, trouble));
        enabled_ = false;
        return result;
    }
    if (!value) return result;
    size_t end = std::min(value->find_first_of(" \t"), value->size());
    std::string_view name = std::string_view(*value).substr(0, end);
    const Action* action = find_action(name);
    Found found{part, table_name, text, std::string(base::trim(std::string_view(*value).substr(end)))};
    if (action) (this->*action->carry_out)(found, result);
    else base::log::warning("unknown command in {} map: {}", table_name, base::printable(*value));
    return result;
}

void Checks::log(std::string_view what, const Found& found, std::string_view text) const
{
    std::string line = fmt::format("{}: {}{}: {} {} from {}; from=<{}> to=<{}>", subject_.id, log_prefix_, what, word(found.part),
                                   base::printable(base::replace_all(found.content.substr(0, 200), "\n", " "), 200), subject_.client, subject_.sender,
                                   subject_.recipient);
    if (!subject_.protocol.empty()) line += fmt::format(" proto={}", subject_.protocol);
    if (!subject_.helo.empty()) line += fmt::format(" helo=<{}>", subject_.helo);
    if (!text.empty()) line += fmt::format(": {}", base::printable(text));
    base::log::info_as("cleanup", line);
}

void Checks::refuse(Refusal refusal)
{
    if (!refusal_) refusal_ = std::move(refusal);
}

void Checks::refuse_mime(std::string_view what, std::string_view text)
{
    base::log::info_as("cleanup", fmt::format("{}: reject: mime-error {}: {} from {}; from=<{}> to=<{}>", subject_.id, what,
                                              base::printable(text.substr(0, 100), 100), subject_.client, subject_.sender, subject_.recipient));
    refuse({550, "5.6.0", std::string(what)});
    enabled_ = false;
}

void Checks::reject(const Found& found, Result&)
{
    std::string dsn = "5.7.1", text = found.text.empty() ? "message content rejected" : found.text;
    if (is_status(text)) {
        auto cut = base::cut(text, ' ');
        dsn = cut.before;
        text = std::string(base::trim(cut.after));
        if (dsn[0] == '2') {
            base::log::warning("bad DSN action in {} -- need 4.x.x or 5.x.x", base::printable(found.text));
            dsn[0] = '4';
        }
    }
    refuse({dsn[0] == '4' ? 451 : 550, dsn, text});
    enabled_ = false;
    log("reject", found, dsn + " " + text);
}

void Checks::warn(const Found& found, Result&) { log("warning", found, found.text); }

void Checks::inform(const Found& found, Result&) { log("info", found, found.text); }

void Checks::filter(const Found& found, Result&)
{
    if (found.text.empty()) return base::log::warning("missing FILTER command argument in {} map", found.table);
    if (found.text.find(':') == std::string::npos)
        return base::log::warning("bad FILTER command {} in {} -- need transport:destination", base::printable(found.text), found.table);
    treatment_.filter = found.text;
    log("filter", found, found.text);
}

void Checks::discard(const Found& found, Result&)
{
    log("discard", found, found.text);
    treatment_.discard = true;
    enabled_ = false;
}

void Checks::hold(const Found& found, Result&)
{
    if (treatment_.hold || treatment_.discard) return;
    log("hold", found, found.text);
    treatment_.hold = true;
}

void Checks::prepend(const Found& found, Result& result)
{
    if (found.text.empty()) return base::log::warning("PREPEND action without text in {} map", found.table);
    if (found.part == Part::header && !is_field(found.text))
        return base::log::warning("bad PREPEND header text \"{}\" in {} map -- need \"headername: headervalue\"", base::printable(found.text), found.table);
    log("prepend", found, found.text);
    result.before.push_back(found.text);
}

void Checks::replace(const Found& found, Result& result)
{
    if (found.text.empty()) return base::log::warning("REPLACE action without text in {} map", found.table);
    if (found.part == Part::header && !is_field(found.text))
        return base::log::warning("bad REPLACE header text \"{}\" in {} map -- need \"headername: headervalue\"", base::printable(found.text), found.table);
    log("replace", found, found.text);
    result.instead = found.text;
}

void Checks::redirect(const Found& found, Result&)
{
    if (found.text.find('@') == std::string::npos)
        return base::log::warning("bad REDIRECT target \"{}\" in {} map -- need user@domain", base::printable(found.text), found.table);
    treatment_.redirect = found.text;
    log("redirect", found, found.text);
    enabled_ = false;
}

void Checks::copy(const Found& found, Result&)
{
    if (found.text.find('@') == std::string::npos)
        return base::log::warning("bad BCC address \"{}\" in {} map -- need user@domain", base::printable(found.text), found.table);
    treatment_.bcc.push_back(found.text);
    log("bcc", found, found.text);
}

void Checks::strip(const Found& found, Result& result)
{
    log("strip", found, found.text);
    result.dropped = true;
}

void Checks::pass(const Found& found, Result&)
{
    log("pass", found, found.text);
    enabled_ = false;
}

void Checks::ignore(const Found&, Result& result) { result.dropped = true; }

Refusal table_trouble(const std::string& id, const maps::Unavailable& trouble)
{
    base::log::warning("{}: {} -- message not accepted, try again later", id, trouble.what());
    if (dynamic_cast<const routing::Unreasonable*>(&trouble)) return {451, "4.6.0", "Alias expansion error"};
    return {451, "4.3.0", "Error: queue file write error"};
}

} // namespace cleanup
