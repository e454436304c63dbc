#include "tls/context_setup.h"

#include "base/fd.h"
#include "base/text.h"
#include "tls/error.h"
#include "tls/key_chain.h"
#include "tls/protocols.h"

#include <openssl/err.h>

#include <sys/stat.h>
#include <unistd.h>

namespace tls {
namespace {

constexpr size_t largest_pem = 4 << 20;

[[noreturn]] void fail(const std::string& what) { throw Failed(what + ": " + openssl_reasons()); }

std::string read_pem(const std::string& file)
{
    try {
        return base::read_file(file, largest_pem);
    } catch (const std::exception& failure) {
        throw Failed(std::string("can't read certificate or key: ") + failure.what());
    }
}

void load_pair(SSL_CTX* context, const std::string& cert_file, const std::string& key_file)
{
    if (cert_file.empty()) return;
    bool separate = !key_file.empty() && key_file != cert_file;
    std::string pem = read_pem(cert_file);
    std::string key = separate ? "\n" + read_pem(key_file) : std::string();
    std::string all = pem + key;
    auto chains = read_key_chains(all, cert_file);
    for (std::string* text : {&pem, &key, &all}) OPENSSL_cleanse(text->data(), text->size());
    for (const auto& chain : chains) use(context, chain, cert_file);
}

void load_keys(SSL_CTX* context, const CommonSettings& settings)
{
    for (const auto& file : settings.chain_files)
        for (const auto& chain : read_key_chains(read_pem(file), file)) use(context, chain, file);
    load_pair(context, settings.cert_file, settings.key_file);
    load_pair(context, settings.more_cert_file, settings.more_key_file);
    load_pair(context, settings.third_cert_file, settings.third_key_file);
}

void apply_protocols(SSL_CTX* context, const CommonSettings& settings)
{
    Protocols protocols = parse_protocols(settings.protocols);
    SSL_CTX_set_min_proto_version(context, protocols.lowest);
    SSL_CTX_set_max_proto_version(context, protocols.highest);
    SSL_CTX_set_options(context, protocols.without | ssl_options(settings.ssl_options));
}

// Names that this OpenSSL does not know are left out: a default names groups that only newer ones have.
void apply_groups(SSL_CTX* context, const std::string& names)
{
    std::string known;
    for (auto name : base::split(names, " \t\r\n,:")) {
        if (SSL_CTX_set1_groups_list(context, std::string(name).c_str()) != 1) continue;
        if (!known.empty()) known += ':';
        known += name;
    }
    ERR_clear_error();
    if (!known.empty() && SSL_CTX_set1_groups_list(context, known.c_str()) != 1)
        fail("key exchange groups \"" + names + "\"");
}

void apply_authorities(SSL_CTX* context, const CommonSettings& settings)
{
    const char* file = settings.ca_file.empty() ? nullptr : settings.ca_file.c_str();
    const char* path = settings.ca_path.empty() ? nullptr : settings.ca_path.c_str();
    if (file && SSL_CTX_load_verify_file(context, file) != 1) fail("can't load authorities from " + settings.ca_file);
    if (path && SSL_CTX_load_verify_dir(context, path) != 1) fail("can't use authorities in " + settings.ca_path);
}

} // namespace

ContextHandle make_context(const SSL_METHOD* method, const CommonSettings& settings)
{
    ERR_clear_error();
    ContextHandle context(SSL_CTX_new(method));
    if (!context) fail("OpenSSL");
    // An idle session gives its two record buffers (34 KiB) back.
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // No client may make us compute (CVE-2011-1473), and compression tells secrets (CRIME).
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    apply_protocols(context.get(), settings);
    std::string ciphers = cipher_list(settings.cipher_grade, settings.exclude_ciphers, settings.grades);
    if (SSL_CTX_set_cipher_list(context.get(), ciphers.c_str()) != 1) fail("cipher list \"" + ciphers + "\"");
    apply_groups(context.get(), settings.groups);
    apply_authorities(context.get(), settings);
    load_keys(context.get(), settings);
    if (!EVP_get_digestbyname(settings.fingerprint_digest.c_str()))
        throw Failed("\"" + settings.fingerprint_digest + "\" is no digest; expected one such as sha256");
    return context;
}

FilesStamp stamp(const CommonSettings& settings)
{
    FilesStamp result;
    auto add = [&](const std::string& file) {
        if (file.empty()) return;
        struct stat info {};
        FilesStamp::File seen;
        if (::stat(file.c_str(), &info) == 0)
            seen = {info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
        result.files.push_back(seen);
        if (::access(file.c_str(), R_OK) != 0) result.readable = false;
    };
    for (const auto& file : settings.chain_files) add(file);
    for (const auto* file :
         {&settings.cert_file, &settings.key_file, &settings.more_cert_file, &settings.more_key_file,
          &settings.third_cert_file, &settings.third_key_file})
        add(*file);
    return result;
}

} // namespace tls
