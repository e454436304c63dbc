// postmap_actions: what postmap and postalias do with their tables, once the command line is read.
#pragma once

#include "maps/index_build.h"

#include <string>
#include <vector>

namespace postmap {

enum class Action { build, query, erase, list };

struct Wishes {
    Action action = Action::build;
    std::string key;                // "-": keys come from standard input
    bool incremental = false;       // entries come from standard input
    bool header_keys = false, body_keys = false, mime = false;
    std::string default_type;
    std::vector<std::string> files; // "file" or "type:file"
    maps::BuildOptions build;
};

// The exit status: 1 when a query or an erasure found nothing. Faults are exceptions.
int carry_out(const Wishes& wishes);

} // namespace postmap
