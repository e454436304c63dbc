#include "retry_rules.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "config/values.h"
#include "mail/address.h"

#include <cmath>
#include <cstdlib>

namespace qmgr {
namespace {

// What the reason of a deferral looks like: how it ended, or to which command the other server said 4xx.
struct ErrorWord {
    std::string_view word, in_text;
};
constexpr ErrorWord error_words[] = {
    {"refused", "Connection refused"},        {"timeout", "timed out"},
    {"lost_connection", "lost connection"},   {"dns", "Host or domain name not found"},
    {"mail_4xx", "in reply to MAIL FROM"},    {"rcpt_4xx", "in reply to RCPT TO"},
    {"data_4xx", "DATA command)"},            {"auth_failed", "SASL authentication failed"},
    {"tls_required", "TLS is required"},
};

bool is_status(std::string_view word)
{
    auto parts = base::split(word, ".");
    if (parts.size() != 3 || parts[0] != "4") return false;
    return std::all_of(parts.begin() + 1, parts.end(), [](std::string_view part) {
        return part == "*" || (part.size() <= 3 && part.find_first_not_of("0123456789") == std::string_view::npos);
    });
}

bool status_fits(std::string_view pattern, std::string_view status)
{
    auto wanted = base::split(pattern, "."), is = base::split(status, ".");
    if (wanted.size() != 3 || is.size() != 3) return false;
    for (size_t i = 0; i < 3; ++i)
        if (wanted[i] != "*" && wanted[i] != is[i]) return false;
    return true;
}

bool error_fits(const std::string& error, std::string_view status, std::string_view text)
{
    if (error == "*") return true;
    for (const ErrorWord& known : error_words)
        if (known.word == error) return text.find(known.in_text) != std::string_view::npos;
    return status_fits(error, status);
}

bool destination_fits(const std::string& wanted, std::string_view recipient, std::string_view domain)
{
    if (wanted == "*") return true;
    if (wanted.front() == '.') return domain.size() > wanted.size() && base::same_word(domain.substr(domain.size() - wanted.size()), wanted);
    return base::same_word(wanted, wanted.find('@') == std::string::npos ? domain : recipient);
}

class Reader {
public:
    Reader(const std::string& file, int line) : file_(file), line_(line) {}

    RetryRule rule(std::string_view text) const
    {
        auto destination = base::cut(text, ' ');
        auto error = base::cut(base::trim(destination.after), ' ');
        RetryRule rule{base::lower(destination.before), base::lower(error.before), {}};
        if (rule.destination.starts_with("*.")) rule.destination.erase(0, 1);
        bool known = rule.error == "*" || is_status(rule.error) ||
                     std::any_of(std::begin(error_words), std::end(error_words), [&](const ErrorWord& one) { return one.word == rule.error; });
        if (!known) fail(fmt::format("\"{}\": expected *, a status such as 4.7.*, or a kind of error such as refused", base::printable(rule.error, 60)));
        for (auto step : base::split(error.after, ";")) rule.steps.push_back(read_step(base::trim(step)));
        if (rule.steps.empty()) fail("expected intervals, such as F,2h,15m; G,16h,1h,1.5");
        for (size_t i = 1; i < rule.steps.size(); ++i)
            if (rule.steps[i].until <= rule.steps[i - 1].until) fail("each step must last longer than the one before it");
        return rule;
    }

private:
    [[noreturn]] void fail(const std::string& what) const { throw config::Error(fmt::format("{}:{}: {}", file_, line_, what)); }

    int64_t time(std::string_view text) const
    {
        auto value = config::to_seconds(base::trim(text));
        if (!value || *value < std::chrono::seconds(1)) fail(fmt::format("\"{}\": expected a time such as 15m", base::printable(text, 60)));
        return std::chrono::duration_cast<std::chrono::seconds>(*value).count();
    }

    RetryStep read_step(std::string_view text) const
    {
        auto parts = base::split(text, ", ");
        bool geometric = !parts.empty() && base::same_word(parts[0], "G");
        if (parts.size() != (geometric ? 4u : 3u) || (!geometric && !base::same_word(parts[0], "F")))
            fail(fmt::format("\"{}\": expected F,until,interval or G,until,first,factor", base::printable(text, 60)));
        RetryStep step{geometric, time(parts[1]), time(parts[2]), 1};
        if (!geometric) return step;
        char* end = nullptr;
        std::string factor(parts[3]);
        step.factor = std::strtod(factor.c_str(), &end);
        if (*end != '\0' || !std::isfinite(step.factor) || step.factor < 1 || step.factor > 100)
            fail(fmt::format("\"{}\": expected a factor from 1 to 100", base::printable(factor, 60)));
        return step;
    }

    const std::string& file_;
    int line_;
};

} // namespace

RetryRules RetryRules::parse(std::string_view text, const std::string& file)
{
    RetryRules rules;
    for (int line = 1; !text.empty(); ++line) {
        auto cut = base::cut(text, '\n');
        text = cut.after;
        std::string one(base::trim(base::cut(cut.before, '#').before));
        std::replace(one.begin(), one.end(), '\t', ' ');
        if (!one.empty()) rules.rules_.push_back(Reader(file, line).rule(one));
    }
    return rules;
}

RetryRules RetryRules::load(const config::Config& config)
{
    if (config.retry_rules.empty()) return {};
    try {
        return parse(base::read_file(config.retry_rules), config.retry_rules);
    } catch (const base::SystemError& failure) {
        throw config::Error(fmt::format("retry_rules: {}", failure.what()));
    }
}

const RetryRule* RetryRules::find(std::string_view recipient, std::string_view status, std::string_view text) const
{
    std::string domain(mail::split_address(recipient).domain);
    for (const RetryRule& rule : rules_)
        if (destination_fits(rule.destination, recipient, domain) && error_fits(rule.error, status, text)) return &rule;
    return nullptr;
}

std::optional<int64_t> next_interval(const RetryRule& rule, int64_t age)
{
    for (const RetryStep& step : rule.steps) {
        if (age >= step.until) continue;
        if (!step.geometric) return step.interval;
        // Tries at first, first * factor … after one another: the interval that follows the age reached so far.
        auto interval = static_cast<double>(step.interval);
        for (double reached = 0; reached + interval <= static_cast<double>(age) && interval < static_cast<double>(step.until); interval *= step.factor)
            reached += interval;
        return static_cast<int64_t>(std::min(interval, static_cast<double>(step.until)));
    }
    return std::nullopt;
}

} // namespace qmgr
