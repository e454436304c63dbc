// sni_tables_test: tls_server_sni_maps: by which name, in which form; and what Received: says of a session.
#include "base/text.h"
#include "catch.h"
#include "certificates.h"
#include "tls/error.h"
#include "tls/info.h"
#include "tls/sni_tables.h"

TEST_CASE("certificates by name: exact, then below a domain", "[tls]")
{
    TestCertificates files("mail.example.org");
    std::string table = files.path("sni");
    base::replace_file(table, "mail.example.org " + files.path("key.pem") + ", " + files.path("cert.pem") + "\n" +
                                  ".example.net " + files.path("chain.pem") + "\n",
                       0600);
    std::string pem = base::to_base64("-----BEGIN CERTIFICATE-----\n");
    auto find = tls::certificates_by_name({"texthash:" + table, "inline:{{base.test = " + pem + "}}"});
    REQUIRE(find("mail.example.org"));
    CHECK(find("mail.example.org")->find("PRIVATE KEY") < find("mail.example.org")->find("BEGIN CERTIFICATE"));
    CHECK(find("a.b.example.net"));
    CHECK(find("base.test") == "-----BEGIN CERTIFICATE-----\n");
    for (auto name : {"example.net", "other.example.org", "xexample.net", "", "."}) CHECK_FALSE(find(name));

    // Keys were read at the start: who is nobody now could not.
    std::filesystem::remove(files.path("key.pem"));
    CHECK(find("mail.example.org"));
}

TEST_CASE("files that are missing are told at the start", "[tls]")
{
    TestCertificates files("mail.example.org");
    CHECK_THROWS_AS(tls::certificates_by_name({"texthash:" + files.path("missing")}), tls::Failed);
    base::replace_file(files.path("sni"), "mail.example.org " + files.path("missing") + "\n", 0600);
    CHECK_THROWS_AS(tls::certificates_by_name({"texthash:" + files.path("sni")}), tls::Failed);
}

TEST_CASE("what Received: says of TLS", "[tls]")
{
    tls::Info info;
    info.protocol = "TLSv1.2";
    info.cipher = "ECDHE-RSA-AES256-GCM-SHA384";
    info.bits_used = info.bits_total = 256;
    CHECK(info.received_lines(false) == "\t(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\r\n\t(No client certificate requested)\r\n");
    info.details = "key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256 client-signature ECDSA (P-256) client-digest SHA256";
    CHECK(info.received_lines(true) == "\t(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)\r\n"
                                       "\t key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256\r\n"
                                       "\t client-signature ECDSA (P-256) client-digest SHA256)\r\n"
                                       "\t(Client did not present a certificate)\r\n");
    info.trust = tls::Trust::untrusted;
    info.peer_name = "client.test";
    info.peer_issuer = "Authority";
    CHECK(info.received_lines(true).ends_with("\t(Client CN \"client.test\", Issuer \"Authority\" (not verified))\r\n"));
    info.trust = tls::Trust::trusted;
    CHECK(info.received_lines(true).ends_with("(verified OK))\r\n"));
}
