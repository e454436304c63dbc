// secret: passwords in memory: wiped when done with, and compared in a time that says nothing of where they differ.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sasl {

void wipe(std::string& text);
bool same_secret(std::string_view a, std::string_view b); // the time depends on the lengths only

// A string that is wiped when it goes.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    explicit Secret(std::string_view text) : text_(text) {}
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(text_); }

    std::string_view view() const { return text_; }
    std::string& text() { return text_; }
    bool empty() const { return text_.empty(); }
    Secret copy() const { return Secret(view()); }

private:
    std::string text_;
};

} // namespace sasl
