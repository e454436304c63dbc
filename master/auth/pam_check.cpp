#include "pam_check.h"

#include <security/pam_appl.h>

#include <cstdlib>
#include <cstring>

namespace auth {
namespace {

// PAM frees the answers with free().
int answer_modules(int count, const pam_message** messages, pam_response** responses, void* data)
{
    auto& question = *static_cast<PamQuestion*>(data);
    if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
    auto* answers = static_cast<pam_response*>(std::calloc(static_cast<size_t>(count), sizeof(pam_response)));
    if (!answers) return PAM_BUF_ERR;
    for (int i = 0; i < count; ++i) {
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF) answers[i].resp = ::strdup(question.password.text().c_str());
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_ON) answers[i].resp = ::strdup(question.user.c_str());
    }
    *responses = answers;
    return PAM_SUCCESS;
}

// Failures are delayed by us, for all sources alike, and without holding a thread.
void no_delay(int, unsigned, void*) {}

PamAnswer::Verdict verdict_of(int result)
{
    switch (result) {
    case PAM_SUCCESS: return PamAnswer::right;
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_MAXTRIES:
    case PAM_CRED_INSUFFICIENT:
    case PAM_PERM_DENIED: return PamAnswer::wrong;
    case PAM_ACCT_EXPIRED: return PamAnswer::disabled;
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_AUTHTOK_EXPIRED: return PamAnswer::expired;
    default: return PamAnswer::trouble;
    }
}

} // namespace

PamAnswer check_by_pam(PamQuestion& question)
{
    PamAnswer answer;
    if (question.password.empty() || question.password.view().size() >= PAM_MAX_RESP_SIZE) {
        answer.verdict = PamAnswer::wrong; // an empty one never logs in, whatever "nullok" says
        return answer;
    }
    pam_conv conversation{answer_modules, &question};
    pam_handle_t* handle = nullptr;
    int result = ::pam_start(question.service.c_str(), question.user.c_str(), &conversation, &handle);
    if (result != PAM_SUCCESS) {
        answer.text = "can't start PAM service " + question.service;
        return answer;
    }
    ::pam_set_item(handle, PAM_FAIL_DELAY, reinterpret_cast<const void*>(&no_delay));
    ::pam_set_item(handle, PAM_TTY, "rookpost");
    if (!question.remote_host.empty()) ::pam_set_item(handle, PAM_RHOST, question.remote_host.c_str());

    result = ::pam_authenticate(handle, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    bool password_right = result == PAM_SUCCESS;
    if (password_right) result = ::pam_acct_mgmt(handle, PAM_SILENT);
    answer.verdict = verdict_of(result);
    if (password_right && answer.verdict == PamAnswer::wrong) answer.verdict = PamAnswer::disabled;
    if (answer.verdict == PamAnswer::trouble) answer.text = ::pam_strerror(handle, result);
    const void* name = nullptr;
    bool named = ::pam_get_item(handle, PAM_USER, &name) == PAM_SUCCESS && name;
    answer.user = named ? static_cast<const char*>(name) : question.user;
    ::pam_end(handle, result);
    return answer;
}

} // namespace auth
