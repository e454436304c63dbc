// report: the text of a notice to the sender, in words and in the machine-readable form of RFC 3464 (RFC 6533 for addresses beyond ASCII).
#pragma once

#include "message.h"

#include "config/notice_templates.h"

#include <string>
#include <vector>

namespace qmgr {

enum class NoticeKind { failure, delay, success };

struct Notice {
    NoticeKind kind = NoticeKind::failure;
    std::vector<uint32_t> recipients;       // those it tells of, by number
    std::string id;                         // queue id of the notice
    std::string to;                         // who is told
    bool postmaster_copy = false;
    bool whole_message = true;              // else its headers alone are returned
    std::string in_reply_to;                // Message-ID of the original, for threads; empty: none
};

// Headers and body, CRLF line ends. `original` is the message's content, already cut to what shall be returned.
std::string write_notice(const config::Config& config, const config::NoticeTemplates& templates, const Message& message, const Notice& notice,
                         std::string_view original);

} // namespace qmgr
