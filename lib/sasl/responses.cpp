#include "sasl/responses.h"

#include "base/text.h"

#include <algorithm>

namespace sasl {

bool is_mechanism_name(std::string_view name)
{
    constexpr size_t longest_name = 20;
    if (name.empty() || name.size() > longest_name) return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; });
}

std::optional<Secret> decode_initial(std::string_view text)
{
    if (text == "=") return Secret();
    if (text.empty() || text.size() > longest_response) return std::nullopt;
    auto bytes = base::from_base64(text);
    if (!bytes) return std::nullopt;
    return Secret(std::move(*bytes));
}

Response decode_response(std::string_view line)
{
    Response response;
    if (line == "*") {
        response.kind = Response::cancelled;
        return response;
    }
    if (line.size() > longest_response) return response;
    auto bytes = base::from_base64(line);
    if (!bytes) return response;
    response.kind = Response::data;
    response.bytes = Secret(std::move(*bytes));
    return response;
}

} // namespace sasl
