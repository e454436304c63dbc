// command: SMTP commands from the client's lines (RFC 5321 4.1, 3461, 1870, 6152, 6531, 3030, 4954, 8689). Pure
// grammar: what a command may do in a given state is the session's business.
#pragma once

#include "smtp/reply.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smtp {

// A slip of the peer's grammar, with the reply to give.
class Syntax : public std::runtime_error {
public:
    explicit Syntax(Reply reply) : std::runtime_error(reply.line()), reply_(std::move(reply)) {}
    Syntax(int code, std::string enhanced, std::string text) : Syntax(Reply{code, std::move(enhanced), std::move(text)})
    {
    }
    const Reply& reply() const { return reply_; }

private:
    Reply reply_;
};

struct Command {
    std::string verb;      // upper case; empty for an empty line
    std::string arguments; // space around it trimmed
};
Command split_command(std::string_view line); // with or without the line end

// What the server offers and how strictly it reads. A parameter of an extension that is not offered is 555.
struct Grammar {
    bool strict = false; // strict_rfc821_envelopes: <> needed, no comments, no other header forms
    bool utf8 = false;   // addresses beyond ASCII: SMTPUTF8 was asked for in this transaction, or is not enforced
    bool size = true, eightbitmime = true, dsn = true, chunking = true, auth = true, smtputf8 = true,
         requiretls = false;
};

// RFC 5321 4.5.3.1: 64, 255, 256; what arrives is longer at times, so these are only the strict ones.
constexpr size_t strict_local_limit = 64, strict_path_limit = 256, domain_limit = 255, path_limit = 2048;

// A reverse-path or forward-path. Empty: <>.
struct Path {
    std::string address;       // internal form (mail/address.h): unquoted, source route stripped
    std::string local, domain; // its two halves; domain empty when there was none, "[192.0.2.1]" for a literal

    static Path from_internal(std::string_view address); // as queue files and tables have it; not checked
    bool null() const { return address.empty(); }
    bool beyond_ascii() const;
    std::string external() const; // quoted where needed, without <>
};

enum class Body : uint8_t { unstated, seven_bit, eight_bit, binary };
enum class Return : uint8_t { unstated, full, headers };

struct MailCommand {
    Path sender;
    std::optional<uint64_t> size;
    Body body = Body::unstated;
    bool smtputf8 = false, requiretls = false;
    Return ret = Return::unstated;
    std::string envid;               // decoded from xtext
    std::optional<std::string> auth; // decoded from xtext; "<>" kept
};

// RFC 3461 4.1: bits of NOTIFY; none given is 0.
enum Notify : uint8_t { notify_never = 1, notify_success = 2, notify_failure = 4, notify_delay = 8 };

struct RcptCommand {
    Path recipient;
    uint8_t notify = 0;
    std::string orcpt_type, orcpt; // "rfc822" and the address, decoded
};

struct BdatCommand {
    uint64_t size = 0;
    bool last = false;
};

// arguments: what follows the verb. All throw Syntax.
MailCommand parse_mail(std::string_view arguments, const Grammar& grammar = {});
RcptCommand parse_rcpt(std::string_view arguments, const Grammar& grammar = {});
BdatCommand parse_bdat(std::string_view arguments);
// The host of HELO/EHLO: the first word, without judging it. Syntax when it is missing.
std::string parse_helo(std::string_view arguments, std::string_view verb);
// For VRFY, XCLIENT-like uses and ours: an address with or without <>. Nothing when it is no address.
std::optional<Path> parse_path(std::string_view text, const Grammar& grammar = {});

// The client's side: "MAIL FROM:<a@b> SIZE=1 …" without the line end. Both write path.local and path.domain. Throw
// Syntax where the address has control characters in it, which could otherwise forge a command.
std::string write_mail(const MailCommand& mail);
std::string write_rcpt(const RcptCommand& rcpt);
std::string write_notify(uint8_t notify); // "SUCCESS,FAILURE"
std::optional<uint8_t> parse_notify(std::string_view text);

} // namespace smtp
