// news: what happened in the selected mailbox since the client last heard of it, told in untagged lines.
#pragma once

#include "session.h"

namespace imapd {

// RFC 3501 7.4.1: no EXPUNGE while FETCH, STORE or SEARCH is answered, or the client's numbers would slip under its
// hands.
enum class News { none, no_expunge, all };

// Gathers the lines; the caller flushes at the end.
async::Task<> tell_news(Session& session, News which);

// "FLAGS (\Seen $Junk)" of the selected mailbox.
std::string flags_text(const Session& session, store::Flags flags);
// "MODSEQ (7) " for a FETCH answer, as of the last note_changes(); empty for a client without CONDSTORE.
std::string modseq_text(Session& session, uint32_t uid);
// The lines "* FLAGS (…)" and "* OK [PERMANENTFLAGS (…)]".
void say_flags(Session& session);

} // namespace imapd
