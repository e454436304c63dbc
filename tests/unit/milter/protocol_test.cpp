// The Milter protocol as bytes: what goes out, what comes in, and what must not.
#include "milter/protocol.h"

#include "catch.h"

using namespace std::string_literals;
using namespace milter;

TEST_CASE("packets are length, letter and data", "[milter]")
{
    std::string wire;
    SECTION("negotiation")
    {
        write_negotiation({6, 0x1ff, 0x1fffff}, wire);
        CHECK(wire == "\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff"s);
    }
    SECTION("connect by IPv4")
    {
        write_connect({"mx.example", "192.0.2.1", 0x1234, Peer::ipv4}, wire);
        CHECK(wire == "\0\0\0\x19"
                      "Cmx.example\0"
                      "4\x12\x34"
                      "192.0.2.1\0"s);
    }
    SECTION("connect from nowhere has no address")
    {
        write_connect({"unknown", "", 0, Peer::unknown}, wire);
        CHECK(wire == "\0\0\0\x0a"
                      "Cunknown\0U"s);
    }
    SECTION("texts end with NUL, and cannot smuggle one")
    {
        write_texts(Command::mail, {"<a@b>", "SIZE=1\0X=2"s}, wire);
        CHECK(wire == "\0\0\0\x0eM<a@b>\0SIZE=1\0"s);
    }
    SECTION("macros carry the letter of their event")
    {
        write_macros(Command::helo, {{"i", "X"}, {"{v}", ""}}, wire);
        CHECK(wire == "\0\0\0\x0b"
                      "DHi\0X\0{v}\0\0"s);
    }
    SECTION("a header, and bytes")
    {
        write_header("Subject", " hi", wire);
        write_bytes(Command::body, "x\0y"s, wire);
        write_bytes(Command::end_of_message, "", wire);
        CHECK(wire == "\0\0\0\x0dLSubject\0 hi\0\0\0\0\x04"
                      "Bx\0y\0\0\0\x01"
                      "E"s);
    }
}

TEST_CASE("verdicts and changes are read", "[milter]")
{
    auto verdict = [](std::string_view packet) { return std::get<Said>(read_answer(packet)); };
    for (char letter : "acdfprst4"s) {
        CAPTURE(letter);
        CHECK(static_cast<char>(verdict(std::string(1, letter)).verdict) == letter);
        CHECK_THROWS_AS(read_answer(std::string(1, letter) + "x"), Malformed);
    }
    CHECK(verdict("y550 5.7.1 no\0"s).text == "550 5.7.1 no");
    auto change = [](const std::string& packet) { return std::get<Change>(read_answer(packet)); };
    CHECK(std::get<AddHeader>(change("hX-A\0 b\0"s)).value == " b");
    auto inserted = std::get<InsertHeader>(change("i\0\0\0\x02X\0v\0"s));
    CHECK(inserted.index == 2);
    CHECK(inserted.name == "X");
    CHECK(std::get<ChangeHeader>(change("m\0\0\0\x01Subject\0\0"s)).value.empty());
    CHECK(std::get<ReplaceBody>(change("bnew\0body"s)).bytes == "new\0body"s);
    CHECK(std::get<ChangeSender>(change("e<a@b>\0RET=HDRS\0"s)).arguments == "RET=HDRS");
    CHECK(std::get<ChangeSender>(change("e<a@b>\0"s)).arguments.empty());
    CHECK(std::get<AddRecipient>(change("+<a@b>\0"s)).address == "<a@b>");
    CHECK(std::get<AddRecipient>(change("2<a@b>\0NOTIFY=NEVER\0"s)).arguments == "NOTIFY=NEVER");
    CHECK(std::get<DeleteRecipient>(change("-<a@b>\0"s)).address == "<a@b>");
    CHECK(std::get<Quarantine>(change("qwhy\0"s)).reason == "why");
}

TEST_CASE("answers that are none are refused", "[milter]")
{
    for (const std::string& packet : {""s, "z"s, "\0"s, "y550 no end"s, "hX\0v"s, "hX"s, "i\0\0"s, "i\0\0\0\x01X\0"s, "m\0\0\0\x01X\0v\0more"s, "e"s, "+a"s, "-"s, "q"s}) {
        CAPTURE(packet);
        CHECK_THROWS_AS(read_answer(packet), Malformed);
    }
    CHECK(read_length("\0\0\0\x01"s) == 1);
    CHECK_THROWS_AS(read_length("\0\0\0\0"s), Malformed);
    CHECK_THROWS_AS(read_length("\x7f\xff\xff\xff"s), Malformed);
}

TEST_CASE("a milter agrees to what was offered, and to nothing else", "[milter]")
{
    Offer offer = offer_of(6);
    CHECK(offer.actions == 0x1ff);
    CHECK(offer.steps == 0x1fffff);
    CHECK(offer_of(2).steps == 0x7f);
    CHECK(offer_of(3).steps == 0x17f);
    CHECK(offer_of(4).steps == 0x37f);

    auto agreed = read_agreement("O\0\0\0\x06\0\0\0\x21\0\x10\x04\x01\0\0\0\x02i {mail_addr}\0\0\0\0\x63x\0"s, offer);
    CHECK(agreed.version == 6);
    CHECK(agreed.actions == (add_headers | quarantine));
    CHECK(agreed.steps == (keeps_leading_space | may_skip | no_connect));
    REQUIRE(agreed.macro_lists.size() == 1);
    CHECK(agreed.macro_lists[0].first == Moment::mail);
    CHECK(agreed.macro_lists[0].second == std::vector<std::string>{"i", "{mail_addr}"});

    for (const std::string& packet : {""s, "c"s, "O"s, "O\0\0\0\x06\0\0\0\0\0\0\0"s, "O\0\0\0\x01\0\0\0\0\0\0\0\0"s, "O\0\0\0\x07\0\0\0\0\0\0\0\0"s,
                                      "O\0\0\0\x06\0\0\x02\0\0\0\0\0"s, "O\0\0\0\x06\0\0\0\0\x80\0\0\0"s, "O\0\0\0\x06\0\0\0\0\0\0\0\0\0\0"s,
                                      "O\0\0\0\x06\0\0\0\0\0\0\0\0\0\0\0\x01no end"s}) {
        CAPTURE(packet);
        CHECK_THROWS_AS(read_agreement(packet, offer), Malformed);
    }
    CHECK_THROWS_AS(read_agreement("O\0\0\0\x06\0\0\0\0\0\0\0\0"s, offer_of(4)), Malformed);
}
