// A session with a scripted milter behind a Unix socket: what it is told, and what its answers do.
#include "milter/session.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "async/nursery.h"
#include "base/log.h"
#include "catch.h"
#include "net/listener.h"

#include <map>

using namespace std::string_literals;
using milter::Decision;

namespace {

std::string packet(const std::string& text)
{
    std::string wire;
    for (int shift = 24; shift >= 0; shift -= 8) wire += static_cast<char>(text.size() >> shift & 0xff);
    return wire + text;
}

// Answers each letter with what was set for it, "c" where nothing was; hears() is what it was told.
struct ScriptedMilter {
    ScriptedMilter(const std::string& path, std::string agreement) : agreement(std::move(agreement)), listening(net::listen_on(net::Address::unix_path(path)))
    {
        nursery.start(serve());
    }

    async::Task<> serve()
    {
        async::Watch watch(listening.get());
        base::Fd fd;
        while (!fd) {
            co_await async::wait(watch.readable());
            fd = base::Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!fd) watch.clear_readable();
        }
        net::Stream stream(std::move(fd), net::Address::unix_path(""));
        while (true) {
            bool more = stream.buffered().size() >= 4;
            if (!more) more = co_await stream.fill_or_end(async::no_limit);
            if (!more) break;
            if (stream.buffered().size() < 4) continue;
            std::string head(co_await stream.exactly(4, async::no_limit));
            uint32_t length = milter::read_length(head);
            std::string told(co_await stream.exactly(length, async::no_limit));
            heard.push_back(told);
            if (told[0] == 'D' || told[0] == 'A') continue;
            if (told[0] == 'Q') break;
            if (told[0] == 'O') {
                stream.write(packet(agreement));
            } else if (silent.find(told[0]) == std::string::npos) {
                auto found = answers.find(told[0]);
                if (found != answers.end() && found->second.empty()) break;
                stream.write(found == answers.end() ? packet("c") : found->second);
            }
            co_await stream.flush(async::no_limit);
        }
        ended = true;
    }
    // The letters, macros left out.
    std::string letters() const
    {
        std::string all;
        for (const auto& each : heard)
            if (each[0] != 'D') all += each[0];
        return all;
    }

    std::string agreement;
    base::Fd listening;
    std::map<char, std::string> answers;    // empty: it hangs up
    std::string silent;                     // letters it does not answer
    std::vector<std::string> heard;
    bool ended = false;
    async::Nursery nursery{"scripted milter"};
};

struct SmallMessage final : milter::Message {
    std::vector<Field> fields() const override { return {{"From", " a@b"}, {"Subject", " hi\n there"}}; }
    async::Task<std::string_view> body(uint64_t offset) override
    {
        co_return std::string_view(text).substr(std::min<size_t>(offset, text.size()), milter::body_piece);
    }
    async::Task<> apply(milter::Change change, bool) override
    {
        changes.push_back(std::move(change));
        co_return;
    }
    std::string text = "line\r\n";
    std::vector<milter::Change> changes;
};

std::string agree(uint32_t steps, const std::string& lists = {})
{
    std::string text = "O\0\0\0\x06\0\0\x01\xff"s;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(steps >> shift & 0xff);
    return text + lists;
}

struct Dialogue {
    explicit Dialogue(const std::string& agreement = agree(0), const std::string& path = {}) : filter(scratch / "milter", agreement)
    {
        base::log::open("postfix/smtpd", scratch / "log");
        service.name = "unix:milter";
        service.address = path.empty() ? scratch / "milter" : path;
        service.command_timeout = service.content_timeout = service.connect_timeout = std::chrono::milliseconds(300);
        service.when_broken = {Decision::refuse, "451 4.7.1 Service unavailable - try again later"};
        service.macros[static_cast<size_t>(milter::Moment::mail)] = {"i", "{unknown}"};
    }
    ~Dialogue() { base::log::to_stderr("test"); }
    Decision connect() { return run_task(session.connect({"mx.example", "192.0.2.1", 25, milter::Peer::ipv4})); }
    Decision message() { return run_task(session.message(mail)); }
    std::string log() const
    {
        base::log::flush();
        return base::read_file(scratch / "log");
    }

