#include "qshape_table.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace qshape {
namespace {

constexpr size_t least_name_width = 15;

std::string domain_of(std::string_view address)
{
    auto cut = base::cut_last(address, '@');
    if (address.empty()) return "MAILER-DAEMON";
    return cut.found ? base::printable(base::lower(cut.after), 300) : "localhost";
}

} // namespace

Table::Table(const Shape& shape, int64_t now) : shape_(shape), now_(now), total_(static_cast<size_t>(shape.buckets) + 1)
{
    int64_t minutes = shape.bucket_minutes;
    for (int i = 1; i < shape.buckets; ++i) {
        limits_.push_back(minutes);
        minutes = shape.linear ? minutes + shape.bucket_minutes : std::min<int64_t>(minutes * 2, 1000000000);
    }
}

void Table::count(std::string_view address, size_t bucket)
{
    auto add = [&](Counts& counts) {
        counts.resize(total_.size());
        ++counts[0];
        ++counts[bucket + 1];
    };
    add(total_);
    std::string domain = domain_of(address);
    add(rows_[domain]);
    if (!shape_.parents) return;
    // Not the top level: ".com" tells nothing.
    std::string_view rest = domain;
    for (size_t dot; (dot = rest.find('.')) != rest.npos && rest.find('.', dot + 1) != rest.npos;) {
        rest.remove_prefix(dot + 1);
        std::string parent = "." + std::string(rest);
        add(rows_[parent]);
        subdomains_[parent].insert(domain);
    }
}

void Table::add(const spool::ListedMessage& message)
{
    int64_t seconds = std::max<int64_t>(now_ - message.arrival, 0);
    size_t bucket = 0;
    while (bucket < limits_.size() && seconds > limits_[bucket] * 60) ++bucket;
    if (shape_.by_sender) return count(message.sender, bucket);
    for (const auto& recipient : message.recipients) count(recipient.address, bucket);
}

std::string Table::line(std::string name, const std::vector<std::string>& cells, const std::vector<size_t>& widths) const
{
    size_t taken = 0;
    for (size_t width : widths) taken += width + 1;
    size_t wide = static_cast<size_t>(shape_.width);
    size_t room = wide > taken + least_name_width ? wide - taken : least_name_width;
    if (name.size() > room) name = "+" + name.substr(name.size() - room + 1);     // the end of a domain says more than its beginning
    std::string text = fmt::format("{:>{}}", name, room);
    for (size_t i = 0; i < cells.size(); ++i) text += fmt::format(" {:>{}}", cells[i], widths[i]);
    return text + "\n";
}

std::string Table::text() const
{
    std::vector<std::string> heads = {"T"};
    for (int64_t limit : limits_) heads.push_back(std::to_string(limit));
    heads.push_back(limits_.empty() ? "0+" : std::to_string(limits_.back()) + "+");
    std::vector<size_t> widths;
    for (size_t i = 0; i < heads.size(); ++i) widths.push_back(std::max(heads[i].size(), std::to_string(total_[i]).size()));
    auto cells = [](const Counts& counts) {
        std::vector<std::string> texts;
        for (uint64_t count : counts) texts.push_back(std::to_string(count));
        return texts;
    };
    std::string text = line("", heads, widths) + line("TOTAL", cells(total_), widths);
    std::vector<const std::pair<const std::string, Counts>*> order;
    for (const auto& row : rows_) {
        auto below = subdomains_.find(row.first);
        if (below != subdomains_.end() && static_cast<int>(below->second.size()) < shape_.least_subdomains) continue;
        order.push_back(&row);
    }
    auto before = [](const auto* a, const auto* b) { return a->second[0] != b->second[0] ? a->second[0] > b->second[0] : a->first < b->first; };
    std::sort(order.begin(), order.end(), before);
    for (const auto* row : order) text += line(row->first, cells(row->second), widths);
    return text;
}

} // namespace qshape
