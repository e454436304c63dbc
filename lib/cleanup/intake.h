// intake: the work of Postfix's cleanup, for all who make mail: addresses rewritten, recipients expanded, headers completed, content checked,
// and the bytes of the queue file. No I/O of its own: it gathers blocks, and spool::write_blocks() (on a thread, by async::offload) puts them
// into the descriptor that qmgr gave. It looks up tables and logs, so all but add() after the header belongs on the loop's thread.
//
//   Intake intake(rules, origin, id);  intake.add_recipient(…)…;  intake.add(content)… [take_writes() when full()];
//   intake.finish(seen);  [intake.header() …, intake.replace_body();]  intake.seal();
#pragma once

#include "cleanup/checks.h"
#include "cleanup/known_fields.h"
#include "cleanup/recipients.h"
#include "cleanup/rules.h"
#include "cleanup/structure.h"
#include "mail/header.h"
#include "spool/blocks.h"
#include "spool/queue_file.h"
#include "spool/treatment.h"

#include <optional>
#include <string>

namespace cleanup {

// Where a message comes from and how it is to be treated.
struct Origin {
    Source source = Source::client;
    std::string sender;                              // rewritten to a whole address; empty: the null sender
    int64_t arrival = 0;                             // microseconds since 1970
    std::map<std::string, std::string> attributes;   // as spool::Envelope::attributes
    std::string received;                            // the whole Received: field, CRLF ended; empty for mail of our own making
    bool ours = false;                               // local_header_rewrite_clients: its headers are completed and rewritten
    std::string from;                                // for a missing From:, already in header form
    std::string prepend;                             // whole fields put on top, such as Delivered-To
    bool utf8 = false;                               // SMTPUTF8
    bool detects_utf8 = false;                       // smtputf8_autodetect_classes: a header in UTF-8 needs it too
    std::string client = "local";                    // NAME[ADDRESS], for the log
};

// What the content turned out to be, from who read it off the wire.
struct ContentSeen {
    bool has_8bit = false, has_leading_dot = false;
    uint64_t longest_line = 0;
};

class Intake : private Structure::Reader {
public:
    // rules must outlive it.
    Intake(Rules& rules, Origin origin, std::string id);
    Intake(const Intake&) = delete;

    void add_recipient(spool::Recipient recipient) { given_.push_back(std::move(recipient)); }
    // HOLD, FILTER, REDIRECT, DISCARD, BCC: what was decided before, and what the checks add. Carried out by seal(), but for discard, which
    // is the caller's: say yes, keep nothing.
    spool::Treatment& treatment() { return treatment_; }

    // All recipients come before the first content. CRLF line ends.
    void add(std::string_view content);
    bool in_header() const { return in_header_; }
    void close_header();                             // no more header comes
    bool full() const { return body_.size() >= block_size; }
    spool::Writes take_writes();                     // what is ready to be written so far

    // No more content comes. What was gathered can be changed until it is sealed.
    void finish(const ContentSeen& seen);
    // The fields that the file will have on top, ours included; CRLF ended, without the empty line. For filters that change them.
    std::string& header() { return front_; }
    std::string_view gathered_body() const { return body_; }    // the part that was not yet taken by take_writes()
    uint64_t body_size() const { return written_ + body_.size(); }
    uint64_t body_offset() const { return body_offset_; }       // where the part that was taken lies, once there is one
    void replace_body(std::string_view body, const ContentSeen& seen);      // instead of all of it
    // Late changes of the envelope. The sender's, and a new recipient's, address is whole. The attributes are set beside the others. Those
    // that look up tables throw maps::Unavailable.
    void change_sender(const std::string& address, const std::map<std::string, std::string>& attributes);
    void add_late_recipient(spool::Recipient recipient) { recipients_.add(std::move(recipient)); }
    void remove_recipient(std::string_view address) { recipients_.remove(address); }
    // milter_header_checks: what a field that a filter made becomes: itself, others before or instead of it, or nothing. Sets treatment and refusal.
    std::vector<std::string> check_filters_field(const std::string& whole);
    bool has_recipients() const { return !recipients_.empty(); }
    // The rest, head included: to be written with seal. Nothing may be added any more.
    spool::Writes seal();

    const std::optional<Refusal>& refusal() const { return checks_.refusal() ? checks_.refusal() : filter_checks_.refusal(); }
    const std::string& message_id() const { return message_id_; }
    const spool::Envelope& envelope() const { return envelope_; }
    uint64_t content_size() const { return head_.content_length; }      // once sealed

private:
    static constexpr size_t block_size = 256 << 10;
    void begin();
    void read_header(std::string_view fields);
    void take_field(mail::Field field);
    void take_checked(const mail::Field& field, const KnownField* known);
    void note_message_id(std::string_view value, bool resent);
    void append_field(std::string_view whole);
    std::optional<std::string> rewritten(const mail::Field& field, bool sender);
    void add_missing_fields();
    void end_fields();
    void add_body(std::string_view body);
    void note(const ContentSeen& seen);
    void append_body(std::string_view bytes);
    void carry_out_treatment();
    bool given_up() const { return treatment_.discard || refusal().has_value(); }

    void text_line(std::string_view line, std::string_view end, uint64_t offset) override;
    void part_field(std::string_view field, bool nested) override;
    void too_deep() override;
    void unlabelled_8bit(std::string_view line) override;
    void encoded_structure(std::string_view value) override;

    Rules& rules_;
    const config::Config& config_;
    Origin origin_;
    Duties duties_;
    const routing::RewriteRules* rewriting_;    // of addresses in headers; null: they are left alone
    spool::Envelope envelope_;
    std::vector<spool::Recipient> given_;
    Recipients recipients_;
    Subject subject_;
    spool::Treatment treatment_;
    Checks checks_, filter_checks_;             // of what came, of what filters make of it
    std::optional<Structure> structure_;        // when the parts of the body matter

    std::string header_;                // gathered until its end is seen
    bool in_header_ = true, begun_ = false, body_replaced_ = false;
    uint64_t fields_seen_ = 0;          // bit(Name)
    bool declares_8bit_ = false;        // Content-Transfer-Encoding: 8bit
    bool resent_ = false;
    int64_t hops_ = 0;
    std::string message_id_;

    std::string front_;                 // the fields and the empty line, as they will be written
    std::string body_;                  // not yet taken
    uint64_t body_offset_ = 0, written_ = 0;
    uint32_t body_checksum_ = 0;
    spool::Head head_;
};

} // namespace cleanup
