#include "milter/protocol.h"

#include "base/text.h"

namespace milter {
namespace {

void put_number(uint32_t number, std::string& wire)
{
    for (int shift = 24; shift >= 0; shift -= 8) wire += static_cast<char>(number >> shift & 0xff);
}

uint32_t get_number(std::string_view bytes)
{
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
}

void put_text(std::string_view text, std::string& wire)
{
    wire += text.substr(0, text.find('\0'));
    wire += '\0';
}

// Writes the length of a packet when its data is complete.
class Packet {
public:
    Packet(Command command, std::string& wire) : wire_(wire), at_(wire.size())
    {
        wire_.append(packet_head, '\0');
        wire_ += static_cast<char>(command);
    }
    ~Packet()
    {
        std::string length;
        put_number(static_cast<uint32_t>(wire_.size() - at_ - packet_head), length);
        wire_.replace(at_, packet_head, length);
    }

private:
    std::string& wire_;
    size_t at_;
};

// Takes the data of an answer apart.
class Reader {
public:
    explicit Reader(std::string_view data) : data_(data) {}

    uint32_t number()
    {
        if (data_.size() < 4) throw Malformed("a number is cut off");
        uint32_t number = get_number(data_);
        data_.remove_prefix(4);
        return number;
    }
    std::string text()
    {
        size_t end = data_.find('\0');
        if (end == std::string_view::npos) throw Malformed("a text without end");
        std::string text(data_.substr(0, end));
        data_.remove_prefix(end + 1);
        return text;
    }
    bool empty() const { return data_.empty(); }
    std::string_view rest() const { return data_; }
    void end() const
    {
        if (!data_.empty()) throw Malformed("more data than the answer has room for");
    }

private:
    std::string_view data_;
};

Change read_change(char letter, Reader& data)
{
    switch (letter) {
    case 'h': {
        AddHeader change;
        change.name = data.text();
        change.value = data.text();
        return change;
    }
    case 'i': {
        InsertHeader change;
        change.index = data.number();
        change.name = data.text();
        change.value = data.text();
        return change;
    }
    case 'm': {
        ChangeHeader change;
        change.index = data.number();
        change.name = data.text();
        change.value = data.text();
        return change;
    }
    case 'e': {
        ChangeSender change;
        change.address = data.text();
        if (!data.empty()) change.arguments = data.text();
        return change;
    }
    case '+': return AddRecipient{data.text(), {}};
    case '2': {
        AddRecipient change;
        change.address = data.text();
        if (!data.empty()) change.arguments = data.text();
        return change;
    }
    case '-': return DeleteRecipient{data.text()};
    case 'q': return Quarantine{data.text()};
    default: throw Malformed(std::string("unexpected filter response ") + base::printable(std::string_view(&letter, 1)));
    }
}

struct VersionOffer {
    uint32_t from, actions, steps;
};

// What each version added.
constexpr VersionOffer version_offers[] = {
    {2, add_headers | change_body | add_recipients | delete_recipients | change_headers | quarantine,
     no_connect | no_helo | no_mail | no_rcpt | no_body | no_headers | no_end_of_header},
    {3, 0, no_unknown},
    {4, 0, no_data},
    {6, change_sender | add_recipients_with_arguments | set_macro_lists,
     no_reply_header | may_skip | wants_rejected_recipients | no_reply_connect | no_reply_helo | no_reply_mail | no_reply_rcpt | no_reply_data |
         no_reply_unknown | no_reply_end_of_header | no_reply_body | keeps_leading_space},
};

} // namespace

const char* name_of(Command command)
{
    switch (command) {
    case Command::abort: return "SMFIC_ABORT";
    case Command::body: return "SMFIC_BODY";
    case Command::connect: return "SMFIC_CONNECT";
    case Command::macros: return "SMFIC_MACRO";
    case Command::end_of_message: return "SMFIC_BODYEOB";
    case Command::helo: return "SMFIC_HELO";
    case Command::header: return "SMFIC_HEADER";
    case Command::mail: return "SMFIC_MAIL";
    case Command::end_of_header: return "SMFIC_EOH";
    case Command::negotiate: return "SMFIC_OPTNEG";
    case Command::quit: return "SMFIC_QUIT";
    case Command::rcpt: return "SMFIC_RCPT";
    case Command::data: return "SMFIC_DATA";
    case Command::unknown: return "SMFIC_UNKNOWN";
    }
    return "SMFIC_UNKNOWN";
}

Offer offer_of(uint32_t version)
{
    Offer offer;
    offer.version = version;
    for (const VersionOffer& added : version_offers) {
        if (version < added.from) continue;
        offer.actions |= added.actions;
        offer.steps |= added.steps;
    }
    return offer;
}

uint32_t read_length(std::string_view head)
{
    uint32_t length = get_number(head);
    if (length == 0 || length > longest_answer) throw Malformed("unreasonable packet length: " + std::to_string(length));
    return length;
}

Answer read_answer(std::string_view packet)
{
    if (packet.empty()) throw Malformed("an empty packet");
    char letter = packet[0];
    Reader data(packet.substr(1));
    if (letter == 'b') return Change(ReplaceBody{std::string(data.rest())});
    if (letter == 'y') {
        Said said{Verdict::reply_code, data.text()};
        return said;
    }
    for (Verdict verdict : {Verdict::accept, Verdict::conn_fail, Verdict::go_on, Verdict::discard, Verdict::progress, Verdict::reject, Verdict::shutdown,
                            Verdict::skip, Verdict::tempfail}) {
        if (letter != static_cast<char>(verdict)) continue;
        data.end();
        return Said{verdict, {}};
    }
    Change change = read_change(letter, data);
    data.end();
    return change;
}

Agreement read_agreement(std::string_view packet, const Offer& offered)
{
    if (packet.empty() || packet[0] != static_cast<char>(Command::negotiate)) throw Malformed("no answer to the option negotiation");
    Reader data(packet.substr(1));
    Agreement agreed;
    agreed.version = data.number();
    agreed.actions = data.number();
    agreed.steps = data.number();
    if (agreed.version < 2 || agreed.version > offered.version)
        throw Malformed("protocol version " + std::to_string(agreed.version) + " where 2 to " + std::to_string(offered.version) + " were offered");
    if (agreed.actions & ~offered.actions) throw Malformed("wants actions that were not offered");
    if (agreed.steps & ~offered.steps) throw Malformed("wants protocol steps that were not offered");
    while (!data.empty()) {
        uint32_t moment = data.number();
        std::string names = data.text();
        // Lists for moments that we know not of are no harm.
        if (moment >= static_cast<uint32_t>(Moment::unknown)) continue;
        std::vector<std::string> list;
        for (auto name : base::split(names)) list.emplace_back(name);
        agreed.macro_lists.emplace_back(static_cast<Moment>(moment), std::move(list));
    }
    return agreed;
}

void write_negotiation(const Offer& offer, std::string& wire)
{
    Packet packet(Command::negotiate, wire);
    put_number(offer.version, wire);
    put_number(offer.actions, wire);
    put_number(offer.steps, wire);
}

void write_connect(const Peer& peer, std::string& wire)
{
    Packet packet(Command::connect, wire);
    put_text(peer.name, wire);
    wire += static_cast<char>(peer.family);
    if (peer.family == Peer::unknown) return;
    wire += static_cast<char>(peer.port >> 8);
    wire += static_cast<char>(peer.port & 0xff);
    put_text(peer.address, wire);
}

void write_texts(Command command, const std::vector<std::string>& texts, std::string& wire)
{
    Packet packet(command, wire);
    for (const auto& text : texts) put_text(text, wire);
}

void write_header(std::string_view name, std::string_view value, std::string& wire)
{
    Packet packet(Command::header, wire);
    put_text(name, wire);
    put_text(value, wire);
}

void write_macros(Command with, const std::vector<std::pair<std::string, std::string>>& macros, std::string& wire)
{
    Packet packet(Command::macros, wire);
    wire += static_cast<char>(with);
    for (const auto& [name, value] : macros) {
        put_text(name, wire);
        put_text(value, wire);
    }
}

void write_bytes(Command command, std::string_view bytes, std::string& wire)
{
    Packet packet(command, wire);
    wire += bytes;
}

} // namespace milter
