// file_table: what tables in files have in common: the file is looked at now and then and read anew when it changed.
#pragma once

#include "maps/file_stamp.h"
#include "maps/map.h"

namespace maps {

// While the file cannot be read, every look-up throws Unavailable, and reading is tried again at the same pace.
class FileTable : public Map {
public:
    FileTable(std::string name, Options options) : Map(std::move(name)), options_(options), seldom_(options.recheck) {}

    std::optional<std::string> find(std::string_view key) final;

protected:
    virtual bool changed() = 0;
    virtual void load() = 0;                // any exception means that the table is unavailable
    virtual std::optional<std::string> look_up(std::string_view key) = 0;
    const Options& options() const { return options_; }
    void must_load();                       // now; throws Unavailable

private:
    void refresh();

    Options options_;
    Seldom seldom_;
    bool loaded_ = false;
    std::string failure_;
};

} // namespace maps
