#include "sasl/ticket.h"

#include "base/text.h"

#include <fmt/format.h>

namespace sasl {

std::string Ticket::text() const { return fmt::format("{}:{}:{}:{}", auth_pid, client_pid, request, cookie); }

std::optional<Ticket> Ticket::parse(std::string_view text)
{
    constexpr size_t longest_cookie = 128;
    auto parts = base::split_exact(text, ':');
    if (parts.size() != 4) return std::nullopt;
    auto auth_pid = base::number<uint32_t>(parts[0]), client_pid = base::number<uint32_t>(parts[1]),
         request = base::number<uint32_t>(parts[2]);
    if (!auth_pid || !client_pid || !request) return std::nullopt;
    if (parts[3].empty() || parts[3].size() > longest_cookie || !base::from_hex(parts[3])) return std::nullopt;
    Ticket ticket;
    ticket.auth_pid = *auth_pid;
    ticket.client_pid = *client_pid;
    ticket.request = *request;
    ticket.cookie = parts[3];
    return ticket;
}

} // namespace sasl
