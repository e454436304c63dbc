// pipe_fuzz: the attributes of a pipe service, one a line, and addresses in its macros.
#include "config/error.h"
#include "pipe/macros.h"

#include "base/text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<std::string> words;
    for (auto word : base::split_exact(text, '\n')) words.emplace_back(word);
    spool::Deliver job;
    job.sender = words.back();
    job.recipients.resize(2);
    job.recipients[0].address = words.front();
    job.recipients[1].address = "anna+x@example.org";
    try {
        auto attributes = local_delivery::parse_pipe_attributes(words);
        auto line = local_delivery::pipe_command_line(attributes, job, "+-", true);
        for (const std::string& word : line)
            if (word.find('\0') != word.npos && text.find('\0') == text.npos) std::abort();
    } catch (const config::Error&) {
    }
    return 0;
}
