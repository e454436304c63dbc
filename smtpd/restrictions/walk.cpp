#include "restrictions/walk.h"

#include "session.h"

#include "base/log.h"

namespace smtpd::restrictions {
namespace {

constexpr size_t deepest = 100;     // classes and tables may name each other in a circle

} // namespace

Walk::Walk(Inquiry& inquiry, std::shared_ptr<const List> list, Subject subject)
    : inquiry_(inquiry), previous_(std::exchange(inquiry.walk, this)), subject_(std::move(subject))
{
    frames_.push_back({std::move(list), 0, {}, {}});
}

Result Walk::enter(std::shared_ptr<const List> list, std::string_view guard, std::string target)
{
    if (frames_.size() >= deepest) {
        base::log::warning("restriction lists name each other without end");
        return inquiry_.server_error();
    }
    frames_.push_back({std::move(list), 0, guard, std::move(target)});
    return Result::entered;
}

// What a table says of a server that a stranger can choose must not open the door to him.
Result Walk::complain_of_permission(std::string_view guard, std::string_view target)
{
    base::log::warning("restriction {} returns OK for {}", guard, target);
    base::log::warning("this is not allowed for security reasons");
    base::log::warning("use DUNNO instead of OK if you want to make an exception");
    return inquiry_.server_error();
}

void Walk::leave()
{
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (result_ == Result::permit && !frame.guard.empty()) result_ = complain_of_permission(frame.guard, frame.target);
    if (warn_depth_ >= frames_.size()) warn_depth_ = 0;
    if (result_ != Result::dunno || abandoned_) {
        if (frames_.empty()) return;
        frames_.back().next = frames_.back().list->steps.size();
    }
}

const Step* Walk::next_step()
{
    while (!ended()) {
        Frame& frame = frames_.back();
        if (frame.next >= frame.list->steps.size() || inquiry_.treatment().discard)
            leave();
        else
            return &frame.list->steps[frame.next++];
    }
    return nullptr;
}

// Tables write their own lines.
void Walk::note_permission(const Word& word) const
{
    if (!word.name.starts_with("permit")) return;
    if (word.name == "permit") return inquiry_.log_permit(word.name, subject_);
    bool of_recipient = (word.name == "permit_auth_destination" || word.name == "permit_mx_backup") && inquiry_.recipient;
    const Client& client = inquiry_.session.client;
    Subject about = of_recipient ? Subject{*inquiry_.recipient, kind::recipient} : Subject{client.name + "[" + client.address + "]", kind::client};
    inquiry_.log_permit(word.name, about);
}

void Walk::settle(const Step& step, Result result)
{
    if (result == Result::entered) return;
    if (result == Result::permit) note_permission(*step.word);
    // warn_if_reject is for the one word behind it.
    if (!std::exchange(warn_is_new_, false) && warn_depth_ >= frames_.size()) warn_depth_ = 0;
    result_ = result;
    if (result != Result::dunno || abandoned_) frames_.back().next = frames_.back().list->steps.size();
}

bool Walk::run()
{
    while (const Step* step = next_step()) {
        if (!step->word->decide) {
            waiting_ = step;
            return false;
        }
        settle(*step, step->word->decide(inquiry_, *step));
    }
    return true;
}

async::Task<> Walk::run_waiting()
{
    do {
        auto question = waiting_->word->ask(inquiry_, *waiting_);
        Result result = co_await question;
        settle(*waiting_, result);
    } while (!run());
}

} // namespace smtpd::restrictions
