// postlog: writes a line into the mail log, for scripts.

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"

#include <sysexits.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>

namespace {

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::to_stderr("postlog");
    base::log::fatal("{}", text);
    std::exit(status);
}

std::optional<base::log::Level> level(const std::string& word)
{
    using base::log::Level;
    static constexpr std::pair<std::string_view, Level> words[] = {
        {"info", Level::info}, {"warn", Level::warning}, {"warning", Level::warning}, {"error", Level::error}, {"fatal", Level::fatal}, {"panic", Level::panic}};
    for (auto [name, value] : words)
        if (name == word) return value;
    return std::nullopt;
}

} // namespace

int main(int argc, char** argv)
{
    std::string folder = config::default_folder(), tag = "postlog";
    base::log::Level priority = base::log::Level::info;
    for (int letter; (letter = ::getopt(argc, argv, "c:ip:t:v")) != -1;) {
        if (letter == 'c') folder = optarg;
        if (letter == 't') tag = optarg;
        if (letter == 'p') {
            auto chosen = level(optarg);
            if (!chosen) fail(EX_USAGE, std::string("invalid priority: ") + optarg);
            priority = *chosen;
        }
        if (letter == '?') fail(EX_USAGE, "usage: postlog [-c config_directory] [-i] [-p priority] [-t tag] [text …]");
    }
    try {
        config::Config config = config::Config::load(folder);
        base::log::open(config.syslog_name + "/" + tag, config.maillog_file, config.syslog_facility);
    } catch (const std::exception& trouble) {
        fail(EX_CONFIG, trouble.what());
    }
    if (optind < argc) {
        std::vector<std::string> words(argv + optind, argv + argc);
        base::log::line(priority, base::join(words, " "));
    } else {
        for (std::string line; std::getline(std::cin, line);) base::log::line(priority, line);
    }
    base::log::flush();
    return EX_OK;
}
