// command_text: the message as a command reads it at its standard input: "From " line, our fields, content, with the ends of lines it wants.
#pragma once

#include "content.h"
#include "order.h"
#include "store/line_ends.h"

#include <string>
#include <string_view>

namespace local_delivery {

// Lines with LF ends as a command wants them. Chunks may be cut anywhere.
class LineEditor {
public:
    explicit LineEditor(const CommandText& wishes) : wishes_(wishes) {}
    void feed(std::string_view text, std::string& out);
    void finish(std::string& out);      // ends the last line

private:
    void begin_line(std::string& out);

    const CommandText& wishes_;
    std::string beginning_;             // of a line, until there is enough of it to know
    bool at_line_start_ = true;
};

class CommandReader {
public:
    // The order must outlive it.
    explicit CommandReader(const Order& order);
    // What comes next; empty at the end. Throws base::SystemError when the content can't be read.
    std::string_view next();
    void consume(size_t bytes);

private:
    const CommandText& wishes_;
    Content content_;
    store::LfFilter filter_;
    LineEditor editor_;
    bool plain_;                        // no line needs a look
    std::string lf_text_, next_;
    size_t given_ = 0;
    bool ended_ = false;
};

} // namespace local_delivery
