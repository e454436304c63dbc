// protocol_error: a peer that does not speak the protocol; its connection ends, nothing else.
#pragma once

#include <stdexcept>

namespace auth {

class ProtocolError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace auth