    Scratch scratch;
    ScriptedMilter filter;
    milter::Service service;
    milter::MacroValue macros = [](std::string_view name) { return name == "i" ? std::optional<std::string>("QID") : std::nullopt; };
    milter::Session session{service, macros};
    SmallMessage mail;
};

} // namespace

TEST_CASE("a milter hears all of a message", "[milter]")
{
    Dialogue talk;
    CHECK_FALSE(talk.connect());
    CHECK_FALSE(run_task(talk.session.helo("client.example")));
    CHECK_FALSE(run_task(talk.session.mail({"<a@b>", "SIZE=3"})));
    CHECK_FALSE(run_task(talk.session.rcpt({"<c@d>"})));
    CHECK_FALSE(run_task(talk.session.data()));
    CHECK_FALSE(talk.message());
    run_task(talk.session.abort());
    run_task(talk.session.quit());
    CHECK(run_until([&] { return talk.filter.ended; }));
    // No abort after the end of the message.
    CHECK(talk.filter.letters() == "OCHMRTLLNBEQ");
    CHECK(talk.filter.heard[3] == "DMi\0QID\0"s);
    CHECK(talk.filter.heard[4] == "M<a@b>\0SIZE=3\0"s);
    CHECK(talk.filter.heard[8] == "LSubject\0hi\n there\0"s);
    CHECK(talk.filter.heard[10] == "Bline\r\n"s);
}

TEST_CASE("steps that a milter declines are left out, and those it does not answer are not waited for", "[milter]")
{
    using namespace milter;
    Dialogue talk(agree(no_connect | no_helo | no_rcpt | no_reply_mail | no_reply_header | keeps_leading_space | no_body, "\0\0\0\x02{mine}\0"s));
    talk.filter.silent = "ML";
    CHECK_FALSE(talk.connect());
    CHECK_FALSE(run_task(talk.session.helo("x")));
    CHECK_FALSE(run_task(talk.session.mail({"<>"})));
    CHECK_FALSE(run_task(talk.session.rcpt({"<c@d>"})));
    CHECK_FALSE(talk.message());
    CHECK(talk.filter.letters() == "OMLLNE");
    // It asked for a macro that nobody knows: none is sent.
    CHECK(talk.filter.heard[1][0] == 'M');
    CHECK(talk.filter.heard[3] == "LSubject\0 hi\n there\0"s);
}

TEST_CASE("what a milter decides of the connection holds until its end", "[milter]")
{
    Dialogue talk;
    SECTION("reject")
    {
        talk.filter.answers['C'] = packet("r");
        CHECK(talk.connect().reply == "550 5.7.1 Command rejected");
        CHECK(talk.session.standing().reply == "550 5.7.1 Command rejected");
        CHECK(run_task(talk.session.mail({"<a@b>"})).reply == "550 5.7.1 Command rejected");
        CHECK(talk.filter.letters() == "OC");
    }
    SECTION("accept")
    {
        talk.filter.answers['C'] = packet("a");
        CHECK_FALSE(talk.connect());
        CHECK_FALSE(run_task(talk.session.mail({"<a@b>"})));
        CHECK_FALSE(talk.message());
        CHECK(talk.filter.letters() == "OC");
    }
    SECTION("shutdown")
    {
        talk.filter.answers['C'] = packet("4");
        CHECK(talk.connect().kind == Decision::shut_down);
        CHECK(run_task(talk.session.helo("x")).kind == Decision::shut_down);
    }
}

