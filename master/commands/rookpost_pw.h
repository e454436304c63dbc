// rookpost_pw: "rookpost pw": hashes passwords for auth's files, as doveadm pw does.
#pragma once

namespace rookpost {

// argv[0] is "pw". Returns the exit status.
int pw(int argc, char** argv);

} // namespace rookpost
