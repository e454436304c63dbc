// sendmail_message: what comes by standard input, made into a message for the letterbox.
#pragma once

#include "sendmail_options.h"

#include "smtp/data.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sendmail {

class TooBig : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Reads a message up to its end: end of file, or a line with only a dot where that counts. limit 0: none. Throws TooBig, base::SystemError.
std::string read_message(int fd, bool dot_ends, uint64_t limit);

// The sender that UUCP's line "From sender date [remote from host]" on top names.
std::optional<std::string> mbox_sender(std::string_view raw);

// The message as it goes on: CRLF, without a leading mbox From line, NULs and (with -t) Bcc; recipients are in `recipients`.
struct Prepared {
    std::string content;
    std::vector<std::string> recipients;        // internal form
    smtp::ContentFacts facts;
};
Prepared prepare(std::string_view raw, const Options& options, const std::string& from_field);

// The SMTP dialogue that hands it over, in one piece: to smtpd, or into a file of maildrop. sender: internal form.
std::string make_dialogue(const Prepared& message, const std::string& sender, const Options& options);

} // namespace sendmail
