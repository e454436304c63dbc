#include "qmail/qmail_local.h"

#include "async/offload.h"
#include "base/error.h"
#include "base/text.h"
#include "command.h"
#include "content.h"
#include "exit_status.h"
#include "mailbox.h"
#include "qmail/dot_qmail.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace local_delivery {
namespace {

constexpr size_t longest_file = 1 << 20;
constexpr mode_t others_may_write = S_IWOTH;        // qmail's conf-patrn

// What lies in the home folder.
struct Found {
    bool found = false;
    QmailName name;
    DotQmail file;
    bool owner = false, owner_default = false;      // .qmail-EXT-owner and -owner-default: who gets the bounces
    bool looping = false;
};

bool exists(const std::string& path)
{
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno != ENOENT && errno != ENOTDIR) throw base::SystemError("stat " + path);
    return false;
}

// Why mail has to wait; empty: it has not.
std::string objection_to_home(const std::string& home)
{
    struct stat info{};
    if (::stat(home.c_str(), &info) != 0) return fmt::format("Unable to stat home directory: {}. (#4.3.0)", base::error_text(errno));
    if (info.st_mode & others_may_write) return "Uh-oh: home directory is writable. (#4.7.0)";
    if (info.st_mode & S_ISVTX) return "Home directory is sticky: user is editing his .qmail file. (#4.2.1)";
    return {};
}

DotQmail read(const std::string& path)
{
    DotQmail file;
    base::Fd fd = base::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) throw base::SystemError("stat " + path);
    if (!S_ISREG(info.st_mode)) file.fault = "Uh-oh: .qmail is not a regular file. (#4.7.0)";
    else if (info.st_mode & others_may_write) file.fault = "Uh-oh: .qmail file is writable. (#4.7.0)";
    else return parse_dot_qmail(base::read_all(fd.get(), path, longest_file), info.st_mode & S_IXUSR);
    return file;
}

// A part of the order, for a thread.
struct Question {
    std::string home, extension, loop_address, queue_id;
    base::Fd content;
    uint64_t offset, length;
};

Found look(const Question& question)
{
    Found found;
    const std::string& home = question.home;
    Content content(question.content.get(), question.offset, question.length, question.queue_id);
    found.looping = !question.loop_address.empty() && was_delivered_to(content.beginning(), question.loop_address);
    found.file.fault = objection_to_home(home);
    if (!found.file.fault.empty()) return found;
    auto names = qmail_names(question.extension);
    if (names.empty()) return found;
    std::string owner = fmt::format("{}/{}-owner", home, names.front().name);
    found.owner = exists(owner);
    found.owner_default = found.owner && exists(owner + "-default");
    for (QmailName& name : names) {
        std::string path = home + "/" + name.name;
        if (!exists(path)) continue;
        found.found = true;
        found.file = read(path);
        found.name = std::move(name);
        break;
    }
    return found;
}

std::string new_sender(const Order& order, const Found& found)
{
    // Bounces, and bounces of bounces, stay what they are.
    if (order.sender.empty() || order.sender == "#@[]" || !found.owner) return order.sender;
    if (found.owner_default) return fmt::format("{}-owner-@{}-@[]", order.qmail.local, order.qmail.host);
    return fmt::format("{}-owner@{}", order.qmail.local, order.qmail.host);
}

Order part_of(const Order& order, Order::Kind kind)
{
    Order part;
    part.kind = kind;
    part.queue_id = order.queue_id;
    part.content = order.content.duplicate();
    part.content_offset = order.content_offset;
    part.content_length = order.content_length;
    part.sender = order.sender;
    part.user = order.user;
    part.size_limit = order.size_limit;
    return part;
}

