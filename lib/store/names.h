// names: which folder names we take, and how they are spelled on disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

bool is_inbox(std::string_view name);       // in any case

// A name as given by a client: valid UTF-8; no control character, no '/' but as separator; no empty part, no part "." or ".." or hidden
// file; at most 255 bytes on disk in all and 32 levels.
bool good_name(std::string_view name, char separator);

// ".A.B" for "A.B" (Maildir++), modified UTF-7 unless utf8. Nothing when the name is not good.
std::optional<std::string> maildir_folder_name(std::string_view name, bool utf8);
// The way back; nothing for other files.
std::optional<std::string> name_of_maildir_folder(std::string_view folder, bool utf8);

// "A/B" below the root of mbox files.
std::optional<std::string> mbox_file_name(std::string_view name, bool utf8);
std::optional<std::string> name_of_mbox_file(std::string_view path, bool utf8);

// One level above: "A" for "A.B"; empty at the top.
std::string_view parent_of(std::string_view name, char separator);

} // namespace store
