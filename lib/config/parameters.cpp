#include "config/parameters.h"

#include <algorithm>
#include <array>

namespace config {
namespace {

constexpr Row rows[] = {
#define PARAMETER(kind, name, initial, min, max, owner, text)                                                          \
    {#name, Type::kind, initial, min, max, #owner, text, true},
#define BY_NAME(kind, name, initial, min, max, owner, text) {#name, Type::kind, initial, min, max, #owner, text, true},
#define KNOWN(kind, name, initial, min, max, owner, text) {#name, Type::kind, initial, min, max, #owner, text, false},
#include "config/parameters.def"
#undef PARAMETER
#undef BY_NAME
#undef KNOWN
};

constexpr auto by_name(const Row& a, const Row& b) { return a.name < b.name; }

struct Suffix {
    std::string_view suffix, initial;
    Type type;
};

constexpr Suffix suffixes[] = {
    {"_initial_destination_concurrency", "$initial_destination_concurrency", Type::Number},
    {"_destination_concurrency_limit", "$default_destination_concurrency_limit", Type::Number},
    {"_destination_recipient_limit", "$default_destination_recipient_limit", Type::Number},
    {"_destination_concurrency_failed_cohort_limit", "$default_destination_concurrency_failed_cohort_limit",
     Type::Number},
    {"_destination_concurrency_negative_feedback", "$default_destination_concurrency_negative_feedback", Type::Text},
    {"_destination_concurrency_positive_feedback", "$default_destination_concurrency_positive_feedback", Type::Text},
    {"_destination_rate_delay", "$default_destination_rate_delay", Type::Seconds},
    {"_transport_rate_delay", "$default_transport_rate_delay", Type::Seconds},
    {"_delivery_slot_cost", "$default_delivery_slot_cost", Type::Number},
    {"_delivery_slot_discount", "$default_delivery_slot_discount", Type::Number},
    {"_delivery_slot_loan", "$default_delivery_slot_loan", Type::Number},
    {"_minimum_delivery_slots", "$default_minimum_delivery_slots", Type::Number},
    {"_extra_recipient_limit", "$default_extra_recipient_limit", Type::Number},
    {"_recipient_limit", "$default_recipient_limit", Type::Number},
    {"_recipient_refill_delay", "$default_recipient_refill_delay", Type::Seconds},
    {"_recipient_refill_limit", "$default_recipient_refill_limit", Type::Number},
    {"_time_limit", "$command_time_limit", Type::Seconds},
};

} // namespace

std::span<const Row> table()
{
    static const auto sorted = [] {
        auto copy = std::to_array(rows);
        std::sort(copy.begin(), copy.end(), by_name);
        return copy;
    }();
    return sorted;
}

const Row* find_row(std::string_view name)
{
    auto all = table();
    auto found = std::lower_bound(all.begin(), all.end(), name,
                                  [](const Row& row, std::string_view key) { return row.name < key; });
    return found != all.end() && found->name == name ? &*found : nullptr;
}

std::string_view type_name(Type type)
{
    switch (type) {
    case Type::Text: return "text";
    case Type::RawText: return "text, its $names filled in when it is used";
    case Type::Flag: return "yes or no";
    case Type::Number: return "a whole number";
    case Type::Seconds: return "a time: a number and one of s m h d w";
    case Type::List: return "a list, separated by commas or white space";
    }
    return "";
}

std::optional<ServiceParameter> service_parameter(std::string_view name)
{
    for (const Suffix& known : suffixes) {
        if (name.size() <= known.suffix.size() || !name.ends_with(known.suffix)) continue;
        return ServiceParameter{name.substr(0, name.size() - known.suffix.size()), known.suffix, known.initial,
                                known.type};
    }
    return std::nullopt;
}

std::vector<std::string> service_parameter_names(std::string_view service)
{
    std::vector<std::string> names;
    for (const Suffix& known : suffixes) names.push_back(std::string(service).append(known.suffix));
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace config
