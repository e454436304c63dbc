#include "restrictions/words.h"

#include "restrictions/walk.h"
#include "session.h"

#include "async/wait.h"
#include "base/log.h"
#include "base/text.h"

namespace smtpd::restrictions {
namespace {

int as_code(int64_t parameter) { return static_cast<int>(parameter); }

Result permit(Inquiry& inquiry, const Step&) { return inquiry.permit(); }

Result reject(Inquiry& inquiry, const Step&)
{
    return inquiry.refuse(as_code(inquiry.rules.config.reject_code), "5.7.1", inquiry.walk->subject(), "Access denied");
}

Result defer(Inquiry& inquiry, const Step&)
{
    return inquiry.refuse(as_code(inquiry.rules.config.defer_code), "4.3.2", inquiry.walk->subject(), "Try again later");
}

Result defer_if_permit(Inquiry& inquiry, const Step&)
{
    return inquiry.postpone_refusal("defer_if_permit", 450, "4.7.0", rejected(inquiry.walk->subject(), "defer_if_permit requested"));
}

Result defer_if_reject(Inquiry& inquiry, const Step&)
{
    return inquiry.postpone_permission(450, "4.7.0", rejected(inquiry.walk->subject(), "defer_if_reject requested"));
}

Result warn_if_reject(Inquiry& inquiry, const Step&)
{
    inquiry.walk->warn_once();
    return Result::dunno;
}

async::Task<Result> sleep(Inquiry&, const Step& step)
{
    constexpr int64_t longest = 3600;
    auto seconds = base::number<int64_t>(step.argument);
    if (seconds && *seconds >= 0)
        co_await async::sleep(std::chrono::seconds(std::min(*seconds, longest)));
    else
        base::log::warning("restriction sleep requires number argument");
    co_return Result::dunno;
}

constexpr Word now(std::string_view name, Result (*decide)(Inquiry&, const Step&), Argument argument = Argument::none)
{
    return {name, argument, decide, nullptr};
}

constexpr Word later(std::string_view name, async::Task<Result> (*ask)(Inquiry&, const Step&), Argument argument = Argument::none)
{
    return {name, argument, nullptr, ask};
}

constexpr auto table = Argument::table;
constexpr auto blocklist = Argument::blocklist;

// postconf(5) of Postfix; the names before Postfix 2.3 stand beside those of today.
constexpr Word words[] = {
    now("permit", permit),
    now("reject", reject),
    now("defer", defer),
    now("defer_if_permit", defer_if_permit),
    now("defer_if_reject", defer_if_reject),
    now("warn_if_reject", warn_if_reject),
    later("sleep", sleep, Argument::number),

    now("permit_mynetworks", permit_mynetworks),
    now("permit_inet_interfaces", permit_inet_interfaces),
    now("permit_sasl_authenticated", permit_sasl_authenticated),
    now("permit_tls_clientcerts", permit_tls_clientcerts),
    now("permit_tls_all_clientcerts", permit_tls_all_clientcerts),
    now("permit_auth_destination", permit_auth_destination),
    later("permit_mx_backup", permit_mx_backup),
    now("reject_unauth_destination", reject_unauth_destination),
    now("defer_unauth_destination", defer_unauth_destination),
    now("reject_unauth_pipelining", reject_unauth_pipelining),
    now("reject_plaintext_session", reject_plaintext_session),
    now("reject_multi_recipient_bounce", reject_multi_recipient_bounce),

    now("reject_unknown_client_hostname", reject_unknown_client_hostname),
    now("reject_unknown_client", reject_unknown_client_hostname),
    now("reject_unknown_reverse_client_hostname", reject_unknown_reverse_client_hostname),
    now("reject_invalid_helo_hostname", reject_invalid_helo_hostname),
    now("reject_invalid_hostname", reject_invalid_helo_hostname),
    now("reject_non_fqdn_helo_hostname", reject_non_fqdn_helo_hostname),
    now("reject_non_fqdn_hostname", reject_non_fqdn_helo_hostname),
    later("reject_unknown_helo_hostname", reject_unknown_helo_hostname),
    later("reject_unknown_hostname", reject_unknown_helo_hostname),
    now("reject_non_fqdn_sender", reject_non_fqdn_sender),
    now("reject_non_fqdn_recipient", reject_non_fqdn_recipient),
    later("reject_unknown_sender_domain", reject_unknown_sender_domain),
    later("reject_unknown_recipient_domain", reject_unknown_recipient_domain),
    now("reject_unlisted_sender", reject_unlisted_sender),
    now("reject_unlisted_recipient", reject_unlisted_recipient),
    now("check_recipient_maps", reject_unlisted_recipient),
    later("reject_unverified_sender", reject_unverified_sender),
    later("reject_unverified_recipient", reject_unverified_recipient),
    now("reject_sender_login_mismatch", reject_sender_login_mismatch),
    now("reject_authenticated_sender_login_mismatch", reject_authenticated_sender_login_mismatch),
    now("reject_unauthenticated_sender_login_mismatch", reject_unauthenticated_sender_login_mismatch),
    now("reject_known_sender_login_mismatch", reject_known_sender_login_mismatch),

    later("reject_rbl_client", reject_rbl_client, blocklist),
    later("reject_rbl", reject_rbl_client, blocklist),
    later("reject_maps_rbl", reject_maps_rbl),
    later("permit_dnswl_client", permit_dnswl_client, blocklist),
    later("permit_rhswl_client", permit_rhswl_client, blocklist),
    later("reject_rhsbl_client", reject_rhsbl_client, blocklist),
    later("reject_rhsbl_reverse_client", reject_rhsbl_reverse_client, blocklist),
    later("reject_rhsbl_helo", reject_rhsbl_helo, blocklist),
    later("reject_rhsbl_sender", reject_rhsbl_sender, blocklist),
    later("reject_rhsbl_recipient", reject_rhsbl_recipient, blocklist),

    later("check_policy_service", check_policy_service, Argument::service),
    now("check_client_access", check_client_access, table),
    now("check_reverse_client_hostname_access", check_reverse_client_hostname_access, table),
    now("check_helo_access", check_helo_access, table),
    now("check_sender_access", check_sender_access, table),
    now("check_recipient_access", check_recipient_access, table),
    now("check_etrn_access", check_etrn_access, table),
    now("check_sasl_access", check_sasl_access, table),
    now("check_ccert_access", check_ccert_access, table),
    now("check_sendmail_access", check_sendmail_access, table),
    later("check_client_mx_access", check_client_mx_access, table),
    later("check_client_ns_access", check_client_ns_access, table),
    later("check_client_a_access", check_client_a_access, table),
    later("check_reverse_client_hostname_mx_access", check_reverse_client_mx_access, table),
    later("check_reverse_client_hostname_ns_access", check_reverse_client_ns_access, table),
    later("check_reverse_client_hostname_a_access", check_reverse_client_a_access, table),
    later("check_helo_mx_access", check_helo_mx_access, table),
    later("check_helo_ns_access", check_helo_ns_access, table),
    later("check_helo_a_access", check_helo_a_access, table),
    later("check_sender_mx_access", check_sender_mx_access, table),
    later("check_sender_ns_access", check_sender_ns_access, table),
    later("check_sender_a_access", check_sender_a_access, table),
    later("check_recipient_mx_access", check_recipient_mx_access, table),
    later("check_recipient_ns_access", check_recipient_ns_access, table),
    later("check_recipient_a_access", check_recipient_a_access, table),
};

} // namespace

const Word* find_word(std::string_view name)
{
    for (const Word& word : words)
        if (base::same_word(word.name, name)) return &word;
    return nullptr;
}

} // namespace smtpd::restrictions
