// sendmail: the command that scripts and mail programs call; mailq and newaliases by name. It hands a message to smtpd by SMTP over a Unix
// socket, where the peer's uid says who it is, so that it needs no rights of its own.

#include "queue_client.h"
#include "queue_reader.h"
#include "sendmail_address_test.h"
#include "sendmail_exim.h"
#include "sendmail_message.h"
#include "sendmail_options.h"
#include "sendmail_run.h"
#include "sendmail_submit.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "mail/address.h"
#include "mail/header.h"
#include "maps/map.h"
#include "maps/modules.h"
#include "routing/recipients.h"
#include "sandbox/sandbox.h"

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using sendmail::Mode;
using sendmail::Options;

using sendmail::fail;
using sendmail::run;

std::string login_name()
{
    try {
        return sandbox::find_user(::getuid()).name;
    } catch (const std::exception&) {
        return "nobody";
    }
}

// RFC 5322 3.6.2 wants a From: the name is -F's, NAME's, or the user's own ("&" is the login name).
std::string from_field(const Options& options, const config::Config& config, const std::string& sender)
{
    mail::Address address;
    std::string user = login_name();
    auto parts = mail::split_address(sender.empty() ? user : sender);
    address.local = parts.local;
    address.domain = parts.has_domain ? std::string(parts.domain) : config.myorigin;
    address.name = options.full_name;
    if (const char* name = std::getenv("NAME"); address.name.empty() && name) address.name = base::printable(name, 200);
    if (address.name.empty()) {
        try {
            std::string gecos(base::cut(sandbox::find_user(::getuid()).real_name, ',').before);
            std::string proper = user;
            proper[0] = base::upper(proper[0]);
            address.name = base::replace_all(gecos, "&", proper);
        } catch (const std::exception&) {
        }
    }
    return mail::fold_field("From", mail::write_address(address));
}

int deliver(const Options& options, const config::Config& config, const std::string& folder)
{
    std::string sender = options.sender.value_or(login_name());
    if (options.sender && !sender.empty()) {
        auto addresses = mail::mailboxes(sender);
        if (addresses.size() != 1) fail(EX_DATAERR, "bad sender address: " + base::printable(sender));
        sender = addresses[0];
    }
    if (options.recipients.empty() && !options.recipients_from_header)
        fail(EX_USAGE, "Recipient addresses must be specified on the command line or via the -t option");
    auto limit = static_cast<uint64_t>(std::max<int64_t>(config.message_size_limit, 0));
    std::string raw;
    try {
        raw = sendmail::read_message(STDIN_FILENO, options.dot_ends, limit);
    } catch (const sendmail::TooBig&) {
        fail(EX_UNAVAILABLE, "File too big");
    } catch (const base::SystemError& failure) {
        fail(EX_DATAERR, failure.what());
    }
    if (options.sender_from_mbox && !options.sender) sender = sendmail::mbox_sender(raw).value_or(sender);
    auto message = sendmail::prepare(raw, options, from_field(options, config, sender));
    if (message.recipients.empty()) fail(EX_USAGE, "No recipient addresses found in message header");
    if (limit > 0 && message.content.size() > limit) fail(EX_UNAVAILABLE, "File too big");
    auto submission = sendmail::submit(sendmail::make_dialogue(message, sender, options), config.queue_directory + "/public/sendmail",
                                       config.command_directory + "/postdrop", folder);
    if (!submission.text.empty()) std::fprintf(stderr, "sendmail: %s\n", base::printable(submission.text).c_str());
    return submission.exit_status;
}

// -bv: how each address would go, on standard output.
int verify(const Options& options, const config::Config& config)
{
    routing::Router router(config);
    routing::Recipients recipients(config, router);
    int status = EX_OK;
    for (const auto& word : options.recipients)
        for (const auto& address : mail::mailboxes(word)) {
            std::string whole = router.rewrite(address);
            routing::Route route = router.route(whole, "");
            bool known = recipients.exists(whole);
            if (known)
                std::printf("%s... deliverable: mailer %s, host %s, user %s\n", word.c_str(), route.transport.c_str(), route.nexthop.c_str(),
                            route.recipient.c_str());
            else
                std::printf("%s... %s\n", word.c_str(), recipients.unknown_text(route.address_class).c_str());
            if (!known) status = EX_NOUSER;
        }
    return status;
}

[[noreturn]] void make_aliases(const Options& options, const config::Config& config, const std::string& folder)
{
    std::vector<std::string> words = {"postalias", "-c", folder, "--"};
    if (!options.alias_file.empty())
        words.push_back(options.alias_file);
    else
        for (const auto& name : config.alias_database) words.push_back(name);
    if (words.size() == 4) std::exit(EX_OK);
    run(config, std::move(words));
}

