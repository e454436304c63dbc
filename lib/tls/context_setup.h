// context_setup: the part of making an SSL_CTX that both sides have. Only for the files of this folder.
#pragma once

#include "tls/handles.h"
#include "tls/settings.h"

#include <sys/types.h>

#include <ctime>
#include <string>
#include <vector>

namespace tls {

ContextHandle make_context(const SSL_METHOD* method, const CommonSettings& settings); // throws Failed

// Which state of the files of keys and certificates was read.
struct FilesStamp {
    struct File {
        ino_t inode = 0;
        off_t size = 0;
        time_t modified = 0;
        long modified_nanoseconds = 0;
        bool operator==(const File&) const = default;
    };
    std::vector<File> files;
    bool readable = true; // all of them, by us
    bool operator==(const FilesStamp& other) const { return files == other.files; }
};
FilesStamp stamp(const CommonSettings& settings);

// One pointer of ours in a context, for OpenSSL's callbacks.
template <class T> void remember(SSL_CTX* context, T* what) { SSL_CTX_set_app_data(context, what); }
template <class T> T* remembered(SSL_CTX* context) { return static_cast<T*>(SSL_CTX_get_app_data(context)); }

} // namespace tls
