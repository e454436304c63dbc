// mime: trees of the RFCs' examples with CRLF and LF, broken structure, limits; envelopes and transfer encodings.
#include "catch.h"

#include "base/text.h"
#include "mail/header.h"
#include "mail/mime.h"
#include "mail/transfer.h"

using mail::Part;

namespace {

std::string outline(const Part& part)
{
    std::string out = part.type + "/" + part.subtype;
    if (part.parts.empty()) return out;
    out += "(";
    for (const Part& child : part.parts) out += (out.back() == '(' ? "" : " ") + outline(child);
    return out + ")";
}

std::string with_lf(std::string_view text) { return base::replace_all(text, "\r\n", "\n"); }
std::string with_crlf(std::string_view text) { return base::replace_all(text, "\n", "\r\n"); }

// Every range lies within the one above it, and sizes agree with the bytes.
void check_ranges(const Part& part, std::string_view message, uint64_t begin, uint64_t end)
{
    CHECK(part.header.offset >= begin);
    CHECK(part.header.offset + part.header.size == part.body.offset);
    CHECK(part.body.offset + part.body.size <= end);
    CHECK(mail::wire_size(part.body.of(message)).octets == part.octets);
    CHECK(mail::wire_size(part.body.of(message)).lines == part.lines);
    CHECK(mail::wire_size(part.header.of(message)).octets == part.header_octets);
    for (const Part& child : part.parts)
        check_ranges(child, message, part.body.offset, part.body.offset + part.body.size);
}

Part parse(std::string_view message)
{
    Part root = mail::parse_mime(message);
    check_ranges(root, message, 0, message.size());
    return root;
}

const std::string simple_multipart = // RFC 2046 5.1.1
    "From: Nathaniel Borenstein <nsb@bellcore.com>\nSubject: Sample message\nMIME-Version: 1.0\n"
    "Content-type: multipart/mixed; boundary=\"simple boundary\"\n\n"
    "This is the preamble.\n--simple boundary\n\nimplicitly typed\n--simple boundary\n"
    "Content-type: text/plain; charset=us-ascii\n\nexplicitly typed\n\n--simple boundary--\n\nThis is the epilogue.\n";

} // namespace

TEST_CASE("a plain message", "[mail]")
{
    for (const std::string& message :
         {std::string("Subject: x\n\nline\nline\n"), with_crlf("Subject: x\n\nline\nline\n")}) {
        const Part root = parse(message);
        CHECK(outline(root) == "text/plain");
        CHECK(root.octets == 12);
        CHECK(root.lines == 2);
        CHECK(root.header_octets == 14);
        CHECK(root.parameters == std::vector<mail::Parameter>{{"charset", "us-ascii"}});
        CHECK(root.encoding == "7bit");
        CHECK_FALSE(root.disposition);
    }
}

TEST_CASE("the simple multipart of RFC 2046", "[mail]")
{
    for (const std::string& message : {simple_multipart, with_crlf(simple_multipart)}) {
        const Part root = parse(message);
        CHECK(outline(root) == "multipart/mixed(text/plain text/plain)");
        CHECK(root.parts[0].body.of(message) == "implicitly typed");
        CHECK(with_lf(root.parts[1].body.of(message)) == "explicitly typed\n");
        CHECK(root.parts[0].lines == 0);
        CHECK(root.parts[1].lines == 1);
        CHECK(root.parts[1].octets == 18);
        CHECK(root.body.offset + root.body.size == message.size());
    }
}

