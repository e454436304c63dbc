// COMPRESS, RFC 4978.
#include "cmd.h"

#include "deflate.h"

namespace imapd {

async::Task<Tagged> cmd_compress(Session& session, Arguments& arguments)
{
    arguments.space();
    if (!arguments.skip_keyword("DEFLATE")) throw Bad("Unknown compression mechanism");
    arguments.end();
    if (session.client.compressed()) co_return no("[COMPRESSIONACTIVE] DEFLATE is active already");
    session.after_answer = [](Session& compressing) { compressing.client.compress(); };
    co_return ok("Begin compression.");
}

} // namespace imapd
