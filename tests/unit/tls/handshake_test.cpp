// handshake_test: both sides of TLS over a socket pair.
#include "catch.h"
#include "certificates.h"
#include "tls/handshake.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr net::Limit limit{5000};

struct Pair {
    Pair()
    {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) throw base::SystemError("socketpair");
        server = net::Stream(base::Fd(fds[0]), net::Address::unix_path("server"));
        client = net::Stream(base::Fd(fds[1]), net::Address::unix_path("client"));
    }
    net::Stream server, client;
};

struct Ends {
    tls::Info server, client;
    std::string server_trouble, client_trouble;
};

async::Task<> serve(Pair& pair, const tls::ServerContext& context, Ends& ends, net::Limit patience)
{
    try {
        ends.server = co_await tls::accept(pair.server, context, patience);
        std::string_view line = co_await pair.server.line(patience, 1000);
        std::string answer = "you said " + std::string(line) + "\r\n";
        co_await pair.server.send(answer, patience);
    } catch (const std::exception& failure) {
        ends.server_trouble = failure.what();
    }
    co_await pair.server.close(patience);
}

async::Task<> visit(Pair& pair, const tls::ClientContext& context, tls::Target target, Ends& ends)
{
    try {
        ends.client = co_await tls::connect(pair.client, context, std::move(target), limit);
        pair.client.write("hello\r\n");
        co_await pair.client.flush(limit);
        std::string_view line = co_await pair.client.line(limit, 1000);
        if (line != "you said hello") ends.client_trouble = "wrong answer";
    } catch (const std::exception& failure) {
        ends.client_trouble = failure.what();
    }
    co_await pair.client.close(limit);
}

void run(async::Task<>& first, async::Task<>& second)
{
    first.start();
    second.start();
    while (!first.done() || !second.done()) async::loop().run_once(async::Limit(1000));
    first.take();
    second.take();
}

Ends meet(const tls::ServerContext& server, const tls::ClientContext& client, tls::Target target, Pair pair = Pair())
{
    Ends ends;
    auto serving = serve(pair, server, ends, limit);
    auto visiting = visit(pair, client, std::move(target), ends);
    run(serving, visiting);
    return ends;
}

tls::ServerSettings server_settings(const TestCertificates& files)
{
    tls::ServerSettings settings;
    settings.cert_file = files.path("cert.pem");
    settings.key_file = files.path("key.pem");
    return settings;
}

tls::ClientSettings client_settings(const TestCertificates& files)
{
    tls::ClientSettings settings;
    settings.ca_file = files.path("ca.pem");
    settings.append_default_ca = false;
    return settings;
}

} // namespace

TEST_CASE("a client meets a server and knows it by name", "[tls]")
{
    TestCertificates files("mail.example.org");
    tls::ServerContext server(server_settings(files));
    tls::ClientContext client(client_settings(files));

    Ends ends = meet(server, client, tls::Target("mail.example.org", tls::Level::secure));
    CHECK(ends.server_trouble == "");
    CHECK(ends.client_trouble == "");
    CHECK(ends.client.trust == tls::Trust::verified);
    CHECK(ends.client.peer_name == "mail.example.org");
    CHECK(ends.client.peer_issuer == "Test Authority");
    CHECK(ends.client.peer_names == std::vector<std::string>{"mail.example.org"});
    CHECK(ends.client.peer_fingerprint.size() == 95);
    CHECK(ends.server.trust == tls::Trust::anonymous);
    CHECK(ends.server.server_name == "mail.example.org");
    CHECK(ends.server.protocol == "TLSv1.3");
    CHECK_FALSE(ends.server.plaintext_discarded);
    CHECK(ends.server.text() == "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
                                "server-signature ECDSA (P-256) server-digest SHA256");
    CHECK(ends.client.text() == ends.server.text());

    auto old = server_settings(files);
    old.protocols = "TLSv1.2";
    Ends second = meet(tls::ServerContext(std::move(old)), client, tls::Target("mail.example.org", tls::Level::may));
    CHECK(second.client.text() == "TLSv1.2 with cipher ECDHE-ECDSA-AES256-GCM-SHA384 (256/256 bits)");
    CHECK(second.client.trust == tls::Trust::trusted);
}