TEST_CASE("nested parts, a digest and a message inside", "[mail]")
{
    // RFC 2046 5.1.6 and RFC 2049 A, shortened
    const std::string message = with_crlf(
        "MIME-Version: 1.0\nFrom: N <n@x>\nContent-Type: multipart/mixed; boundary=unique-boundary-1\n\npreamble\n"
        "--unique-boundary-1\n\ntext\n"
        "--unique-boundary-1\nContent-Type: multipart/parallel; boundary=unique-boundary-2\n\n"
        "--unique-boundary-2\nContent-Type: audio/basic\nContent-Transfer-Encoding: base64\n\nQUJD\n"
        "--unique-boundary-2\nContent-Type: image/jpeg\nContent-Transfer-Encoding: BASE64\nContent-ID: "
        "<a@b>\nContent-MD5: Q2hlY2s=\n"
        "Content-Disposition: Attachment; filename=a.jpg\nContent-Language: en, ko\nContent-Location: "
        "http://x/\nContent-Description: a  b\n\nQUJD\n"
        "--unique-boundary-2--\n\n"
        "--unique-boundary-1\nContent-type: message/rfc822\n\nFrom: (mailbox) <a@b>\nTo: c@d\nSubject: inside\n"
        "Content-Type: Multipart/alternative; boundary=3\n\n--3\n\nplain\n--3\nContent-Type: TEXT/HTML\n\n<p>\n--3--\n"
        "--unique-boundary-1\nContent-Type: multipart/digest; boundary=4\n\n--4\n\nSubject: "
        "one\n\nbody\n--4\nContent-Type: text/plain\n\nnote\n--4--\n"
        "--unique-boundary-1--\n");
    const Part root = parse(message);
    CHECK(outline(root) == "multipart/mixed(text/plain multipart/parallel(audio/basic image/jpeg) "
                           "message/rfc822(multipart/alternative(text/plain text/html)) "
                           "multipart/digest(message/rfc822(text/plain) text/plain))");
    const Part& image = root.parts[1].parts[1];
    CHECK(image.encoding == "BASE64");
    CHECK(image.id == "<a@b>");
    CHECK(image.md5 == "Q2hlY2s=");
    CHECK(image.disposition->type == "attachment");
    CHECK(image.disposition->parameters == std::vector<mail::Parameter>{{"filename", "a.jpg"}});
    CHECK(image.languages == std::vector<std::string>{"en", "ko"});
    CHECK(image.location == "http://x/");
    CHECK(image.description == "a  b");
    CHECK(root.parts[2].envelope->subject == "inside");
    CHECK(root.parts[2].envelope->to[0].domain == "d");
    CHECK(root.parts[2].parts[0].parts[0].body.of(message) == "plain");
    CHECK(root.parts[3].parts[0].envelope->subject == "one");
    // The same with LF: everything but the offsets agrees.
    const std::string unix_message = with_lf(message);
    const Part unix_root = parse(unix_message);
    CHECK(outline(unix_root) == outline(root));
    CHECK(unix_root.octets == root.octets);
    CHECK(unix_root.parts[2].octets == root.parts[2].octets);
    CHECK(unix_root.parts[2].lines == root.parts[2].lines);
    CHECK(unix_root.parts[2].parts[0].header_octets == root.parts[2].parts[0].header_octets);

    const auto find = [&](std::initializer_list<uint32_t> path) {
        return mail::find_part(root, std::vector<uint32_t>(path));
    };
    CHECK(find({}) == &root);
    CHECK(find({1}) == &root.parts[0]);
    CHECK(find({2, 2}) == &image);
    CHECK(find({3}) == &root.parts[2]);
    CHECK(find({3, 1}) == &root.parts[2].parts[0].parts[0]);
    CHECK(find({3, 2}) == &root.parts[2].parts[0].parts[1]);
    CHECK(find({4, 1, 1}) == &root.parts[3].parts[0].parts[0]);
    for (auto path : {std::vector<uint32_t>{0}, {5}, {1, 1}, {3, 3}, {4, 1, 2}, {4, 1, 1, 1}})
        CHECK(mail::find_part(root, path) == nullptr);
    const Part plain = mail::parse_mime("\r\nx");
    CHECK(mail::find_part(plain, std::vector<uint32_t>{1}) == &plain);
    CHECK(mail::find_part(plain, std::vector<uint32_t>{2}) == nullptr);
}

TEST_CASE("broken structure", "[mail]")
{
    const std::string head = "Content-Type: multipart/mixed; boundary=b\n\n";
    struct Case {
        std::string message, expected;
    };
    const Case cases[] = {
        {"", "text/plain"},
        {"\n", "text/plain"},
        {"no header at all", "text/plain"},
        {"Content-Type: multipart/mixed\n\n--b\n\nx\n--b--\n", "multipart/mixed"},
        {"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n", "multipart/mixed"},
        {"Content-Type: multipart/mixed; boundary=\"b  \"\n\n--b\n\nx\n--b--\n", "multipart/mixed(text/plain)"},
        {head, "multipart/mixed"},
        {head + "no boundary at all", "multipart/mixed"},
        {head + "--b", "multipart/mixed(text/plain)"},
        {head + "--b\n", "multipart/mixed(text/plain)"},
        {head + "--b--", "multipart/mixed"},
        {head + "--b\n\nx", "multipart/mixed(text/plain)"},
        {head + "--b\nContent-Type: text/html\n--b\n\nx\n--b--", "multipart/mixed(text/html text/plain)"},
        {head + "--b\n--b\n--b\n", "multipart/mixed(text/plain text/plain text/plain)"},
        {head + "--b \t\n\nx\n--b-- \n", "multipart/mixed(text/plain)"},
        {head + "--bc\n\nx\n--b\n\n", "multipart/mixed(text/plain)"},
        {head + "--b\n\nx\n--b--\n--b\n\nepilogue\n", "multipart/mixed(text/plain)"},
        // The inner one never ends, but the outer does.
        {head + "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--b\n\ny\n--b--\n",
         "multipart/mixed(multipart/mixed(text/plain) text/plain)"},
        {head + "--b\nContent-Type: message/rfc822\n\nSubject: x\n--b\n\ny\n--b--\n",
         "multipart/mixed(message/rfc822(text/plain) text/plain)"},
        {head + "--b\nContent-Type: message/rfc822\n--b--\n", "multipart/mixed(message/rfc822)"},
        {"Content-Type: message/rfc822\n\n", "message/rfc822(text/plain)"},
        {"Content-Type: text\n\n", "text/plain"},
        {"Content-Type: /html\n\n", "text/plain"},
        {"Content-Type: text / html ; x\n\n", "text/html"},
        {"Content-Type: text/html charset=x\n\n", "text/html"},
        {"Content-Type: \xff/\xfe\n\n", "text/plain"},
        {"Content-Type: text/html (comment)\n\n", "text/html"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.message);
        CHECK(outline(parse(each.message)) == each.expected);
        CHECK(outline(parse(with_crlf(each.message))) == each.expected);
    }
}

