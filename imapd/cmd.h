// cmd: the commands, each in its file or beside its closest relative.
#pragma once

#include "session.h"

namespace imapd {

async::Task<Tagged> cmd_capability(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_noop(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_logout(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_id(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_enable(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_select(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_examine(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_create(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_delete(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_rename(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_subscribe(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_unsubscribe(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_list(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_lsub(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_namespace(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_status(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_append(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_getmetadata(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_setmetadata(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_idle(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_compress(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_check(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_close(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_unselect(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_expunge(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_search(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_sort(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_thread(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_fetch(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_store(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_copy(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_move(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_replace(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_replace(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_expunge(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_search(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_sort(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_thread(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_fetch(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_store(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_copy(Session& session, Arguments& arguments);
async::Task<Tagged> cmd_uid_move(Session& session, Arguments& arguments);

} // namespace imapd
