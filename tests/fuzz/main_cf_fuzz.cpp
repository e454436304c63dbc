// main_cf_fuzz: any bytes as main.cf: read, look up everything, edit. The only exception is config::Error.
#include "config/config.h"
#include "config/edit.h"
#include "config/print.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    config::set_parameters(text, {{"relayhost", "x"}});
    config::comment_out_parameters(text, {"relayhost"});
    config::fold(text);
    try {
        auto config = config::Config::parse(text, "main.cf");
        for (const auto& [name, setting] : config.settings) {
            try {
                config.find(name);
                config.list(name);
            } catch (const config::Error&) {
                continue;
            }
        }
    } catch (const config::Error&) {
        return 0;
    }
    return 0;
}
