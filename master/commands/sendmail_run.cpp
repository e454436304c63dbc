#include "sendmail_run.h"

#include "base/error.h"
#include "base/log.h"

#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>

namespace sendmail {

void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

void run(const config::Config& config, std::vector<std::string> words)
{
    std::string path = config.command_directory + "/" + words[0];
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(path.c_str(), argv.data());
    fail(EX_UNAVAILABLE, fmt::format("cannot execute {}: {}", path, base::error_text(errno)));
}

} // namespace sendmail
