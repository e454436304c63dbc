// probes: address verification: could mail be delivered there?
#include "verify/probes.h"

#include "async/wait.h"
#include "base/log.h"
#include "base/text.h"
#include "cleanup/recipients.h"

namespace qmgr {
namespace {

using Verdict = spool::Verified::Verdict;
constexpr const char* in_progress = "Address verification in progress";

Verdict verdict_of(const RecipientState& state)
{
    if (state.state == RecipientState::delivered) return Verdict::deliverable;
    return state.state == RecipientState::bounced ? Verdict::undeliverable : Verdict::deferred;
}

} // namespace

std::string verify_cache_folder(const config::Config& config)
{
    auto file = verify_file(config);
    return file ? file->path.substr(0, file->path.rfind('/')) : std::string();
}

Probes::Probes(Manager& manager) : manager_(manager), config_(manager.config()), cache_(config_, manager.nursery()) {}

std::string Probes::sender() const
{
    const std::string& name = config_.address_verify_sender;
    if (name.empty() || name == "<>") return {};
    return manager_.router().rewrite(name);
}

async::Task<spool::Verified> Probes::ask(std::string address, async::Limit wait)
{
    spool::Verified answer;
    answer.text = in_progress;
    const VerifyEntry* known = cache_.find(address);
    if (known) {
        answer.verdict = known->verdict;
        answer.text = known->text;
    }
    bool probe = !known || cache_.times().due_again(*known, now_seconds());
    if (probe && !pending_.count(address)) start(address);
    // What is known holds until there is news.
    if (known || wait.count() == 0 || !pending_.count(address)) co_return answer;
    struct Registered {
        Probes& probes;
        const std::string& address;
        Waiter waiter;
        Registered(Probes& all, const std::string& which) : probes(all), address(which) { probes.pending_[address].waiters.push_back(&waiter); }
        ~Registered()
        {
            auto found = probes.pending_.find(address);
            if (found != probes.pending_.end()) std::erase(found->second.waiters, &waiter);
        }
    };
    Registered registered(*this, address);
    registered.waiter.answer = answer;
    co_await async::wait(registered.waiter.told, wait);
    co_return registered.waiter.answer;
}

// False: too many are under way.
bool Probes::start(const std::string& address)
{
    if (static_cast<int64_t>(pending_.size()) >= config_.address_verify_pending_request_limit) {
        base::log::warning("address_verify_pending_request_limit ({}) is reached: <{}> is not probed", config_.address_verify_pending_request_limit,
                           base::printable(address));
        return false;
    }
    pending_[address];
    try {
        cleanup::Duties duties = manager_.intake_rules().duties(cleanup::Source::client);
        duties.copies = false;
        cleanup::Recipients recipients(manager_.intake_rules(), duties);
        spool::Recipient recipient;
        recipient.address = manager_.router().rewrite(address);
        recipient.original = address;
        recipients.add(std::move(recipient));
        auto all = recipients.take();
        if (all.size() == 1) {
            manager_.probe(sender(), std::move(all.front()),
                           [this, address](const RecipientState& state) { learn(address, verdict_of(state), state.text); });
            return true;
        }
        auto verdict = all.empty() ? Verdict::deferred : Verdict::deliverable;
        manager_.nursery().start(learn_later(address, verdict, all.empty() ? "no recipients" : "aliased to multiple recipients"));
    } catch (const std::exception& trouble) {
        manager_.nursery().start(learn_later(address, Verdict::deferred, trouble.what()));
    }
    return true;
}

async::Task<> Probes::learn_later(std::string address, Verdict verdict, std::string text)
{
    co_await async::Yield();
    learn(address, verdict, text);
}

void Probes::learn(const std::string& address, Verdict verdict, const std::string& text)
{
    VerifyEntry entry;
    entry.verdict = verdict;
    entry.probed = entry.updated = now_seconds();
    entry.text = text;
    // An address that was good stays so until its time is over: one failure may be a mishap. It is probed again at the next question.
    const VerifyEntry* before = cache_.find(address);
    bool good_before = before && before->verdict == Verdict::deliverable;
    if (verdict == Verdict::deliverable || (config_.address_verify_negative_cache && !good_before)) cache_.put(address, std::move(entry));
    auto node = pending_.extract(address);
    if (node.empty()) return;
    for (Waiter* waiter : node.mapped().waiters) {
        waiter->answer.verdict = verdict;
        waiter->answer.text = text;
        waiter->told.set();
    }
}

async::Task<> Probes::clean_up_forever()
{
    if (config_.address_verify_cache_cleanup_interval.count() == 0) co_return;
    while (true) {
        co_await async::sleep(config_.address_verify_cache_cleanup_interval);
        cache_.remove_expired();
    }
}

} // namespace qmgr
