// error: what is wrong with a configuration, and where: "FILE:LINE: what, expected what".
#pragma once

#include <stdexcept>
#include <string>

namespace config {

class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// One "-o name=value", of a command line or of a service in master.cf.
struct Override {
    std::string name;
    std::string value;

    bool operator==(const Override&) const = default;
};

} // namespace config
