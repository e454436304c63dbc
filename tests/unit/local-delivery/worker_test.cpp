// Deliveries by a real worker process: Maildir, mbox, files, .forward files and commands.
#include "catch.h"

#include "async/nursery.h"
#include "mailbox.h"
#include "workers.h"
#include "world.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace {

const std::string content = "Received: by x\r\nSubject: hi\r\n\r\nFrom here\r\n.dot\r\n";

std::string slurp(const std::filesystem::path& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

void spit(const std::string& path, const std::string& text, mode_t mode = 0600)
{
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
}

// The content lies somewhere in the middle of its file, as in a queue file.
struct House {
    explicit House(const std::string& parameters = "") : config(test_config("deliver_lock_attempts = 1\n" + parameters)), workers(config, limits())
    {
        spit(folder.path + "/queue-file", "12345" + content + "rest");
    }
    static Workers::Limits limits()
    {
        Workers::Limits limits;
        limits.sandboxed = false;
        return limits;
    }
    Order order(Order::Kind kind, const std::string& path)
    {
        Order order;
        order.kind = kind;
        order.queue_id = "TEST";
        order.content = base::open_file(folder.path + "/queue-file", 0);
        order.content_offset = 5;
        order.content_length = content.size();
        order.sender = "s@x";
        order.header = "Return-Path: <s@x>\r\nDelivered-To: anna@host.example\r\n";
        order.loop_address = "anna@host.example";
        order.path = path;
        order.user = "anna";
        order.environment = {"PATH=/usr/bin:/bin", "WHO=anna"};
        return order;
    }
    static async::Task<> one(Workers& workers, Order order, Answer& answer, Identity who)
    {
        answer = co_await workers.ask(who, std::move(order));
    }
    Answer ask(Order order, uid_t uid = ::geteuid())
    {
        Answer answer;
        async::Nursery nursery("test");
        Identity who;
        who.uid = uid;
        nursery.start(one(workers, std::move(order), answer, who));
        for (int round = 0; round < 2000 && nursery.size() > 0; ++round) async::loop().run_once(std::chrono::milliseconds(20));
        REQUIRE(nursery.size() == 0);
        return answer;
    }
    std::string path(const std::string& name) const { return folder.path + "/" + name; }

    Folder folder;
    config::Config config;
    Workers workers;
};

const std::string as_files_have_it = "Return-Path: <s@x>\nDelivered-To: anna@host.example\nReceived: by x\nSubject: hi\n\nFrom here\n.dot\n";

} // namespace

TEST_CASE("a message is put into a Maildir that is made for it", "[local-delivery]")
{
    House house;
    Answer answer = house.ask(house.order(Order::mailbox, house.path("Maildir/")));
    CHECK(answer.report.status == spool::Outcome::delivered);
    CHECK(answer.report.text == "delivered to maildir");
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator(house.path("Maildir/new"))) {
        ++count;
        CHECK(slurp(file.path()) == as_files_have_it);
    }
    CHECK(count == 1);
}

TEST_CASE("a message is appended to an mbox", "[local-delivery]")
{
    House house;
    for (int i = 0; i < 2; ++i) {
        Answer answer = house.ask(house.order(Order::mailbox, house.path("mbox")));
        CHECK(answer.report.text == "delivered to mailbox");
    }
    std::string text = slurp(house.path("mbox"));
    CHECK(text.starts_with("From s@x  "));
    CHECK(text.find("\n>From here\n.dot\n\nFrom s@x  ") != text.npos);
    CHECK(text.ends_with("\n>From here\n.dot\n\n"));
}

