// ENVELOPE (RFC 3501 7.4.2): the header fields that a mail program lists.
#include "fetch.h"

namespace imapd {

namespace {

void put_filled(std::string& out, const std::string& text)
{
    if (text.empty())
        out += "NIL";
    else
        put_string(out, text);
}

// "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"; groups are addresses without host.
void put_address(std::string& out, const mail::Address& address)
{
    using Kind = mail::Address::Kind;
    if (address.kind == Kind::group_end) {
        out += "(NIL NIL NIL NIL)";
        return;
    }
    if (address.kind == Kind::group_begin) {
        out += "(NIL NIL ";
        put_string(out, address.name);
        out += " NIL)";
        return;
    }
    out += '(';
    put_filled(out, address.name);
    out += ' ';
    put_filled(out, address.route);
    out += ' ';
    put_string(out, address.local);
    out += ' ';
    // A host of NIL would mean a group.
    put_string(out, address.domain);
    out += ')';
}

void put_addresses(std::string& out, const std::vector<mail::Address>& addresses)
{
    out += ' ';
    if (addresses.empty()) {
        out += "NIL";
        return;
    }
    out += '(';
    for (const auto& address : addresses) put_address(out, address);
    out += ')';
}

} // namespace

std::string envelope_text(const mail::Envelope& envelope)
{
    std::string out = "(";
    put_nstring(out, envelope.date);
    out += ' ';
    put_nstring(out, envelope.subject);
    for (const auto* list :
         {&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc})
        put_addresses(out, *list);
    out += ' ';
    put_nstring(out, envelope.in_reply_to);
    out += ' ';
    put_nstring(out, envelope.message_id);
    out += ')';
    return out;
}

} // namespace imapd
