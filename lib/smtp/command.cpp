// command: MAIL, RCPT, BDAT and HELO, read as leniently as Postfix reads them by default.
#include "smtp/command.h"

#include "base/text.h"
#include "mail/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace smtp {

namespace {

// A reply that is known beforehand.
struct Refusal {
    int code;
    std::string_view enhanced, text;
    [[noreturn]] void raise() const { throw Syntax(code, std::string(enhanced), std::string(text)); }
};
constexpr Refusal bad_sender{501, "5.1.7", "Bad sender address syntax"};
constexpr Refusal bad_recipient{501, "5.1.3", "Bad recipient address syntax"};
constexpr Refusal mail_usage{501, "5.5.4", "Syntax: MAIL FROM:<address>"};
constexpr Refusal rcpt_usage{501, "5.5.4", "Syntax: RCPT TO:<address>"};
// The code is Postfix's: what follows would be content, so the session has to end.
constexpr Refusal bdat_usage{521, "5.5.4", "Syntax: BDAT count [LAST]"};

struct Words {
    std::string_view address; // with its <>, if it had them
    std::vector<std::string_view> parameters;
};

// Length of the path at the start of text: up to the '>' that closes it, quoted strings and nested brackets respected,
// or up to the first space. 0: it never closes.
size_t path_length(std::string_view text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\')
            ++i;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (c == '<')
            ++depth;
        else if (c == '>' && depth)
            --depth;
        else if (!depth && base::is_space(c))
            return i;
    }
    return quoted || depth ? 0 : text.size();
}

// "FROM:<a@b> SIZE=1" after the keyword. RFC 5321 3.3 allows no space after the colon; many write one all the same.
Words cut_arguments(std::string_view arguments, std::string_view keyword, const Refusal& usage,
                    const Refusal& bad_address)
{
    if (!base::starts_with_word(arguments, keyword)) usage.raise();
    std::string_view rest = base::trim_left(arguments.substr(keyword.size()));
    if (rest.empty()) usage.raise();
    const size_t length = path_length(rest);
    if (length == 0 || length > path_limit) bad_address.raise();
    return {rest.substr(0, length), base::split(rest.substr(length), " \t")};
}

std::string_view without_source_route(std::string_view inside)
{
    // RFC 5321 4.1.1.3, appendix C: "@a,@b:" is accepted and ignored.
    if (!inside.empty() && inside[0] == '@')
        if (size_t colon = inside.find(':'); colon != std::string_view::npos) return inside.substr(colon + 1);
    return inside;
}

bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

// The whole of text as local@domain in its strict form; nothing when it needs the lenient reading.
std::optional<Path> read_exact(std::string_view text)
{
    const auto [local, domain, has_domain] = mail::split_external(text);
    const bool quoted = local.size() >= 2 && local.front() == '"' && local.back() == '"';
    if (!quoted && !mail::is_dot_atom(local)) return std::nullopt;
    if (quoted)
        for (size_t i = 1; i + 1 < local.size(); ++i) {
            if (local[i] == '"') return std::nullopt;
            if (local[i] == '\\' && ++i + 1 == local.size()) return std::nullopt;
        }
    if (has_domain && domain.empty()) return std::nullopt;
    return Path{{}, mail::unquote_local(local), std::string(domain)};
}

// RFC 5322 forms in an envelope ("John Doe <a@b>", "a@b (comment)"): wrong, but the intent is plain where one address
// comes out.
std::optional<Path> read_lenient(std::string_view text)
{
    const auto found = mail::parse_addresses(text, 3);
    if (found.size() != 1 || found[0].kind != mail::Address::Kind::mailbox) return std::nullopt;
    // A header reader drops junk behind an address; here "user@exa mple.com" must not become user@exa.
    text = base::trim_right(text);
    if (text.ends_with(')')) text = base::trim_right(text.substr(0, text.find('(')));
    if (!text.ends_with('>') && !text.ends_with(found[0].domain)) return std::nullopt;
    return Path{{}, found[0].local, found[0].domain};
}

bool acceptable(Path& path, const Grammar& grammar)
{
    // A trailing dot says that the domain is complete; ours always are.
    if (path.domain.size() > 1 && path.domain.back() == '.') path.domain.pop_back();
    if (path.local.empty() || has_control(path.local) || path.domain.size() > domain_limit) return false;
    if (path.beyond_ascii() && (!grammar.utf8 || !base::is_utf8(path.local) || !base::is_utf8(path.domain)))
        return false;
    if (grammar.strict && path.local.size() > strict_local_limit) return false;
    if (path.domain.empty()) return true;
    if (path.domain.front() == '[') return mail::valid_address_literal(path.domain);
    return mail::valid_domain(path.domain, grammar.utf8);
}

