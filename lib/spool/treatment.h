// treatment: what access tables, header checks and filters decided shall happen to a message beside being delivered.
#pragma once

#include <string>
#include <vector>

namespace spool {

// The actions of access(5) and header_checks(5) that are no verdict. Who decides sets them; smtpd's transaction carries them out when the
// content ends, hold and filter by attributes of the envelope ("hold", "content_filter") that the queue manager obeys.
struct Treatment {
    bool discard = false;               // say 250, keep nothing
    bool hold = false;                  // into the hold queue
    std::string filter;                 // FILTER transport:nexthop, over content_filter; empty: none
    std::string redirect;               // REDIRECT: instead of all recipients
    std::vector<std::string> bcc;       // BCC: beside them
    std::vector<std::string> prepend;   // PREPEND: whole fields, without line end, on top of the message
};

} // namespace spool
