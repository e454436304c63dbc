// checks: header_checks(5): what the tables say of a header or a line of the body is carried out, and logged as Postfix does.
#pragma once

#include "cleanup/rules.h"
#include "spool/treatment.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cleanup {

// What cannot be taken: the reply to give.
struct Refusal {
    int code = 0;
    std::string dsn, text;
};

// Whom the log lines speak of.
struct Subject {
    std::string id;
    std::string client = "local";           // NAME[ADDRESS]
    std::string sender, recipient;          // the recipient named last
    std::string protocol, helo;             // empty: not named
};

enum class Part { header, body };

class Checks {
public:
    // What becomes of the piece that was looked up.
    struct Result {
        std::vector<std::string> before;        // PREPEND: to stand before it
        bool dropped = false;                   // IGNORE, STRIP
        std::optional<std::string> instead;     // REPLACE
    };

    // All must outlive it. enabled: false when nothing is to be checked.
    // log_prefix: before the action in the log: "milter-header-".
    Checks(const Subject& subject, spool::Treatment& treatment, bool enabled, std::string_view log_prefix = {})
        : subject_(subject), treatment_(treatment), enabled_(enabled), log_prefix_(log_prefix)
    {}

    bool enabled() const { return enabled_; }
    // text: without its last line end, folds as LF. Sets treatment and refusal. A table that fails refuses the message for now.
    Result look(Part part, maps::Maps& table, std::string_view table_name, const std::string& text);
    // What a strict_ parameter or a limit forbids.
    void refuse_mime(std::string_view what, std::string_view text);
    // The first refusal counts.
    void refuse(Refusal refusal);
    const std::optional<Refusal>& refusal() const { return refusal_; }

private:
    struct Found;
    struct Action;
    static const Action* find_action(std::string_view word);
    void log(std::string_view what, const Found& found, std::string_view text) const;

    void reject(const Found& found, Result& result);
    void warn(const Found& found, Result& result);
    void inform(const Found& found, Result& result);
    void filter(const Found& found, Result& result);
    void discard(const Found& found, Result& result);
    void hold(const Found& found, Result& result);
    void prepend(const Found& found, Result& result);
    void replace(const Found& found, Result& result);
    void redirect(const Found& found, Result& result);
    void copy(const Found& found, Result& result);
    void strip(const Found& found, Result& result);
    void pass(const Found& found, Result& result);
    void ignore(const Found& found, Result& result);
    void nothing(const Found&, Result&) {}

    const Subject& subject_;
    spool::Treatment& treatment_;
    bool enabled_;
    std::string_view log_prefix_;
    std::optional<Refusal> refusal_;
};

// The 451 for a table that cannot be read; and for one whose results run wild.
Refusal table_trouble(const std::string& id, const maps::Unavailable& trouble);

} // namespace cleanup
