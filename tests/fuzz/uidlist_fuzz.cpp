// fuzz: dovecot-uidlist. Whatever the bytes, UIDs ascend, and what is written is read back the same.
#include "store/keyword_file.h"
#include "store/maildir_name.h"
#include "store/uidlist.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    store::UidList list = store::parse_uidlist(text);
    uint32_t last = 0;
    for (const store::UidRecord& record : list.records) {
        if (record.uid <= last || (record.uid >= list.next_uid && record.uid != UINT32_MAX)) std::abort();
        last = record.uid;
    }
    if (list.uid_validity != 0) {
        store::UidList again = store::parse_uidlist(store::format_uidlist(list));
        if (again.damaged || again.records.size() != list.records.size() || again.next_uid != list.next_uid) std::abort();
    }
    store::MaildirName name = store::parse_maildir_name(text);
    std::string info = store::maildir_info(name.flags, name.foreign);
    if (store::parse_maildir_name(info).flags != name.flags) std::abort();
    store::parse_keywords(text);
    return 0;
}
