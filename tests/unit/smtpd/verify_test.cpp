// reject_unverified_sender and reject_unverified_recipient, with a queue manager that answers by the book.
#include "restriction_world.h"

#include "../spool/fake_manager.h"

#include <filesystem>

using spool::Verified;

namespace {

std::string ask(const std::string& settings, bool manager, Verified::Verdict verdict, const std::string& text, bool null_sender = false)
{
    World world(settings);
    std::filesystem::create_directory(world.scratch / "private");
    std::optional<FakeManager> fake;
    if (manager) {
        fake.emplace(world.scratch, "private/qmgr");
        fake->verdict.verdict = verdict;
        fake->verdict.text = text;
    }
    if (null_sender) world.set_sender("");
    std::string reply = world.rcpt();
    if (manager && !fake->told.empty()) reply = fake->told.front() + ": " + reply;
    world.nursery.cancel();    // its tasks know the service
    return reply;
}

} // namespace

TEST_CASE("what a probe found out decides", "[smtpd]")
{
    struct Case {
        std::string settings;
        Verified::Verdict verdict;
        std::string text, reply;
    };
    const std::string recipient = "smtpd_recipient_restrictions = reject_unverified_recipient\n";
    const std::string sender = "smtpd_sender_restrictions = reject_unverified_sender\n";
    const std::string joe = "verify joe@example.net 6000: ", ann = "verify ann@example.org 6000: ";
    for (const auto& c : {
             Case{recipient, Verified::deliverable, "250 ok", ann},
             Case{recipient, Verified::in_progress, "Address verification in progress",
                  ann + "450 4.1.1 <ann@example.org>: Recipient address rejected: unverified address: Address verification in progress"},
             Case{recipient, Verified::undeliverable, "unknown user: \"ann\"",
                  ann + "450 4.1.1 <ann@example.org>: Recipient address rejected: unverified address: unknown user: \"ann\""},
             Case{recipient + "unverified_recipient_reject_code = 550\n", Verified::undeliverable, "host mx said: 550 no",
                  ann + "550 5.1.1 <ann@example.org>: Recipient address rejected: undeliverable address: host mx said: 550 no"},
             Case{recipient + "unverified_recipient_reject_code = 550\n", Verified::deferred, "down",
                  ann + "450 4.1.1 <ann@example.org>: Recipient address rejected: unverified address: down"},
             Case{recipient + "unverified_recipient_reject_code = 250\n", Verified::undeliverable, "no", ann},
             Case{recipient + "unverified_recipient_defer_code = 250\n", Verified::in_progress, "wait", ann},
             Case{recipient + "unverified_recipient_reject_code = 550\nunverified_recipient_reject_reason = Address lookup failed\n", Verified::undeliverable,
                  "a secret", ann + "550 5.1.1 <ann@example.org>: Recipient address rejected: undeliverable address: Address lookup failed"},
             Case{recipient + "unverified_recipient_tempfail_action = permit\n", Verified::deferred, "down",
                  ann + "450 4.1.1 <ann@example.org>: Recipient address rejected: unverified address: down"},
             Case{sender, Verified::undeliverable, "no",
                  joe + "450 4.1.7 <joe@example.net>: Sender address rejected: unverified address: no"},
             Case{sender + "unverified_sender_reject_code = 550\n", Verified::undeliverable, "no",
                  joe + "550 5.1.7 <joe@example.net>: Sender address rejected: undeliverable address: no"},
             Case{sender + "address_verify_poll_count = 1\n", Verified::in_progress, "wait",
                  "verify joe@example.net 0: 450 4.1.7 <joe@example.net>: Sender address rejected: unverified address: wait"},
             Case{sender + "address_verify_poll_delay = 1s\naddress_verify_poll_count = 5\n", Verified::deliverable, "", "verify joe@example.net 4000: "},
         }) {
        CAPTURE(c.settings, c.text);
        CHECK(ask(c.settings, true, c.verdict, c.text) == c.reply);
    }
}

TEST_CASE("nothing is asked about the null sender", "[smtpd]")
{
    CHECK(ask("smtpd_sender_restrictions = reject_unverified_sender\n", true, Verified::undeliverable, "no", true) == "");
}

TEST_CASE("without a queue manager nobody is verified", "[smtpd]")
{
    CHECK(ask("smtpd_recipient_restrictions = reject_unverified_recipient\n", false, Verified::deliverable, "") ==
          "450 4.3.0 <ann@example.org>: Recipient address rejected: address verification problem");
}

TEST_CASE("a reason is cut to what a reply line can hold", "[smtpd]")
{
    std::string reply = ask("smtpd_recipient_restrictions = reject_unverified_recipient\n", true, Verified::deferred, std::string(4000, 'x') + "\r\n250 ok");
    CHECK(reply.size() < 420);
    CHECK(reply.find('\n') == std::string::npos);
}
