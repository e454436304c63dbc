// postdrop: leaves a message of the sendmail command in maildrop/, for when the suite is down. Set-gid where it is installed, so it trusts
// nothing of its caller: environment, descriptors and the configuration folder are checked, and it writes one file.

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "config/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>

namespace {

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

// With rights of a group that the caller does not have, only the installed configuration counts.
std::string safe_folder(const std::string& wanted)
{
    bool elevated = ::getgid() != ::getegid() || ::getuid() != ::geteuid();
    if (!elevated) return wanted.empty() ? config::default_folder() : wanted;
    ::unsetenv("MAIL_CONFIG");
    std::string installed = config::default_folder();
    if (!wanted.empty() && wanted != installed) fail(EX_NOPERM, "the configuration folder " + wanted + " is not allowed");
    return installed;
}

void copy(int to, const std::string& name, uint64_t limit)
{
    char buffer[65536];
    uint64_t total = 0;
    while (true) {
        ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw base::SystemError("read standard input");
        if (got == 0) break;
        total += static_cast<uint64_t>(got);
        if (limit > 0 && total > limit) throw base::SystemError("write " + name, EFBIG);
        base::write_all(to, {buffer, static_cast<size_t>(got)}, name);
    }
    if (total == 0) throw base::SystemError("empty message", EINVAL);
}

void leave(const config::Config& config)
{
    std::string folder = config.queue_directory + "/maildrop";
    std::string token = base::random_token(20);
    std::string temporary = folder + "/." + token, path = folder + "/" + token;
    auto limit = static_cast<uint64_t>(std::max<int64_t>(config.message_size_limit, 0));
    base::Fd fd = base::open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0640);
    try {
        copy(fd.get(), temporary, limit > 0 ? limit + (4 << 20) : 0);
        // The queue manager opens it with the group's rights.
        if (::fchmod(fd.get(), 0640) != 0 || ::fsync(fd.get()) != 0) throw base::SystemError("sync " + temporary);
        if (::rename(temporary.c_str(), path.c_str()) != 0) throw base::SystemError("rename " + temporary);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
}

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("postdrop");
    std::string folder;
    for (int letter; (letter = ::getopt(argc, argv, "c:rv")) != -1;) {
        if (letter == 'c') folder = optarg;
        if (letter == '?') fail(EX_USAGE, "usage: postdrop [-c config_directory]");
    }
    ::umask(022);
    try {
        leave(config::Config::load(safe_folder(folder)));
        return EX_OK;
    } catch (const config::Error& trouble) {
        fail(EX_CONFIG, trouble.what());
    } catch (const base::SystemError& trouble) {
        fail(trouble.code() == EFBIG ? EX_UNAVAILABLE : EX_TEMPFAIL, trouble.what());
    }
}