TEST_CASE("mailboxes that can't be written are reported", "[local-delivery]")
{
    House house("mailbox_delivery_lock = dotlock\n");
    SECTION("too large")
    {
        Order order = house.order(Order::mailbox, house.path("mbox"));
        order.size_limit = 50;
        Answer answer = house.ask(std::move(order));
        CHECK(answer.report.status == spool::Outcome::bounced);
        CHECK(answer.report.dsn == "5.2.2");
        Order maildir = house.order(Order::mailbox, house.path("Maildir/"));
        maildir.size_limit = 50;
        CHECK(house.ask(std::move(maildir)).report.dsn == "5.2.2");
        CHECK(!base::exists(house.path("Maildir/new/x")));
    }
    SECTION("locked by somebody who lives")
    {
        spit(house.path("mbox.lock"), std::to_string(::getpid()));
        Answer answer = house.ask(house.order(Order::mailbox, house.path("mbox")));
        CHECK(answer.report.status == spool::Outcome::deferred);
        CHECK(answer.report.text.find("unable to lock for exclusive access") != std::string::npos);
    }
    SECTION("a folder where the file should be")
    {
        std::filesystem::create_directory(house.path("mbox"));
        CHECK(house.ask(house.order(Order::mailbox, house.path("mbox"))).report.dsn == "4.2.0");
    }
    SECTION("a file where the Maildir should be")
    {
        spit(house.path("Maildir"), "");
        Answer answer = house.ask(house.order(Order::mailbox, house.path("Maildir/")));
        CHECK(answer.report.text.starts_with("maildir delivery failed: "));
        CHECK(answer.report.status == spool::Outcome::deferred);
    }
    SECTION("the queue file is cut off")
    {
        Order order = house.order(Order::mailbox, house.path("Maildir/"));
        order.content_length += 100;
        CHECK(house.ask(std::move(order)).report.status == spool::Outcome::deferred);
        if (base::exists(house.path("Maildir/new"))) CHECK(std::filesystem::is_empty(house.path("Maildir/new")));
    }
    SECTION("somebody else's mailbox")
    {
        CHECK(house.ask(house.order(Order::mailbox, house.path("mbox")), ::geteuid() + 1).report.text.starts_with("not privileged"));
    }
    SECTION("a loop")
    {
        Order order = house.order(Order::mailbox, house.path("Maildir/"));
        spit(house.path("queue-file"), "12345Delivered-To: Anna@host.example\r\n\r\nbody\r\n");
        order.content_length = 40;
        CHECK(house.ask(std::move(order)).report.text == "mail forwarding loop for anna@host.example");
    }
}

TEST_CASE("files of aliases take mail, special ones too", "[local-delivery]")
{
    House house;
    CHECK(house.ask(house.order(Order::file, house.path("box"))).report.text == "delivered to file: " + house.path("box"));
    CHECK(house.ask(house.order(Order::file, "/dev/null")).report.text == "delivered to file: /dev/null");
}

