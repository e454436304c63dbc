// session: the mail server's side of one connection to one milter, for one SMTP session: events go out, decisions come back. Postfix's
// rules of what a decision means for the events after it hold here; who carries a decision out is the caller.
#pragma once

#include "milter/protocol.h"

#include "net/stream.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace milter {

// What a milter wants done. hold and discard concern the message and do not end the dialogue; the others are a refusal.
struct Decision {
    enum Kind { go_on, refuse, hold, discard, shut_down } kind = go_on;
    std::string reply;      // of refuse: "550 5.7.1 Command rejected", perhaps several lines divided by LF
    explicit operator bool() const { return kind != go_on; }
};

// A milter as the configuration describes it.
struct Service {
    std::string name;               // "inet:localhost:8891", as logged
    std::string address;            // for net::connect_to_service
    uint32_t version = 6;
    async::Limit connect_timeout{30000}, command_timeout{30000}, content_timeout{300000};
    Decision when_broken;           // milter_default_action
    MacroNames macros;              // sent unless the milter asks for others
};

// The value of a macro, named as in a list ("i", "{mail_addr}"); nothing: not known, and not sent.
using MacroValue = std::function<std::optional<std::string>(std::string_view name)>;

// The message as the milters see it, each with the changes of those before it. The caller's.
class Message {
public:
    struct Field {
        std::string name, value;    // value: what follows the colon, leading space included; lines divided by LF
    };
    virtual ~Message() = default;
    virtual std::vector<Field> fields() const = 0;
    // The body from offset, at most body_piece bytes, fewer only at its end; valid until the next call. Throws base::SystemError.
    virtual async::Task<std::string_view> body(uint64_t offset) = 0;
    // spaced: the value of a header brings its own leading space.
    virtual async::Task<> apply(Change change, bool spaced) = 0;
};

class Session {
public:
    // Both must outlive it.
    Session(const Service& service, const MacroValue& macros) : service_(service), macros_(macros) {}

    // Connects, negotiates, and tells of the client. No function throws but what a Message throws: a milter that fails gives when_broken.
    async::Task<Decision> connect(Peer peer);
    async::Task<Decision> helo(std::string name);
    async::Task<Decision> mail(std::vector<std::string> arguments);     // "<address>", then ESMTP parameters
    async::Task<Decision> rcpt(std::vector<std::string> arguments);
    async::Task<Decision> data();
    async::Task<Decision> unknown(std::string line);
    async::Task<Decision> message(Message& message);
    // What it said of the connection, for commands that it is not asked about.
    Decision standing() const { return state_ == State::rejected || state_ == State::broken ? final_ : Decision{}; }
    bool wants_rejected_recipients() const { return state_ == State::ready && agreed_.steps & Step::wants_rejected_recipients; }
    async::Task<> abort();          // the transaction is over without end of message
    async::Task<> quit();

private:
    enum class State { unconnected, ready, message_accepted, accepted, rejected, broken };
    struct Event;
    async::Task<Decision> tell(const Event& event, std::string packet);
    async::Task<Decision> ask(const Event& event, Message* message);
    async::Task<Answer> next_answer(async::Limit limit);
    async::Task<> negotiate();
    async::Task<Decision> send_header(Message& message);
    async::Task<Decision> send_body(Message& message);
    Decision decide(const Event& event, const Said& said);
    Decision fail(const std::string& what);
    void add_macros(const Event& event);

    const Service& service_;
    const MacroValue& macros_;
    net::Stream stream_;
    State state_ = State::unconnected;
    Decision final_;                // of rejected and broken
    Agreement agreed_;
    MacroNames macro_names_;
    std::string out_;
    bool skipping_ = false;         // no more of this kind
    bool in_message_ = false;
};

} // namespace milter
