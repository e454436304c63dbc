// lend: long work on the mail, done on another thread. The mail goes along, so that nobody can touch it meanwhile, and
// comes back.
#pragma once

#include "async/offload.h"
#include "session.h"

#include <exception>
#include <optional>
#include <type_traits>

namespace imapd {

template <class Work> struct Lent {
    using Result = std::invoke_result_t<Work&, Mail&>;
    struct Back {
        Mail mail;
        std::optional<Result> result;
        std::exception_ptr failure;
    };

    Mail mail;
    Work work;

    Back operator()()
    {
        Back back;
        try {
            back.result.emplace(work(mail));
        } catch (...) {
            back.failure = std::current_exception();
        }
        back.mail = std::move(mail);
        return back;
    }
};

// work(Mail&) owns everything else it uses, and returns a value.
template <class Work> async::Task<std::invoke_result_t<Work&, Mail&>> lend(Session& session, Work work)
{
    Lent<Work> lent{std::move(session.mail), std::move(work)};
    auto back = co_await async::offload(std::move(lent));
    session.mail = std::move(back.mail);
    if (back.failure) std::rethrow_exception(back.failure);
    co_return std::move(*back.result);
}

} // namespace imapd
