#include "spool/folders.h"

#include "base/text.h"
#include "spool/queue_id.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace spool {
namespace {

constexpr const char* names[] = {"incoming", "active", "deferred", "hold", "corrupt"};
constexpr Queue all_queues[] = {Queue::incoming, Queue::active, Queue::deferred, Queue::hold, Queue::corrupt};

template <class Take> void each_entry(const std::string& folder, Take take)
{
    std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    if (!dir && errno == ENOENT) return;
    if (!dir) throw base::SystemError("open folder " + folder);
    while (dirent* entry = ::readdir(dir.get())) take(std::string_view(entry->d_name));
}

} // namespace

const char* queue_name(Queue queue) { return names[static_cast<int>(queue)]; }

std::optional<Queue> find_queue(std::string_view name)
{
    for (Queue queue : all_queues)
        if (name == queue_name(queue)) return queue;
    return std::nullopt;
}

void Folders::make() const
{
    for (Queue queue : all_queues) base::make_folders(root_ + "/" + queue_name(queue), 0700);
}

std::string Folders::folder(const Place& place) const
{
    std::string path = root_ + "/" + queue_name(place.queue);
    if (place.queue == Queue::deferred) path += "/" + std::to_string(place.when);
    return path;
}

std::string Folders::path(const Place& place, const std::string& id) const { return folder(place) + "/" + id; }

base::Fd Folders::create(const std::string& id) const
{
    return base::open_file(path({Queue::incoming}, id), O_RDWR | O_CREAT | O_EXCL, 0600);
}

base::Fd Folders::open(const Place& place, const std::string& id) const { return base::open_file(path(place, id), O_RDWR | O_NOFOLLOW); }

base::Fd Folders::open_to_read(const Place& place, const std::string& id) const
{
    return base::open_file(path(place, id), O_RDONLY | O_NOFOLLOW);
}

void Folders::move(const Place& from, const Place& to, const std::string& id) const
{
    std::string source = path(from, id), target = path(to, id);
    if (::rename(source.c_str(), target.c_str()) == 0) return;
    if (errno == ENOENT && to.queue == Queue::deferred) {
        base::make_folders(folder(to), 0700);
        if (::rename(source.c_str(), target.c_str()) == 0) return;
    }
    throw base::SystemError("rename " + source + " to " + target);
}

bool Folders::remove(const Place& place, const std::string& id) const
{
    std::string name = path(place, id);
    if (::unlink(name.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    throw base::SystemError("remove " + name);
}

std::optional<Place> Folders::find(const std::string& id) const
{
    if (!is_queue_id(id)) return std::nullopt;
    for (Queue queue : {Queue::active, Queue::incoming, Queue::hold, Queue::corrupt})
        if (base::exists(path({queue}, id))) return Place{queue};
    for (int64_t when : due_times())
        if (base::exists(path({Queue::deferred, when}, id))) return Place{Queue::deferred, when};
    return std::nullopt;
}

std::vector<std::string> Folders::list(const Place& place) const
{
    std::vector<std::string> ids;
    each_entry(folder(place), [&](std::string_view name) {
        if (is_queue_id(name)) ids.emplace_back(name);
    });
    // Ids of one length sort by time.
    std::sort(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return queue_id_time(a) < queue_id_time(b); });
    return ids;
}

std::vector<int64_t> Folders::due_times() const
{
    std::vector<int64_t> times;
    each_entry(root_ + "/deferred", [&](std::string_view name) {
        if (auto when = base::number<int64_t>(name)) times.push_back(*when);
    });
    std::sort(times.begin(), times.end());
    return times;
}

void Folders::forget_due_time(int64_t when) const { ::rmdir(folder({Queue::deferred, when}).c_str()); }

} // namespace spool
