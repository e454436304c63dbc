// scratch: a folder of its own for a test, removed with all that is in it.
#pragma once

#include "base/fd.h"

#include <fcntl.h>

#include <cstdlib>
#include <filesystem>
#include <string>

class Scratch {
public:
    Scratch()
    {
        char pattern[] = "/tmp/spool-test.XXXXXX";
        if (!::mkdtemp(pattern)) throw base::SystemError("mkdtemp");
        path_ = pattern;
    }
    ~Scratch()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;

    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    base::Fd file(const std::string& name) const { return base::open_file(*this / name, O_RDWR | O_CREAT, 0600); }

private:
    std::string path_;
};
