// AUTH towards a server that plays by the book.
#include "catch.h"
#include "mail_server.h"
#include "sasl/client.h"

using namespace testing;
using namespace smtp_client;

namespace {

const Dialogue mail = {"< MAIL FROM:<me@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok", "< DATA", "> 354 go", "<data", "> 250 2.0.0 Ok"};

Dialogue hello(const std::string& mechanisms) { return {"> 220 mx ESMTP", "< EHLO here.test", "> 250-mx.test", "> 250 " + mechanisms}; }

Dialogue operator+(Dialogue a, const Dialogue& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

struct Play {
    Play(std::vector<Dialogue> dialogues, const std::string& main_cf = "smtp_sasl_password_maps = inline:{{127.0.0.1 = anna:secret}}",
         unsigned demands = sasl::no_anonymous)
        : server(std::move(dialogues)), sender(settings(demands), no_dns(), nullptr, tables_of(main_cf))
    {
    }
    static Settings settings(unsigned demands)
    {
        Settings settings = settings_for_tests();
        settings.sasl.enabled = true;
        settings.sasl.demands = settings.sasl.tls_demands = settings.sasl.verified_demands = demands;
        return settings;
    }
    std::string send(const std::string& from = "me@here.test")
    {
        auto job = job_for(server.nexthop(), {"a@x.test"});
        job.sender = from;
        auto text = text_of(sender.send(job));
        settle_connections();
        return text;
    }
    MailServer server;
    Sender sender;
};

const char* const sent = "delivered 2.0.0 250 2.0.0 Ok";

} // namespace

TEST_CASE("a login with each mechanism that shows its answers", "[smtp-client]")
{
    struct Case {
        const char* offer;
        Dialogue exchange;
    };
    const Case cases[] = {
        {"AUTH PLAIN LOGIN", {"< AUTH PLAIN AGFubmEAc2VjcmV0", "> 235 2.7.0 welcome"}},
        {"AUTH LOGIN", {"< AUTH LOGIN", "> 334 VXNlcm5hbWU6", "< YW5uYQ==", "> 334 UGFzc3dvcmQ6", "< c2VjcmV0", "> 235 welcome"}},
        {"AUTH=LOGIN", {"< AUTH LOGIN", "> 334 VXNlcm5hbWU6", "< YW5uYQ==", "> 334 UGFzc3dvcmQ6", "< c2VjcmV0", "> 235 welcome"}},
        {"AUTH XOAUTH2", {"< AUTH XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHNlY3JldAEB", "> 235 welcome"}},
    };
    for (const auto& each : cases) {
        CAPTURE(each.offer);
        Play play({hello(each.offer) + each.exchange + mail});
        CHECK(play.send() == sent);
        CHECK(play.server.fault == "");
    }
}

TEST_CASE("without a password, or without an offer, we talk as strangers", "[smtp-client]")
{
    Play unknown({hello("AUTH PLAIN") + mail}, "smtp_sasl_password_maps = inline:{{other.test = x:y}}");
    CHECK(unknown.send() == sent);
    Play no_offer({hello("HELP") + mail});
    CHECK(no_offer.send() == sent);
    CHECK(unknown.server.fault + no_offer.server.fault == "");
}

TEST_CASE("passwords by destination and by sender", "[smtp-client]")
{
    Play by_sender({hello("AUTH PLAIN") + Dialogue{"< AUTH PLAIN AGJvYgBi", "> 235 ok", "< MAIL FROM:<bob@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok",
                                                   "< DATA", "> 354 go", "<data", "> 250 2.0.0 Ok", "< QUIT"},
                    hello("AUTH PLAIN") + Dialogue{"< AUTH PLAIN AGFubmEAc2VjcmV0", "> 235 ok"} + mail},
                   "smtp_sasl_password_maps = inline:{{127.0.0.1 = anna:secret}, {bob@here.test = bob:b}}");
    by_sender.sender.agent.context.settings.sasl.by_sender = true;
    CHECK(by_sender.send("bob@here.test") == sent);
    // The connection that is logged in as bob is not for others.
    CHECK(by_sender.send() == sent);
    CHECK(by_sender.server.fault == "");
    CHECK(by_sender.server.connections == 2);
}

TEST_CASE("a refused login holds the mail up, or bounces it where that is wanted", "[smtp-client]")
{
    const Dialogue refusing = hello("AUTH PLAIN") + Dialogue{"< AUTH PLAIN AGFubmEAc2VjcmV0", "> 535 5.7.8 wrong", "< QUIT"};
    Play soft({refusing});
    CHECK(soft.send() == "deferred 4.7.8 SASL authentication failed; server HOST said: 535 5.7.8 wrong");
    CHECK(soft.server.fault == "");
    Play hard({refusing});
    hard.sender.agent.context.settings.sasl.soft_bounce = false;
    CHECK(hard.send() == "bounced 5.7.8 SASL authentication failed; server HOST said: 535 5.7.8 wrong");
    Play cached({refusing, hello("AUTH PLAIN") + Dialogue{"< QUIT"}});
    cached.sender.agent.context.settings.sasl.remember_failures = true;
    cached.sender.agent.context.settings.sasl.remember = std::chrono::hours(1);
    cached.send();
    CHECK(cached.send() == "deferred 4.7.8 SASL [CACHED] authentication failed; server 127.0.0.1 said: 535 5.7.8 wrong");
    CHECK(cached.server.fault == "");
}

TEST_CASE("no password goes where it must not", "[smtp-client]")
{
    Play plaintext({hello("AUTH PLAIN LOGIN") + Dialogue{"< QUIT"}}, "smtp_sasl_password_maps = inline:{{127.0.0.1 = anna:secret}}",
                   sasl::no_anonymous | sasl::no_plaintext);
    CHECK(plaintext.send() == "deferred 4.7.0 SASL authentication failed; cannot authenticate to server HOST: no mechanism available");
    Play filtered({hello("AUTH PLAIN LOGIN") + Dialogue{"< QUIT"}},
                  "smtp_sasl_mechanism_filter = !plain, !login, static:rest\nsmtp_sasl_password_maps = inline:{{127.0.0.1 = anna:secret}}");
    CHECK(filtered.send() == "deferred 4.7.0 SASL authentication failed: server HOST offered no compatible authentication mechanisms for this type "
                             "of connection security");
    CHECK(plaintext.server.fault + filtered.server.fault == "");
}

TEST_CASE("servers that cannot do SASL", "[smtp-client]")
{
    Play garbage({hello("AUTH CRAM-MD5") + Dialogue{"< AUTH CRAM-MD5", "> 334 *not base64*", "< QUIT"}});
    CHECK(garbage.send() == "deferred 4.7.0 SASL authentication failed; cannot authenticate to server HOST: bad protocol / cancel");
    Play impostor({hello("AUTH LOGIN") + Dialogue{"< AUTH LOGIN", "> 334 ", "< YW5uYQ==", "> 334 ", "< c2VjcmV0", "> 334 ", "< QUIT"}});
    CHECK(impostor.send() == "deferred 4.7.0 SASL authentication failed; cannot authenticate to server HOST: one question too many");
    Play gone({hello("AUTH PLAIN") + Dialogue{"< AUTH PLAIN AGFubmEAc2VjcmV0", "close"}});
    CHECK(gone.send() == "deferred 4.4.2 lost connection with HOST while performing SASL authentication");
    CHECK(garbage.server.fault + impostor.server.fault == "");
}
