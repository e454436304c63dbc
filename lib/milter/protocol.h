// protocol: the Milter protocol, versions 2 to 6, as bytes: what a mail server sends to a mail filter, and what the filter answers.
// Grammar only. The rules are Sendmail's libmilter/docs and include/libmilter/mfdef.h; there is no RFC.
//
// A packet is a length (4 bytes, big endian, of what follows), a letter, and data. Texts end with a NUL byte.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace milter {

// The filter does not speak the protocol.
class Malformed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class Command : char {
    abort = 'A',
    body = 'B',
    connect = 'C',
    macros = 'D',
    end_of_message = 'E',
    helo = 'H',
    header = 'L',
    mail = 'M',
    end_of_header = 'N',
    negotiate = 'O',
    quit = 'Q',
    rcpt = 'R',
    data = 'T',
    unknown = 'U',
};
const char* name_of(Command command);       // "SMFIC_CONNECT", for the log

// What a filter may do to a message.
enum Action : uint32_t {
    add_headers = 0x1,
    change_body = 0x2,
    add_recipients = 0x4,
    delete_recipients = 0x8,
    change_headers = 0x10,
    quarantine = 0x20,
    change_sender = 0x40,
    add_recipients_with_arguments = 0x80,
    set_macro_lists = 0x100,
};

// What it does not want to be sent, or does not answer.
enum Step : uint32_t {
    no_connect = 0x1,
    no_helo = 0x2,
    no_mail = 0x4,
    no_rcpt = 0x8,
    no_body = 0x10,
    no_headers = 0x20,
    no_end_of_header = 0x40,
    no_reply_header = 0x80,
    no_unknown = 0x100,
    no_data = 0x200,
    may_skip = 0x400,                       // answers SKIP: no more of this kind
    wants_rejected_recipients = 0x800,
    no_reply_connect = 0x1000,
    no_reply_helo = 0x2000,
    no_reply_mail = 0x4000,
    no_reply_rcpt = 0x8000,
    no_reply_data = 0x10000,
    no_reply_unknown = 0x20000,
    no_reply_end_of_header = 0x40000,
    no_reply_body = 0x80000,
    keeps_leading_space = 0x100000,         // of a header's value, behind the colon
};

// The moments that macros are sent with; the numbers are those of a negotiated list.
enum class Moment : uint8_t { connect, helo, mail, rcpt, data, end_of_message, end_of_header, unknown };
inline constexpr size_t moments = 8;
using MacroNames = std::array<std::vector<std::string>, moments>;

// What a version of the protocol can say: actions and steps to offer in it.
struct Offer {
    uint32_t version = 6, actions = 0, steps = 0;
};
Offer offer_of(uint32_t version);

// What was agreed.
struct Agreement {
    uint32_t version = 2, actions = 0, steps = 0;
    std::vector<std::pair<Moment, std::vector<std::string>>> macro_lists;   // which macros it wants at that moment
};

// Answers that end an event.
enum class Verdict : char {
    accept = 'a',
    conn_fail = 'f',
    go_on = 'c',
    discard = 'd',
    progress = 'p',         // ask again for patience: no verdict yet
    reject = 'r',
    reply_code = 'y',       // Answer::text is the reply: "550 5.7.1 text"
    shutdown = '4',
    skip = 's',
    tempfail = 't',
};

// Answers at the end of the message that change it, before the verdict.
struct AddHeader {
    std::string name, value;
};
struct InsertHeader {
    uint32_t index = 0;     // before the field at that place, counted from 0
    std::string name, value;
};
struct ChangeHeader {
    uint32_t index = 0;     // the index'th of that name, from 1
    std::string name, value; // an empty value deletes it
};
struct ReplaceBody {
    std::string bytes;      // one more piece of the new body
};
struct ChangeSender {
    std::string address, arguments;     // arguments as in MAIL: "SIZE=1 RET=HDRS"
};
struct AddRecipient {
    std::string address, arguments;     // arguments as in RCPT
};
struct DeleteRecipient {
    std::string address;
};
struct Quarantine {
    std::string reason;
};
using Change = std::variant<AddHeader, InsertHeader, ChangeHeader, ReplaceBody, ChangeSender, AddRecipient, DeleteRecipient, Quarantine>;

struct Said {
    Verdict verdict = Verdict::go_on;
    std::string text;
};
using Answer = std::variant<Said, Change>;

inline constexpr size_t packet_head = 4;
inline constexpr uint32_t longest_answer = 1 << 20;     // of an answer's data; replaced bodies come in pieces
inline constexpr size_t body_piece = 65535;             // that every filter can take

// Length of what follows, the letter included. REQUIRES: 4 bytes. Throws Malformed when it is 0 or beyond longest_answer.
uint32_t read_length(std::string_view head);
// A packet without its length: letter and data. Throws Malformed.
Answer read_answer(std::string_view packet);
// The answer to negotiate. Throws Malformed when the filter wants what was not offered.
Agreement read_agreement(std::string_view packet, const Offer& offered);

// Whole packets, each appended to wire. Texts are cut at a NUL byte.
void write_negotiation(const Offer& offer, std::string& wire);
struct Peer {
    std::string name;
    std::string address;    // empty: unknown
    uint16_t port = 0;
    enum Family : char { unknown = 'U', local = 'L', ipv4 = '4', ipv6 = '6' } family = unknown;
};
void write_connect(const Peer& peer, std::string& wire);
void write_texts(Command command, const std::vector<std::string>& texts, std::string& wire);    // helo, mail, rcpt, unknown
void write_header(std::string_view name, std::string_view value, std::string& wire);
void write_macros(Command with, const std::vector<std::pair<std::string, std::string>>& macros, std::string& wire);
void write_bytes(Command command, std::string_view bytes, std::string& wire);                   // body, and those without data

} // namespace milter
