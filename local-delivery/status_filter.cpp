#include "status_filter.h"

#include "base/log.h"
#include "base/text.h"

namespace local_delivery {

Report StatusFilter::apply(Report report)
{
    if (tables_.empty()) return report;
    try {
        auto found = tables_.find(report.dsn + " " + report.text);
        if (!found) return report;
        base::Cut words = base::cut(*found, ' ');
        // What was delivered stays delivered, and what was not stays undelivered.
        bool sound = words.before.size() >= 5 && words.before[0] >= '4' && words.before[0] <= '5' && report.dsn[0] != '2';
        if (!sound) return report;
        report.dsn = words.before;
        report.text = base::trim(words.after);
        report.status = report.dsn[0] == '4' ? spool::Outcome::deferred : spool::Outcome::bounced;
    } catch (const maps::Unavailable& failure) {
        base::log::warning("{}_delivery_status_filter: {}", agent_, failure.what());
    }
    return report;
}

} // namespace local_delivery
