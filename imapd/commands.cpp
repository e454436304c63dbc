#include "commands.h"

#include "cmd.h"

#include "base/text.h"

namespace imapd {

namespace {

constexpr bool anytime = false, selected = true;

constexpr Command commands[] = {
    // RFC 3501 6.1: in any state
    {"CAPABILITY", anytime, News::no_expunge, cmd_capability},
    {"NOOP", anytime, News::all, cmd_noop},
    {"LOGOUT", anytime, News::none, cmd_logout},
    {"ID", anytime, News::no_expunge, cmd_id},
    // 6.3: logged in
    {"ENABLE", anytime, News::no_expunge, cmd_enable},
    {"SELECT", anytime, News::none, cmd_select},
    {"EXAMINE", anytime, News::none, cmd_examine},
    {"CREATE", anytime, News::all, cmd_create},
    {"DELETE", anytime, News::all, cmd_delete},
    {"RENAME", anytime, News::all, cmd_rename},
    {"SUBSCRIBE", anytime, News::all, cmd_subscribe},
    {"UNSUBSCRIBE", anytime, News::all, cmd_unsubscribe},
    {"LIST", anytime, News::all, cmd_list},
    {"LSUB", anytime, News::all, cmd_lsub},
    {"NAMESPACE", anytime, News::all, cmd_namespace},
    {"STATUS", anytime, News::all, cmd_status},
    {"APPEND", anytime, News::all, cmd_append},
    {"GETMETADATA", anytime, News::all, cmd_getmetadata},
    {"SETMETADATA", anytime, News::all, cmd_setmetadata},
    {"IDLE", anytime, News::all, cmd_idle},
    {"COMPRESS", anytime, News::none, cmd_compress},
    // 6.4: a mailbox is selected
    {"CHECK", selected, News::all, cmd_check},
    {"CLOSE", selected, News::none, cmd_close},
    {"UNSELECT", selected, News::none, cmd_unselect},
    {"EXPUNGE", selected, News::all, cmd_expunge},
    {"SEARCH", selected, News::no_expunge, cmd_search},
    {"SORT", selected, News::no_expunge, cmd_sort},
    {"THREAD", selected, News::no_expunge, cmd_thread},
    {"FETCH", selected, News::no_expunge, cmd_fetch},
    {"STORE", selected, News::no_expunge, cmd_store},
    {"COPY", selected, News::all, cmd_copy},
    {"MOVE", selected, News::all, cmd_move},
    {"REPLACE", selected, News::all, cmd_replace},
    {"UID REPLACE", selected, News::all, cmd_uid_replace},
    {"UID EXPUNGE", selected, News::all, cmd_uid_expunge},
    {"UID SEARCH", selected, News::all, cmd_uid_search},
    {"UID SORT", selected, News::all, cmd_uid_sort},
    {"UID THREAD", selected, News::all, cmd_uid_thread},
    {"UID FETCH", selected, News::all, cmd_uid_fetch},
    {"UID STORE", selected, News::all, cmd_uid_store},
    {"UID COPY", selected, News::all, cmd_uid_copy},
    {"UID MOVE", selected, News::all, cmd_uid_move},
};

} // namespace

const Command* find_command(std::string_view name)
{
    for (const Command& command : commands)
        if (base::same_word(command.name, name)) return &command;
    return nullptr;
}

} // namespace imapd
