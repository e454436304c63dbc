#include "rookpost_trace.h"

#include "queue_reader.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "spool/queue_id.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace rookpost {
namespace {

struct LogFile {
    std::string path;
    int64_t changed = 0;
};

// The log and what logrotate made of it, oldest first. Compressed ones are passed over.
std::vector<LogFile> log_files(const config::Config& config)
{
    std::vector<std::string> patterns;
    bool file = config.maillog_file.starts_with('/') && !config.maillog_file.starts_with("/dev/");
    if (file) patterns = {config.maillog_file, config.maillog_file + ".[0-9]*"};
    else patterns = {"/var/log/mail.log", "/var/log/mail.log.[0-9]*", "/var/log/maillog", "/var/log/maillog-*"};
    std::vector<LogFile> files;
    for (const auto& pattern : patterns) {
        glob_t found{};
        if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
            for (size_t i = 0; i < found.gl_pathc; ++i) {
                struct stat info;
                std::string path = found.gl_pathv[i];
                bool packed = path.ends_with(".gz") || path.ends_with(".xz") || path.ends_with(".bz2") || path.ends_with(".zst");
                if (!packed && ::stat(path.c_str(), &info) == 0) files.push_back({path, info.st_mtime});
            }
        ::globfree(&found);
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.changed < b.changed; });
    return files;
}

// "to=<a@b>" in "… to=<a@b>, relay=…": the value of a field.
std::string field(std::string_view text, std::string_view name)
{
    size_t at = text.find(name);
    if (at == text.npos || (at > 0 && text[at - 1] != ' ')) return "";
    text.remove_prefix(at + name.size());
    if (text.starts_with('<')) return std::string(text.substr(0, text.find('>') == text.npos ? text.npos : text.find('>') + 1));
    return std::string(text.substr(0, text.find_first_of(", ")));
}

std::string attempt_words(std::string_view text)
{
    std::string to = field(text, "to="), original = field(text, "orig_to="), relay = field(text, "relay="), status = field(text, "status=");
    size_t open = text.find(" (");
    std::string_view reply = open == text.npos ? std::string_view() : text.substr(open + 2);
    if (reply.ends_with(')')) reply.remove_suffix(1);
    std::string words = status == "sent" ? "delivered to " : status == "deferred" ? "put off for " : status == "bounced" ? "failed for " : status + " ";
    words += to;
    if (!original.empty()) words += ", given as " + original;
    if (!relay.empty() && relay != "none") words += ", through " + relay;
    return fmt::format("{}: {}", words, reply);
}

std::string time_text(int64_t seconds) { return base::mail_date(base::Wall(std::chrono::seconds(seconds))); }

void tell_place(const spool::ListedMessage& message)
{
    std::printf("  lies in %s", spool::queue_name(message.queue));
    if (message.queue == spool::Queue::deferred && message.next_attempt > 0) std::printf("; the next attempt: %s", time_text(message.next_attempt).c_str());
    if (message.queue == spool::Queue::hold) std::printf("; it waits for postsuper -H");
    std::printf("\n");
    for (const auto& recipient : message.recipients)
        std::printf("    waits for <%s>%s%s\n", base::printable(recipient.address).c_str(), recipient.reason.empty() ? "" : ": ",
                    base::printable(recipient.reason).c_str());
}

// The ids of the messages that had this message-id.
std::vector<std::string> ids_of(const std::vector<LogFile>& files, const std::string& message_id)
{
    std::string wanted = ": message-id=" + (message_id.starts_with('<') ? message_id : "<" + message_id + ">");
    std::vector<std::string> ids;
    for (const auto& file : files) {
        std::ifstream lines(file.path);
        for (std::string line; std::getline(lines, line);) {
            size_t at = line.find(wanted);
            if (at == line.npos) continue;
            std::string id(base::cut_last(std::string_view(line).substr(0, at), ' ').after);
            if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
        }
    }
    return ids;
}

bool tell(const config::Config& config, const std::vector<LogFile>& files, const std::string& id)
{
    std::printf("%s\n", id.c_str());
    bool any = false;
    for (const auto& file : files) {
        std::ifstream lines(file.path);
        for (std::string line; std::getline(lines, line);) {
            auto read = read_log_line(line, id);
            if (!read) continue;
            any = true;
            std::printf("  %s  %s\n", read->time.c_str(), base::printable(plain_words(*read), 4000).c_str());
        }
    }
    commands::read_queue(config, [&](const spool::ListedMessage& message) {
        if (message.id != id) return;
        any = true;
        tell_place(message);
    });
    if (!any) std::printf("  nothing is known of it: not in the queue, not in the log\n");
    return any;
}

} // namespace

std::optional<LogLine> read_log_line(std::string_view line, std::string_view id)
{
    // "Nov 23 01:02:03 host postfix/smtpd[12]: ID: text", or with an ISO 8601 time in one word.
    std::string mark = "]: " + std::string(id) + ": ";
    size_t at = line.find(mark);
    if (at == line.npos) return std::nullopt;
    std::string_view head = line.substr(0, at);
    auto words = base::split(head);
    if (words.size() < 3) return std::nullopt;
    LogLine read;
    bool one_word = base::is_digit(words[0][0]);
    read.time = one_word ? std::string(words[0]) : words.size() >= 3 ? fmt::format("{} {:>2} {}", words[0], words[1], words[2]) : "";
    read.program = base::cut(words.back(), '[').before;
    read.text = line.substr(at + mark.size());
    return read;
}

std::string plain_words(const LogLine& line)
{
    std::string_view text = line.text;
    if (text.starts_with("client=")) return "received from " + std::string(text.substr(7));
    if (text.starts_with("uid=")) return fmt::format("received from local user {}, sender {}", field(text, "uid="), field(text, "from="));
    if (text.starts_with("message-id=")) return "is message-id " + std::string(text.substr(11));
    if (text.starts_with("from=") && text.find("(queue active)") != text.npos)
        return fmt::format("taken up: sender {}, {} bytes, {} recipient(s)", field(text, "from="), field(text, "size="), field(text, "nrcpt="));
    if (text.starts_with("from=") && text.find("returned to sender") != text.npos) return "too old: given up, and returned to " + field(text, "from=");
    if (text.starts_with("to=")) return attempt_words(text);
    if (text.starts_with("sender ") && text.find("notification: ") != text.npos) return "the sender was told, in " + std::string(base::cut_last(text, ' ').after);
    if (text == "removed") return "done: removed from the queue";
    return fmt::format("{}: {}", line.program, text);
}

int trace(const config::Config& config, const std::vector<std::string>& ids)
{
    auto files = log_files(config);
    bool all = true;
    for (const auto& word : ids) {
        std::vector<std::string> found = {word};
        if (word.find('@') != word.npos) found = ids_of(files, word);
        if (found.empty()) std::printf("%s\n  no message with this message-id is in the log\n", base::printable(word, 300).c_str());
        all = all && !found.empty();
        for (const auto& id : found) {
            if (id.empty() || id.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != id.npos) {
                base::log::error("{}: neither a queue id nor a message-id", base::printable(id, 100));
                all = false;
                continue;
            }
            bool known = tell(config, files, id);
            all = all && known;
        }
    }
    return all ? 0 : 1;
}

} // namespace rookpost
