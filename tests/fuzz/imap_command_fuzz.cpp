// Fuzz: IMAP commands through every grammar that follows a verb, and what is computed from them.
#include "catenate_url.h"
#include "fetch.h"
#include "folder_pattern.h"
#include "listing.h"
#include "search.h"
#include "search_return.h"
#include "sort.h"
#include "thread.h"

#include <cstdlib>
#include <ctime>

namespace {

using imapd::Arguments;

// Each gets the rest of a command after its verb.
void read_fetch(Arguments& arguments)
{
    arguments.space();
    auto set = arguments.sequence_set().resolved(1000);
    for (size_t i = 1; i < set.size(); ++i)
        if (set[i].first <= set[i - 1].last) std::abort();
    arguments.space();
    auto items = imapd::parse_fetch_items(arguments);
    static const std::string message = "A: 1\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n"
                                       "Content-Type: message/rfc822\n\nB: 2\n\ntwo\n--b--\n";
    static const mail::Part tree = mail::parse_mime(message);
    for (const auto& item : items)
        if (item.what == imapd::FetchItem::What::section) imapd::extract(message, &tree, item.section);
}

void read_search(Arguments& arguments)
{
    auto key = imapd::parse_search(arguments, 1'000'000'000);
    const std::vector<uint32_t> uids{1, 5, 9};
    auto keyword = [](const std::string&) -> std::optional<store::Flags> { return store::flag::keyword(0); };
    imapd::resolve(key, uids, keyword);
}

void read_sort(Arguments& arguments)
{
    auto wanted = imapd::parse_search_return(arguments);
    const std::vector<uint32_t> numbers{5, 1, 9};
    imapd::esearch_text({"t", true, 7}, wanted, numbers);
    arguments.space();
    auto program = imapd::parse_sort_program(arguments);
    imapd::parse_search(arguments, 1'000'000'000, imapd::CharsetPlace::first);
    std::vector<imapd::Headline> lines(3);
    imapd::sort_headlines(lines, program);
}

// The text as headers of messages, one after each empty line.
void weave(std::string_view text)
{
    std::vector<imapd::Headline> lines;
    while (!text.empty() && lines.size() < 100) {
        size_t end = std::min(text.find("\n\n"), text.size());
        lines.push_back(imapd::headline_of(text.substr(0, end), static_cast<int64_t>(lines.size())));
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    using Algorithm = imapd::ThreadAlgorithm;
    for (auto algorithm : {Algorithm::references, Algorithm::refs, Algorithm::ordered_subject}) {
        size_t told = 0;
        imapd::threads_text(imapd::make_threads(lines, algorithm), [&](size_t index) {
            ++told;
            return static_cast<uint32_t>(index + 1);
        });
        // Each message has its place, and one only.
        if (told != lines.size()) std::abort();
    }
}

void read_list(Arguments& arguments)
{
    auto request = imapd::parse_list(arguments);
    imapd::choose_folders(request, {{"INBOX"}, {"a.b.c"}, {"a"}}, {"a.b", "x.y"}, '.');
}

void read_store(Arguments& arguments)
{
    arguments.space();
    arguments.sequence_set();
    arguments.space();
    arguments.flag_list(false);
    arguments.end();
}

void read_append(Arguments& arguments)
{
    arguments.space();
    arguments.mailbox();
    arguments.space();
    if (arguments.at('(')) arguments.flag_list(true);
    if (arguments.skip(' ')) arguments.date_time();
    imapd::literal_head(arguments.rest());
}

void read_status(Arguments& arguments)
{
    arguments.space();
    std::string name = imapd::wire_name(arguments.mailbox());
    // What we write, we read.
    Arguments again(name);
    again.mailbox();
    again.end();
    arguments.space();
    imapd::parse_status_items(arguments);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    imapd::literal_head(text.substr(0, text.find('\n')));
    weave(text);
    imapd::parse_message_url(text);
    for (auto* read : {read_fetch, read_search, read_sort, read_list, read_store, read_append, read_status}) {
        try {
            Arguments arguments(text);
            arguments.tag();
            arguments.space();
            arguments.atom();
            read(arguments);
        } catch (const imapd::Bad&) {
        } catch (const imapd::UnknownCharset&) {
        }
    }
    return 0;
}
