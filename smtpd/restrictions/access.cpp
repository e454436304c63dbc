#include "restrictions/access.h"

#include "restrictions/walk.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "maps/address_search.h"
#include "routing/address_search.h"

#include <algorithm>

namespace smtpd::restrictions {
namespace {

// One right side: "ACTION text".
struct Entry {
    Inquiry& inquiry;
    const TableQuestion& question;
    std::string_view key;
    std::string_view whole;
    std::string_view action, text;

    std::string about(std::string_view what) const { return fmt::format("<{}>: {} {}", question.subject.name, question.subject.kind, what); }
    void complain(std::string_view what) const
    {
        base::log::warning("access table {} entry \"{}\" {}", question.step.argument, key, what);
    }
};

struct Text {
    std::string dsn, text;
};

// "4.7.1 text", "text", or nothing.
Text split_text(std::string_view text, std::string_view dsn, std::string_view otherwise)
{
    size_t length = smtp::enhanced_length(text);
    Text result{length ? std::string(text.substr(0, length)) : std::string(dsn), std::string(base::trim(text.substr(length)))};
    if (result.text.empty()) result.text = otherwise;
    return result;
}

Result reject(const Entry& e)
{
    auto said = split_text(e.text, "5.7.1", "Access denied");
    return e.inquiry.refuse(static_cast<int>(e.inquiry.rules.config.access_map_reject_code), said.dsn, e.question.subject, said.text);
}

Result defer(const Entry& e)
{
    auto said = split_text(e.text, "4.7.1", "Access denied");
    return e.inquiry.refuse(static_cast<int>(e.inquiry.rules.config.access_map_defer_code), said.dsn, e.question.subject, said.text);
}

Result defer_if_permit(const Entry& e)
{
    auto said = split_text(e.text, "4.7.1", "Service unavailable");
    return e.inquiry.postpone_refusal("defer_if_permit", 450, said.dsn, rejected(e.question.subject, said.text));
}

Result defer_if_reject(const Entry& e)
{
    auto said = split_text(e.text, "4.7.1", "Service unavailable");
    return e.inquiry.postpone_permission(450, said.dsn, rejected(e.question.subject, said.text));
}

Result dunno(const Entry&) { return Result::dunno; }
Result ok(const Entry& e)
{
    e.inquiry.log_permit(e.action, e.question.subject, e.question.step.argument);
    return e.inquiry.permit();
}

Result note(const Entry& e, std::string_view event)
{
    e.inquiry.log(event, std::string(e.text));
    return Result::dunno;
}

Result warn(const Entry& e) { return note(e, "warn"); }
Result info(const Entry& e) { return note(e, "info"); }

// What only who makes a queue file can do.
bool is_for_filter(const Entry& e)
{
    if (!e.inquiry.service.has_proxy()) return false;
    base::log::warning("access table {}: with smtpd_proxy_filter specified, action {} is unavailable", e.question.step.argument, base::upper(e.action));
    return true;
}

Result hold(const Entry& e)
{
    if (is_for_filter(e)) return Result::dunno;
    e.inquiry.log("hold", e.about(e.text.empty() ? "triggers HOLD action" : e.text));
    e.inquiry.treatment().hold = true;
    return Result::dunno;
}

Result discard(const Entry& e)
{
    if (is_for_filter(e)) return Result::dunno;
    e.inquiry.log("discard", e.about(e.text.empty() ? "triggers DISCARD action" : e.text));
    e.inquiry.treatment().discard = true;
    return ok(e);
}

Result filter(const Entry& e)
{
    if (is_for_filter(e)) return Result::dunno;
    if (e.text.find(':') == e.text.npos) {
        e.complain("requires transport:destination");
        return Result::dunno;
    }
    e.inquiry.log("filter", e.about(fmt::format("triggers FILTER {}", e.text)));
    e.inquiry.treatment().filter = e.text;
    return Result::dunno;
}

Result redirect(const Entry& e)
{
    if (is_for_filter(e)) return Result::dunno;
    if (e.text.find('@') == e.text.npos) {
        e.complain("requires user@domain target");
        return Result::dunno;
    }
    e.inquiry.log("redirect", e.about(fmt::format("triggers REDIRECT {}", e.text)));
    e.inquiry.treatment().redirect = e.text;
    return Result::dunno;
}

Result bcc(const Entry& e)
{
    if (is_for_filter(e)) return Result::dunno;
    if (e.text.find('@') == e.text.npos) {
        e.complain("requires user@domain target");
        return Result::dunno;
    }
    auto& known = e.inquiry.treatment().bcc;
    e.inquiry.log("bcc", e.about(fmt::format("triggers BCC {}", e.text)));
    // A table is asked for each recipient; one copy is enough.
    if (std::find(known.begin(), known.end(), e.text) == known.end()) known.emplace_back(e.text);
    return Result::dunno;
}

// RFC 5322 2.2: a name of printable characters and a colon.
bool is_header(std::string_view text)
{
    size_t colon = text.find(':');
    return colon != 0 && colon != text.npos && std::all_of(text.begin(), text.begin() + static_cast<long>(colon), [](char c) { return c > 32 && c < 127; });
}

Result prepend(const Entry& e)
{
    if (!is_header(e.text)) {
        e.complain("requires header: text");
        return Result::dunno;
    }
    if (e.inquiry.where == "END-OF-MESSAGE") {
        base::log::warning("access table {}: action PREPEND must be used before the end of the message", e.question.step.argument);
        return Result::dunno;
    }
    e.inquiry.treatment().prepend.emplace_back(base::printable(e.text, e.text.size()));
    return Result::dunno;
}

struct Action {
    std::string_view name;
    Result (*obey)(const Entry&);
};

// access(5). RELAY is sendmail's OK.
constexpr Action actions[] = {
    {"DUNNO", dunno},
    {"OK", ok},
    {"RELAY", ok},
    {"REJECT", reject},
    {"DEFER", defer},
    {"DEFER_IF_PERMIT", defer_if_permit},
    {"DEFER_IF_REJECT", defer_if_reject},
    {"HOLD", hold},
    {"DISCARD", discard},
    {"FILTER", filter},
    {"REDIRECT", redirect},
    {"BCC", bcc},
    {"PREPEND", prepend},
    {"WARN", warn},
    {"INFO", info},
};

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), base::is_digit); }

