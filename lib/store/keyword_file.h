// keyword_file: a folder's "dovecot-keywords": which letter a-z of a file name means which keyword ("0 $Forwarded").
#pragma once

#include "store/stamp.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

// By index; an index without a name is empty. Lines that can't be are left out.
std::vector<std::string> parse_keywords(std::string_view text);
std::string format_keywords(const std::vector<std::string>& names);
// RFC 9051 9: flag-keyword is an atom.
bool good_keyword(std::string_view name);

class KeywordFile {
public:
    explicit KeywordFile(std::string folder) : folder_(std::move(folder)), path_(folder_ + "/dovecot-keywords") {}

    bool reload();                                          // true when the names are others now
    const std::vector<std::string>& names() const { return names_; }
    std::optional<size_t> find(std::string_view name) const;
    std::optional<size_t> add(std::string_view name);       // nothing when there is no letter left, or the name is not good

private:
    std::string folder_, path_;
    Stamp stamp_;
    std::vector<std::string> names_;
};

} // namespace store
