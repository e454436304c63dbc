// client_mechanisms: those that make_client() chooses from. Only for the files of this folder.
#pragma once

#include "sasl/client.h"

namespace sasl {

std::unique_ptr<Client> make_plain(Credentials credentials);       // RFC 4616
std::unique_ptr<Client> make_login(Credentials credentials);       // draft-murchison-sasl-login
std::unique_ptr<Client> make_cram_md5(Credentials credentials);    // RFC 2195
std::unique_ptr<Client> make_scram_sha1(Credentials credentials);  // RFC 5802
std::unique_ptr<Client> make_scram_sha256(Credentials credentials); // RFC 7677
std::unique_ptr<Client> make_xoauth2(Credentials credentials);     // Google's
std::unique_ptr<Client> make_oauthbearer(Credentials credentials); // RFC 7628

} // namespace sasl