uint64_t read_size(std::string_view value)
{
    const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), base::is_digit);
    if (!digits) throw Syntax(501, "5.5.4", "Bad message size syntax");
    const auto size = base::number<uint64_t>(value);
    if (!size || *size > uint64_t{1} << 62)
        throw Syntax(552, "5.3.4", "Message size exceeds file system imposed limit");
    return *size;
}

bool is_visible(std::string_view text) { return !has_control(text) && text.find('\0') == std::string_view::npos; }

Body read_body(std::string_view value, const Grammar& grammar, std::string_view whole)
{
    if (grammar.eightbitmime && base::same_word(value, "7BIT")) return Body::seven_bit;
    if (grammar.eightbitmime && base::same_word(value, "8BITMIME")) return Body::eight_bit;
    if (grammar.chunking && base::same_word(value, "BINARYMIME")) return Body::binary;
    throw Syntax(555, "5.5.4", "Unsupported option: " + base::printable(whole, 200));
}

void need_dsn(const Grammar& grammar)
{
    if (!grammar.dsn) throw Syntax(501, "5.7.1", "DSN support is disabled");
}

void read_ret(MailCommand& mail, std::string_view value)
{
    if (mail.ret == Return::unstated && base::same_word(value, "FULL"))
        mail.ret = Return::full;
    else if (mail.ret == Return::unstated && base::same_word(value, "HDRS"))
        mail.ret = Return::headers;
    else
        throw Syntax(501, "5.5.4", "Bad RET parameter syntax");
}

void read_envid(MailCommand& mail, std::string_view value)
{
    // RFC 3461 4.4: at most 100 characters before decoding; some send longer, and a longer one harms nobody.
    auto decoded = base::from_xtext(value);
    if (!mail.envid.empty() || !decoded || decoded->empty() || !is_visible(*decoded) || !base::is_ascii(*decoded))
        throw Syntax(501, "5.5.4", "Bad ENVID parameter syntax");
    mail.envid = std::move(*decoded);
}

void read_auth(MailCommand& mail, std::string_view value)
{
    if (mail.auth) throw Syntax(503, "5.5.4", "Error: multiple AUTH= options");
    auto decoded = base::from_xtext(value);
    if (!decoded || decoded->empty() || !is_visible(*decoded)) throw Syntax(501, "5.5.4", "Bad AUTH parameter syntax");
    mail.auth = std::move(*decoded);
}

void read_mail_parameter(MailCommand& mail, std::string_view word, const Grammar& grammar)
{
    const auto [name, value, has_value] = base::cut(word, '=');
    const auto is = [name = name](std::string_view keyword) { return base::same_word(name, keyword); };
    if (has_value && is("BODY"))
        mail.body = read_body(value, grammar, word);
    else if (has_value && grammar.size && is("SIZE"))
        mail.size = read_size(value);
    else if (!has_value && grammar.smtputf8 && is("SMTPUTF8"))
        mail.smtputf8 = true;
    else if (!has_value && grammar.requiretls && is("REQUIRETLS"))
        mail.requiretls = true;
    else if (has_value && is("RET"))
        need_dsn(grammar), read_ret(mail, value);
    else if (has_value && is("ENVID"))
        need_dsn(grammar), read_envid(mail, value);
    else if (has_value && grammar.auth && is("AUTH"))
        read_auth(mail, value);
    else
        throw Syntax(555, "5.5.4", "Unsupported option: " + base::printable(word, 200));
}

// RFC 6533 3: utf-8-addr-xtext and unitext: "\x{20AC}" besides what is written as it is.
std::optional<std::string> from_utf8_xtext(std::string_view text)
{
    std::string out;
    for (size_t at = 0; at < text.size();) {
        if (text[at] != '\\') {
            out.push_back(text[at++]);
            continue;
        }
        const size_t close = text.find('}', at);
        if (text.substr(at, 3) != "\\x{" || close == std::string_view::npos) return std::nullopt;
        const auto point = base::number<uint32_t>(text.substr(at + 3, close - at - 3), 16);
        if (!point || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff) || *point == 0) return std::nullopt;
        if (*point < 0x80)
            out.push_back(static_cast<char>(*point));
        else {
            const int more = *point < 0x800 ? 1 : *point < 0x10000 ? 2 : 3;
            constexpr std::array<uint32_t, 4> lead = {0, 0xc0, 0xe0, 0xf0};
            out.push_back(static_cast<char>(lead[static_cast<size_t>(more)] | (*point >> (6 * more))));
            for (int i = more; i-- > 0;) out.push_back(static_cast<char>(0x80 | ((*point >> (6 * i)) & 0x3f)));
        }
        at = close + 1;
    }
    if (!base::is_utf8(out)) return std::nullopt;
    return out;
}

