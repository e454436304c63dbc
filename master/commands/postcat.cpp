// postcat: shows queue files: envelope, content, and what happened to each recipient.

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "mail/header.h"
#include "spool/folders.h"
#include "spool/queue_file.h"
#include "spool/queue_id.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

struct Parts {
    bool envelope = false, header = false, body = false, by_id = false, raw = false;
};

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string time_text(int64_t seconds) { return base::mail_date(base::Wall(std::chrono::seconds(seconds))); }

const char* event_word(spool::RecordType type)
{
    switch (type) {
    case spool::RecordType::delivered: return "delivered";
    case spool::RecordType::deferred: return "deferred";
    case spool::RecordType::next_attempt: return "next_attempt";
    case spool::RecordType::forced_expiry: return "forced_expiry";
    case spool::RecordType::delay_told: return "delay_told";
    default: return "unknown";
    }
}

void print_envelope(const spool::StoredMessage& message, const std::string& name)
{
    print(fmt::format("*** ENVELOPE RECORDS {} ***\n", name));
    print(fmt::format("message_size: {:>15} {:>15} {:>15}\n", message.head.content_length, message.head.content_offset(),
                      message.envelope.recipients.size()));
    print(fmt::format("message_arrival_time: {}\n", time_text(message.envelope.arrival / 1000000)));
    print(fmt::format("queue_id: {}\nsender: {}\n", message.envelope.id, message.envelope.sender));
    for (const auto& [attribute, value] : message.envelope.attributes) print(fmt::format("named_attribute: {}={}\n", attribute, value));
    for (const auto& recipient : message.envelope.recipients) {
        if (recipient.original != recipient.address) print(fmt::format("original_recipient: {}\n", recipient.original));
        print(fmt::format("recipient: {}\n", recipient.address));
    }
}

void print_journal(const spool::StoredMessage& message, const std::string& name)
{
    print(fmt::format("*** HEADER EXTRACTED {} ***\n", name));
    for (const auto& event : message.journal) {
        bool about_recipient = event.type == spool::RecordType::delivered || event.type == spool::RecordType::deferred;
        std::string who = about_recipient && event.recipient < message.envelope.recipients.size()
                              ? " " + message.envelope.recipients[event.recipient].address : "";
        print(fmt::format("{}:{} {}{}{}\n", event_word(event.type), who, time_text(event.time), event.dsn.empty() ? "" : " " + event.dsn,
                          event.text.empty() ? "" : " " + event.text));
    }
    print(fmt::format("*** MESSAGE FILE END {} ***\n", name));
}

void show(int fd, const std::string& name, const Parts& parts)
{
    spool::StoredMessage message = spool::read_message(fd, name, true);
    bool all = !parts.envelope && !parts.header && !parts.body;
    if (all || parts.envelope) print_envelope(message, name);
    std::string content = spool::read_content(fd, message.head, name);
    auto end = mail::header_end(content);
    auto lines = [&](std::string_view text) { print(parts.raw ? std::string(text) : base::replace_all(text, "\r\n", "\n")); };
    if (all) print(fmt::format("*** MESSAGE CONTENTS {} ***\n", name));
    if (all || parts.header) lines(std::string_view(content).substr(0, end.fields_end));
    if (all || parts.body) lines(std::string_view(content).substr(parts.header || all ? end.fields_end : end.body));
    if (all || parts.envelope) print_journal(message, name);
}

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("postcat");
    std::string folder = config::default_folder();
    Parts parts;
    for (int letter; (letter = ::getopt(argc, argv, "bc:defhoqrs:v")) != -1;) {
        switch (letter) {
        case 'b': parts.body = true; break;
        case 'c': folder = optarg; break;
        case 'e': parts.envelope = true; break;
        case 'h': parts.header = true; break;
        case 'q': parts.by_id = true; break;
        case 'r': parts.raw = true; break;
        case 'd': case 'f': case 'o': case 's': case 'v': break;
        default: fail(EX_USAGE, "usage: postcat [-behqrv] [-c config_directory] [file …]");
        }
    }
    int status = EX_OK;
    try {
        for (int i = optind; i < argc; ++i) {
            std::string name = argv[i];
            if (parts.by_id) {
                config::Config config = config::Config::load(folder);
                spool::Folders folders(config.queue_directory);
                auto place = folders.find(name);
                if (!place) {
                    base::log::warning("{}: no such message in the queue", name);
                    status = EX_UNAVAILABLE;
                    continue;
                }
                name = folders.path(*place, name);
            }
            base::Fd fd = base::open_file(name, O_RDONLY);
            show(fd.get(), name, parts);
        }
        return status;
    } catch (const config::Error& trouble) {
        fail(EX_CONFIG, trouble.what());
    } catch (const std::exception& trouble) {
        fail(EX_UNAVAILABLE, trouble.what());
    }
}
