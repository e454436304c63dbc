#include "store/maildir_append.h"

#include "store/maildir_name.h"

#include <fmt/format.h>

#include <unistd.h>

namespace store {

namespace {

// Flags in the letters of one folder. A keyword for which it has no room is left out.
Flags flags_in(KeywordFile& file, const NamedFlags& named)
{
    file.reload();
    Flags flags = named.system & flag::system;
    for (const std::string& keyword : named.keywords)
        if (std::optional<size_t> index = file.add(keyword)) flags |= flag::keyword(*index);
    return flags;
}

class MaildirNewMessage : public NewMessage {
public:
    MaildirNewMessage(const std::string& folder, const std::string& root) : folder_(folder), root_(root), writer_(folder) {}

    void write(std::string_view chunk) override { writer_.write(chunk); }

    Place commit(const NamedFlags& named, std::time_t date) override
    {
        KeywordFile keywords(folder_);
        Flags flags = flags_in(keywords, named);
        std::string name = writer_.finish(date);
        UidListFile list(folder_, root_);
        FolderLock lock = list.lock();
        list.read_ends();
        // The record first: should the rename fail, a number is lost; the other way round it could be given twice.
        uint32_t uid = list.assign(lock, {name}).at(0);
        writer_.publish("cur", name + maildir_info(flags));
        return {list.uid_validity(), uid};
    }

private:
    std::string folder_, root_;
    MaildirWriter writer_;
};

// The files of a copy under way; those not published are removed.
class Copy {
public:
    Copy(Mailbox& from, const std::string& folder, const std::string& root) : from_(from), folder_(folder), root_(root), keywords_(folder) {}
    ~Copy()
    {
        for (const Piece& piece : pieces_) ::unlink(piece.path.c_str());
    }
    Copy(const Copy&) = delete;

    void take(uint32_t uid)
    {
        std::optional<size_t> index = from_.index_of(uid);
        if (!index) return;
        Flags flags = flags_in(keywords_, from_.named(from_.messages()[*index].flags));
        Piece piece{uid, unique_maildir_name(), maildir_info(flags), {}};
        piece.path = fmt::format("{}/tmp/{}", folder_, piece.name);
        auto* maildir = dynamic_cast<MaildirMailbox*>(&from_);
        std::string sizes;
        int code = maildir ? maildir->link_to(uid, piece.path, sizes) : EXDEV;
        if (code == ENOENT) return;
        if (code == 0) piece.name += sizes;
        else if (code == EXDEV || code == EPERM || code == EMLINK || code == ENOTSUP) {
            if (!write(uid, piece)) return;
        } else throw base::SystemError("link " + piece.path, code);
        pieces_.push_back(std::move(piece));
    }

    Store::CopyResult publish()
    {
        Store::CopyResult result;
        UidListFile list(folder_, root_);
        FolderLock lock = list.lock();
        list.read_ends();
        std::vector<std::string> names;
        for (const Piece& piece : pieces_) names.push_back(piece.name);
        std::vector<uint32_t> uids = list.assign(lock, names);
        for (Piece& piece : pieces_) {
            std::string path = fmt::format("{}/cur/{}{}", folder_, piece.name, piece.info);
            if (::rename(piece.path.c_str(), path.c_str()) != 0) throw base::SystemError("rename " + piece.path + " to " + path);
            piece.path = std::move(path);
        }
        base::sync_folder(folder_ + "/cur");
        result.uid_validity = list.uid_validity();
        for (size_t i = 0; i < pieces_.size(); ++i) result.uids.push_back({pieces_[i].from, uids[i]});
        pieces_.clear();
        return result;
    }

private:
    struct Piece {
        uint32_t from;
        std::string name, info;     // in cur/
        std::string path;           // where it is now
    };

    // Where no link is possible: another copy of the bytes.
    bool write(uint32_t uid, Piece& piece)
    {
        std::optional<Content> content = from_.content(uid);
        std::optional<std::time_t> date = from_.date(uid);
        if (!content || !date) return false;
        MaildirWriter writer(folder_);
        writer.write(content->raw());
        std::string name = writer.finish(*date);
        writer.publish("tmp", piece.name);
        piece.name += name.substr(name.find(",S="));
        return true;
    }

    Mailbox& from_;
    std::string folder_, root_;
    KeywordFile keywords_;
    std::vector<Piece> pieces_;
};

} // namespace

std::unique_ptr<NewMessage> append_to_maildir(const std::string& folder, const std::string& root)
{
    return std::make_unique<MaildirNewMessage>(folder, root);
}

Store::CopyResult copy_to_maildir(Mailbox& from, std::span<const uint32_t> uids, const std::string& folder, const std::string& root)
{
    Copy copy(from, folder, root);
    for (uint32_t uid : uids) copy.take(uid);
    return copy.publish();
}

} // namespace store
