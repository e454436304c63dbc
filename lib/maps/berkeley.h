// berkeley: Berkeley DB 5.3 files as Postfix's hash: and btree: make them. The only door to that library; another index format
// (LMDB) would stand beside it.
#pragma once

#include "maps/file_stamp.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct __db;

namespace maps {

enum class IndexKind { hash, btree };
enum class Nul { both, with, without };     // postmap's -N and -n: the byte that ends keys and values

class IndexReader {
public:
    // Throws Unavailable. path: the .db file itself.
    explicit IndexReader(std::string path);
    ~IndexReader();

    std::optional<std::string> find(std::string_view key, Nul nul = Nul::both);
    void for_each(const std::function<void(std::string_view key, std::string_view value)>& see);
    // False when the file behind this reader was changed in place (Postfix's own postmap does that): open it again.
    bool current() const;

private:
    std::optional<std::string> get(std::string_view key, bool nul);
    int descriptor() const;

    std::string path_;
    std::unique_ptr<__db, void (*)(__db*)> db_;
    FileStamp stamp_;
};

enum class Duplicate { warn_about, ignore, replace };

class IndexWriter {
public:
    // A new, empty file of that name, or with existing = true one that is there. Throws Unavailable.
    IndexWriter(std::string path, IndexKind kind, bool existing, unsigned mode);
    ~IndexWriter();

    // False for a key that was there already; it is overwritten only with replace.
    bool put(std::string_view key, std::string_view value, bool replace = false, Nul nul = Nul::with);
    bool erase(std::string_view key, Nul nul = Nul::both);
    void finish();          // flushed and synced to disk; call it last

private:
    std::string path_;
    std::unique_ptr<__db, void (*)(__db*)> db_;
};

} // namespace maps