TEST_CASE("levels decide which servers are good enough", "[tls]")
{
    TestCertificates files("mail.example.org"), strangers("mail.example.org"), expired("mail.example.org", -1);
    tls::ClientContext client(client_settings(files));
    struct Case {
        const TestCertificates* server;
        const char* name;
        tls::Level level;
        bool good;
        tls::Trust trust;
    };
    const Case cases[] = {
        {&files, "mail.example.org", tls::Level::verify, true, tls::Trust::verified},
        {&files, "other.example.org", tls::Level::verify, false, tls::Trust::trusted},
        {&files, "other.example.org", tls::Level::encrypt, true, tls::Trust::trusted},
        {&strangers, "mail.example.org", tls::Level::encrypt, true, tls::Trust::untrusted},
        {&strangers, "mail.example.org", tls::Level::secure, false, tls::Trust::untrusted},
        {&expired, "mail.example.org", tls::Level::secure, false, tls::Trust::untrusted},
        {&expired, "mail.example.org", tls::Level::may, true, tls::Trust::untrusted},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name, tls::word(c.level));
        tls::ServerContext server(server_settings(*c.server));
        Ends ends = meet(server, client, tls::Target(c.name, c.level));
        CHECK(ends.client_trouble.empty() == c.good);
        if (c.good) CHECK(ends.client.trust == c.trust);
    }
    tls::ServerContext server(server_settings(files));
    tls::Target below("10.0.0.1", tls::Level::secure);
    below.match = {"nothing.test", ".example.org"};
    CHECK(meet(server, client, below).client_trouble == "");
}

TEST_CASE("a server is known by its fingerprint, or by DANE", "[tls]")
{
    TestCertificates files("mail.example.org");
    tls::ServerContext server(server_settings(files));
    tls::ClientSettings settings;
    settings.append_default_ca = false;
    tls::ClientContext client(std::move(settings));
    Ends first = meet(server, client, tls::Target("mail.example.org", tls::Level::encrypt));

    tls::Target by_key("mail.example.org", tls::Level::fingerprint);
    by_key.fingerprints = {"00:11", first.client.peer_key_fingerprint};
    Ends second = meet(server, client, by_key);
    CHECK(second.client_trouble == "");
    CHECK(second.client.trust == tls::Trust::verified);
    by_key.fingerprints = {"00:11"};
    CHECK(meet(server, client, by_key).client_trouble != "");

    std::string digest;
    for (char c : first.client.peer_key_fingerprint)
        if (c != ':') digest += c;
    tls::Tlsa record;
    record.usage = 3;
    record.selector = 1;
    record.matching = 1;
    for (size_t i = 0; i < digest.size(); i += 2)
        record.data += static_cast<char>(std::stoi(digest.substr(i, 2), nullptr, 16));
    tls::Target by_dane("mail.example.org", tls::Level::dane);
    by_dane.tlsa = {record};
    Ends third = meet(server, client, by_dane);
    CHECK(third.client_trouble == "");
    CHECK(third.client.trust == tls::Trust::verified);
    by_dane.tlsa[0].data[0] = static_cast<char>(by_dane.tlsa[0].data[0] ^ 1);
    CHECK(meet(server, client, by_dane).client_trouble != "");
    by_dane.tlsa[0].usage = 1;
    CHECK(meet(server, client, by_dane).client_trouble == "no usable TLSA records");
}

TEST_CASE("what was said in the clear before the handshake is thrown away", "[tls]")
{
    TestCertificates files("mail.example.org");
    tls::ServerContext server(server_settings(files));
    tls::ClientContext client(client_settings(files));
    Pair pair;
    // STARTTLS and an injected command arrive in one packet; the server reads the first line only.
    std::string injected = "STARTTLS\r\nMAIL FROM:<thief@example.org>\r\n";
    REQUIRE(::write(pair.client.fd(), injected.data(), injected.size()) == static_cast<ssize_t>(injected.size()));
    auto reading = pair.server.line(limit, 1000);
    reading.start();
    while (!reading.done()) async::loop().run_once(async::Limit(1000));
    REQUIRE(reading.take() == "STARTTLS");
    REQUIRE(!pair.server.buffered().empty());

    Ends ends = meet(server, client, tls::Target("mail.example.org", tls::Level::secure), std::move(pair));
    CHECK(ends.server.plaintext_discarded);
    CHECK(ends.server_trouble == "");
    CHECK(ends.client_trouble == "");
}

