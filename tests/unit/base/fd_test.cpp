// Descriptors with one owner, and the file operations that keep mail safe.
#include "base/fd.h"

#include "catch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

namespace {

struct Folder {
    Folder()
    {
        char pattern[] = "/tmp/base-test.XXXXXX";
        path = ::mkdtemp(pattern);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string operator/(const std::string& name) const { return path + "/" + name; }
    std::string path;
};

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

template <class Work> int code_of(Work work)
{
    try {
        work();
    } catch (const base::SystemError& failure) {
        return failure.code();
    }
    return 0;
}

} // namespace

TEST_CASE("a descriptor has one owner", "[base]")
{
    base::Fd empty;
    CHECK_FALSE(empty);
    base::Fd first = base::open_file("/dev/null", O_RDWR);
    int number = first.get();
    CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    base::Fd second = std::move(first);
    CHECK_FALSE(first);
    CHECK(second.get() == number);
    base::Fd copy = second.duplicate();
    CHECK(copy.get() != number);
    CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
    copy = std::move(second);
    CHECK(copy.get() == number);
    base::Fd& self = copy;
    copy = std::move(self);
    CHECK(is_open(number));
    CHECK(copy.release() == number);
    CHECK_FALSE(copy);
    { base::Fd closes(number); }
    CHECK_FALSE(is_open(number));
    CHECK(code_of([] { base::Fd().duplicate(); }) == EBADF);
}

TEST_CASE("files are written and read whole", "[base]")
{
    Folder folder;
    std::string bytes(300000, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 4);
    base::Fd fd = base::open_file(folder / "file", O_RDWR | O_CREAT, 0600);
    base::write_all(fd.get(), bytes, "file");
    bool same = base::read_file(folder / "file") == bytes;
    CHECK(same);
    base::pwrite_all(fd.get(), "XYZ", 299998, "file");
    std::array<char, 10> part;
    CHECK(base::pread_some(fd.get(), part, 299995, "file") == 6);
    CHECK(std::string(part.data(), 3) == bytes.substr(299995, 3));
    CHECK(std::string(part.data() + 3, 3) == "XYZ");
    CHECK(base::pread_some(fd.get(), part, 1 << 20, "file") == 0);
    CHECK(code_of([&] { base::read_file(folder / "file", 300000); }) == EFBIG);
    CHECK(base::read_file(folder / "file", 300001).size() == 300001);
    CHECK(base::read_file("/dev/null").empty());
    CHECK(code_of([&] { base::read_file(folder / "none"); }) == ENOENT);
    CHECK(code_of([] { base::write_all(-1, "x", "nowhere"); }) == EBADF);
    base::Fd full = base::open_file("/dev/full", O_WRONLY);
    CHECK(code_of([&] { base::write_all(full.get(), "x", "full"); }) == ENOSPC);
    CHECK(base::SystemError("x", ENOSPC).no_space());
    CHECK_FALSE(base::SystemError("x", EIO).no_space());
    CHECK(std::string(base::SystemError("open x", ENOENT).what()).find("open x: No such file or directory") == 0);
}

TEST_CASE("a file is replaced whole or not at all", "[base]")
{
    Folder folder;
    base::replace_file(folder / "file", "one", 0600);
    base::replace_file(folder / "file", "two", 0640);
    CHECK(base::read_file(folder / "file") == "two");
    struct stat info;
    REQUIRE(::stat((folder / "file").c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0640);
    std::filesystem::create_directory(folder / "taken");
    CHECK(code_of([&] { base::replace_file(folder / "taken", "x", 0600); }) == EISDIR);
    CHECK(code_of([&] { base::replace_file(folder / "no/file", "x", 0600); }) == ENOENT);
    size_t entries = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path)) ++entries;
    CHECK(entries == 2);        // no temporary file is left
}

TEST_CASE("folders are made as far as they are missing", "[base]")
{
    Folder folder;
    base::make_folders(folder / "a/b/c", 0700);
    base::make_folders(folder / "a/b/c", 0700);
    base::make_folders(folder / "a/b/d/", 0700);
    CHECK(base::exists(folder / "a/b/c"));
    CHECK(base::exists(folder / "a/b/d"));
    CHECK_FALSE(base::exists(folder / "a/x"));
    base::replace_file(folder / "file", "", 0600);
    CHECK(code_of([&] { base::make_folders(folder / "file/x", 0700); }) != 0);
    base::sync_folder(folder.path);
    CHECK(code_of([&] { base::sync_folder(folder / "none"); }) == ENOENT);
}
