// attributes: how a line of master.cf says what pipe(8) is to do: flags=, user=, argv= and the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace local_delivery {

struct PipeAttributes {
    bool blank_line_at_end = false;     // B
    bool delivered_to = false;          // D: a Delivered-To field, and no loops
    bool from_line = false;             // F
    bool original_to = false;           // O: an X-Original-To field
    bool return_path = false;           // R
    bool final_delivery = false;        // X: success is "delivered" and not "relayed"
    bool fold_domain = false;           // h
    bool quote = false;                 // q: local parts as RFC 5322 writes them
    bool fold_user = false;             // u
    bool dot_lines = false;             // .: a dot before lines that begin with one
    bool quote_from = false;            // >: a > before lines that begin with "From "

    std::string user, group;            // group is empty where only the user is named
    std::string directory;              // empty: the queue folder
    std::string chroot;
    std::string eol = "\n";
    std::string null_sender = "MAILER-DAEMON";
    uint64_t size_limit = 0;            // bytes; 0: none
    std::vector<std::string> argv;
};

// The words behind "pipe" in master.cf. Throws config::Error, which says what was expected.
PipeAttributes parse_pipe_attributes(const std::vector<std::string>& words);

// \r \n \t \a \b \f \v \\ and \ooo. Throws config::Error.
std::string unescape(std::string_view text);

} // namespace local_delivery
