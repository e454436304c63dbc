// folder: a temporary folder that goes away with the test.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace test {

struct Folder {
    std::string path;

    Folder()
    {
        char name[] = "/tmp/rookpost-config-XXXXXX";
        path = ::mkdtemp(name);
    }
    Folder(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path); }

    void write(const std::string& name, const std::string& text) const { std::ofstream(path + "/" + name) << text; }
    std::string read(const std::string& name) const
    {
        std::ostringstream text;
        text << std::ifstream(path + "/" + name).rdbuf();
        return text.str();
    }
};

} // namespace test
