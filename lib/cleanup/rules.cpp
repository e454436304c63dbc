// rules: parameters that belong together, read once.
#include "cleanup/rules.h"

#include "base/text.h"
#include "routing/address_search.h"

#include <algorithm>

namespace cleanup {

namespace {

bool has_word(const config::List& words, std::string_view wanted)
{
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return base::same_word(word, wanted); });
}

} // namespace

Rules::Rules(const config::Config& configuration, routing::Router& rewriting)
    : config(configuration), router(rewriting), addresses(config, router), search(routing::address_search(config, router.domains())),
      header_checks(config.header_checks), mime_header_checks(config.mime_header_checks), nested_header_checks(config.nested_header_checks),
      body_checks(config.body_checks), milter_header_checks(config.milter_header_checks), sender_bcc(config.sender_bcc_maps), recipient_bcc(config.recipient_bcc_maps),
      strict_headers(config.strict_7bit_headers || config.strict_8bitmime), strict_body(config.strict_8bitmime_body || config.strict_8bitmime),
      strict_encoding(config.strict_mime_encoding_domain), local_rewriting(routing::RewriteRules::local(config))
{
    bool asks_headers = !header_checks.empty() || !mime_header_checks.empty() || !nested_header_checks.empty();
    limits_nesting = strict_headers || strict_body || strict_encoding || asks_headers;
    reads_structure = limits_nesting || !body_checks.empty();
    if (!config.remote_header_rewrite_domain.empty()) remote_rewriting = routing::RewriteRules::remote(config);
}

bool Rules::overridden(std::string_view option) const { return has_word(config.receive_override_options, option); }

Duties Rules::duties(Source source) const
{
    if (source == Source::client) {
        bool mappings = !overridden("no_address_mappings");
        return {!overridden("no_header_body_checks"), mappings, mappings};
    }
    // Mail of our own making is not checked, and goes to nobody but its recipient.
    bool asked = (source == Source::bounce && has_word(config.internal_mail_filter_classes, "bounce")) ||
                 (source == Source::notify && has_word(config.internal_mail_filter_classes, "notify"));
    return {asked, true, false};
}

} // namespace cleanup
