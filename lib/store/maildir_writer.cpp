#include "store/maildir_writer.h"

#include "store/maildir_name.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace store {

namespace {

constexpr size_t buffer_size = 64 << 10;

base::Fd create_temporary(const std::string& folder, const std::string& path, mode_t mode)
{
    constexpr int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    try {
        return base::open_file(path, how, mode);
    } catch (const base::SystemError& error) {
        if (error.code() != ENOENT) throw;
    }
    make_maildir(folder);
    return base::open_file(path, how, mode);
}

} // namespace

void make_maildir(const std::string& folder, mode_t mode)
{
    base::make_folders(folder, mode);
    for (const char* part : {"tmp", "new", "cur"}) {
        std::string path = fmt::format("{}/{}", folder, part);
        if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) throw base::SystemError("mkdir " + path);
    }
}

MaildirWriter::MaildirWriter(std::string folder, mode_t file_mode)
    : folder_(std::move(folder)), unique_(unique_maildir_name()), temporary_(fmt::format("{}/tmp/{}", folder_, unique_)),
      file_(create_temporary(folder_, temporary_, file_mode))
{
}

MaildirWriter::~MaildirWriter()
{
    if (pending_) ::unlink(temporary_.c_str());
}

void MaildirWriter::flush()
{
    base::write_all(file_.get(), buffer_, temporary_);
    crlf_.feed(buffer_);
    written_ += buffer_.size();
    buffer_.clear();
}

void MaildirWriter::write(std::string_view chunk)
{
    while (!chunk.empty()) {
        std::string_view piece = chunk.substr(0, buffer_size);
        filter_.feed(piece, buffer_);
        chunk.remove_prefix(piece.size());
        if (buffer_.size() >= buffer_size) flush();
    }
}

std::string MaildirWriter::finish(std::optional<std::time_t> date)
{
    filter_.finish(buffer_);
    flush();
    if (date) {
        const timespec times[2] = {{*date, 0}, {*date, 0}};
        if (::futimens(file_.get(), times) != 0) throw base::SystemError("set date of " + temporary_);
    }
    if (::fsync(file_.get()) != 0) throw base::SystemError("fsync " + temporary_);
    file_.reset();
    return fmt::format("{},S={},W={}", unique_, written_, crlf_.size());
}

void MaildirWriter::publish(const std::string& subfolder, const std::string& name)
{
    std::string place = fmt::format("{}/{}", folder_, subfolder);
    std::string path = fmt::format("{}/{}", place, name);
    int result = ::rename(temporary_.c_str(), path.c_str());
    if (result != 0 && errno == ENOENT) {
        make_maildir(folder_);
        result = ::rename(temporary_.c_str(), path.c_str());
    }
    if (result != 0) throw base::SystemError("rename " + temporary_ + " to " + path);
    pending_ = false;
    try {
        base::sync_folder(place);
    } catch (...) {
        // The caller will report failure and the message will come again: do not leave this copy behind.
        ::unlink(path.c_str());
        throw;
    }
}

std::string MaildirWriter::commit()
{
    std::string name = finish();
    publish("new", name);
    return name;
}

} // namespace store
