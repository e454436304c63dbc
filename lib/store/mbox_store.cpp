#include "store/mbox_store.h"

#include "store/maildir_store.h"
#include "store/mbox_mailbox.h"
#include "store/mbox_writer.h"
#include "store/names.h"
#include "store/subscriptions.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace store {

namespace {

enum class Kind { none, file, folder };

Kind kind_of(const std::string& path)
{
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return Kind::none;
    return S_ISDIR(info.st_mode) ? Kind::folder : S_ISREG(info.st_mode) ? Kind::file : Kind::none;
}

class MboxNewMessage : public NewMessage {
public:
    MboxNewMessage(MboxFile file, LockPolicy locks) : file_(std::move(file)), locks_(std::move(locks)) {}

    void write(std::string_view chunk) override { bytes_ += chunk; }

    // The flags stand above the message, so it waits in memory until they are known.
    Place commit(const NamedFlags& flags, std::time_t date) override
    {
        MboxPolicy policy;
        policy.lock = locks_;
        policy.lock.dotlock_may_fail = true;
        uint64_t start;
        {
            MboxWriter writer(file_.path(), {}, policy, date);
            writer.write(mbox_flag_headers(flags.system, flags.keywords));
            size_t header_end = 0;
            // What a client gives as its own flag headers would be taken for ours.
            each_header(bytes_, [&](std::string_view field) {
                header_end += field.size();
                if (!is_hidden_header(field)) writer.write(field);
            });
            writer.write(std::string_view(bytes_).substr(header_end));
            writer.commit();
            start = writer.message_start();
        }
        uint32_t uid = file_.uid_at(start);
        return {file_.uid_validity(), uid};
    }

private:
    MboxFile file_;
    LockPolicy locks_;
    std::string bytes_;
};

} // namespace

MboxStore::MboxStore(Location location, LockPolicy locks) : location_(std::move(location)), locks_(std::move(locks))
{
    if (location_.index.empty()) location_.index = location_.root + "/.imap";
    base::make_folders(location_.root, 0700);
    base::make_folders(location_.index, 0700);
}

std::optional<MboxStore::Place> MboxStore::place_of(std::string_view name) const
{
    if (is_inbox(name)) return Place{location_.inbox, location_.index + "/INBOX"};
    std::optional<std::string> file = mbox_file_name(name, location_.utf8_names);
    if (!file) return std::nullopt;
    return Place{fmt::format("{}/{}", location_.root, *file), fmt::format("{}/{}", location_.index, *file)};
}

std::vector<Folder> MboxStore::list()
{
    namespace fs = std::filesystem;
    constexpr int deepest = 32;
    std::vector<Folder> folders;
    std::error_code code;
    fs::recursive_directory_iterator entry(location_.root, fs::directory_options::skip_permission_denied, code), end;
    for (; !code && entry != end; entry.increment(code)) {
        std::string path = entry->path().string().substr(location_.root.size() + 1);
        std::optional<std::string> name = name_of_mbox_file(path, location_.utf8_names);
        Kind kind = kind_of(entry->path().string());
        bool folder = kind == Kind::folder;
        if (!name || kind == Kind::none || entry.depth() >= deepest) {
            if (folder) entry.disable_recursion_pending();
            continue;
        }
        if (entry->path().string() == location_.inbox || is_inbox(*name)) continue;
        std::error_code ignored;
        folders.push_back({*name, !folder, folder && !fs::is_empty(entry->path(), ignored), folder});
    }
    if (code) throw base::SystemError("read " + location_.root, code.value());
    std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) { return a.name < b.name; });
    folders.insert(folders.begin(), Folder{"INBOX", true, false, false});
    return folders;
}

bool MboxStore::exists(std::string_view name)
{
    std::optional<Place> place = place_of(name);
    return place && (is_inbox(name) || kind_of(place->path) == Kind::file);
}

