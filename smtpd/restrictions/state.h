// state: what the restriction lists remember of a session from one command to the next.
#pragma once

#include "smtp/reply.h"
#include "spool/treatment.h"

namespace smtpd::restrictions {

// A passing fault that kept a list from deciding: the first one is what the client is told in the end.
struct Postponed {
    bool active = false;
    smtp::Reply reply;
};

struct State {
    // Faults that stood in the way of a refusal, as they were after each list: the next list takes them over.
    Postponed after_client, after_helo, after_sender;
    spool::Treatment before_mail;       // decided before MAIL, where smtpd_delay_reject is off: for the message that comes next
    bool denied = false;                // refused at the greeting: nothing but QUIT is served
};

} // namespace smtpd::restrictions
