// query_pattern: texts with %s, %u, %d, %S, %U, %D and %1 to %9, as in query, search_base, key_format and result_format of tables behind
// servers. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

class QueryPattern {
public:
    // Throws std::runtime_error for a % that begins nothing known.
    explicit QueryPattern(std::string_view text);

    using Quote = std::function<std::string(std::string_view)>;
    // Small letters stand for parts of value, large ones and digits for parts of key; a query has the same for both. Nothing when a part
    // is missing: %d or %D without a domain, %u or %U with an empty local part, %3 with two labels.
    std::optional<std::string> fill(std::string_view value, std::string_view key, const Quote& quote = {}) const;

private:
    struct Piece {
        char letter = 0;        // 0: text
        std::string text;
    };
    std::vector<Piece> pieces_;
};

} // namespace maps