// -qS, -q!I …: what the queue manager has no word for is chosen from its listing.
int flush_selected(const sendmail::Selection& wanted, const config::Config& config)
{
    auto has = [&](const std::string& text) { return base::find_word(text, wanted.text) != std::string::npos; };
    std::vector<std::string> ids;
    commands::read_queue(config, [&](const spool::ListedMessage& message) {
        bool fits = wanted.kind == 'I' ? message.id.find(wanted.text) != std::string::npos : has(message.sender);
        if (wanted.kind == 'R')
            fits = std::any_of(message.recipients.begin(), message.recipients.end(), [&](const auto& one) { return has(one.address); });
        if (fits != wanted.negated) ids.push_back(message.id);
    });
    for (const auto& id : ids) {
        auto answer = commands::ask_queue_manager(config, {"flush-id", id}, [](std::string_view) {});
        if (!answer.reached) fail(EX_TEMPFAIL, "Mail system is down");
    }
    return EX_OK;
}

int flush(const Options& options, const config::Config& config, const std::string& folder)
{
    const auto& wanted = options.flush;
    if (options.quarantine) {
        if (wanted.kind != 'I' || wanted.negated) fail(EX_USAGE, "-Q: the message is named by -qI");
        run(config, {"postsuper", "-c", folder, options.quarantine->empty() ? "-H" : "-h", wanted.text});
    }
    if (wanted.kind == 'S' || wanted.negated) return flush_selected(wanted, config);
    if (wanted.kind == 'I') run(config, {"postqueue", "-c", folder, "-i", wanted.text});
    if (wanted.kind == 'R') run(config, {"postqueue", "-c", folder, "-s", wanted.text});
    run(config, {"postqueue", "-c", folder, "-f"});
}

int count_queue(const config::Config& config)
{
    size_t count = 0;
    commands::read_queue(config, [&](const spool::ListedMessage&) { ++count; });
    std::printf("%s: entries=%zu\n", config.queue_directory.c_str(), count);
    return EX_OK;
}

int act(const Options& options, const config::Config& config, const std::string& folder)
{
    switch (options.mode) {
    case Mode::smtp: return sendmail::converse(config.queue_directory + "/public/sendmail");
    case Mode::list_queue: run(config, {"postqueue", "-c", folder, "-p"});
    case Mode::new_aliases: make_aliases(options, config, folder);
    case Mode::flush: return flush(options, config, folder);
    case Mode::count_queue: return count_queue(config);
    case Mode::test: return sendmail::test_addresses(config, options.recipients, options.sender.value_or(login_name()));
    case Mode::foreground: run(config, {"rookpost", "-c", folder, "start-fg"});
    case Mode::verify: return verify(options, config);
    case Mode::daemon: run(config, {"rookpost", "-c", folder, "start"});
    case Mode::check: run(config, {"rookpost", "-c", folder, "check"});
    case Mode::nothing: return EX_OK;
    case Mode::deliver: break;
    }
    return deliver(options, config, folder);
}

} // namespace

int main(int argc, char** argv)
{
    std::string name(base::cut_last(argv[0], '/').found ? base::cut_last(argv[0], '/').after : argv[0]);
    base::log::to_stderr(name);
    try {
        std::vector<std::string> words(argv + 1, argv + argc);
        std::optional<sendmail::EximCall> exim;
        if (sendmail::is_exim_name(name)) exim = sendmail::parse_exim(words);
        Options options;
        if (!exim) options = sendmail::parse_options(name, words);
        for (const auto& text : options.warnings) base::log::warning("{}", text);
        if (options.mode == Mode::nothing) return EX_OK;
        std::string folder = options.config_folder.empty() ? config::default_folder() : options.config_folder;
        if (folder.ends_with("/main.cf")) folder.resize(folder.size() - 8);
        config::Config config = config::Config::load(folder);
        maps::add_module_folder(config.daemon_directory);
        if (exim) return sendmail::act_as_exim(*exim, config, folder);
        return act(options, config, folder);
    } catch (const sendmail::Usage& usage) {
        fail(EX_USAGE, usage.what());
    } catch (const config::Error& trouble) {
        fail(EX_CONFIG, trouble.what());
    } catch (const maps::Unavailable& trouble) {
        fail(EX_TEMPFAIL, trouble.what());
    } catch (const std::exception& trouble) {
        fail(EX_TEMPFAIL, trouble.what());
    }
}
