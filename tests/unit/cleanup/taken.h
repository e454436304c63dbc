// taken: a message given to Intake, written and read again, and what was logged on the way.
#pragma once

#include "../spool/scratch.h"
#include "base/log.h"
#include "catch.h"
#include "cleanup/intake.h"

#include <algorithm>

namespace cleanup {

inline const std::string id = "4gBqk9x1yZbz1f";

inline Origin origin(bool ours = false)
{
    Origin o;
    o.sender = "joe@example.org";
    o.arrival = 1'700'000'000'000'000;
    o.ours = ours;
    return o;
}

struct Taken {
    spool::StoredMessage message;
    std::string content, message_id, log;
    spool::Treatment treatment;
    std::optional<Refusal> refusal;

    std::vector<std::string> recipients() const
    {
        std::vector<std::string> all;
        for (const auto& each : message.envelope.recipients) all.push_back(each.address);
        return all;
    }
};

struct Given {
    std::string content;
    Origin from = origin();
    std::string settings;
    std::vector<std::string> recipients = {"ann@example.org", "bob@example.org"};
    size_t piece = SIZE_MAX;
    ContentSeen seen = {};
    spool::Treatment treatment = {};
    std::function<void(Intake&)> before_seal = {};
};

// Feeds content in pieces, writes as it comes, and reads the file.
inline Taken take(Given given)
{
    Scratch scratch;
    base::Fd fd = scratch.file("message");
    base::log::open("postfix/cleanup", scratch / "log");
    auto config = config::Config::parse("myhostname = mail.example.org\nmydomain = example.org\nmyorigin = example.org\n" + given.settings, "main.cf");
    routing::Router router(config, {});
    Rules rules(config, router);
    Intake intake(rules, given.from, id);
    intake.treatment() = given.treatment;
    for (const std::string& address : given.recipients) {
        spool::Recipient recipient;
        recipient.address = recipient.original = address;
        intake.add_recipient(recipient);
    }
    const std::string& content = given.content;
    for (size_t at = 0; at < content.size(); at += std::min(given.piece, content.size() - at)) {
        intake.add(std::string_view(content).substr(at, given.piece));
        if (intake.full()) spool::write_blocks(fd.get(), intake.take_writes(), false, "message");
    }
    intake.finish(given.seen);
    if (given.before_seal) given.before_seal(intake);
    Taken taken;
    taken.treatment = intake.treatment();
    spool::write_blocks(fd.get(), intake.seal(), true, "message");
    taken.refusal = intake.refusal();
    taken.message_id = intake.message_id();
    taken.message = spool::read_message(fd.get(), "message", true);
    taken.content = spool::read_content(fd.get(), taken.message.head, "message");
    CHECK(taken.content.size() == intake.content_size());
    CHECK(taken.message.size == taken.message.head.journal_offset());
    base::log::flush();
    base::log::to_stderr("test");
    taken.log = base::read_file(scratch / "log");
    return taken;
}

inline Taken take(const std::string& content, Origin from, size_t piece = SIZE_MAX, const std::string& settings = {}, ContentSeen seen = {})
{
    Given given;
    given.content = content;
    given.from = std::move(from);
    given.settings = settings;
    given.piece = piece;
    given.seen = seen;
    return take(std::move(given));
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace cleanup
