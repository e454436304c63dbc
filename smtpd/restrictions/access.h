// access: the right side of an access(5) table: a verdict, something to be done with the message, or a list of restrictions.
#pragma once

#include "restrictions/rules.h"

namespace smtpd::restrictions {

// One look-up in one table for one word of a list.
struct TableQuestion {
    const Step& step;
    std::string_view table_word;    // what a table alone means in a list that the table names
    Subject subject;
    std::string_view guard = {};    // a word whose tables must not permit; empty: it may
    std::string target = {};        // for that complaint: what was looked at
};

// What a table says; nothing: the key is not in it. A table that fails is "451 4.3.5 Server configuration error".
std::optional<Result> look_up(Inquiry& inquiry, const TableQuestion& question, const std::string& key, maps::Key kind);
std::optional<Result> look_up_domain(Inquiry& inquiry, const TableQuestion& question, std::string_view domain);
std::optional<Result> look_up_network(Inquiry& inquiry, const TableQuestion& question, std::string_view address);
// address: as the router resolved it.
std::optional<Result> look_up_address(Inquiry& inquiry, const TableQuestion& question, std::string_view address);

// Carries out a right side.
Result obey(Inquiry& inquiry, const TableQuestion& question, std::string_view key, const std::string& value);

} // namespace smtpd::restrictions