void read_orcpt(RcptCommand& rcpt, std::string_view value)
{
    const auto [type, coded, has_address] = base::cut(value, ';');
    auto decoded = base::same_word(type, "utf-8") ? from_utf8_xtext(coded) : base::from_xtext(coded);
    if (!rcpt.orcpt_type.empty() || !has_address || type.empty() || !is_visible(type) || !decoded || decoded->empty() ||
        !is_visible(*decoded))
        throw Syntax(501, "5.5.4", "Error: Bad ORCPT parameter syntax");
    rcpt.orcpt_type = base::lower(type);
    rcpt.orcpt = std::move(*decoded);
}

void read_rcpt_parameter(RcptCommand& rcpt, std::string_view word, const Grammar& grammar)
{
    const auto [name, value, has_value] = base::cut(word, '=');
    if (has_value && base::same_word(name, "NOTIFY")) {
        need_dsn(grammar);
        const auto notify = parse_notify(value);
        if (rcpt.notify || !notify) throw Syntax(501, "5.5.4", "Error: Bad NOTIFY parameter syntax");
        rcpt.notify = *notify;
    } else if (has_value && base::same_word(name, "ORCPT")) {
        need_dsn(grammar);
        read_orcpt(rcpt, value);
    } else {
        throw Syntax(555, "5.5.4", "Unsupported option: " + base::printable(word, 200));
    }
}

struct NotifyWord {
    std::string_view word;
    Notify bit;
};
constexpr std::array<NotifyWord, 4> notify_words = {
    {{"NEVER", notify_never}, {"SUCCESS", notify_success}, {"FAILURE", notify_failure}, {"DELAY", notify_delay}}};

} // namespace

Command split_command(std::string_view line)
{
    line = base::trim(line);
    const size_t end = line.find_first_of(" \t");
    return {base::upper(line.substr(0, end)),
            std::string(end == std::string_view::npos ? std::string_view() : base::trim_left(line.substr(end)))};
}

Path Path::from_internal(std::string_view address)
{
    const auto [local, domain, has_domain] = mail::split_address(address);
    return {std::string(address), std::string(local), std::string(domain)};
}

bool Path::beyond_ascii() const { return !base::is_ascii(local) || !base::is_ascii(domain); }

std::string Path::external() const
{
    if (local.empty() && domain.empty()) return {};
    return domain.empty() ? mail::quote_local(local) : mail::quote_local(local) + "@" + domain;
}

std::optional<Path> parse_path(std::string_view text, const Grammar& grammar)
{
    text = base::trim(text);
    const bool bracketed = text.size() >= 2 && text.front() == '<' && text.back() == '>';
    if (text.size() > path_limit || (grammar.strict && (!bracketed || text.size() > strict_path_limit)))
        return std::nullopt;
    std::string_view inside = bracketed ? text.substr(1, text.size() - 2) : text;
    if (bracketed && base::trim(inside).empty())
        return inside.empty() || !grammar.strict ? std::optional(Path()) : std::nullopt;
    inside = without_source_route(inside);
    auto path = read_exact(inside);
    if (!path || !acceptable(*path, grammar)) {
        if (grammar.strict) return std::nullopt;
        path = read_lenient(inside);
        if (!path || !acceptable(*path, grammar)) return std::nullopt;
    }
    path->address = path->domain.empty() ? path->local : path->local + "@" + path->domain;
    return path;
}

MailCommand parse_mail(std::string_view arguments, const Grammar& grammar)
{
    const Words words = cut_arguments(base::trim(arguments), "FROM:", mail_usage, bad_sender);
    // SMTPUTF8 comes after the address, and says how the address may look.
    Grammar here = grammar;
    for (std::string_view word : words.parameters) here.utf8 |= grammar.smtputf8 && base::same_word(word, "SMTPUTF8");
    auto path = parse_path(words.address, here);
    if (!path) bad_sender.raise();
    MailCommand mail;
    mail.sender = std::move(*path);
    for (std::string_view word : words.parameters) read_mail_parameter(mail, word, grammar);
    return mail;
}

