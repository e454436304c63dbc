#include "commands.h"

#include "base/text.h"

namespace pop3d {
namespace {

// RFC 1939 5, 6 and 7; CAPA RFC 2449 5; LANG RFC 6856 3; LAST RFC 1460.
constexpr Command table[] = {
    {"STAT", cmd_stat}, {"LIST", cmd_list}, {"UIDL", cmd_uidl}, {"RETR", cmd_retr}, {"TOP", cmd_top},
    {"DELE", cmd_dele}, {"RSET", cmd_rset}, {"NOOP", cmd_noop}, {"CAPA", cmd_capa}, {"LANG", cmd_lang}, {"LAST", cmd_last}, {"QUIT", cmd_quit},
};

} // namespace

const Command* find_command(std::string_view name)
{
    for (const Command& command : table)
        if (base::same_word(command.name, name)) return &command;
    return nullptr;
}

void Arguments::end() const
{
    if (!base::trim(left_).empty()) throw Bad("Too many arguments.");
}

uint64_t Arguments::number()
{
    auto word = base::cut(base::trim_left(left_), ' ');
    auto value = base::number<uint32_t>(word.before);
    if (!value) throw Bad("Expected a number.");
    left_ = base::trim_left(word.after);
    return *value;
}

Message& Arguments::message(Session& session, size_t* number_out)
{
    uint64_t wanted = number();
    if (wanted == 0 || wanted > session.messages.size()) throw Bad(fmt::format("There's no message {}.", wanted));
    Message& message = session.messages[wanted - 1];
    if (message.deleted) throw Bad("Message is deleted.");
    if (number_out) *number_out = wanted;
    return message;
}

} // namespace pop3d
