#include "editing.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"

#include <algorithm>

namespace smtp_client {
namespace {

constexpr size_t logged_text = 60;

constexpr std::string_view address_fields[] = {
    "From", "Sender", "Reply-To", "Resent-From", "Resent-Sender", "Resent-Reply-To", "Return-Path", "Errors-To",
    "Return-Receipt-To", "Disposition-Notification-To", "To", "Cc", "Bcc", "Apparently-To", "Resent-To", "Resent-Cc", "Resent-Bcc"};

bool has_addresses(std::string_view name)
{
    return std::any_of(std::begin(address_fields), std::end(address_fields),
                       [&](std::string_view each) { return base::same_word(each, name); });
}

// "a@b, Group: c@d;"
std::string write_list(const std::vector<mail::Address>& addresses)
{
    std::string text;
    bool first = true;
    for (const auto& each : addresses) {
        if (each.kind == mail::Address::Kind::group_end) {
            text += ';';
            first = false;
            continue;
        }
        if (!std::exchange(first, false)) text += ", ";
        if (each.kind == mail::Address::Kind::group_begin) {
            text += mail::write_phrase(each.name) + ": ";
            first = true;
        } else {
            text += mail::write_address(each, true);
        }
    }
    return text;
}

} // namespace

void rewrite_addresses(Tables& tables, std::string& field)
{
    size_t length = mail::field_name_length(field), colon = field.find(':');
    std::string name = field.substr(0, length);
    if (length == 0 || !has_addresses(name)) return;
    auto addresses = mail::parse_addresses(std::string_view(field).substr(colon + 1));
    bool changed = false;
    for (auto& each : addresses) {
        if (each.kind != mail::Address::Kind::mailbox || each.domain.empty()) continue;
        std::string inside = each.internal(), outside = tables.outside(inside);
        if (outside == inside) continue;
        auto parts = mail::split_address(outside);
        each.local = parts.local;
        each.domain = parts.domain;
        each.route.clear();
        changed = true;
    }
    if (!changed) return;
    field = base::replace_all(mail::fold_field(name, write_list(addresses)), "\r\n", "\n");
    while (field.ends_with('\n')) field.pop_back();
}

bool TableEditor::header(HeaderKind kind, std::string& field, std::string& before)
{
    maps::Maps& table = kind == HeaderKind::primary ? tables_.header_checks
                        : kind == HeaderKind::mime  ? tables_.mime_header_checks
                                                    : tables_.nested_header_checks;
    if (!check(table, "header", field, before)) return false;
    if (kind == HeaderKind::primary && tables_.rewrites()) rewrite_addresses(tables_, field);
    return true;
}

bool TableEditor::body(std::string& line, std::string& before) { return check(tables_.body_checks, "body", line, before); }

// False: it is left out. The actions of header_checks(5) that change something; the others are for mail that comes in.
bool TableEditor::check(maps::Maps& table, const char* where, std::string& text, std::string& before)
{
    if (table.empty()) return true;
    auto found = table.find(text);
    if (!found) return true;
    auto cut = base::cut(base::trim(*found), ' ');
    std::string_view argument = base::trim(cut.after);
    auto is = [&](std::string_view word) { return base::same_word(cut.before, word); };
    auto log = [&](const char* action) {
        std::string colon = argument.empty() ? "" : ": ";
        base::log::info("{}: {}: {} {}{}{}", queue_id_, action, where, base::printable(text.substr(0, logged_text)), colon,
                        base::printable(argument));
    };
    if (is("DUNNO") || is("OK")) return true;
    if (is("IGNORE")) return false;
    if (is("STRIP")) {
        log("strip");
        return false;
    }
    if (is("INFO")) {
        log("info");
    } else if (is("WARN")) {
        log("warning");
    } else if (is("PREPEND") && !argument.empty()) {
        log("prepend");
        before = argument;
    } else if (is("REPLACE") && !argument.empty()) {
        log("replace");
        text = argument;
    } else {
        base::log::warning("{}: unsupported command in {} map: {}", queue_id_, where, base::printable(*found, 200));
    }
    return true;
}

} // namespace smtp_client
