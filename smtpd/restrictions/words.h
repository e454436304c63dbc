// words: the evaluators behind the words of restriction lists, by room. A new word is a row in words.cpp.
#pragma once

#include "restrictions/rules.h"

namespace smtpd::restrictions {

// client_words.cpp, address_words.cpp: what is known without asking anybody.
Result permit_mynetworks(Inquiry&, const Step&);
Result permit_inet_interfaces(Inquiry&, const Step&);
Result permit_sasl_authenticated(Inquiry&, const Step&);
Result permit_tls_clientcerts(Inquiry&, const Step&);
Result permit_tls_all_clientcerts(Inquiry&, const Step&);
Result reject_plaintext_session(Inquiry&, const Step&);
Result reject_unknown_client_hostname(Inquiry&, const Step&);
Result reject_unknown_reverse_client_hostname(Inquiry&, const Step&);
Result reject_unauth_pipelining(Inquiry&, const Step&);
Result reject_invalid_helo_hostname(Inquiry&, const Step&);
Result reject_non_fqdn_helo_hostname(Inquiry&, const Step&);

Result permit_auth_destination(Inquiry&, const Step&);
Result reject_unauth_destination(Inquiry&, const Step&);
Result defer_unauth_destination(Inquiry&, const Step&);
Result reject_non_fqdn_sender(Inquiry&, const Step&);
Result reject_non_fqdn_recipient(Inquiry&, const Step&);
Result reject_unlisted_sender(Inquiry&, const Step&);
Result reject_unlisted_recipient(Inquiry&, const Step&);
Result reject_multi_recipient_bounce(Inquiry&, const Step&);
Result reject_sender_login_mismatch(Inquiry&, const Step&);
Result reject_authenticated_sender_login_mismatch(Inquiry&, const Step&);
Result reject_unauthenticated_sender_login_mismatch(Inquiry&, const Step&);
Result reject_known_sender_login_mismatch(Inquiry&, const Step&);

// dns_words.cpp
async::Task<Result> reject_unknown_helo_hostname(Inquiry&, const Step&);
async::Task<Result> reject_unknown_sender_domain(Inquiry&, const Step&);
async::Task<Result> reject_unknown_recipient_domain(Inquiry&, const Step&);
async::Task<Result> permit_mx_backup(Inquiry&, const Step&);

// verify_words.cpp
async::Task<Result> reject_unverified_sender(Inquiry&, const Step&);
async::Task<Result> reject_unverified_recipient(Inquiry&, const Step&);

// blocklist_words.cpp
async::Task<Result> reject_rbl_client(Inquiry&, const Step&);
async::Task<Result> permit_dnswl_client(Inquiry&, const Step&);
async::Task<Result> permit_rhswl_client(Inquiry&, const Step&);
async::Task<Result> reject_rhsbl_client(Inquiry&, const Step&);
async::Task<Result> reject_rhsbl_reverse_client(Inquiry&, const Step&);
async::Task<Result> reject_rhsbl_helo(Inquiry&, const Step&);
async::Task<Result> reject_rhsbl_sender(Inquiry&, const Step&);
async::Task<Result> reject_rhsbl_recipient(Inquiry&, const Step&);
async::Task<Result> reject_maps_rbl(Inquiry&, const Step&);

// policy_words.cpp
async::Task<Result> check_policy_service(Inquiry&, const Step&);

// access_words.cpp: access(5) tables.
Result check_client_access(Inquiry&, const Step&);
Result check_reverse_client_hostname_access(Inquiry&, const Step&);
Result check_helo_access(Inquiry&, const Step&);
Result check_sender_access(Inquiry&, const Step&);
Result check_recipient_access(Inquiry&, const Step&);
Result check_etrn_access(Inquiry&, const Step&);
Result check_sasl_access(Inquiry&, const Step&);
Result check_ccert_access(Inquiry&, const Step&);

// server_words.cpp: access tables asked for the name servers, mail servers and addresses of a domain.
async::Task<Result> check_client_mx_access(Inquiry&, const Step&);
async::Task<Result> check_client_ns_access(Inquiry&, const Step&);
async::Task<Result> check_client_a_access(Inquiry&, const Step&);
async::Task<Result> check_reverse_client_mx_access(Inquiry&, const Step&);
async::Task<Result> check_reverse_client_ns_access(Inquiry&, const Step&);
async::Task<Result> check_reverse_client_a_access(Inquiry&, const Step&);
async::Task<Result> check_helo_mx_access(Inquiry&, const Step&);
async::Task<Result> check_helo_ns_access(Inquiry&, const Step&);
async::Task<Result> check_helo_a_access(Inquiry&, const Step&);
async::Task<Result> check_sender_mx_access(Inquiry&, const Step&);
async::Task<Result> check_sender_ns_access(Inquiry&, const Step&);
async::Task<Result> check_sender_a_access(Inquiry&, const Step&);
async::Task<Result> check_recipient_mx_access(Inquiry&, const Step&);
async::Task<Result> check_recipient_ns_access(Inquiry&, const Step&);
async::Task<Result> check_recipient_a_access(Inquiry&, const Step&);

// sendmail_access.cpp: /etc/mail/access.
Result check_sendmail_access(Inquiry&, const Step&);

} // namespace smtpd::restrictions
