// What a line of master.cf asks of pipe(8), and the command line that comes of it.
#include "catch.h"

#include "command_text.h"
#include "config/error.h"
#include "pipe/attributes.h"
#include "pipe/macros.h"
#include "world.h"

#include <unistd.h>

namespace {

const std::vector<std::string> least = {"user=nobody", "argv=/bin/true"};

spool::Deliver job_for(const std::vector<std::string>& recipients)
{
    spool::Deliver job;
    job.queue_id = "4Q";
    job.sender = "John Doe@Example.ORG";
    job.nexthop = "Next.EXAMPLE";
    job.content_length = 1234;
    job.client_address = "192.0.2.1";
    job.sasl_method = "PLAIN";
    for (const auto& address : recipients) {
        spool::Recipient recipient;
        recipient.address = address;
        job.recipients.push_back(recipient);
    }
    return job;
}

std::string line(const std::vector<std::string>& words, const spool::Deliver& job)
{
    auto all = pipe_command_line(parse_pipe_attributes(words), job, "+", true);
    return base::join(all, "|");
}

std::string edited(const CommandText& wishes, const std::string& text, size_t piece)
{
    LineEditor editor(wishes);
    std::string out;
    for (size_t at = 0; at < text.size(); at += piece) editor.feed(std::string_view(text).substr(at, piece), out);
    editor.finish(out);
    return out;
}

} // namespace

TEST_CASE("the attributes of pipe are read", "[local-delivery]")
{
    auto all = parse_pipe_attributes({"flags=BDFORXhqu.>", "user=vmail:mail", "directory=/var/tmp", "chroot=/srv", "eol=\\r\\n", "null_sender=", "size=1000",
                                      "argv=/usr/bin/maildrop", "-d", "${recipient}", "user=x"});
    CHECK((all.blank_line_at_end && all.delivered_to && all.from_line && all.original_to && all.return_path && all.final_delivery));
    CHECK((all.fold_domain && all.quote && all.fold_user && all.dot_lines && all.quote_from));
    CHECK(all.user == "vmail");
    CHECK(all.group == "mail");
    CHECK(all.directory == "/var/tmp");
    CHECK(all.chroot == "/srv");
    CHECK(all.eol == "\r\n");
    CHECK(all.null_sender.empty());
    CHECK(all.size_limit == 1000);
    CHECK(base::join(all.argv, "|") == "/usr/bin/maildrop|-d|${recipient}|user=x");

    auto plain = parse_pipe_attributes(least);
    CHECK(plain.null_sender == "MAILER-DAEMON");
    CHECK(plain.eol == "\n");
    CHECK((!plain.from_line && !plain.return_path && plain.size_limit == 0));
    CHECK(base::join(parse_pipe_attributes({"user=a", "argv=", "/bin/x", "y"}).argv, "|") == "/bin/x|y");
}

TEST_CASE("attributes that pipe does not have are refused", "[local-delivery]")
{
    const std::vector<std::string> cases[] = {
        {},
        {"user=a"},
        {"argv=/bin/true"},
        {"user=a", "argv="},
        {"user=a", "argv=", ""},
        {"user=", "argv=x"},
        {"user=a:", "argv=x"},
        {"flags=Z", "user=a", "argv=x"},
        {"size=1k", "user=a", "argv=x"},
        {"size=-1", "user=a", "argv=x"},
        {"directory=tmp", "user=a", "argv=x"},
        {"chroot=", "user=a", "argv=x"},
        {"eol=\\q", "user=a", "argv=x"},
        {"eol=\\", "user=a", "argv=x"},
        {"eol=\\777", "user=a", "argv=x"},
        {"colour=red", "user=a", "argv=x"},
        {"user", "argv=x"},
        {"user=a", "argv=x", "$recipeint"},
        {"user=a", "argv=x", "${recipient"},
        {"user=a", "argv=x", "$"},
    };
    for (const auto& each : cases) {
        CAPTURE(base::join(each, " "));
        CHECK_THROWS_AS(parse_pipe_attributes(each), config::Error);
    }
    CHECK(unescape("\\101\\\\\\0x") == std::string("A\\\0x", 4));
}

