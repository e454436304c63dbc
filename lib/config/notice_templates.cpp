#include "config/notice_templates.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "config/error.h"

#include <fmt/format.h>

namespace config {
namespace {

constexpr const char* failure_body = R"(This is the mail system at host $myhostname.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system
)";

constexpr const char* delay_body = R"(This is the mail system at host $myhostname.

Your message has not been delivered yet, after $delay_warning_time_hours hour(s).
YOU NEED NOT SEND IT AGAIN: we go on trying for $maximal_queue_lifetime_days day(s),
and tell you if that fails.

For further assistance, please send mail to postmaster.

                   The mail system
)";

constexpr const char* success_body = R"(This is the mail system at host $myhostname.

Your message was delivered to the destinations below. Where it was passed
on to another mail system, no more may be heard of it unless that system
reports as well.

                   The mail system
)";

constexpr const char* verify_body = R"(This is the mail system at host $myhostname.

Here is the mail delivery status that you asked for.

                   The mail system
)";

struct Name {
    std::string_view word;
    NoticeTemplate NoticeTemplates::*which;
};
constexpr Name names[] = {{"failure_template", &NoticeTemplates::failure},
                          {"delay_template", &NoticeTemplates::delay},
                          {"success_template", &NoticeTemplates::success},
                          {"verify_template", &NoticeTemplates::verify}};

struct Field {
    std::string_view word;
    std::string NoticeTemplate::*which;
};
constexpr Field fields[] = {{"Charset", &NoticeTemplate::charset},
                            {"From", &NoticeTemplate::from},
                            {"Subject", &NoticeTemplate::subject},
                            {"Postmaster-Subject", &NoticeTemplate::postmaster_subject}};

class Reader {
public:
    Reader(std::string_view text, const std::string& file) : file_(file)
    {
        while (!text.empty()) {
            auto cut = base::cut(text, '\n');
            lines_.push_back(cut.before);
            text = cut.after;
        }
    }

    NoticeTemplates read()
    {
        NoticeTemplates templates = default_notice_templates();
        while (at_ < lines_.size()) {
            std::string_view line = base::trim(lines_[at_++]);
            if (line.empty() || line.front() == '#') continue;
            auto cut = base::cut(line, '=');
            std::string_view value = base::trim(cut.after);
            if (!cut.found || value.substr(0, 2) != "<<" || value.size() < 3) fail("expected name_template = <<WORD");
            auto which = named(base::trim(cut.before));
            templates.*which = read_one(base::trim(value.substr(2)));
        }
        return templates;
    }

private:
    [[noreturn]] void fail(const std::string& what) const { throw Error(fmt::format("{}:{}: {}", file_, at_, what)); }

    NoticeTemplate NoticeTemplates::*named(std::string_view word) const
    {
        for (const Name& name : names)
            if (name.word == word) return name.which;
        fail(fmt::format("\"{}\": expected failure_template, delay_template, success_template or verify_template", base::printable(word, 100)));
    }

    NoticeTemplate read_one(std::string_view end)
    {
        NoticeTemplate one;
        one.charset = "us-ascii";
        bool in_header = true;
        while (at_ < lines_.size()) {
            std::string_view line = lines_[at_++];
            if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
            if (line == end) return one;
            if (in_header && base::trim(line).empty())
                in_header = false;
            else if (in_header)
                read_field(one, line);
            else
                one.body.append(line).append("\n");
        }
        fail(fmt::format("the text does not end: expected a line \"{}\"", base::printable(end, 100)));
    }

    void read_field(NoticeTemplate& one, std::string_view line)
    {
        auto cut = base::cut(line, ':');
        for (const Field& field : fields) {
            if (!cut.found || !base::same_word(field.word, base::trim(cut.before))) continue;
            one.*field.which = base::printable(base::trim(cut.after), 500);
            return;
        }
        fail(fmt::format("\"{}\": expected Charset:, From:, Subject:, Postmaster-Subject: or an empty line", base::printable(line, 100)));
    }

    std::vector<std::string_view> lines_;
    const std::string& file_;
    size_t at_ = 0;
};

struct Unit {
    std::string_view suffix;
    int64_t seconds;
};
constexpr Unit units[] = {{"_seconds", 1}, {"_minutes", 60}, {"_hours", 3600}, {"_days", 86400}, {"_weeks", 604800}};
constexpr std::string_view times[] = {"delay_warning_time", "maximal_queue_lifetime"};

} // namespace

NoticeTemplates default_notice_templates()
{
    const std::string from = "MAILER-DAEMON (Mail Delivery System)";
    NoticeTemplates templates;
    templates.failure = {"us-ascii", from, "Undelivered Mail Returned to Sender", "Postmaster Copy: Undelivered Mail", failure_body};
    templates.delay = {"us-ascii", from, "Delayed Mail (still being retried)", "Postmaster Warning: Delayed Mail", delay_body};
    templates.success = {"us-ascii", from, "Successful Mail Delivery Report", "", success_body};
    templates.verify = {"us-ascii", from, "Mail Delivery Status Report", "", verify_body};
    return templates;
}

NoticeTemplates parse_notice_templates(std::string_view text, const std::string& file) { return Reader(text, file).read(); }

NoticeTemplates load_notice_templates(const Config& config)
{
    if (config.bounce_template_file.empty()) return default_notice_templates();
    std::string text;
    try {
        text = base::read_file(config.bounce_template_file);
    } catch (const base::SystemError& failure) {
        throw Error(fmt::format("bounce_template_file: {}", failure.what()));
    }
    return parse_notice_templates(text, config.bounce_template_file);
}

std::string expand_notice(const std::string& body, const Config& config)
{
    std::string text = body;
    for (std::string_view name : times) {
        for (const Unit& unit : units) {
            std::string count = std::to_string(config.seconds(name).count() / 1000 / unit.seconds);
            std::string word = std::string(name) + std::string(unit.suffix);
            for (const auto& form : {"${" + word + "}", "$(" + word + ")", "$" + word}) text = base::replace_all(text, form, count);
        }
    }
    return config.expand(text);
}

std::string notice_templates_text(const NoticeTemplates& templates, const Config* expand_with)
{
    std::string text;
    for (const Name& name : names) {
        const NoticeTemplate& one = templates.*name.which;
        text += fmt::format("{} = <<EOF\nCharset: {}\nFrom: {}\nSubject: {}\n", name.word, one.charset, one.from, one.subject);
        if (!one.postmaster_subject.empty()) text += "Postmaster-Subject: " + one.postmaster_subject + "\n";
        text += "\n" + (expand_with ? expand_notice(one.body, *expand_with) : one.body) + "EOF\n\n";
    }
    return text;
}

} // namespace config
