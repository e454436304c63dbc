// postconf: shows and edits main.cf and master.cf, with the options and the output of Postfix's command.
#include "postconf.h"

#include "config/notice_templates.h"

#include "config/manual.h"
#include "config/print.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "maps/map.h"
#include "maps/modules.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace postconf {

constexpr const char* usage = "usage: postconf [-a (server SASL types)] [-A (client SASL types)] [-c config_dir] [-C "
                              "param_class] [-d (parameter defaults)] "
                              "[-e (edit configuration)] [-f (fold lines)] [-F (master.cf fields)] [-h (no names)] [-H "
                              "(no values)] [-j (JSON)] [-l (lock types)] "
                              "[-m (map types)] [-M (master.cf)] [-n (non-default parameters)] [-o name=value "
                              "(override parameter value)] [-p (main.cf, default)] "
                              "[-P (master.cf parameters)] [-v (verbose)] [-x (expand parameter values)] [-X "
                              "(exclude)] [-# (comment-out)] [--manual [owner]] "
                              "[name...]";

static Options read_options(int argc, char** argv)
{
    Options options;
    ::opterr = 0;
    for (int c; (c = ::getopt(argc, argv, "aAbc:C:deFfhHjlmMno:pPtvxX#")) != -1;) {
        switch (c) {
        case 'a': fmt::print("native\ndovecot\n"); std::exit(0);
        case 'A': fmt::print("native\n"); std::exit(0);
        case 'b':
        case 't': options.templates = static_cast<char>(c); break;
        case 'c': options.folder = optarg; break;
        case 'C': options.classes = optarg; break;
        case 'd': options.defaults = true; break;
        case 'e': options.edit = true; break;
        case 'F':
        case 'M':
        case 'P': options.master = static_cast<char>(c); break;
        case 'f': options.fold = true; break;
        case 'h': options.no_name = true; break;
        case 'H': options.no_value = true; break;
        case 'j': options.json = true; break;
        case 'l':
            fmt::print("flock\nfcntl\ndotlock\n");
            std::exit(0);
        case 'm':
            options.table_types = true;
            break;
        case 'n': options.only_set = true; break;
        case 'o': options.overrides.push_back(split_assignment(optarg)); break;
        case 'p': break;
        case 'v': base::log::set_verbose(true); break;
        case 'x': options.expand = true; break;
        case 'X': options.remove = true; break;
        case '#': options.comment_out = true; break;
        default: throw Fatal(usage);
        }
    }
    for (int i = optind; i < argc; ++i) options.arguments.emplace_back(argv[i]);
    if (options.folder.empty()) options.folder = config::default_folder();
    return options;
}

static void check(Options& options)
{
    if (options.defaults && options.only_set) throw Fatal("specify one of -d -n");
    if (options.edit + options.remove + options.comment_out > 1) throw Fatal("specify one of -e -X -#");
    if (options.changes() &&
        (options.defaults || options.only_set || options.expand || options.no_name || options.no_value || options.fold))
        throw Fatal("-e, -X, or -# cannot be used with -d, -f, -h, -H, -n, or -x");
    // "postconf name=value" edits without -e, as Postfix has it since 2.8.
    if (!options.changes() && !options.arguments.empty())
        options.edit = options.arguments.front().find('=') != std::string::npos;
    if (options.edit && options.arguments.empty()) throw Fatal("-e requires name=value argument");
    if (options.changes() && options.arguments.empty()) throw Fatal("missing service argument");
    if (options.master == 'M' && (options.no_name || options.no_value))
        throw Fatal(fmt::format("with option -M, do not specify -{}", options.no_name ? 'h' : 'H'));
    if (options.master && options.defaults) throw Fatal("-d cannot be used with -F, -M, or -P");
}

void show_templates(const Options& options)
{
    auto config = config::Config::load(options.folder, options.overrides);
    auto templates = options.arguments.empty()
                         ? config::load_notice_templates(config)
                         : config::parse_notice_templates(base::read_file(options.arguments.front()), options.arguments.front());
    fmt::print("{}", config::notice_templates_text(templates, options.templates == 'b' ? &config : nullptr));
}

// What a table in this installation may be: the modules are where daemon_directory says.
static void show_table_types(const Options& options)
{
    try {
        maps::add_module_folder(config::Config::load(options.folder, options.overrides).daemon_directory);
    } catch (const std::exception& trouble) {
        base::log::warning("{}", trouble.what());
    }
    for (const auto& type : maps::types()) fmt::print("{}\n", type);
}

static void run(int argc, char** argv)
{
    if (argc >= 2 && std::string_view(argv[1]) == "--manual") {
        std::string page = argc == 2 ? config::manual() : config::manual_section(argv[2]);
        if (page.empty()) throw Fatal(fmt::format("no parameter has the owner \"{}\"", argv[2]));
        fmt::print("{}", page);
        return;
    }
    Options options = read_options(argc, argv);
    check(options);
    if (options.table_types)
        show_table_types(options);
    else if (options.templates)
        show_templates(options);
    else if (options.master)
        options.changes() ? edit_master(options) : show_master(options);
    else
        options.changes() ? edit_main(options) : show_main(options);
}

} // namespace postconf

int main(int argc, char** argv)
{
    base::log::to_stderr("postconf");
    try {
        postconf::run(argc, argv);
    } catch (const std::exception& problem) {
        std::fflush(stdout);
        base::log::fatal("{}", problem.what());
        base::log::flush();
        return 1;
    }
    base::log::flush();
    return std::fflush(stdout) == 0 ? 0 : 1;
}
