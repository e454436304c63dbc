#include "milter/session.h"

#include "base/log.h"
#include "base/text.h"
#include "net/service.h"

namespace milter {

// How the protocol treats an event.
struct Session::Event {
    Command command;
    Moment moment;
    uint32_t unwanted, unanswered;      // the steps by which the milter declines
    bool content;                       // of the message: content_timeout
    bool of_connection;                 // a verdict holds for the connection
    bool with_macros = true;
};

namespace {

constexpr size_t most_unsent = 64 << 10;
constexpr async::Limit farewell_limit{1000};

// Of a reply that the milter made: lines divided by LF, and "%%", as libmilter writes "%", turned back. Throws Malformed.
std::string own_reply(std::string_view text)
{
    bool has_code = text.size() >= 3 && (text[0] == '4' || text[0] == '5') && base::is_digit(text[1]) && base::is_digit(text[2]);
    if (!has_code) throw Malformed("bad reply \"" + base::printable(text, 100) + "\"");
    std::string reply = base::replace_all(base::replace_all(text, "\r\n", "\n"), "%%", "%");
    while (!reply.empty() && reply.back() == '\n') reply.pop_back();
    return reply;
}

} // namespace

async::Task<Answer> Session::next_answer(async::Limit limit)
{
    std::string_view head = co_await stream_.exactly(packet_head, limit);
    uint32_t length = read_length(head);
    std::string_view packet = co_await stream_.exactly(length, limit);
    Answer answer = read_answer(packet);
    co_return answer;
}

async::Task<> Session::negotiate()
{
    Offer offer = offer_of(service_.version);
    std::string packet;
    write_negotiation(offer, packet);
    stream_.write(packet);
    co_await stream_.flush(service_.connect_timeout);
    std::string_view head = co_await stream_.exactly(packet_head, service_.connect_timeout);
    uint32_t length = read_length(head);
    std::string_view answer = co_await stream_.exactly(length, service_.connect_timeout);
    agreed_ = read_agreement(answer, offer);
    macro_names_ = service_.macros;
    for (auto& [moment, names] : agreed_.macro_lists) macro_names_[static_cast<size_t>(moment)] = std::move(names);
}

Decision Session::fail(const std::string& what)
{
    base::log::warning("milter {}: {}", service_.name, what);
    state_ = State::broken;
    final_ = service_.when_broken;
    stream_ = net::Stream();
    return final_;
}

void Session::add_macros(const Event& event)
{
    if (!event.with_macros) return;
    std::vector<std::pair<std::string, std::string>> known;
    for (const auto& name : macro_names_[static_cast<size_t>(event.moment)])
        if (auto value = macros_(name)) known.emplace_back(name, std::move(*value));
    if (!known.empty()) write_macros(event.command, known, out_);
}

Decision Session::decide(const Event& event, const Said& said)
{
    auto refuse = [&](std::string reply) {
        Decision decision{Decision::refuse, std::move(reply)};
        if (event.of_connection) {
            state_ = State::rejected;
            final_ = decision;
        }
        return decision;
    };
    switch (said.verdict) {
    case Verdict::accept:
        state_ = event.of_connection ? State::accepted : State::message_accepted;
        return {};
    case Verdict::discard:
        state_ = State::message_accepted;
        return {Decision::discard, {}};
    case Verdict::reject: return refuse("550 5.7.1 Command rejected");
    case Verdict::tempfail: return refuse("451 4.7.1 Service unavailable - try again later");
    case Verdict::reply_code: return refuse(own_reply(said.text));
    case Verdict::conn_fail:
    case Verdict::shutdown: {
        state_ = State::rejected;
        final_ = {Decision::shut_down, {}};
        return final_;
    }
    case Verdict::skip: skipping_ = true; return {};
    case Verdict::go_on:
    case Verdict::progress: return {};
    }
    return {};
}

// Sends what was gathered, and waits for the verdict. message: may be changed before it.
async::Task<Decision> Session::ask(const Event& event, Message* message)
{
    async::Limit limit = event.content ? service_.content_timeout : service_.command_timeout;
    Decision asked_for;     // quarantine: beside the verdict
    std::string trouble;
    try {
        stream_.write(out_);
        out_.clear();
        co_await stream_.flush(limit);
        while (true) {
            Answer answer = co_await next_answer(limit);
            if (auto* said = std::get_if<Said>(&answer)) {
                if (said->verdict == Verdict::progress) continue;
                Decision decision = decide(event, *said);
                co_return decision ? decision : asked_for;
            }
            if (!message) throw Malformed("changes before the end of the message");
            Change change = std::move(std::get<Change>(answer));
            if (std::holds_alternative<Quarantine>(change))
                asked_for.kind = Decision::hold;
            else
                co_await message->apply(std::move(change), agreed_.steps & Step::keeps_leading_space);
        }
    } catch (const net::Gone& gone) {
        trouble = fmt::format("can't read {} reply packet header: {}", name_of(event.command), gone.what());
    } catch (const Malformed& slip) {
        trouble = fmt::format("{} in reply to {}", slip.what(), name_of(event.command));
    }
    co_return fail(trouble);
}

async::Task<Decision> Session::tell(const Event& event, std::string packet)
{
    if (state_ == State::rejected || state_ == State::broken) co_return final_;
    if (state_ != State::ready || agreed_.steps & event.unwanted) co_return Decision{};
    add_macros(event);
    out_ += packet;
    if (!(agreed_.steps & event.unanswered)) {
        Decision decision = co_await ask(event, nullptr);
        co_return decision;
    }
    if (out_.size() < most_unsent) co_return Decision{};
    std::string trouble;
    try {
        stream_.write(out_);
        out_.clear();
        co_await stream_.flush(service_.content_timeout);
    } catch (const net::Gone& gone) {
        trouble = fmt::format("can't write {}: {}", name_of(event.command), gone.what());
    }
    if (trouble.empty()) co_return Decision{};
    co_return fail(trouble);
}

async::Task<Decision> Session::connect(Peer peer)
{
    std::string trouble;
    try {
        stream_ = co_await net::connect_to_service(service_.address, service_.connect_timeout);
    } catch (const net::Gone& gone) {
        trouble = gone.what();
    }
    if (!trouble.empty()) {
        base::log::warning("connect to Milter service {}: {}", service_.name, trouble);
        state_ = State::broken;
        final_ = service_.when_broken;
        co_return final_;
    }
    try {
        co_await negotiate();
    } catch (const net::Gone& gone) {
        trouble = fmt::format("can't read SMFIC_OPTNEG reply packet header: {}", gone.what());
    } catch (const Malformed& slip) {
        trouble = slip.what();
    }
    if (!trouble.empty()) co_return fail(trouble);
    state_ = State::ready;
    std::string packet;
    write_connect(peer, packet);
    Event event{Command::connect, Moment::connect, Step::no_connect, Step::no_reply_connect, false, true};
    Decision decision = co_await tell(event, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::helo(std::string name)
{
    std::vector<std::string> texts{std::move(name)};
    std::string packet;
    write_texts(Command::helo, texts, packet);
    Event event{Command::helo, Moment::helo, Step::no_helo, Step::no_reply_helo, false, true};
    Decision decision = co_await tell(event, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::mail(std::vector<std::string> arguments)
{
    std::string packet;
    write_texts(Command::mail, arguments, packet);
    in_message_ = true;
    Event event{Command::mail, Moment::mail, Step::no_mail, Step::no_reply_mail, false, false};
    Decision decision = co_await tell(event, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::rcpt(std::vector<std::string> arguments)
{
    std::string packet;
    write_texts(Command::rcpt, arguments, packet);
    Event event{Command::rcpt, Moment::rcpt, Step::no_rcpt, Step::no_reply_rcpt, false, false};
    Decision decision = co_await tell(event, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::data()
{
    std::string packet;
    write_bytes(Command::data, {}, packet);
    Event event{Command::data, Moment::data, Step::no_data, Step::no_reply_data, false, false};
    Decision decision = co_await tell(event, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::unknown(std::string line)
{
    std::vector<std::string> texts{std::move(line)};
    std::string packet;
    write_texts(Command::unknown, texts, packet);
    Event event{Command::unknown, Moment::unknown, Step::no_unknown, Step::no_reply_unknown, false, false};
    Decision decision = co_await tell(event, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::send_header(Message& message)
{
    Event event{Command::header, Moment::end_of_header, Step::no_headers, Step::no_reply_header, true, false, false};
    skipping_ = false;
    std::vector<Message::Field> fields;
    if (!(agreed_.steps & Step::no_headers)) fields = message.fields();
    for (const auto& field : fields) {
        std::string_view value = field.value;
        if (!(agreed_.steps & Step::keeps_leading_space)) value = base::trim_left(value);
        std::string packet;
        write_header(field.name, value, packet);
        Decision decision = co_await tell(event, std::move(packet));
        if (decision || state_ != State::ready) co_return decision;
        if (skipping_) break;
    }
    std::string packet;
    write_bytes(Command::end_of_header, {}, packet);
    Event end{Command::end_of_header, Moment::end_of_header, Step::no_end_of_header, Step::no_reply_end_of_header, true, false};
    Decision decision = co_await tell(end, std::move(packet));
    co_return decision;
}

async::Task<Decision> Session::send_body(Message& message)
{
    Event event{Command::body, Moment::end_of_message, Step::no_body, Step::no_reply_body, true, false, false};
    skipping_ = false;
    bool wanted = !(agreed_.steps & Step::no_body);
    for (uint64_t offset = 0; wanted && !skipping_;) {
        std::string_view piece = co_await message.body(offset);
        if (piece.empty()) break;
        offset += piece.size();
        wanted = piece.size() == body_piece;
        std::string packet;
        write_bytes(Command::body, piece, packet);
        Decision decision = co_await tell(event, std::move(packet));
        if (decision || state_ != State::ready) co_return decision;
    }
    co_return Decision{};
}

async::Task<Decision> Session::message(Message& message)
{
    if (state_ == State::rejected || state_ == State::broken) co_return final_;
    if (state_ != State::ready) co_return Decision{};
    Decision decision = co_await send_header(message);
    if (decision || state_ != State::ready) co_return decision;
    decision = co_await send_body(message);
    if (decision || state_ != State::ready) co_return decision;
    Event event{Command::end_of_message, Moment::end_of_message, 0, 0, true, false};
    add_macros(event);
    write_bytes(Command::end_of_message, {}, out_);
    decision = co_await ask(event, &message);
    in_message_ = false;    // the milter has ended it by itself
    if (state_ == State::message_accepted) state_ = State::ready;
    co_return decision;
}

async::Task<> Session::abort()
{
    bool begun = std::exchange(in_message_, false);
    if (state_ == State::message_accepted) state_ = State::ready;
    if (!begun || state_ != State::ready) co_return;
    write_bytes(Command::abort, {}, out_);
    // It answers nothing; what is wrong shows with the next event.
    stream_.write(std::exchange(out_, {}));
    std::string trouble;
    try {
        co_await stream_.flush(service_.command_timeout);
    } catch (const net::Gone& gone) {
        trouble = fmt::format("can't write SMFIC_ABORT: {}", gone.what());
    }
    if (!trouble.empty()) fail(trouble);
}

async::Task<> Session::quit()
{
    if (!stream_) co_return;
    write_bytes(Command::quit, {}, out_);
    stream_.write(std::exchange(out_, {}));
    co_await stream_.close(farewell_limit);
    state_ = State::accepted;
}

} // namespace milter
