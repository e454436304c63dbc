// editing: what the tables want changed in a message on its way out: smtp_header_checks and its kin, and addresses in
// the header by smtp_generic_maps.
#pragma once

#include "rewriter.h"
#include "tables.h"

#include <string>

namespace smtp_client {

// Its functions throw maps::Unavailable.
class TableEditor final : public Editor {
public:
    TableEditor(Tables& tables, const std::string& queue_id) : tables_(tables), queue_id_(queue_id) {}
    bool header(HeaderKind kind, std::string& field, std::string& before) override;
    bool body(std::string& line, std::string& before) override;

private:
    bool check(maps::Maps& table, const char* where, std::string& text, std::string& before);

    Tables& tables_;
    const std::string& queue_id_;
};

// The addresses of a field that has any, as the world outside shall see them; other fields stay as they are. field: as
// Editor::header() has it.
void rewrite_addresses(Tables& tables, std::string& field);

} // namespace smtp_client
