// maildir_append: new messages in a Maildir folder with UID and flags at once: IMAP's APPEND and COPY.
#pragma once

#include "store/maildir_mailbox.h"
#include "store/maildir_writer.h"

#include <memory>
#include <string>

namespace store {

std::unique_ptr<NewMessage> append_to_maildir(const std::string& folder, const std::string& root);

Store::CopyResult copy_to_maildir(Mailbox& from, std::span<const uint32_t> uids, const std::string& folder, const std::string& root);

} // namespace store