TEST_CASE("limits of depth and number", "[mail]")
{
    std::string deep;
    for (int i = 0; i < 2000; ++i) {
        const std::string name = "b" + std::to_string(i);
        deep += "Content-Type: multipart/mixed; boundary=" + name + "\n\n--" + name + "\n";
    }
    const Part root = parse(deep);
    size_t depth = 1;
    for (const Part* part = &root; !part->parts.empty(); part = &part->parts[0]) ++depth;
    CHECK(depth == mail::MimeLimits().depth);

    std::string messages;
    for (int i = 0; i < 2000; ++i) messages += "Content-Type: message/rfc822\n\n";
    parse(messages);

    std::string many = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < 30000; ++i) many += "--b\n";
    CHECK(parse(many).parts.size() == mail::MimeLimits().parts - 1);
}

TEST_CASE("envelopes", "[mail]")
{
    const auto envelope =
        mail::parse_envelope("Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nFrom: Fred Foobar "
                             "<foobar@Blurdybloop.example>\r\nSubject: afternoon\r\n meeting\r\n"
                             "To: mooch@owatagu.example\r\nTo: second@x\r\nMessage-Id: "
                             "<B27397-0100000@Blurdybloop.example>\r\nSender:\r\nSubject: again\r\n\r\nCc: body@x\r\n");
    CHECK(envelope.date == "Mon, 7 Feb 1994 21:52:25 -0800 (PST)");
    CHECK(envelope.subject == "afternoon meeting");
    CHECK(envelope.from[0].name == "Fred Foobar");
    CHECK(envelope.sender == envelope.from);
    CHECK(envelope.reply_to == envelope.from);
    CHECK(envelope.to.size() == 2);
    CHECK(envelope.cc.empty());
    CHECK(envelope.message_id == "<B27397-0100000@Blurdybloop.example>");
    CHECK_FALSE(envelope.in_reply_to);
}

TEST_CASE("transfer encodings", "[mail]")
{
    CHECK(mail::decode_transfer("QUJD\r\nRA==\r\n", "Base64") == "ABCD");
    CHECK(mail::decode_transfer("QQ==QQ==", "base64") == "AA");
    CHECK(mail::decode_transfer("Q!U*J D", "base64") == "ABC");
    CHECK(mail::decode_transfer("Q", "base64") == "");
    CHECK(mail::decode_transfer("QUJD", "base64", 2)->size() <= 3);
    CHECK(mail::decode_transfer("a=\r\nb=3D=e9 \t\r\nc=\nd=zz=", "quoted-printable") == "ab=\xe9\r\ncd=zz");
    CHECK(mail::decode_transfer("=", "quoted-printable") == "");
    CHECK(mail::decode_transfer("=4", "quoted-printable") == "=4");
    CHECK(mail::decode_transfer("abc", "8bit") == "abc");
    CHECK(mail::decode_transfer("abc", "") == "abc");
    CHECK_FALSE(mail::decode_transfer("abc", "x-uuencode"));
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7);
    CHECK(mail::decode_transfer(mail::encode_base64_lines(bytes), "base64") == bytes);
    const std::string text = "plain\r\ntrailing \r\n\xea\xb0\x80=\r\n.\r\nFrom x\r\n" + std::string(200, 'x') + "\xff" +
                             std::string(200, '.') + "end";
    const std::string coded = mail::encode_quoted_printable(text);
    CHECK(mail::decode_transfer(coded, "quoted-printable") == text);
    CHECK(base::is_ascii(coded));
    for (std::string_view line : base::split(coded, "\r\n")) {
        CHECK(line.size() <= 76);
        CHECK(line != ".");
    }
}
