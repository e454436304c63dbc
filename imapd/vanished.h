// vanished: what a client that comes back has missed: expunged messages (RFC 7162 3.2.10.1).
#pragma once

#include "session.h"

namespace imapd {

// "* VANISHED (EARLIER) …" for UIDs in the set that were expunged after that mod-sequence, if there are any. Where so long ago is
// not remembered: all that are not there, as RFC 7162 3.2.6 permits.
void say_vanished(Session& session, uint64_t since, const SequenceSet& uids);

// The same as values: known ascending, expunged null when it is not remembered.
std::vector<Interval> vanished_of(const std::vector<Interval>& wanted, const std::vector<uint32_t>& known,
                                  const std::optional<std::vector<uint32_t>>& expunged);

} // namespace imapd
