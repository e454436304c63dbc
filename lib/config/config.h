// config: main.cf as a value. Config::load() reads a folder; config.smtpd_timeout is a parameter of the table,
// config.find() any name.
#pragma once

#include "config/error.h"
#include "config/parameters.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace config {

// What somebody set: in main.cf (file and line) or by -o (line 0).
struct Setting {
    std::string value; // as written, unexpanded
    std::string file;
    int line = 0;

    std::string place() const;
};

class Config : public Parameters {
public:
    // Reads folder/main.cf and applies the overrides, whose names may be anybody's (service_name, stress …). Throws
    // Error.
    static Config load(const std::string& folder, const std::vector<Override>& overrides = {});
    // The same from text in memory; file is only for messages.
    static Config parse(std::string_view text, const std::string& file, const std::vector<Override>& overrides = {});
    // The settings and defaults alone: no field is filled in, so that a tool can show and mend what load() refuses.
    static Config inspect(const std::string& folder, const std::vector<Override>& overrides = {});
    // What holds where nothing is set.
    static Config defaults(const std::string& folder);

    std::string folder;
    std::vector<std::string> warnings;                    // each "FILE:LINE: text"
    std::map<std::string, Setting, std::less<>> settings; // every name that was set

    // The expanded value of any name: of the table, of transport_destination_concurrency_limit and its kin, or the
    // user's own; of a RawText the text as it is. Nothing when nobody knows the name. Throws Error when the value's
    // grammar is bad.
    std::optional<std::string> find(std::string_view name) const;
    std::optional<std::string> find_raw(std::string_view name) const;     // before expansion
    std::optional<std::string> find_default(std::string_view name) const; // unexpanded, whatever was set
    bool is_set(std::string_view name) const { return settings.find(name) != settings.end(); }
    std::string expand(std::string_view text) const;

    // Typed reads of names that are made at run time, such as smtp_destination_rate_delay. Throw Error with file and
    // line.
    Number number(std::string_view name) const;
    Seconds seconds(std::string_view name) const;
    Flag flag(std::string_view name) const;
    List list(std::string_view name) const;

private:
    void read_settings(std::string_view text, const std::string& file);
    void apply(const std::vector<Override>& overrides);
    void compute_defaults();
    void read_parameters();
    void settle_old_names();
    void add_warnings(const std::string& master_folder);
    void read(std::string_view name, std::string& field) const;
    void read(std::string_view name, Flag& field) const;
    void read(std::string_view name, Number& field) const;
    void read(std::string_view name, Seconds& field) const;
    void read(std::string_view name, List& field) const;
    std::string value_of(std::string_view name) const;
    std::string place_of(std::string_view name) const;

    std::map<std::string, std::string, std::less<>> computed_; // defaults that depend on the machine
};

// $MAIL_CONFIG, else /etc/rookpost, else /etc/postfix, whichever exists.
std::string default_folder();

} // namespace config