TEST_CASE("plain text instead of a handshake is refused, and silence ends at the limit", "[tls]")
{
    TestCertificates files("mail.example.org");
    tls::ServerContext server(server_settings(files));
    auto run_server = [&](std::string bytes, bool close, net::Limit patience) {
        Pair pair;
        if (!bytes.empty())
            REQUIRE(::write(pair.client.fd(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
        if (close) ::shutdown(pair.client.fd(), SHUT_WR);
        Ends ends;
        auto serving = serve(pair, server, ends, patience);
        serving.start();
        while (!serving.done()) async::loop().run_once(async::Limit(1000));
        return ends.server_trouble;
    };
    CHECK(run_server("EHLO example.org\r\nMAIL FROM:<>\r\n", false, limit) == "wrong version number");
    CHECK(run_server("GET / HTTP/1.0\r\n\r\n", false, limit) == "http request");
    CHECK(run_server("", true, limit) == "lost connection in TLS handshake");
    CHECK(run_server("\x16\x03\x01", false, net::Limit(1)) == "timed out");
}

TEST_CASE("sessions are resumed, also by another process with the same secret", "[tls]")
{
    TestCertificates files("mail.example.org");
    std::string protocol = GENERATE("TLSv1.3", "TLSv1.2");
    CAPTURE(protocol);
    auto settings = server_settings(files);
    settings.protocols = protocol;
    settings.ticket_secret = std::string(64, 's');
    tls::ServerContext one(settings), two(settings);
    settings.ticket_secret = std::string(64, 'x');
    tls::ServerContext stranger(settings);
    tls::ClientContext client(client_settings(files));
    tls::Target target("mail.example.org", tls::Level::secure);

    CHECK_FALSE(meet(one, client, target).server.resumed);
    Ends second = meet(two, client, target);
    CHECK(second.server.resumed);
    CHECK(second.client.resumed);
    CHECK(second.client.trust == tls::Trust::verified);
    CHECK_FALSE(meet(stranger, client, target).server.resumed);
}

TEST_CASE("a renewed certificate is used without a restart, a broken one is not", "[tls]")
{
    TestCertificates files("mail.example.org");
    tls::ServerContext server(server_settings(files));
    auto settings = client_settings(files);
    settings.session_cache = 0; // a resumed session keeps its certificate
    tls::ClientContext client(settings);
    tls::Target target("mail.example.org", tls::Level::may);
    std::string first = meet(server, client, target).client.peer_fingerprint;

    files.write("cert.pem", "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n");
    server.look_at_files();
    CHECK(meet(server, client, target).client.peer_fingerprint == first);

    files.issue("mail.example.org");
    server.look_at_files();
    Ends renewed = meet(server, client, target);
    CHECK(renewed.client_trouble == "");
    CHECK(renewed.client.peer_fingerprint != first);

    ::unlink(files.path("key.pem").c_str());
    server.look_at_files();
    CHECK(meet(server, client, target).client.peer_fingerprint == renewed.client.peer_fingerprint);
}

TEST_CASE("a client that asks for another name is shown that certificate", "[tls]")
{
    TestCertificates files("mail.example.org");
    auto settings = server_settings(files);
    settings.certificate_for = [&](const std::string& name) -> std::optional<std::string> {
        if (name == "mail.example.net") return files.chain_for(name);
        if (name == "broken.example.net") return "rubbish";
        return std::nullopt;
    };
    tls::ServerContext server(std::move(settings));
    tls::ClientContext client(client_settings(files));
    CHECK(meet(server, client, tls::Target("mail.example.net", tls::Level::secure)).client.peer_name ==
          "mail.example.net");
    CHECK(meet(server, client, tls::Target("broken.example.net", tls::Level::may)).client.peer_name ==
          "mail.example.org");
    CHECK(meet(server, client, tls::Target("mail.example.org", tls::Level::secure)).client.peer_name ==
          "mail.example.org");
}

TEST_CASE("client certificates are asked for, judged and required", "[tls]")
{
    TestCertificates files("mail.example.org");
    auto settings = server_settings(files);
    settings.ca_file = files.path("ca.pem");
    settings.ask_certificate = true;
    tls::ServerContext asking(settings);
    settings.require_certificate = true;
    tls::ServerContext requiring(settings);
    tls::ClientContext nobody(client_settings(files));
    auto known_settings = client_settings(files);
    files.write("client.pem", files.chain_for("client.example.org"));
    known_settings.chain_files = {files.path("client.pem")};
    tls::ClientContext known(known_settings);
    tls::Target target("mail.example.org", tls::Level::may);

    CHECK(meet(asking, nobody, target).server.trust == tls::Trust::anonymous);
    Ends ends = meet(asking, known, target);
    CHECK(ends.server.trust == tls::Trust::trusted);
    CHECK(ends.server.peer_name == "client.example.org");
    CHECK(meet(requiring, nobody, target).server_trouble == "client certificate missing");
    CHECK(meet(requiring, known, target).server_trouble == "");
}

TEST_CASE("settings that are of no use are refused with a reason", "[tls]")
{
    TestCertificates files("mail.example.org"), others("mail.example.org");
    auto refused = [](tls::ServerSettings settings) {
        CHECK_THROWS_AS(tls::ServerContext(std::move(settings)), tls::Failed);
    };
    refused(tls::ServerSettings());
    auto wrong = server_settings(files);
    wrong.cert_file = files.path("missing.pem");
    refused(wrong);
    wrong = server_settings(files);
    wrong.key_file = others.path("key.pem");
    refused(wrong);
    wrong = server_settings(files);
    wrong.key_file = files.path("cert.pem");
    refused(wrong);
    wrong = server_settings(files);
    wrong.protocols = "TLSv7";
    refused(wrong);
    wrong = server_settings(files);
    wrong.fingerprint_digest = "sha7";
    refused(wrong);
    tls::ServerSettings chain;
    chain.chain_files = {files.path("chain.pem")};
    CHECK_NOTHROW(tls::ServerContext(chain));
}