TEST_CASE("what a milter decides of a message holds for that message", "[milter]")
{
    Dialogue talk;
    CHECK_FALSE(talk.connect());
    SECTION("a refused recipient is that recipient")
    {
        talk.filter.answers['R'] = packet("y450-4.2.0 wait\r\n450 4.2.0 100%%\0"s);
        CHECK_FALSE(run_task(talk.session.mail({"<a@b>"})));
        CHECK(run_task(talk.session.rcpt({"<c@d>"})).reply == "450-4.2.0 wait\n450 4.2.0 100%");
        talk.filter.answers.clear();
        CHECK_FALSE(run_task(talk.session.rcpt({"<c@d>"})));
        CHECK_FALSE(talk.message());
    }
    SECTION("accept spares the rest, and the next message begins anew")
    {
        talk.filter.answers['M'] = packet("a");
        CHECK_FALSE(run_task(talk.session.mail({"<a@b>"})));
        CHECK_FALSE(run_task(talk.session.rcpt({"<c@d>"})));
        CHECK_FALSE(talk.message());
        run_task(talk.session.abort());
        talk.filter.answers.clear();
        CHECK_FALSE(run_task(talk.session.mail({"<a@b>"})));
        CHECK_FALSE(run_task(talk.session.rcpt({"<c@d>"})));
        CHECK(talk.filter.letters() == "OCMAMR");
    }
    SECTION("discard")
    {
        talk.filter.answers['E'] = packet("d");
        CHECK_FALSE(run_task(talk.session.mail({"<a@b>"})));
        CHECK(talk.message().kind == Decision::discard);
    }
    SECTION("quarantine is beside the verdict")
    {
        talk.filter.answers['E'] = packet("qwhy\0"s) + packet("c");
        CHECK(talk.message().kind == Decision::hold);
        talk.filter.answers['E'] = packet("qwhy\0"s) + packet("t");
        CHECK(talk.message().reply == "451 4.7.1 Service unavailable - try again later");
    }
    SECTION("skip: no more of this kind")
    {
        talk.filter.answers['B'] = packet("s");
        talk.mail.text = std::string(200000, 'x');
        CHECK_FALSE(talk.message());
        CHECK(talk.filter.letters() == "OCLLNBE");
    }
    SECTION("a body goes in pieces")
    {
        talk.mail.text = std::string(2 * milter::body_piece, 'x');
        CHECK_FALSE(talk.message());
        CHECK(talk.filter.letters() == "OCLLNBBE");
    }
    SECTION("progress and changes come before the verdict")
    {
        talk.filter.answers['E'] = packet("p") + packet("hX\0v\0"s) + packet("bnew"s) + packet("p") + packet("a");
        CHECK_FALSE(talk.message());
        REQUIRE(talk.mail.changes.size() == 2);
        CHECK(std::get<milter::AddHeader>(talk.mail.changes[0]).name == "X");
    }
}

TEST_CASE("a milter that fails gives the default action", "[milter]")
{
    Dialogue talk;
    const std::string unavailable = "451 4.7.1 Service unavailable - try again later";
    SECTION("it is not there")
    {
        talk.service.address = talk.scratch / "nobody";
        CHECK(talk.connect().reply == unavailable);
        CHECK(talk.log().find("warning: connect to Milter service unix:milter: No such file or directory\n") != std::string::npos);
        CHECK(run_task(talk.session.mail({"<a@b>"})).reply == unavailable);
        CHECK(talk.session.standing().reply == unavailable);
    }
    SECTION("accept: it is as if it were not there")
    {
        talk.service.address = talk.scratch / "nobody";
        talk.service.when_broken = {};
        CHECK_FALSE(talk.connect());
        CHECK_FALSE(talk.message());
    }
    SECTION("it hangs up")
    {
        talk.filter.answers['M'] = "";
        CHECK_FALSE(talk.connect());
        CHECK(run_task(talk.session.mail({"<a@b>"})).reply == unavailable);
        CHECK(talk.log().find("milter unix:milter: can't read SMFIC_MAIL reply packet header: ") != std::string::npos);
    }
    SECTION("it is silent")
    {
        talk.filter.silent = "M";
        CHECK_FALSE(talk.connect());
        CHECK(run_task(talk.session.mail({"<a@b>"})).reply == unavailable);
    }
    SECTION("it talks nonsense")
    {
        talk.filter.answers['M'] = GENERATE(packet("z"), packet("yno code\0"s), packet("y250 ok\0"s), packet("hX\0v\0"s), "\0\0\0\0"s, "\xff\xff\xff\xff"s);
        CHECK_FALSE(talk.connect());
        CHECK(run_task(talk.session.mail({"<a@b>"})).reply == unavailable);
    }
    SECTION("it agrees to more than was offered")
    {
        talk.filter.agreement = "O\0\0\0\x09\0\0\0\0\0\0\0\0"s;
        CHECK(talk.connect().reply == unavailable);
    }
}
