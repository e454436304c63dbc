// notice_templates: the words of failure, delay and success notices: the built-in ones, and those of bounce_template_file, in the form of
// Postfix's bounce(5).
#pragma once

#include "config/config.h"

#include <string>
#include <string_view>
#include <vector>

namespace config {

struct NoticeTemplate {
    std::string charset, from, subject;
    std::string postmaster_subject;     // of the copy for the postmaster; empty where there is none
    std::string body;                   // LF line ends, $names not yet expanded
};

struct NoticeTemplates {
    NoticeTemplate failure, delay, success, verify;
};

NoticeTemplates default_notice_templates();
// "name_template = <<WORD", header lines, an empty line, text, WORD. What the text does not give stays as it is by default. Throws Error
// with file and line.
NoticeTemplates parse_notice_templates(std::string_view text, const std::string& file);
// Those of bounce_template_file, or the default. Throws Error when the file can't be read.
NoticeTemplates load_notice_templates(const Config& config);

// The body with $names of main.cf and $delay_warning_time_hours and its kin (seconds, minutes, hours, days, weeks) put in.
std::string expand_notice(const std::string& body, const Config& config);
// As bounce_template_file would have it: what postconf -b and -t print.
std::string notice_templates_text(const NoticeTemplates& templates, const Config* expand_with = nullptr);

} // namespace config
