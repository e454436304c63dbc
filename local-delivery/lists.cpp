#include "lists.h"

#include "base/error.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace local_delivery {
namespace {

constexpr size_t longest_forward = 1 << 20;
constexpr size_t longest_list = 64 << 20;

std::vector<Member> parse(const std::string& text)
{
    std::vector<Member> members;
    for (auto& parsed : maps::parse_alias_list(text)) members.push_back({parsed.kind, std::move(parsed.text)});
    return members;
}

// Why a .forward file must not be obeyed; empty: it may.
std::string objection(const struct stat& info, const std::string& path)
{
    if (!S_ISREG(info.st_mode)) return fmt::format("file {} is not a regular file", path);
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) return fmt::format("file {} has bad owner uid {}", path, info.st_uid);
    if (info.st_mode & S_IWOTH) return fmt::format("file {} is world writable", path);
    return {};
}

bool is_missing(int code) { return code == ENOENT || code == ENOTDIR || code == ENAMETOOLONG; }

} // namespace

Answer read_forward(const Order& order)
{
    Answer answer;
    for (uint32_t i = 0; i < order.forward_paths.size(); ++i) {
        const std::string& path = order.forward_paths[i];
        struct stat info{};
        if (::lstat(path.c_str(), &info) != 0) {
            if (is_missing(errno) || errno == EACCES || errno == ELOOP) continue;
            answer.report = deferred("4.3.0", fmt::format("cannot look for {}: {}", path, base::error_text(errno)));
            answer.report.found = true;
            return answer;
        }
        // The first that exists counts, even when it must not be obeyed: then mail goes to the mailbox.
        std::string why = objection(info, path);
        try {
            if (why.empty()) {
                base::Fd fd = base::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
                if (::fstat(fd.get(), &info) == 0) why = objection(info, path);
                if (why.empty()) answer.members = parse(base::read_all(fd.get(), path, longest_forward));
            }
        } catch (const std::exception& failure) {
            why = failure.what();
        }
        if (!why.empty()) answer.report.warnings.push_back(why);
        answer.report.found = !answer.members.empty();
        answer.report.which = i;
        if (answer.report.found) answer.report.status = spool::Outcome::delivered;
        return answer;
    }
    return answer;
}

Answer read_include(const Order& order)
{
    Answer answer;
    const std::string& path = order.path;
    try {
        base::Fd fd = base::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        struct stat info{};
        if (::fstat(fd.get(), &info) != 0) throw base::SystemError("stat " + path);
        if (!S_ISREG(info.st_mode)) {
            answer.report = bounced("5.2.0", fmt::format("include file {} is not a regular file", path));
        } else if (info.st_mode & S_IWOTH) {
            answer.report = bounced("5.2.0", fmt::format("include file {} is world writable", path));
        } else {
            answer.members = parse(base::read_all(fd.get(), path, longest_list));
            answer.report = delivered("");
            answer.report.found = true;
            // Whose rights commands of the list have, when a root's alias names it.
            answer.report.which = info.st_uid;
        }
    } catch (const base::SystemError& failure) {
        bool for_good = is_missing(failure.code()) || failure.code() == EACCES;
        std::string text = fmt::format("cannot open include file {}: {}", path, base::error_text(failure.code()));
        answer.report = for_good ? bounced("5.2.0", text) : deferred("4.3.0", text);
    } catch (const std::exception& failure) {
        answer.report = deferred("4.3.0", failure.what());
    }
    return answer;
}

} // namespace local_delivery