RcptCommand parse_rcpt(std::string_view arguments, const Grammar& grammar)
{
    const Words words = cut_arguments(base::trim(arguments), "TO:", rcpt_usage, bad_recipient);
    auto path = parse_path(words.address, grammar);
    if (!path || path->null()) bad_recipient.raise();
    RcptCommand rcpt;
    rcpt.recipient = std::move(*path);
    for (std::string_view word : words.parameters) read_rcpt_parameter(rcpt, word, grammar);
    return rcpt;
}

BdatCommand parse_bdat(std::string_view arguments)
{
    const auto words = base::split(arguments, " \t");
    if (words.empty() || words.size() > 2 || !std::all_of(words[0].begin(), words[0].end(), base::is_digit))
        bdat_usage.raise();
    const auto size = base::number<uint64_t>(words[0]);
    if (!size || *size > uint64_t{1} << 62 || (words.size() == 2 && !base::same_word(words[1], "LAST")))
        bdat_usage.raise();
    return {*size, words.size() == 2};
}

std::string parse_helo(std::string_view arguments, std::string_view verb)
{
    const auto words = base::split(arguments, " \t");
    if (words.empty()) throw Syntax(501, {}, fmt::format("Syntax: {} hostname", verb));
    return std::string(words[0]);
}

std::optional<uint8_t> parse_notify(std::string_view text)
{
    uint8_t bits = 0;
    for (std::string_view word : base::split_exact(text, ',')) {
        const auto* known = std::find_if(notify_words.begin(), notify_words.end(),
                                         [&](const NotifyWord& each) { return base::same_word(each.word, word); });
        if (known == notify_words.end() || bits & known->bit) return std::nullopt;
        bits |= known->bit;
    }
    // RFC 3461 4.1: NEVER stands alone.
    if (bits & notify_never && bits != notify_never) return std::nullopt;
    return bits;
}

std::string write_notify(uint8_t notify)
{
    std::string out;
    for (const NotifyWord& each : notify_words)
        if (notify & each.bit) out.append(out.empty() ? "" : ",").append(each.word);
    return out;
}

namespace {

// RFC 6533 3: what would end the word or be read as an escape is written as one.
std::string to_utf8_xtext(std::string_view text)
{
    std::string out;
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte == 0x7f || c == '+' || c == '=' || c == '\\')
            out += fmt::format("\\x{{{:02X}}}", byte);
        else
            out.push_back(c);
    }
    return out;
}

} // namespace

std::string write_mail(const MailCommand& mail)
{
    if (has_control(mail.sender.external())) bad_sender.raise();
    std::string out = fmt::format("MAIL FROM:<{}>", mail.sender.external());
    if (mail.size) out += fmt::format(" SIZE={}", *mail.size);
    if (mail.body == Body::seven_bit) out += " BODY=7BIT";
    if (mail.body == Body::eight_bit) out += " BODY=8BITMIME";
    if (mail.body == Body::binary) out += " BODY=BINARYMIME";
    if (mail.smtputf8) out += " SMTPUTF8";
    if (mail.requiretls) out += " REQUIRETLS";
    if (mail.ret != Return::unstated) out += mail.ret == Return::full ? " RET=FULL" : " RET=HDRS";
    if (!mail.envid.empty()) out += " ENVID=" + base::to_xtext(mail.envid);
    if (mail.auth) out += " AUTH=" + (*mail.auth == "<>" ? *mail.auth : base::to_xtext(*mail.auth));
    return out;
}

std::string write_rcpt(const RcptCommand& rcpt)
{
    if (has_control(rcpt.recipient.external())) bad_recipient.raise();
    std::string out = fmt::format("RCPT TO:<{}>", rcpt.recipient.external());
    if (rcpt.notify) out += " NOTIFY=" + write_notify(rcpt.notify);
    if (!rcpt.orcpt_type.empty()) {
        const std::string coded = rcpt.orcpt_type == "utf-8" ? to_utf8_xtext(rcpt.orcpt) : base::to_xtext(rcpt.orcpt);
        out += fmt::format(" ORCPT={};{}", base::to_xtext(rcpt.orcpt_type), coded);
    }
    return out;
}

} // namespace smtp
