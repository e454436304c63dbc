// thread: messages gathered into conversations (RFC 5256 3), without I/O.
#pragma once

#include "headline.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd {

enum class ThreadAlgorithm {
    ordered_subject,
    references,
    refs, // as references, by Message-IDs alone, the thread with the newest message last
};

// A node of the answer: a message, or a place for one that is not there (then message is npos).
struct ThreadNode {
    static constexpr size_t none = static_cast<size_t>(-1);
    size_t message = none; // index of the headlines
    size_t parent = none;
    std::vector<size_t> children;
};
struct Threads {
    std::vector<ThreadNode> nodes;
    std::vector<size_t> roots; // in the order of the answer, as children are
};

// lines in the order of the mailbox.
Threads make_threads(const std::vector<Headline>& lines, ThreadAlgorithm algorithm);

// "(2)(3 6 (4 23)(44 7 96))"; number: of the headline of that index.
std::string threads_text(const Threads& threads, const std::function<uint32_t(size_t)>& number);

} // namespace imapd
