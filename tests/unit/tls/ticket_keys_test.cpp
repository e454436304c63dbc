// ticket_keys_test: who shares the secret shares the keys.
#include "catch.h"
#include "certificates.h"
#include "tls/ticket_keys.h"

#include <sys/stat.h>

namespace {
std::string name_of(const tls::TicketKey& key)
{
    return std::string(reinterpret_cast<const char*>(key.name.data()), key.name.size());
}
} // namespace

TEST_CASE("ticket keys follow from the secret and the hour", "[tls]")
{
    tls::TicketKeys ours("secret"), theirs("secret"), others("");
    CHECK(ours.for_hour(5).cipher == theirs.for_hour(5).cipher);
    CHECK(ours.for_hour(5).mac == theirs.for_hour(5).mac);
    CHECK(ours.for_hour(5).cipher != ours.for_hour(6).cipher);
    CHECK(ours.for_hour(5).cipher != ours.for_hour(5).mac);
    CHECK(ours.for_hour(5).name != others.for_hour(5).name);

    std::string name = name_of(ours.for_hour(5));
    CHECK(theirs.named(name, 5, 1));
    CHECK(theirs.named(name, 6, 1));
    CHECK(theirs.named(name, 4, 1));
    CHECK_FALSE(theirs.named(name, 7, 1));
    CHECK_FALSE(others.named(name, 5, 1));
    CHECK_FALSE(ours.named("short", 5, 1));
}

TEST_CASE("the shared secret is made once, and made anew when it is not safe", "[tls]")
{
    char pattern[] = "/tmp/tls-test.XXXXXX";
    std::string folder = ::mkdtemp(pattern), path = folder + "/secret";
    std::string first = tls::shared_ticket_secret(path);
    CHECK(first.size() == 64);
    CHECK(tls::shared_ticket_secret(path) == first);
    ::chmod(path.c_str(), 0644);
    std::string second = tls::shared_ticket_secret(path);
    CHECK(second != first);
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(30));
    CHECK(tls::shared_ticket_secret(path) != second);
    base::replace_file(path, "short", 0600);
    CHECK(tls::shared_ticket_secret(path).size() == 64);
    std::filesystem::remove_all(folder);
}
