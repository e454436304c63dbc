// walk: the way through one restriction list, and into the lists that classes and tables name. Steps that need not wait cost no coroutine.
#pragma once

#include "restrictions/inquiry.h"
#include "restrictions/rules.h"

namespace smtpd::restrictions {

class Walk {
public:
    // subject: what "reject" and its like refuse. inquiry must outlive it.
    Walk(Inquiry& inquiry, std::shared_ptr<const List> list, Subject subject);
    ~Walk() { inquiry_.walk = previous_; }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    // To the end, or to the first step that must wait: then false.
    bool run();
    // From there to the end.
    async::Task<> run_waiting();
    Result result() const { return result_; }

    // For evaluators.
    const Subject& subject() const { return subject_; }
    std::string_view table_word() const { return frames_.back().list->table_word; }
    // Goes on in that list, and returns here behind it. guard: a word whose tables must not permit; target: what it looked at.
    Result enter(std::shared_ptr<const List> list, std::string_view guard = {}, std::string target = {});
    // A guarded word's table said OK: that is an error of the configuration.
    Result complain_of_permission(std::string_view guard, std::string_view target);
    bool warns() const { return warn_depth_ > 0; }      // warn_if_reject applies
    void warn_once()
    {
        if (warn_depth_ == 0) warn_depth_ = frames_.size();
        warn_is_new_ = true;
    }
    void abandon() { abandoned_ = true; }               // this step is the last of the list
    Postponed defer_if_reject;

private:
    struct Frame {
        std::shared_ptr<const List> list;
        size_t next = 0;
        std::string_view guard;
        std::string target;
    };
    const Step* next_step();        // null: the end
    void settle(const Step& step, Result result);   // what a step said
    void note_permission(const Word& word) const;
    void leave();                   // the innermost list is at its end
    bool ended() const { return frames_.empty(); }

    Inquiry& inquiry_;
    Walk* previous_;
    Subject subject_;
    std::vector<Frame> frames_;
    const Step* waiting_ = nullptr;
    size_t warn_depth_ = 0;         // the depth where warn_if_reject stood; 0: it does not apply
    bool warn_is_new_ = false;
    bool abandoned_ = false;
    Result result_ = Result::dunno;
};

} // namespace smtpd::restrictions
