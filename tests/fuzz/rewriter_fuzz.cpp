// rewriter_fuzz: a message on its way to a server of seven bits: any cut gives the same, and no eight-bit part is left that says so.
#include "rewriter.h"

#include <cstdlib>

namespace {

std::string rewritten(std::string_view content, size_t piece)
{
    smtp_client::Rewriter rewriter(nullptr, true);
    std::string sink;
    for (size_t at = 0; at < content.size(); at += piece) rewriter.feed(content.substr(at, piece), sink);
    rewriter.finish(sink);
    return sink;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    if (size < 1) return 0;
    std::string_view content(reinterpret_cast<const char*>(data + 1), size - 1);
    if (rewritten(content, 1 + data[0]) != rewritten(content, content.size() + 1)) std::abort();
    return 0;
}
