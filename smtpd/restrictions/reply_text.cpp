#include "restrictions/reply_text.h"

#include "description.h"
#include "restrictions/rules.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "config/expand.h"

namespace smtpd::restrictions {
namespace {

// C's escapes, as smtpd_expansion_filter is written: \t, \40, \\.
std::string unescape(std::string_view text)
{
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            plain += text[i];
            continue;
        }
        char next = text[++i];
        if (next >= '0' && next <= '7') {
            int value = 0;
            size_t end = std::min(i + 3, text.size());
            for (; i < end && text[i] >= '0' && text[i] <= '7'; ++i) value = value * 8 + (text[i] - '0');
            --i;
            plain += static_cast<char>(value);
            continue;
        }
        plain += next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : next;
    }
    return plain;
}

std::string filtered(std::string value, const std::string& allowed)
{
    for (char& c : value)
        if (allowed.find(c) == std::string::npos) c = '_';
    return value;
}

} // namespace

std::string fill_in(const Session& session, const std::optional<std::string>& sender, const std::optional<std::string>& recipient,
                    const std::string& text, const Names& names)
{
    Asked asked{sender.value_or(""), recipient.value_or(""), "", ""};
    std::string allowed = unescape(session.config.smtpd_expansion_filter);
    auto value_of = [&](std::string_view name) -> std::optional<std::string> {
        auto found = names.find(name);
        auto value = found != names.end() ? std::optional(found->second) : describe(session, asked, name);
        if (!value) return std::nullopt;
        // Nothing that a stranger says is a name in its turn.
        return base::replace_all(filtered(*value, allowed), "$", "$$");
    };
    try {
        return config::expand(text, value_of);
    } catch (const config::Error& error) {
        base::log::warning("\"{}\": {}", base::printable(text, 200), error.what());
        return text;
    }
}

void add_footer(Session& session, smtp::Reply& reply)
{
    if (reply.code < 400) return;
    auto& maps = session.service.restriction_lists.reject_footers;
    const std::string& general = session.config.smtpd_reject_footer;
    if (maps.empty() && general.empty()) return;
    std::string text = general;
    if (!maps.empty()) {
        try {
            if (auto found = maps.find(reply.line())) text = *found;
        } catch (const maps::Unavailable& trouble) {
            base::log::warning("smtpd_reject_footer_maps: {}", trouble.what());
        }
    }
    if (text.empty()) return;
    // "\c" at the beginning: in the same line; "\n": a new one.
    bool same_line = text.starts_with("\\c");
    if (same_line) text.erase(0, 2);
    auto sender = session.mail ? std::optional(session.mail->mail.sender.address) : std::nullopt;
    text = fill_in(session, sender, std::nullopt, base::replace_all(text, "\\n", "\n"));
    reply.text += (same_line ? "" : "\n") + text;
}

} // namespace smtpd::restrictions
