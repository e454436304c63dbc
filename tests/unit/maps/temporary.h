// temporary: a folder of its own for a test, removed with all that is in it.
#pragma once

#include "base/fd.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

struct Temporary {
    Temporary()
    {
        char pattern[] = "/tmp/maps-test.XXXXXX";
        folder = ::mkdtemp(pattern);
    }
    ~Temporary() { std::filesystem::remove_all(folder); }
    Temporary(const Temporary&) = delete;

    std::string path(const std::string& name) const { return folder + "/" + name; }
    std::string write(const std::string& name, std::string_view text) const
    {
        base::replace_file(path(name), text, 0644);
        return path(name);
    }
    // Puts the modification time so many seconds before (or after) now.
    void age(const std::string& name, int seconds) const
    {
        auto when = std::filesystem::file_time_type::clock::now() - std::chrono::seconds(seconds);
        std::filesystem::last_write_time(path(name), when);
    }

    std::string folder;
};
