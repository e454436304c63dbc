// temporary_folder: a folder of its own for one test, removed at the end.
#pragma once

#include "base/fd.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

class TemporaryFolder {
public:
    TemporaryFolder()
    {
        char name[] = "/tmp/store_test.XXXXXX";
        if (!::mkdtemp(name)) throw base::SystemError("mkdtemp");
        path_ = name;
    }
    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;

    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }
    std::string read(const std::string& name) const { return base::read_file(*this / name); }
    void write(const std::string& name, std::string_view bytes) const
    {
        std::filesystem::create_directories(std::filesystem::path(*this / name).parent_path());
        std::ofstream(*this / name, std::ios::binary) << bytes;
    }
    std::vector<std::string> list(const std::string& name) const
    {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(*this / name)) names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

private:
    std::string path_;
};
