// search: SEARCH's criteria (RFC 3501 6.4.4) as a tree, and whether a message meets them.
#pragma once

#include "arguments.h"
#include "mail/mime.h"
#include "store/store.h"

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd {

class UnknownCharset : public std::runtime_error {
public:
    explicit UnknownCharset(const std::string& name) : std::runtime_error(name) {}
};

struct SearchKey {
    enum class Kind {
        all,
        numbers,
        uids,
        flags_set,
        flags_clear,
        keyword,
        unkeyword,
        modseq, // answered without the file
        before,
        on,
        since,
        larger,
        smaller,
        saved_before,
        saved_on,
        saved_since, // by its date and size
        header,
        sent_before,
        sent_on,
        sent_since, // by its header
        body,
        text, // by all of it
        both,
        either,
        negation // and, or, not
    };
    Kind kind = Kind::all;
    SequenceSet set;
    store::Flags flags = 0;
    int64_t number = 0; // a day, a size
    std::string name;   // of a header field or keyword
    std::string wanted; // folded: see fold()
    std::vector<SearchKey> keys;

    // What it costs to answer: cheap keys are asked first.
    static constexpr int highest_cost = 3;
    int cost() const;
};

// " CHARSET x" or nothing, as for SEARCH; " x", as for SORT and THREAD.
enum class CharsetPlace { optional, first };
// The charset and all of the search key. now: for OLDER and YOUNGER (RFC 5032). Throws Bad, UnknownCharset.
SearchKey parse_search(Arguments& arguments, std::time_t now, CharsetPlace charset = CharsetPlace::optional);

// Text for comparison: UTF-8 without difference of case.
std::string fold(std::string_view utf8);

// Replaces numbers and "$" (saved) by UIDs and names of keywords by flags: what a thread needs to go on alone.
void resolve(SearchKey& key, const std::vector<uint32_t>& uids,
             const std::function<std::optional<store::Flags>(const std::string&)>& keyword,
             const std::vector<uint32_t>& saved = {});

// One message, read as far as the criteria ask for it.
class Candidate {
public:
    Candidate(store::Mailbox& box, store::Message message) : box_(box), message_(message) {}
    bool meets(const SearchKey& key);

private:
    bool meets_date(const SearchKey& key);
    bool meets_size(const SearchKey& key);
    bool meets_saved(const SearchKey& key);
    bool meets_header(const SearchKey& key);
    bool meets_sent(const SearchKey& key);
    bool meets_body(const SearchKey& key);
    std::string_view raw();
    std::string_view header();
    std::string_view digest();

    store::Mailbox& box_;
    store::Message message_;
    std::optional<store::Content> content_;
    bool looked_ = false;
    std::optional<std::string> digest_, body_text_, header_text_;
};

// The texts of a message for BODY and TEXT: transfer encoding and character set undone, folded.
std::string searchable_body(std::string_view message);
std::string searchable_headers(std::string_view message);

} // namespace imapd
