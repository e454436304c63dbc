// news: what happened in the selected mailbox since the client last heard of it, told in untagged lines.
#pragma once

#include "session.h"

namespace imapd {

// RFC 3501 7.4.1: no EXPUNGE while FETCH, STORE or SEARCH is answered, or the client's numbers would slip under its
// hands.
enum class News { none, no_expunge, all };

// Gathers the lines; the caller flushes at the end.
async::Task<> tell_news(Session& session, News which);

// "FLAGS (\Seen $Junk)"
std::string flags_text(const store::Mailbox& box, store::Flags flags);
// The lines "* FLAGS (…)" and "* OK [PERMANENTFLAGS (…)]".
void say_flags(Session& session);

} // namespace imapd
