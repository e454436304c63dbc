// STARTTLS and its levels, with a server that plays by the book.
#include "../tls/certificates.h"
#include "catch.h"
#include "mail_server.h"

using namespace testing;
using namespace smtp_client;

namespace {

const Dialogue offer = {"> 220 mx", "< EHLO here.test", "> 250-mx.test", "> 250 STARTTLS", "< STARTTLS", "> 220 go"};
const Dialogue clear = {"> 220 mx", "< EHLO here.test", "> 250-mx.test", "> 250 STARTTLS"};
const Dialogue again = {"< EHLO here.test", "> 250-mx.test", "> 250 PIPELINING"};
const Dialogue mail = {"< MAIL FROM:<me@here.test>", "< RCPT TO:<a@x.test>", "< DATA", "> 250 ok", "> 250 ok", "> 354 go", "<data", "> 250 2.0.0 Ok"};
const Dialogue slow_mail = {"< MAIL FROM:<me@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok", "< DATA", "> 354 go", "<data", "> 250 2.0.0 Ok"};

Dialogue operator+(Dialogue a, const Dialogue& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

struct Play {
    Play(std::vector<Dialogue> dialogues, tls::Level level, const TestCertificates& files, bool trusting = true, bool wrapper = false)
        : server(std::move(dialogues)), server_tls(server_settings(files)), client_tls(client_settings(files, trusting)),
          sender(settings_for(level, wrapper), no_dns(), &client_tls)
    {
        server.tls = &server_tls;
    }
    static tls::ServerSettings server_settings(const TestCertificates& files)
    {
        tls::ServerSettings settings;
        settings.cert_file = files.path("cert.pem");
        settings.key_file = files.path("key.pem");
        return settings;
    }
    static tls::ClientSettings client_settings(const TestCertificates& files, bool trusting)
    {
        tls::ClientSettings settings;
        if (trusting) settings.ca_file = files.path("ca.pem");
        settings.append_default_ca = false;
        return settings;
    }
    static Settings settings_for(tls::Level level, bool wrapper)
    {
        Settings settings = settings_for_tests();
        settings.tls.level = level;
        settings.tls.loglevel = 1;
        settings.tls.verify_match = settings.tls.secure_match = {"mail.test"};
        settings.tls.reuse = true;
        settings.tls.wrappermode = wrapper;
        return settings;
    }
    std::string send(std::chrono::microseconds age = {})
    {
        auto job = job_for(server.nexthop(), {"a@x.test"});
        job.active = job.arrival + age.count();
        done = sender.send(job);
        settle_connections();
        return text_of(done);
    }
    MailServer server;
    tls::ServerContext server_tls;
    tls::ClientContext client_tls;
    Sender sender;
    spool::Done done;
};

} // namespace

TEST_CASE("mail goes under TLS where it is offered, and EHLO is said again", "[smtp-client]")
{
    TestCertificates files("mail.test");
    for (auto level : {tls::Level::may, tls::Level::encrypt, tls::Level::verify, tls::Level::secure}) {
        Play play({offer + Dialogue{"tls"} + again + mail + mail}, level, files);
        CHECK(play.send() == "delivered 2.0.0 250 2.0.0 Ok");
        CHECK(play.send() == "delivered 2.0.0 250 2.0.0 Ok");
        CHECK(play.server.fault == "");
        CHECK(play.server.connections == 1);
    }
}

TEST_CASE("TLS from the first byte", "[smtp-client]")
{
    TestCertificates files("mail.test");
    Play play({Dialogue{"tls", "> 220 mx"} + again + mail}, tls::Level::encrypt, files, true, true);
    CHECK(play.send() == "delivered 2.0.0 250 2.0.0 Ok");
    CHECK(play.server.fault == "");
}

TEST_CASE("a failed handshake is healed in the clear only where that is allowed", "[smtp-client]")
{
    TestCertificates files("mail.test");
    const Dialogue broken = offer + Dialogue{"> this is no TLS", "close"};
    Play may({broken, clear + slow_mail}, tls::Level::may, files);
    CHECK(may.send(std::chrono::seconds(400)) == "delivered 2.0.0 250 2.0.0 Ok");
    CHECK(may.server.connections == 2);
    Play young({broken}, tls::Level::may, files);
    CHECK(young.send() == "deferred 4.7.5 Cannot start TLS: handshake failure");
    Play encrypt({broken}, tls::Level::encrypt, files);
    CHECK(encrypt.send(std::chrono::seconds(400)) == "deferred 4.7.5 Cannot start TLS: handshake failure");
    CHECK(encrypt.server.connections == 1);
}

TEST_CASE("STARTTLS may be refused where TLS is not required", "[smtp-client]")
{
    TestCertificates files("mail.test");
    const Dialogue refusing = {"> 220 mx", "< EHLO here.test", "> 250-mx.test", "> 250 STARTTLS", "< STARTTLS", "> 454 4.7.0 not now"};
    Play may({refusing + slow_mail}, tls::Level::may, files);
    CHECK(may.send() == "delivered 2.0.0 250 2.0.0 Ok");
    Play encrypt({refusing + Dialogue{"< QUIT"}}, tls::Level::encrypt, files);
    CHECK(encrypt.send() == "deferred 4.7.0 TLS is required, but host HOST refused to start TLS: 454 4.7.0 not now");
}

TEST_CASE("who is not who he should be gets nothing", "[smtp-client]")
{
    TestCertificates files("other.test");
    Play wrong_name({offer + Dialogue{"tls", "< QUIT"}}, tls::Level::secure, files);
    CHECK(wrong_name.send() == "deferred 4.7.5 Server certificate not verified");
    Play untrusted({offer + Dialogue{"tls", "< QUIT"}}, tls::Level::verify, files, false);
    CHECK(untrusted.send() == "deferred 4.7.5 Server certificate not verified");
    CHECK(untrusted.server.contents.empty());
}