TEST_CASE("macros are filled in, once for each recipient where they name one", "[local-delivery]")
{
    struct Case {
        std::string flags;
        std::vector<std::string> words;
        std::string line;
    };
    const Case cases[] = {
        {"", {"-f", "$sender", "--", "${recipient}"}, "-f|John Doe@Example.ORG|--|Anna+Shop@Host.EXAMPLE|b c@host"},
        {"q", {"-f", "$sender", "$recipient", "$mailbox"}, "-f|\"John Doe\"@Example.ORG|Anna+Shop@Host.EXAMPLE|\"b c\"@host|Anna+Shop|b c"},
        {"hu", {"$(recipient)", "$domain", "$nexthop"}, "anna+shop@host.example|b c@host|host.example|host|next.example"},
        {"h", {"$user", "<$extension>", "$mailbox"}, "Anna|b c|<Shop>|<>|Anna+Shop|b c"},
        {"u", {"$user-$extension"}, "anna-shop|b c-"},
        {"", {"${extension?-e}", "x"}, "-e||x"},
        {"", {"$queue_id", "$size", "$client_address", "$client_helo", "$sasl_method"}, "4Q|1234|192.0.2.1||PLAIN"},
        {"", {"$$sender", "plain", "a$(queue_id)b"}, "$sender|plain|a4Qb"},
        {"", {"${original_recipient}"}, "Anna+Shop@Host.EXAMPLE|b c@host"},
    };
    spool::Deliver job = job_for({"Anna+Shop@Host.EXAMPLE", "b c@host"});
    for (const Case& each : cases) {
        std::vector<std::string> words = {"flags=" + each.flags, "user=a", "argv=x"};
        words.insert(words.end(), each.words.begin(), each.words.end());
        CAPTURE(base::join(words, " "));
        CHECK(line(words, job) == "x|" + each.line);
    }
}

TEST_CASE("the null sender has the name that master.cf gives it", "[local-delivery]")
{
    spool::Deliver job = job_for({"a@x"});
    job.sender.clear();
    CHECK(line({"user=a", "argv=x", "-f", "$sender"}, job) == "x|-f|MAILER-DAEMON");
    CHECK(line({"user=a", "null_sender=", "argv=x", "-f", "$sender"}, job) == "x|-f|");
    CHECK(line({"user=a", "flags=q", "null_sender=a b", "argv=x", "$sender"}, job) == "x|\"a b\"");
}

TEST_CASE("what strangers wrote is neither macro nor two words", "[local-delivery]")
{
    spool::Deliver job = job_for({"$sender${x}@host", "+lonely@host", std::string("cut\0off@host", 12)});
    CHECK(line({"user=a", "argv=x", "$recipient"}, job) == "x|$sender${x}@host|+lonely@host|cut");
    CHECK(line({"user=a", "argv=x", "$user"}, job) == "x|$sender${x}|cut");
    job.sender = "a b c;`id`";
    CHECK(pipe_command_line(parse_pipe_attributes({"user=a", "argv=x", "$sender"}), job, "+", true).size() == 2);
}

TEST_CASE("lines are given to a command as it wants them, wherever the text is cut", "[local-delivery]")
{
    CommandText wishes;
    wishes.dot_lines = wishes.quote_from = true;
    wishes.eol = "\r\n";
    const std::string text = ".a\nFrom x\nFrom\n\n..\nFro\nxFrom \nend";
    const std::string expected = "..a\r\n>From x\r\nFrom\r\n\r\n...\r\nFro\r\nxFrom \r\nend\r\n";
    for (size_t piece = 1; piece < text.size() + 1; ++piece) {
        CAPTURE(piece);
        CHECK(edited(wishes, text, piece) == expected);
    }
    CHECK(edited(CommandText(), text, 7) == text + "\n");
    CHECK(edited(CommandText(), "", 1) == "");
}
