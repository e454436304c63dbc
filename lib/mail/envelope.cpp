// envelope: one pass over the header's fields.
#include "mail/envelope.h"

#include "base/text.h"
#include "mail/header.h"

#include <algorithm>
#include <utility>

namespace mail {

namespace {

struct TextField {
    std::string_view name;
    std::optional<std::string> Envelope::*member;
};
constexpr TextField text_fields[] = {
    {"Date", &Envelope::date},
    {"Subject", &Envelope::subject},
    {"In-Reply-To", &Envelope::in_reply_to},
    {"Message-ID", &Envelope::message_id},
};

struct AddressField {
    std::string_view name;
    std::vector<Address> Envelope::*member;
};
constexpr AddressField address_fields[] = {
    {"From", &Envelope::from}, {"Sender", &Envelope::sender}, {"Reply-To", &Envelope::reply_to},
    {"To", &Envelope::to},     {"Cc", &Envelope::cc},         {"Bcc", &Envelope::bcc},
};

constexpr size_t address_limit = 10000;

void take_field(Envelope& envelope, const Field& field)
{
    for (const TextField& known : text_fields)
        if (!(envelope.*known.member) && base::same_word(field.name, known.name))
            envelope.*known.member = unfold(field.value);
    for (const AddressField& known : address_fields) {
        if (!base::same_word(field.name, known.name)) continue;
        auto& list = envelope.*known.member;
        for (Address& address : parse_addresses(field.value, address_limit - std::min(address_limit, list.size())))
            list.push_back(std::move(address));
    }
}

} // namespace

Envelope parse_envelope(std::string_view header)
{
    Envelope envelope;
    for (const Field& field : Fields(header)) take_field(envelope, field);
    if (envelope.sender.empty()) envelope.sender = envelope.from;
    if (envelope.reply_to.empty()) envelope.reply_to = envelope.from;
    return envelope;
}

} // namespace mail
