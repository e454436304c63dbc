// master_cf_fuzz: any bytes as master.cf: read, print, and read again with the same result.
#include "config/edit.h"
#include "config/master_cf.h"
#include "config/print.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    config::set_service(text, "smtp/inet", "smtp inet n - n - - smtpd");
    config::remove_services(text, {"smtp/*"});
    config::MasterTable table;
    try {
        table = config::MasterTable::parse(text, "master.cf");
    } catch (const config::Error&) {
        return 0;
    }
    for (const auto& service : table.services) {
        service.plain_arguments();
        auto again = config::MasterTable::parse(config::print_service(service, true), "printed");
        if (again.services.size() != 1 || again.services[0].overrides != service.overrides) std::abort();
    }
    return 0;
}
