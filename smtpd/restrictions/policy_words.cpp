// policy_words: check_policy_service: a policy server decides, in the words of an access table.
#include "restrictions/access.h"
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

namespace smtpd::restrictions {

async::Task<Result> check_policy_service(Inquiry& inquiry, const Step& step)
{
    if (!step.policy) co_return inquiry.server_error();
    PolicyQuestion question;
    question.where = inquiry.where;
    question.sender = inquiry.sender.value_or("");
    question.recipient = inquiry.recipient.value_or("");
    question.etrn_domain = inquiry.etrn_domain;
    const auto& mail = inquiry.session.mail;
    // Of content with one recipient he is named; of more, none.
    if (question.recipient.empty() && mail && mail->recipients.size() == 1) question.recipient = mail->recipients[0].address;
    PolicyAttributes attributes = policy_attributes(inquiry.session, question, step.policy->service());
    std::shared_ptr<PolicyClient> client = step.policy;
    std::string action = co_await client->ask(std::move(attributes));
    TableQuestion answered{step, inquiry.walk->table_word(), inquiry.walk->subject()};
    co_return obey(inquiry, answered, "policy query", action);
}

} // namespace smtpd::restrictions
