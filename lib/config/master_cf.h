// master_cf: master.cf as a list of services.
#pragma once

#include "config/error.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct Service {
    enum class Type { inet, unix_socket, unix_dgram, fifo, pass };

    std::string name; // "smtp", "127.0.0.1:10025", "[::1]:25", "rewrite"
    Type type = Type::unix_socket;
    std::optional<bool> private_, unprivileged,
        chroot;                                      // "-" is nothing: private and unprivileged are yes, chroot is no
    std::optional<std::chrono::milliseconds> wakeup; // "-" and "0" are nothing
    bool wakeup_optional = false;                    // "60?": wake only a service that is in use
    int maxproc = -1;                                // -1: $default_process_limit; 0: no limit
    std::string command;                             // the program, without folder
    std::vector<std::string> arguments;              // all of them, -o and its kin included, without { }
    std::vector<Override> overrides;                 // from -o name=value and -o { name = value }
    int verbose = 0;                                 // how many -v
    bool debug = false;                              // -D
    std::string file;
    int line = 0;

    // Arguments that are no -o, -v or -D: "flags=DRhu user=vmail argv=/bin/x" of pipe, the words of "spawn".
    std::vector<std::string> plain_arguments() const;
};

std::string_view type_word(Service::Type type); // "inet", "unix", "unix-dgram", "fifo", "pass"
std::optional<Service::Type> service_type(std::string_view word);

struct MasterTable {
    std::vector<Service> services; // in the file's order; of two with the same name and type the last one stays
    std::vector<std::string> warnings;

    static MasterTable load(const std::string& folder); // folder/master.cf; throws Error with file and line
    static MasterTable parse(std::string_view text, const std::string& file);

    const Service* find(std::string_view name, Service::Type type) const;
};

// The words of a command column: split at white space, { … } is one word (braces kept off), as master.cf and postconf
// read it. Throws Error (without place) when a brace is not closed.
std::vector<std::string> split_arguments(std::string_view text);

} // namespace config
