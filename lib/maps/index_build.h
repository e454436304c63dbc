// index_build: makes and edits the .db files behind hash: and btree:, for postmap and newaliases. A new file takes the place of the
// old one in one step, so that readers always see one or the other, whole.
#pragma once

#include "maps/berkeley.h"
#include "maps/map.h"

#include <string>
#include <string_view>
#include <vector>

namespace maps {

struct BuildOptions {
    IndexKind kind = IndexKind::hash;
    Syntax syntax = Syntax::table;
    Nul nul = Nul::with;
    bool fold_case = true;
    bool only_utf8 = true;              // lines that are not UTF-8 are left out
    bool values_are_files = false;      // the value is a list of files, whose content is stored in base64
    bool replace_duplicates = false;
    bool warn_about_duplicates = true;
    bool keep_mode = true;              // mode of the source, else 0644
    bool keep_owner = true;             // as root: the source's owner
    std::string host;                   // of YP_MASTER_NAME; aliases only
};

// Reads path and writes path.db. What is wrong with lines is logged. Throws Unavailable or base::SystemError.
void build_index(const std::string& path, const BuildOptions& options);
// Adds entries, in the grammar of the source, to path.db, which is made when it is not there.
void add_to_index(const std::string& path, std::string_view text, const std::string& text_name, const BuildOptions& options);
// How many of the keys were there.
size_t erase_from_index(const std::string& path, const std::vector<std::string>& keys, const BuildOptions& options);
// The content of files ("a, b"), each followed by a newline, in base64.
std::string files_as_value(std::string_view files);

} // namespace maps
