// berkeley: Berkeley DB 5.3 files as Postfix's hash: and btree: make them.
#include "maps/berkeley.h"

#include "maps/map.h"

#include "base/error.h"
#include "base/fd.h"

#include <db.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

namespace maps {

namespace {

[[noreturn]] void fail(const std::string& path, const char* what, int code)
{
    throw Unavailable(fmt::format("{} {}: {}", what, path, ::db_strerror(code)));
}

void close_quietly(DB* db)
{
    if (db) db->close(db, DB_NOSYNC);
}

using Handle = std::unique_ptr<DB, void (*)(DB*)>;

Handle create(const std::string& path)
{
    DB* db = nullptr;
    if (int code = ::db_create(&db, nullptr, 0)) fail(path, "create", code);
    db->set_errcall(db, [](const DB_ENV*, const char*, const char*) {});
    return Handle(db, close_quietly);
}

// A key or value for the library, which never writes to it; nul adds the byte that ends Postfix's strings.
struct Datum : DBT {
    Datum(std::string_view bytes, bool nul) : DBT{}, copy(bytes)
    {
        data = copy.data();
        size = static_cast<u_int32_t>(copy.size() + (nul ? 1 : 0));   // std::string keeps a NUL there
    }
    Datum(const Datum&) = delete;
    std::string copy;
};

std::string_view text_of(const DBT& datum)
{
    std::string_view bytes(static_cast<const char*>(datum.data), datum.size);
    if (!bytes.empty() && bytes.back() == '\0') bytes.remove_suffix(1);
    return bytes;
}

// Postfix's postmap rewrites a file in place under an exclusive flock; this is the reader's side of that bargain.
class ReadLock {
public:
    explicit ReadLock(int fd) : fd_(fd)
    {
        while (::flock(fd_, LOCK_SH) != 0 && errno == EINTR) {}
    }
    ~ReadLock() { ::flock(fd_, LOCK_UN); }
    ReadLock(const ReadLock&) = delete;

private:
    int fd_;
};

} // namespace

IndexReader::IndexReader(std::string path) : path_(std::move(path)), db_(create(path_))
{
    // A lock of our own descriptor is held while the library reads the file's first page.
    int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw Unavailable(fmt::format("open {}: {}", path_, base::error_text(errno)));
    base::Fd guard(fd);
    ReadLock lock(fd);
    if (int code = db_->open(db_.get(), nullptr, path_.c_str(), nullptr, DB_UNKNOWN, DB_RDONLY, 0)) fail(path_, "open", code);
    DBTYPE type{};
    if (db_->get_type(db_.get(), &type) != 0 || (type != DB_HASH && type != DB_BTREE))
        throw Unavailable(fmt::format("open {}: neither a hash nor a btree file", path_));
    stamp_ = stamp_of(descriptor());
}

IndexReader::~IndexReader() = default;

int IndexReader::descriptor() const
{
    int fd = -1;
    db_->fd(db_.get(), &fd);
    return fd;
}

bool IndexReader::current() const
{
    FileStamp now = stamp_of(descriptor());
    return now.there() && now.size == stamp_.size && now.modified == stamp_.modified;
}

std::optional<std::string> IndexReader::get(std::string_view key, bool nul)
{
    Datum wanted(key, nul);
    DBT found{};
    int code = db_->get(db_.get(), nullptr, &wanted, &found, 0);
    if (code == DB_NOTFOUND) return std::nullopt;
    if (code != 0) fail(path_, "read", code);
    return std::string(text_of(found));
}

std::optional<std::string> IndexReader::find(std::string_view key, Nul nul)
{
    ReadLock lock(descriptor());
    std::optional<std::string> found;
    if (nul != Nul::without) found = get(key, true);
    if (!found && nul != Nul::with) found = get(key, false);
    return found;
}

void IndexReader::for_each(const std::function<void(std::string_view, std::string_view)>& see)
{
    ReadLock lock(descriptor());
    DBC* cursor = nullptr;
    if (int code = db_->cursor(db_.get(), nullptr, &cursor, 0)) fail(path_, "read", code);
    std::unique_ptr<DBC, void (*)(DBC*)> owner(cursor, [](DBC* gone) { gone->close(gone); });
    DBT key{}, value{};
    int code = 0;
    while ((code = cursor->get(cursor, &key, &value, DB_NEXT)) == 0) see(text_of(key), text_of(value));
    if (code != DB_NOTFOUND) fail(path_, "read", code);
}

IndexWriter::IndexWriter(std::string path, IndexKind kind, bool existing, unsigned mode) : path_(std::move(path)), db_(create(path_))
{
    constexpr u_int32_t cache_bytes = 16 << 20;   // a million entries are built without touching the disk twice
    db_->set_cachesize(db_.get(), 0, cache_bytes, 1);
    DBTYPE type = existing ? DB_UNKNOWN : kind == IndexKind::hash ? DB_HASH : DB_BTREE;
    u_int32_t flags = existing ? 0 : DB_CREATE | DB_EXCL;
    if (int code = db_->open(db_.get(), nullptr, path_.c_str(), nullptr, type, flags, static_cast<int>(mode)))
        fail(path_, "open", code);
}

IndexWriter::~IndexWriter() = default;

bool IndexWriter::put(std::string_view key, std::string_view value, bool replace, Nul nul)
{
    Datum name(key, nul != Nul::without);
    Datum text(value, nul != Nul::without);
    int code = db_->put(db_.get(), nullptr, &name, &text, DB_NOOVERWRITE);
    bool is_new = code == 0;
    if (code == DB_KEYEXIST) code = replace ? db_->put(db_.get(), nullptr, &name, &text, 0) : 0;
    if (code != 0) fail(path_, "write", code);
    return is_new;
}

bool IndexWriter::erase(std::string_view key, Nul nul)
{
    bool erased = false;
    for (bool with : {true, false}) {
        if (nul == (with ? Nul::without : Nul::with)) continue;
        Datum name(key, with);
        int code = db_->del(db_.get(), nullptr, &name, 0);
        if (code != 0 && code != DB_NOTFOUND) fail(path_, "delete", code);
        erased |= code == 0;
    }
    return erased;
}

void IndexWriter::finish()
{
    int fd = -1;
    if (int code = db_->sync(db_.get(), 0)) fail(path_, "sync", code);
    if (db_->fd(db_.get(), &fd) != 0 || ::fsync(fd) != 0) throw Unavailable(fmt::format("sync {}: {}", path_, base::error_text(errno)));
    DB* db = db_.release();
    if (int code = db->close(db, 0)) fail(path_, "close", code);
}

} // namespace maps