Order program(const Order& order, const Found& found, const std::string& command)
{
    Order part = part_of(order, Order::command);
    part.path = command;
    part.words = {"/bin/sh", "-c", command};
    part.folder = order.home;
    part.time_limit = order.time_limit;
    part.text.from_line = false;
    part.environment = order.environment;
    const auto& of = order.qmail;
    QmailRecipient recipient{of.local, of.extension, of.host, order.home, order.user, order.sender};
    for (auto& item : qmail_environment(recipient, found.name, new_sender(order, found))) part.environment.push_back(std::move(item));
    return part;
}

Order mailbox(const Order& order, std::string path)
{
    Order part = part_of(order, Order::file);
    if (path.starts_with("./")) path.erase(0, 2);
    part.path = path.starts_with('/') ? path : order.home + "/" + path;
    part.header = order.header;
    return part;
}

Report report_of(const Ended& ended, QmailVerdict verdict)
{
    if (ended.trouble) return *ended.trouble;
    if (!ended.in_time) return deferred("4.3.0", "Command time limit exceeded");
    if (ended.status.signal) return deferred("4.3.0", "Aack, child crashed. (#4.3.0)");
    if (verdict == QmailVerdict::good || verdict == QmailVerdict::enough) return delivered("");
    bool later = verdict == QmailVerdict::later;
    std::string text = ended.output.empty() ? fmt::format("program exited with status {}", ended.status.code) : ended.output;
    std::string dsn = qmail_status(text, later ? '4' : '5');
    return later ? deferred(dsn, text) : bounced(dsn, text);
}

// What was done so far, for "did 1+0+2".
struct Count {
    int files = 0, forwards = 0, programs = 0;
};

Answer refusal(Report report)
{
    Answer answer;
    answer.report = std::move(report);
    answer.report.found = true;
    return answer;
}

async::Task<Answer> obey(const Order& order, const Found& found, const config::Config& config, const store::LockPolicy& locks)
{
    Answer answer;
    Count count;
    for (const QmailLine& line : found.file.lines) {
        if (line.kind == QmailLine::Kind::forward) {
            answer.members.push_back({maps::AliasMember::Kind::address, line.text});
            ++count.forwards;
        } else if (line.kind == QmailLine::Kind::file) {
            auto work = [part = mailbox(order, line.text), locks] { return deliver_to_mailbox(part, locks); };
            Report report = co_await async::offload(std::move(work));
            if (report.status != spool::Outcome::delivered) co_return refusal(std::move(report));
            ++count.files;
        } else {
            Order part = program(order, found, line.text);
            Ended ended = co_await run_program(part, config);
            QmailVerdict verdict = qmail_verdict(ended.status.code);
            Report report = report_of(ended, verdict);
            if (report.status != spool::Outcome::delivered) co_return refusal(std::move(report));
            ++count.programs;
            if (verdict == QmailVerdict::enough) break;
        }
    }
    answer.report = delivered(fmt::format("delivered by {}: did {}+{}+{}", found.name.name, count.files, count.forwards, count.programs));
    answer.report.found = true;
    answer.report.sender = new_sender(order, found);
    co_return answer;
}

} // namespace

async::Task<Answer> deliver_as_qmail(const Order& order, const config::Config& config, const store::LockPolicy& locks)
{
    Question question{order.home, order.qmail.extension, order.loop_address, order.queue_id, order.content.duplicate(), order.content_offset, order.content_length};
    auto work = [question = std::move(question)] { return look(question); };
    Found found = co_await async::offload(std::move(work));
    Answer nothing;
    nothing.report = delivered("");
    if (!found.file.fault.empty()) co_return refusal(deferred(qmail_status(found.file.fault, '4'), found.file.fault));
    if (found.looping) co_return refusal(bounced("5.4.6", "mail forwarding loop for " + order.loop_address));
    if (!found.found && !order.qmail.extension.empty())
        co_return refusal(bounced("5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"));
    if (!found.found || found.file.empty) co_return nothing;
    Answer answer = co_await obey(order, found, config, locks);
    co_return answer;
}

} // namespace local_delivery
