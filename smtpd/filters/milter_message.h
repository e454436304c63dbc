// milter_message: a message as milters see it while Intake still has it in hand, and their changes to it: fields counted without our own
// Received:, addresses that come and go as if they had been given in MAIL and RCPT.
#pragma once

#include "service.h"

#include "base/fd.h"
#include "cleanup/intake.h"
#include "milter/session.h"

namespace smtpd {

class TakenMessage final : public milter::Message {
public:
    // file: what Intake's writes went to. intake, which is finished and not sealed, and service must outlive it.
    TakenMessage(cleanup::Intake& intake, base::Fd file, Service& service);

    std::vector<Field> fields() const override;
    async::Task<std::string_view> body(uint64_t offset) override;
    // Throws milter::Malformed when the new body is larger than messages may be.
    async::Task<> apply(milter::Change change, bool spaced) override;
    // A milter has spoken: the next one sees the body that it gave.
    void finish_changes();
    // All have: Intake gets the header.
    void finish();
    // A table that a change needs cannot be read.
    bool failed() const { return failed_; }

private:
    void change(const milter::AddHeader& header);
    void change(const milter::InsertHeader& header);
    void change(const milter::ChangeHeader& header);
    void change(const milter::ReplaceBody& piece);
    void change(const milter::ChangeSender& sender);
    void change(const milter::AddRecipient& recipient);
    void change(const milter::DeleteRecipient& recipient);
    void change(const milter::Quarantine&) {}
    std::string field_of(const std::string& name, const std::string& value) const;
    void put(size_t at, const std::string& field);
    size_t own_received() const;

    cleanup::Intake& intake_;
    base::Fd file_;
    Service& service_;
    std::vector<std::string> fields_;               // whole, CRLF ended
    bool header_changed_ = false, spaced_ = false, failed_ = false;
    std::string piece_;                             // of a body that is in the file
    std::optional<std::string> body_;               // the new one, as far as it came
    std::optional<smtp::Canonicalizer> lines_;
};

} // namespace smtpd