// "550 5.7.1 text": code, and what follows it.
std::optional<Result> obey_code(const Entry& e)
{
    if (e.action.size() != 3 || !all_digits(e.action) || (e.action[0] != '4' && e.action[0] != '5')) return std::nullopt;
    int code = *base::number<int>(e.action);
    auto said = split_text(e.text, code < 500 ? "4.7.1" : "5.7.1", "Access denied");
    return e.inquiry.refuse(code, said.dsn, e.question.subject, said.text);
}

} // namespace

Result obey(Inquiry& inquiry, const TableQuestion& question, std::string_view key, const std::string& value)
{
    std::string_view whole = base::trim(value);
    size_t end = std::min(whole.find_first_of(" \t\r\n"), whole.size());
    Entry entry{inquiry, question, key, whole, whole.substr(0, end), base::trim(whole.substr(end))};
    Result result = Result::dunno;
    const Action* known = nullptr;
    for (const Action& action : actions)
        if (base::same_word(action.name, entry.action)) known = &action;
    if (known) {
        result = known->obey(entry);
    } else if (auto refused = obey_code(entry)) {
        result = *refused;
    } else if (all_digits(whole)) {
        // A time stamp of who logged in by POP before.
        result = ok(entry);
    } else {
        auto list = inquiry.rules.from_table(std::string(whole), question.table_word);
        return inquiry.walk->enter(std::move(list), question.guard, question.target);
    }
    bool forbidden = result == Result::permit && !question.guard.empty() && !inquiry.treatment().discard;
    if (forbidden) return inquiry.walk->complain_of_permission(question.guard, question.target);
    return result;
}

namespace {

// Runs a search in the table and obeys what it finds.
template <class Search> std::optional<Result> search_and_obey(Inquiry& inquiry, const TableQuestion& question, std::string_view key, Search search)
{
    if (!question.step.table) return std::nullopt;
    std::optional<std::string> found;
    try {
        found = search(*question.step.table);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("access table {}: {}", question.step.argument, trouble.what());
        found = "451 4.3.5 Server configuration error";
    }
    if (!found) return std::nullopt;
    return obey(inquiry, question, key, *found);
}

} // namespace

std::optional<Result> look_up(Inquiry& inquiry, const TableQuestion& question, const std::string& key, maps::Key kind)
{
    return search_and_obey(inquiry, question, key, [&](maps::Maps& table) { return table.find(key, kind); });
}

std::optional<Result> look_up_domain(Inquiry& inquiry, const TableQuestion& question, std::string_view domain)
{
    if (domain.ends_with('.')) domain.remove_suffix(1);
    auto parents = inquiry.rules.parents ? maps::Parents::plain : maps::Parents::dotted;
    return search_and_obey(inquiry, question, domain, [&](maps::Maps& table) { return maps::find_domain(table, domain, parents); });
}

std::optional<Result> look_up_network(Inquiry& inquiry, const TableQuestion& question, std::string_view address)
{
    return search_and_obey(inquiry, question, address, [&](maps::Maps& table) { return maps::find_network(table, address); });
}

std::optional<Result> look_up_address(Inquiry& inquiry, const TableQuestion& question, std::string_view address)
{
    auto search = routing::address_search(inquiry.rules.config, inquiry.service.router.domains());
    search.forms = maps::form::full | maps::form::no_extension | maps::form::domain | maps::form::local_at;
    search.parents = inquiry.rules.parents ? maps::Parents::plain : maps::Parents::dotted;
    return search_and_obey(inquiry, question, address, [&](maps::Maps& table) -> std::optional<std::string> {
        auto hit = maps::find_address(table, address, search);
        if (!hit) return std::nullopt;
        return hit->value;
    });
}

} // namespace smtpd::restrictions