Answer MboxStore::create(std::string_view name)
{
    std::optional<Place> place = place_of(name);
    if (!place) return Answer::bad_name;
    if (is_inbox(name) || kind_of(place->path) != Kind::none) return Answer::exists;
    for (std::string_view above = parent_of(name, '/'); !above.empty(); above = parent_of(above, '/'))
        if (kind_of(place_of(above)->path) == Kind::file) return Answer::forbidden;
    base::make_folders(place->path.substr(0, place->path.rfind('/')), 0700);
    base::open_file(place->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return Answer::done;
}

Answer MboxStore::remove(std::string_view name)
{
    if (is_inbox(name)) return Answer::forbidden;
    std::optional<Place> place = place_of(name);
    if (!place) return Answer::bad_name;
    Kind kind = kind_of(place->path);
    if (kind == Kind::none) return Answer::missing;
    if (kind == Kind::folder) {
        if (::rmdir(place->path.c_str()) == 0) return Answer::done;
        if (errno == ENOTEMPTY || errno == EEXIST) return Answer::forbidden;
        throw base::SystemError("remove " + place->path);
    }
    if (::unlink(place->path.c_str()) != 0) throw base::SystemError("remove " + place->path);
    std::error_code ignored;
    std::filesystem::remove_all(place->side, ignored);
    return Answer::done;
}

Answer MboxStore::rename(std::string_view from, std::string_view to)
{
    std::optional<Place> source = place_of(from), target = place_of(to);
    if (!source || !target) return Answer::bad_name;
    if (is_inbox(to)) return Answer::exists;
    if (is_inbox(from)) {
        Answer answer = create(to);
        if (answer != Answer::done) return answer;
        std::unique_ptr<Mailbox> inbox = open(from, Access::read_write);
        std::vector<uint32_t> uids;
        for (const Message& message : inbox->messages()) uids.push_back(message.uid);
        std::vector<uint32_t> moved;
        std::optional<CopyResult> copied = copy(*inbox, uids, to);
        if (!copied) return Answer::missing;
        for (const Copied& one : copied->uids) moved.push_back(one.from);
        inbox->expunge(moved);
        return Answer::done;
    }
    if (to.size() > from.size() && to.substr(0, from.size()) == from && to[from.size()] == '/') return Answer::forbidden;
    if (kind_of(source->path) == Kind::none) return Answer::missing;
    if (kind_of(target->path) != Kind::none) return Answer::exists;
    for (std::string_view above = parent_of(to, '/'); !above.empty(); above = parent_of(above, '/'))
        if (kind_of(place_of(above)->path) == Kind::file) return Answer::forbidden;
    for (const std::string& path : {target->path, target->side}) base::make_folders(path.substr(0, path.rfind('/')), 0700);
    if (::rename(source->path.c_str(), target->path.c_str()) != 0) throw base::SystemError("rename " + source->path);
    std::error_code ignored;
    std::filesystem::remove_all(target->side, ignored);
    if (::rename(source->side.c_str(), target->side.c_str()) != 0 && errno != ENOENT) throw base::SystemError("rename " + source->side);
    return Answer::done;
}

std::vector<std::string> MboxStore::subscriptions()
{
    return read_subscriptions(location_.root + "/.subscriptions", '/', location_.utf8_names);
}

Answer MboxStore::subscribe(std::string_view name, bool on)
{
    if (is_inbox(name)) name = "INBOX";
    if (!place_of(name)) return Answer::bad_name;
    bool changed = change_subscription(location_.root + "/.subscriptions", name, on, '/', location_.utf8_names);
    return changed || on ? Answer::done : Answer::missing;
}

std::unique_ptr<Mailbox> MboxStore::open(std::string_view name, Access access)
{
    if (!exists(name)) return nullptr;
    Place place = *place_of(name);
    return std::make_unique<MboxMailbox>(file_at(place), place.side, access);
}

std::optional<Status> MboxStore::status(std::string_view name, StatusAlso also)
{
    std::unique_ptr<Mailbox> mailbox = open(name, Access::read_only);
    if (!mailbox) return std::nullopt;
    return status_of(*mailbox, also);
}

std::unique_ptr<NewMessage> MboxStore::append(std::string_view name)
{
    if (!exists(name)) return nullptr;
    return std::make_unique<MboxNewMessage>(file_at(*place_of(name)), locks_);
}

std::optional<Store::CopyResult> MboxStore::copy(Mailbox& from, std::span<const uint32_t> uids, std::string_view to)
{
    if (!exists(to)) return std::nullopt;
    CopyResult result;
    std::vector<uint32_t> done;
    try {
        for (uint32_t uid : uids) {
            std::optional<size_t> index = from.index_of(uid);
            std::optional<Content> content = from.content(uid);
            std::optional<std::time_t> date = from.date(uid);
            if (!index || !content || !date) continue;
            std::unique_ptr<NewMessage> copy = append(to);
            copy->write(content->raw());
            NewMessage::Place place = copy->commit(from.named(from.messages()[*index].flags), *date);
            result.uid_validity = place.uid_validity;
            result.uids.push_back({uid, place.uid});
            done.push_back(place.uid);
        }
    } catch (...) {
        // All or nothing.
        if (!done.empty()) open(to, Access::read_write)->expunge(done);
        throw;
    }
    if (done.empty()) result.uid_validity = open(to, Access::read_only)->uid_validity();
    return result;
}

} // namespace store
