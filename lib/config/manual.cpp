#include "config/manual.h"

#include "config/parameters.h"

#include "base/text.h"

#include <fmt/format.h>

namespace config {
namespace {

constexpr std::string_view head = R"(.TH MAIN.CF 5 "" "Rookpost {}" "File formats"
.SH NAME
main.cf \- the parameters of the mail system
.SH SYNOPSIS
.B postconf
.I parameter
\&...
.br
.B postconf \-e
.IR parameter = value
\&...
.SH DESCRIPTION
The file
.I main.cf
in the configuration folder
.RI ( /etc/rookpost ,
else
.IR /etc/postfix ,
or what the environment says in MAIL_CONFIG) holds the settings of all programs of the mail system. Every parameter has a default;
only what differs from it needs to be set. Names, defaults and meanings are those of Postfix 3.9 wherever it has the parameter, and
those of Dovecot for its settings.
.SS Form
.IP \(bu 2
A line has the form
.IR "name " = " value" .
White space around name and value does not count.
.IP \(bu 2
A line that begins with white space continues the one above.
.IP \(bu 2
Empty lines, and lines whose first character other than white space is #, are comments, also between the lines of a value. A # behind a
value is a part of the value.
.IP \(bu 2
When a name is set twice, the last one counts and a warning says so.
.SS Values
.TP
.IR $name ", " ${{name}} ", " $(name)
The value of another parameter, or of a name of your own. $$ is a dollar sign.
.TP
.IR ${{name?text}} ", " ${{name?{{text}}}}
The text, if the value of the parameter is not empty.
.TP
.IR ${{name:text}} ", " ${{name:{{text}}}}
The text, if the value of the parameter is empty or nobody set it.
.TP
.IR ${{name?{{text}}:{{other}}}}
One of two texts.
.TP
.IR "${{{{a}} == {{b}} ? {{text}} : {{other}}}}"
One of two texts, by a comparison: ==, !=, <, <=, >=, >. Two numbers are compared as numbers. Followed by the word
.I level
(<=level) the comparison is one of compatibility levels such as 3.6.
.SS Types
.TP
yes or no
One of these words, in small or capital letters.
.TP
number
A whole number.
.TP
time
A number and a letter: s seconds, m minutes, h hours, d days, w weeks. Without a letter, the unit is that of the default.
.TP
list
Words separated by commas or white space. What stands in {{ }} is one word.
.TP
text
Anything, on one logical line.
.SS Mistakes
A value that is no value of its type, or that is out of its bounds, stops the program that reads it, with the name of the file and the
number of the line. A name that nobody knows is named in a warning, and so is a parameter that is accepted but not carried out yet.
)";

constexpr std::string_view service_parameters = R"(.SH PARAMETERS OF A SERVICE
The delivery services in master.cf have parameters that begin with the name of the service. Their defaults are the parameters in
parentheses.
)";

constexpr std::string_view tail = R"(.SH SEE ALSO
.BR postconf (1),
.BR master.cf (5)
)";

std::string_view short_type(Type type)
{
    switch (type) {
    case Type::Flag: return "yes or no";
    case Type::Number: return "number";
    case Type::Seconds: return "time";
    case Type::List: return "list";
    case Type::Text:
    case Type::RawText: return "text";
    }
    return "";
}

std::string bounds(const Row& row)
{
    if (row.type != Type::Number && row.type != Type::Seconds) return "";
    std::string text;
    if (!row.min.empty() && row.min != "0") text += fmt::format(", at least {}", row.min);
    if (!row.max.empty()) text += fmt::format(", at most {}", row.max);
    return text;
}

std::string_view computed_default(std::string_view name)
{
    if (name == "myhostname") return "the full name of this machine";
    if (name == "mydomain") return "$myhostname without its first label";
    if (name == "mynetworks") return "by mynetworks_style";
    if (name == "config_directory") return "the folder of main.cf";
    if (name == "process_name" || name == "service_name" || name == "process_id") return "what the running program is";
    return "";
}

std::string entry(const Row& row)
{
    std::string_view initial = computed_default(row.name);
    if (initial.empty()) initial = row.initial.empty() ? "empty" : row.initial;
    std::string text = fmt::format(".TP\n.B {}\n({}{}; default: {})\n.br\n{}\n", row.name, short_type(row.type),
                                   bounds(row), roff(initial), roff(row.text));
    if (row.type == Type::RawText) text += "The $names in it are filled in when it is used.\n";
    if (!row.carried_out) text += ".br\nAccepted, but not carried out yet.\n";
    return text;
}

} // namespace

std::string roff(std::string_view text)
{
    std::string safe;
    bool line_start = true;
    for (char c : text) {
        if (line_start && (c == '.' || c == '\'')) safe += "\\&";
        if (c == '\\')
            safe += "\\e";
        else if (c == '-')
            safe += "\\-";
        else
            safe += c;
        line_start = c == '\n';
    }
    return safe;
}

std::string manual()
{
    std::string page = fmt::format(head, ROOKPOST_VERSION);
    page += ".SH PARAMETERS\n";
    for (const Row& row : table()) page += entry(row);
    page += service_parameters;
    for (const std::string& name : service_parameter_names("SERVICE"))
        page += fmt::format(".TP\n.B {}\n({}: {})\n", name, short_type(service_parameter(name)->type),
                            roff(service_parameter(name)->initial.substr(1)));
    page += tail;
    return page;
}

std::string manual_section(std::string_view owner)
{
    std::string section;
    for (const Row& row : table())
        if (row.owner == owner) section += entry(row);
    return section.empty() ? section : ".SH PARAMETERS\n" + section;
}

} // namespace config
