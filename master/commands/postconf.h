// postconf: what its parts share: the options, and the two files it shows and edits.
#pragma once

#include "config/config.h"
#include "config/master_cf.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postconf {

struct Options {
    std::string folder;
    std::vector<config::Override> overrides;
    std::vector<std::string> arguments;
    std::string classes = "all";
    bool defaults = false, only_set = false, edit = false, fold = false, no_name = false, no_value = false,
         expand = false;
    bool remove = false, comment_out = false, json = false, table_types = false;
    char templates = 0; // 'b' or 't': the words of notices, expanded or not
    char master = 0; // 'M', 'F' or 'P': master.cf as entries, fields or parameters
    bool changes() const { return edit || remove || comment_out; }
};

// A fault of the call: "postconf: fatal: text", exit 1.
class Fatal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

void show_main(const Options& options);
void edit_main(const Options& options);
void show_master(const Options& options);
void edit_master(const Options& options);
void show_templates(const Options& options);

// "name = value", "name" (-H) or "value" (-h), folded or not.
void print_pair(const Options& options, std::string_view name, std::string_view value);
// "name = value" split; throws Fatal for anything else.
config::Override split_assignment(std::string_view text);
std::string read_configuration(const std::string& path);
// Replaces the file, through a symbolic link too, and keeps its mode.
void write_configuration(const std::string& path, const std::string& text);

} // namespace postconf
