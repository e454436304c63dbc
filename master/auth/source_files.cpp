// source_files: users of a passwd-file.
#include "source.h"

#include <stdexcept>

namespace auth {
namespace {

class Files final : public Source {
public:
    explicit Files(const std::string& path) : file_(path) { file_.look(); }

    async::Task<std::optional<FileUser>> look_up(std::vector<std::string> names) override
    {
        for (const auto& name : names)
            if (auto* user = file_.find(name)) co_return *user;
        if (!file_.readable()) throw std::runtime_error("the file of users " + file_.path() + " can't be read");
        co_return std::nullopt;
    }
    std::string example() const override { return file_.example(); }

private:
    PasswdFile file_;
};

} // namespace

std::unique_ptr<Source> files_source(const std::string& path) { return std::make_unique<Files>(path); }

} // namespace auth
