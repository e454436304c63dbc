#include "concurrency.h"

#include "base/text.h"

#include <cmath>
#include <cstdlib>

namespace qmgr {
namespace {

std::optional<double> number(std::string_view text)
{
    std::string copy(base::trim(text));
    char* end = nullptr;
    double value = std::strtod(copy.c_str(), &end);
    if (copy.empty() || *end != '\0' || !std::isfinite(value) || value < 0) return std::nullopt;
    return value;
}

} // namespace

double Feedback::of(int64_t window) const
{
    auto width = static_cast<double>(std::max<int64_t>(window, 1));
    return divisor == constant ? amount : amount / (divisor == concurrency ? width : std::sqrt(width));
}

Feedback parse_feedback(const std::string& name, std::string_view text)
{
    auto cut = base::cut(text, '/');
    auto amount = number(cut.before);
    Feedback feedback;
    std::string_view divisor = base::trim(cut.after);
    bool good = amount.has_value();
    if (good && cut.found && divisor == "concurrency") {
        feedback.divisor = Feedback::concurrency;
    } else if (good && cut.found && divisor == "sqrt_concurrency") {
        feedback.divisor = Feedback::root;
    } else if (good && cut.found) {
        auto below = number(divisor);
        good = below && *below > 0;
        if (good) *amount /= *below;
    }
    if (!good || *amount > 1)
        throw config::Error(fmt::format("{}: \"{}\": expected a number up to 1, number/number, number/concurrency or number/sqrt_concurrency", name,
                                        base::printable(text, 100)));
    feedback.amount = *amount;
    return feedback;
}

void Concurrency::succeeded(int64_t in_flight)
{
    cohorts_ = 0;
    // A window that is not used up teaches nothing about a larger one.
    if (window_ >= rules_.most || in_flight + 1 < window_) return;
    credit_ = std::max(credit_, 0.0) + rules_.positive.of(window_);
    while (credit_ >= 1 && window_ < rules_.most) {
        ++window_;
        credit_ -= 1;
    }
}

bool Concurrency::failed(int64_t in_flight)
{
    cohorts_ += 1.0 / static_cast<double>(std::max<int64_t>(window_, 1));
    // Fractions such as ten tenths must add up to one.
    constexpr double rounding = 1e-6;
    if (rules_.failed_cohorts > 0 && cohorts_ + rounding >= rules_.failed_cohorts) return true;
    window_ = std::max<int64_t>(1, std::min(window_, in_flight + 1));
    credit_ = std::min(credit_, 0.0) - rules_.negative.of(window_);
    while (credit_ < 0 && window_ > 1) {
        --window_;
        credit_ += 1;
    }
    return false;
}

void Concurrency::start_again(int64_t window)
{
    window_ = std::clamp<int64_t>(window, 1, rules_.most);
    credit_ = cohorts_ = 0;
}

} // namespace qmgr
