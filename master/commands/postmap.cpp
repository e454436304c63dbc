// postmap, postalias: make look-up tables from texts, ask them, edit them. Called postalias it reads the grammar of /etc/aliases.
#include "postmap_actions.h"

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "maps/map.h"
#include "maps/modules.h"

#include <getopt.h>
#include <unistd.h>

#include <cstdlib>

namespace {

constexpr const char* postmap_usage = "usage: postmap [-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] [map_type:]file...";
constexpr const char* postalias_usage = "usage: postalias [-Nfinoprsuvw] [-c config_dir] [-d key] [-q key] [map_type:]file...";

[[noreturn]] void fail(const std::string& why)
{
    base::log::fatal("{}", why);
    base::log::flush();
    std::exit(1);
}

// A folder without a main.cf is an error only for those who named it: tables are needed before the mail system is set up.
config::Config load_config(const std::string& folder)
{
    std::string place = folder.empty() ? config::default_folder() : folder;
    try {
        return config::Config::load(place);
    } catch (const std::exception&) {
        if (!folder.empty() || ::access((place + "/main.cf").c_str(), F_OK) == 0) throw;
        return config::Config::parse("", "main.cf");
    }
}

struct CommandLine {
    std::string folder;
    postmap::Wishes wishes;
    bool utf8_set = false;
};

CommandLine read_options(int argc, char** argv, bool aliases)
{
    CommandLine line;
    postmap::Wishes& wishes = line.wishes;
    auto choose = [&](postmap::Action action) {
        if (wishes.action != postmap::Action::build) fail("specify only one of -s -q or -d");
        wishes.action = action;
    };
    int letter = 0;
    while ((letter = ::getopt(argc, argv, aliases ? "Nc:d:finopq:rsuvw" : "bc:d:fFhimnNopq:rsuUvw")) > 0) {
        switch (letter) {
        case 'N': wishes.build.nul = maps::Nul::with; break;
        case 'n': wishes.build.nul = maps::Nul::without; break;
        case 'c': line.folder = optarg; break;
        case 'd': choose(postmap::Action::erase); wishes.key = optarg; break;
        case 'q': choose(postmap::Action::query); wishes.key = optarg; break;
        case 's': choose(postmap::Action::list); break;
        case 'f': wishes.build.fold_case = false; break;
        case 'F': wishes.build.values_are_files = true; break;
        case 'b': wishes.body_keys = true; break;
        case 'h': wishes.header_keys = true; break;
        case 'm': wishes.mime = true; break;
        case 'i': wishes.incremental = true; break;
        case 'o': wishes.build.keep_owner = false; break;
        case 'p': wishes.build.keep_mode = false; break;
        case 'r': wishes.build.replace_duplicates = true; break;
        case 'w': wishes.build.warn_about_duplicates = false; break;
        case 'u': wishes.build.only_utf8 = false; line.utf8_set = true; break;
        case 'U': wishes.build.only_utf8 = true; line.utf8_set = true; break;
        case 'v': base::log::set_verbose(true); break;
        default: fail(aliases ? postalias_usage : postmap_usage);
        }
    }
    if ((wishes.body_keys || wishes.header_keys) && (wishes.action != postmap::Action::query || wishes.key != "-"))
        fail("specify -b -h or -m only with \"-q -\"");
    for (int i = optind; i < argc; ++i) wishes.files.emplace_back(argv[i]);
    return line;
}

} // namespace

int main(int argc, char** argv)
{
    std::string name = argv[0] ? argv[0] : "postmap";
    name = name.substr(name.rfind('/') + 1);
    bool aliases = name == "postalias" || name == "newaliases";
    base::log::to_stderr(name);
    try {
        CommandLine line = read_options(argc, argv, aliases);
        config::Config config = load_config(line.folder);
        maps::add_module_folder(config.daemon_directory);
        postmap::Wishes& wishes = line.wishes;
        wishes.default_type = config.default_database_type;
        wishes.build.syntax = aliases ? maps::Syntax::aliases : maps::Syntax::table;
        wishes.build.host = config.myhostname;
        if (!line.utf8_set) wishes.build.only_utf8 = config.smtputf8_enable;
        bool needs_file = wishes.action != postmap::Action::build || wishes.incremental;
        if (wishes.files.empty() && needs_file) fail(aliases ? postalias_usage : postmap_usage);
        int status = postmap::carry_out(wishes);
        base::log::flush();
        return status;
    } catch (const std::exception& why) {
        fail(why.what());
    }
}
