// smtp_command_fuzz: any bytes as a command, as a reply, and as content cut anywhere.
#include "smtp/command.h"
#include "smtp/data.h"
#include "smtp/ehlo.h"

#include <cstdlib>

namespace {

void try_commands(std::string_view text)
{
    const auto command = smtp::split_command(text);
    for (bool strict : {false, true}) {
        const smtp::Grammar grammar{.strict = strict, .utf8 = true};
        try {
            const std::string wire = smtp::write_mail(smtp::parse_mail(command.arguments, grammar));
            if (wire.find('\n') != std::string::npos) std::abort();
        } catch (const smtp::Syntax&) {
        }
        try {
            const auto rcpt = smtp::parse_rcpt(command.arguments, grammar);
            const std::string wire = smtp::write_rcpt(rcpt);
            if (smtp::parse_rcpt(std::string_view(wire).substr(5), {.utf8 = true}).recipient.address !=
                rcpt.recipient.address)
                std::abort();
        } catch (const smtp::Syntax&) {
        }
    }
    try {
        smtp::parse_bdat(command.arguments);
    } catch (const smtp::Syntax&) {
    }
}

void try_reply(std::string_view text)
{
    smtp::ReplyReader reader;
    try {
        reader.feed(text);
        if (reader.complete()) smtp::parse_ehlo(reader.take());
    } catch (const smtp::BadReply&) {
    }
}

void try_content(std::string_view text, size_t cut, smtp::BareNewline policy)
{
    cut = std::min(cut, text.size());
    std::string whole, pieces;
    smtp::DataDecoder first(policy), second(policy);
    const auto once = first.feed(text, whole);
    auto step = second.feed(text.substr(0, cut), pieces);
    size_t consumed = step.consumed;
    if (!step.finished) {
        step = second.feed(text.substr(cut), pieces);
        consumed += step.consumed;
    }
    if (whole != pieces || once.finished != step.finished || once.consumed != consumed) std::abort();
    smtp::DotStuffer stuffer;
    std::string wire, back;
    stuffer.feed(whole, wire);
    stuffer.finish(wire);
    if (!smtp::DataDecoder(smtp::BareNewline::reject).feed(wire, back).finished) std::abort();
    if (once.finished && back != whole) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    try_commands(text);
    try_reply(text);
    for (auto policy : {smtp::BareNewline::normalize, smtp::BareNewline::reject, smtp::BareNewline::accept_lines})
        try_content(text, data[0], policy);
    return 0;
}