TEST_CASE("a visit finds the .forward file or fills the mailbox", "[local-delivery]")
{
    House house;
    auto visit = [&] {
        Order order = house.order(Order::visit, house.path("Maildir/"));
        order.forward_paths = {house.path(".forward+x"), house.path(".forward")};
        return house.ask(std::move(order));
    };
    SECTION("none") { CHECK(visit().report.text == "delivered to maildir"); }
    SECTION("one")
    {
        spit(house.path(".forward"), "# mine\n\\anna, far@away.example\n\"|cmd a, b\"\n");
        Answer answer = visit();
        CHECK(answer.report.found);
        CHECK(answer.report.which == 1);
        REQUIRE(answer.members.size() == 3);
        CHECK(answer.members[1].text == "far@away.example");
        CHECK(answer.members[2].kind == maps::AliasMember::Kind::command);
        CHECK(!base::exists(house.path("Maildir")));
    }
    SECTION("one that anybody could have written")
    {
        spit(house.path(".forward"), "evil@away.example\n", 0666);
        Answer answer = visit();
        CHECK(answer.report.text == "delivered to maildir");
        CHECK(answer.report.warnings.size() == 1);
    }
    SECTION("a link")
    {
        std::filesystem::create_symlink("/etc/passwd", house.path(".forward"));
        CHECK(visit().report.text == "delivered to maildir");
    }
    SECTION("an empty one")
    {
        spit(house.path(".forward"), "# nothing\n");
        CHECK(visit().report.text == "delivered to maildir");
    }
    SECTION("a long one comes in pieces")
    {
        std::string text;
        for (int i = 0; i < 20'000; ++i) text += "user" + std::to_string(i) + "@away.example\n";
        spit(house.path(".forward"), text);
        Answer answer = visit();
        CHECK(answer.members.size() == 20'000);
    }
    SECTION("one without end")
    {
        spit(house.path(".forward"), std::string(3 << 20, 'x'));
        CHECK(visit().report.text == "delivered to maildir");
    }
    SECTION("a home that is not there")
    {
        Order order = house.order(Order::visit, house.path("Maildir/"));
        order.home = house.path("nowhere");
        CHECK(house.ask(std::move(order)).report.text.starts_with("cannot access home directory"));
    }
}

TEST_CASE("lists are read", "[local-delivery]")
{
    House house;
    spit(house.path("list"), "anna\nbob\n");
    Answer answer = house.ask(house.order(Order::read_include, house.path("list")));
    CHECK(answer.report.status == spool::Outcome::delivered);
    CHECK(answer.members.size() == 2);
    CHECK(house.ask(house.order(Order::read_include, house.path("none"))).report.dsn == "5.2.0");
    CHECK(house.ask(house.order(Order::read_include, house.folder.path)).report.dsn == "5.2.0");
}

TEST_CASE("commands get the message and are judged", "[local-delivery]")
{
    House house("command_time_limit = 1s\n");
    SECTION("success")
    {
        std::string command = "cat > " + house.path("out") + "; echo $WHO $0 >> " + house.path("out");
        CHECK(house.ask(house.order(Order::command, command)).report.text == "delivered to command: " + command);
        std::string text = slurp(house.path("out"));
        CHECK(text.starts_with("From s@x  "));
        CHECK(text.find("\n" + as_files_have_it) != text.npos);
        CHECK(text.ends_with("anna /bin/sh\n"));
    }
    SECTION("one that reads nothing of a message larger than any pipe")
    {
        std::string large = "Subject: x\r\n\r\n" + std::string(1 << 20, 'x') + "\r\n";
        spit(house.path("queue-file"), "12345" + large);
        Order order = house.order(Order::command, "exit 0");
        order.content_length = large.size();
        CHECK(house.ask(std::move(order)).report.status == spool::Outcome::delivered);
        Order count = house.order(Order::command, "wc -c > " + house.path("out"));
        count.content_length = large.size();
        CHECK(house.ask(std::move(count)).report.status == spool::Outcome::delivered);
        CHECK(std::stoul(slurp(house.path("out"))) > large.size());
    }
    SECTION("failure")
    {
        Answer answer = house.ask(house.order(Order::command, "echo no room; echo at all >&2; exit 75"));
        CHECK(answer.report.status == spool::Outcome::deferred);
        CHECK(answer.report.text == "temporary failure. Command output: no room at all");
        CHECK(house.ask(house.order(Order::command, "exit 1")).report.text == "Command died with status 1: \"exit 1\"");
        CHECK(house.ask(house.order(Order::command, "/no/such/program")).report.text.starts_with(
            "Command died with status 127: \"/no/such/program\". Command output: "));
        Order words = house.order(Order::command, "/no/such/program");
        words.words = {"/no/such/program"};
        words.program = "pipe: fatal: pipe_command";
        CHECK(house.ask(std::move(words)).report.text ==
              "temporary failure. Command output: pipe: fatal: pipe_command: execvp /no/such/program: No such file or directory");
    }
    SECTION("too slow")
    {
        Answer answer = house.ask(house.order(Order::command, "echo waiting; sleep 100"));
        CHECK(answer.report.status == spool::Outcome::deferred);
        CHECK(answer.report.text == "Command time limit exceeded: \"echo waiting; sleep 100\". Command output: waiting");
    }
    SECTION("a folder that is not there")
    {
        Order order = house.order(Order::command, "exit 0");
        order.folder = house.path("nowhere");
        CHECK(house.ask(std::move(order)).report.status == spool::Outcome::deferred);
    }
}

TEST_CASE("a worker that dies defers what it had", "[local-delivery]")
{
    House house;
    Answer answer = house.ask(house.order(Order::command, "kill -9 $PPID; sleep 5"));
    CHECK(answer.report.status == spool::Outcome::deferred);
    CHECK(house.ask(house.order(Order::mailbox, house.path("Maildir/"))).report.text == "delivered to maildir");
}
