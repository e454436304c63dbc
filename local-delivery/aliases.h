// aliases: the tables of alias_maps, and whose rights stand behind what they say.
#pragma once

#include "maps/map.h"

#include <sys/types.h>

#include <optional>
#include <string>

namespace config {
class Config;
}

namespace local_delivery {

struct Alias {
    std::string value;
    uid_t owner = 0;        // of the file that the alias stands in; 0 also where there is no file
};

class Aliases {
public:
    explicit Aliases(const config::Config& config);
    // Throws maps::Unavailable.
    std::optional<Alias> find(const std::string& name);

private:
    maps::Maps tables_;
};

} // namespace local_delivery
