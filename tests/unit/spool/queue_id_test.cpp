// Queue ids: Postfix's long form, which names files and sorts by time.
#include "spool/queue_id.h"

#include "base/random.h"
#include "base/text.h"
#include "catch.h"

TEST_CASE("queue ids are Postfix's long ids", "[spool]")
{
    struct Case {
        int64_t microseconds;
        uint64_t number;
        const char* id;
    };
    // 52 digits without vowels for the time, 51 for the number, "z" between.
    Case cases[] = {
        {0, 0, "0000000000z0"},
        {1'000'000, 1, "0000010000z1"},
        {51'000'000, 50, "00000z0000zy"},
        {52'000'051, 51, "000010000zz10"},
        {999'999, 2601, "00000075plz100"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.microseconds, c.number);
        std::string id = spool::make_queue_id(c.microseconds, c.number);
        CHECK(id == c.id);
        CHECK(spool::queue_id_time(id) == c.microseconds);
    }
}

TEST_CASE("a queue id gives its time back", "[spool]")
{
    for (int i = 0; i < 5000; ++i) {
        auto time = static_cast<int64_t>(base::random_below(4'000'000'000'000'000));
        uint64_t number = base::random_below(UINT64_MAX);
        std::string id = spool::make_queue_id(time, number);
        CAPTURE(id, time);
        REQUIRE(spool::queue_id_time(id) == time);
        REQUIRE(id.find_first_of("aeiouAEIOU") == std::string::npos);
    }
}

TEST_CASE("later queue ids sort behind earlier ones", "[spool]")
{
    std::string before = spool::make_queue_id(1'700'000'000'000'000, 0);
    for (int64_t step : std::initializer_list<int64_t>{1, 7, 51, 52, 53, 2704, 1'000'000, 60'000'000, 86'400'000'000}) {
        std::string next = spool::make_queue_id(1'700'000'000'000'000 + step, 0);
        CAPTURE(before, next);
        CHECK(before < next);
    }
}

TEST_CASE("what is no queue id names no file", "[spool]")
{
    std::string good = spool::make_queue_id(1'700'000'000'000'000, 123456);
    REQUIRE(spool::is_queue_id(good));
    for (std::string bad : {std::string(), std::string("z"), std::string("z1"), std::string("0123456789"), std::string("ABCDEF01234"),
                            std::string("../../etc/passwd"), std::string("000000000z0"), std::string("0000000000z"),
                            std::string("0000000000zz"), std::string("aaaaaaaaaaz1"), std::string("0000000000z1/"),
                            std::string("0000000000z1 "), std::string(" 0000000000z1"), std::string("0000000000z1.tmp"),
                            std::string("0000000000z\0", 12), std::string("000000zzzzz1"), good + "/..", good + std::string(40, '1'),
                            std::string(30, 'y') + "z1", std::string(1000, '0') + "z1", "." + good, "-" + good}) {
        CAPTURE(bad);
        CHECK_FALSE(spool::is_queue_id(bad));
    }
    // Damage to any one byte is either refused or still a name without a path in it.
    for (size_t at = 0; at < good.size(); ++at)
        for (int byte = 0; byte < 256; ++byte) {
            std::string other = good;
            other[at] = static_cast<char>(byte);
            if (!spool::is_queue_id(other)) continue;
            REQUIRE(base::is_alnum(static_cast<char>(byte)));
        }
}
