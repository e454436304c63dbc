// index_build: makes and edits the .db files behind hash: and btree:.
#include "maps/index_build.h"
#include "maps/aliases_text.h"
#include "maps/table_text.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include <fmt/format.h>

namespace maps {

namespace {

std::string folder_of(const std::string& path)
{
    size_t slash = path.rfind('/');
    return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// While root works on somebody's file in somebody's folder it takes that person's rights, lest it be led astray by links.
class OwnersRights {
public:
    OwnersRights(const std::string& path, bool wanted)
    {
        struct stat file {}, folder {};
        if (!wanted || ::geteuid() != 0 || ::stat(path.c_str(), &file) != 0 || file.st_uid == 0) return;
        if (::stat(folder_of(path).c_str(), &folder) == 0 && folder.st_uid == 0 && (folder.st_mode & 022) == 0) return;
        if (::setegid(file.st_gid) != 0) throw base::SystemError("set group");
        taken_ = true;
        if (::seteuid(file.st_uid) != 0) throw base::SystemError("set user");
    }
    ~OwnersRights()
    {
        if (taken_ && (::seteuid(0) != 0 || ::setegid(0) != 0)) std::abort();
    }
    OwnersRights(const OwnersRights&) = delete;

private:
    bool taken_ = false;
};

// One at a time edits an index. Our lock is not the one that readers respect: they need not wait.
class EditLock {
public:
    explicit EditLock(const std::string& path)
    {
        while (true) {
            int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
            if (fd < 0) return;     // nothing to lose yet
            fd_ = base::Fd(fd);
            struct flock whole {};
            whole.l_type = F_WRLCK;
            whole.l_whence = SEEK_SET;
            while (::fcntl(fd, F_OFD_SETLKW, &whole) != 0) {
                if (errno != EINTR) throw base::SystemError("lock " + path);
            }
            if (stamp_of(fd).inode == stamp_of(path).inode) return;
        }
    }

private:
    base::Fd fd_;
};

// A file that goes when its owner goes, also when that was never finished. After a rename there is nothing left to remove.
struct TemporaryFile {
    explicit TemporaryFile(std::string name) : path(std::move(name)) { ::unlink(path.c_str()); }
    ~TemporaryFile() { ::unlink(path.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    std::string path;
};

// The new file while it is made; it disappears unless it is put in place.
class NewIndex {
public:
    NewIndex(const std::string& path, const BuildOptions& options, bool keep_old)
        : path_(path), index_(path + ".db"), temporary_(fmt::format("{}.db.tmp{}", path, ::getpid())), options_(options), lock_(index_)
    {
        bool existing = keep_old && base::exists(index_);
        if (existing) copy_old();
        writer_.emplace(temporary_.path, options.kind, existing, 0600);
    }

    IndexWriter& writer() { return *writer_; }

    void place()
    {
        writer_->finish();
        writer_.reset();
        inherit();
        if (::rename(temporary_.path.c_str(), index_.c_str()) != 0) throw base::SystemError("rename " + temporary_.path + " to " + index_);
        base::sync_folder(folder_of(index_));
    }

private:
    void copy_old()
    {
        std::string bytes = base::read_file(index_, size_t{8} << 30);
        base::Fd copy = base::open_file(temporary_.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        base::write_all(copy.get(), bytes, temporary_.path);
    }

    void inherit() const
    {
        struct stat source {};
        bool known = ::stat(path_.c_str(), &source) == 0 || ::stat(index_.c_str(), &source) == 0;
        base::Fd file = base::open_file(temporary_.path, O_RDONLY | O_NOFOLLOW);
        if (known && options_.keep_owner && ::geteuid() == 0 && ::fchown(file.get(), source.st_uid, source.st_gid) != 0)
            throw base::SystemError("set owner of " + temporary_.path);
        mode_t mode = known && options_.keep_mode ? source.st_mode & 0666 : 0644;
        if (::fchmod(file.get(), mode) != 0) throw base::SystemError("set mode of " + temporary_.path);
    }

    std::string path_, index_;
    TemporaryFile temporary_;
    const BuildOptions& options_;
    EditLock lock_;
    std::optional<IndexWriter> writer_;
};

void put(IndexWriter& writer, std::string_view key, std::string_view value, const std::string& index, const BuildOptions& options)
{
    std::string name = options.fold_case ? base::lower(key) : std::string(key);
    if (!writer.put(name, value, options.replace_duplicates, options.nul) && options.warn_about_duplicates && !options.replace_duplicates)
        base::log::warning("{}: duplicate entry: \"{}\"", index, base::printable(name, 200));
}

void put_all(NewIndex& index, std::string_view text, const std::string& text_name, const std::string& path, const BuildOptions& options)
{
    ParsedText parsed = options.syntax == Syntax::aliases ? parse_aliases(text) : parse_table(text);
    for (const TextWarning& warning : parsed.warnings) base::log::warning("{}", warning.in(text_name));
    std::string index_name = path + ".db";
    for (const Entry& entry : parsed.entries) {
        if (options.only_utf8 && !(base::is_utf8(entry.key) && base::is_utf8(entry.value))) {
            base::log::warning("{}, line {}: non-UTF-8 input \"{} {}\" -- ignoring this line", text_name, entry.line,
                               base::printable(entry.key, 100), base::printable(entry.value, 100));
            continue;
        }
        if (!options.values_are_files) {
            put(index.writer(), entry.key, entry.value, index_name, options);
            continue;
        }
        try {
            put(index.writer(), entry.key, files_as_value(entry.value), index_name, options);
        } catch (const base::SystemError& why) {
            base::log::warning("{}, line {}: {}: skipping this entry", text_name, entry.line, why.what());
        }
    }
    if (options.syntax != Syntax::aliases) return;
    // What NIS and Sendmail look for in an alias database; put without a word about those that are there already.
    BuildOptions quiet = options;
    quiet.replace_duplicates = true;
    quiet.fold_case = false;
    put(index.writer(), "@", "@", index_name, quiet);
    put(index.writer(), "YP_LAST_MODIFIED", std::to_string(base::unix_seconds(base::wall_now())), index_name, quiet);
    put(index.writer(), "YP_MASTER_NAME", options.host, index_name, quiet);
}

} // namespace

std::string files_as_value(std::string_view files)
{
    std::string content;
    for (std::string_view file : base::split(files)) content += base::read_file(std::string(file), 4 << 20) + "\n";
    return base::to_base64(content);
}

void build_index(const std::string& path, const BuildOptions& options)
{
    constexpr int patience = 10;    // with a source that changes while it is read
    OwnersRights rights(path, options.keep_owner);
    for (int round = 1;; ++round) {
        FileStamp before = stamp_of(path);
        std::string text = base::read_file(path, size_t{2} << 30);
        NewIndex index(path, options, false);
        put_all(index, text, path, path, options);
        if (stamp_of(path) != before && round < patience) continue;
        index.place();
        return;
    }
}

void add_to_index(const std::string& path, std::string_view text, const std::string& text_name, const BuildOptions& options)
{
    OwnersRights rights(path, options.keep_owner);
    NewIndex index(path, options, true);
    put_all(index, text, text_name, path, options);
    index.place();
}

size_t erase_from_index(const std::string& path, const std::vector<std::string>& keys, const BuildOptions& options)
{
    OwnersRights rights(path, options.keep_owner);
    if (!base::exists(path + ".db")) throw Unavailable(fmt::format("open database {}.db: {}", path, base::error_text(ENOENT)));
    NewIndex index(path, options, true);
    size_t erased = 0;
    for (const std::string& key : keys) erased += index.writer().erase(options.fold_case ? base::lower(key) : key);
    if (erased > 0) index.place();
    return erased;
}

} // namespace maps
