// Whole deliveries: alias tables, a queue manager that takes new messages, mailboxes in a temporary folder.
#include "catch.h"

#include "async/nursery.h"
#include "ipc/channel.h"
#include "local.h"
#include "net/listener.h"
#include "spool/queue_file.h"
#include "virtual_mailbox.h"
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>

namespace {

const std::string content = "Received: by x\r\nFrom: a@b\r\n\r\nbody\r\n";

std::string slurp(const std::filesystem::path& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The maker's side of a queue manager.
class QueueManager {
public:
    explicit QueueManager(const std::string& folder) : folder_(folder)
    {
        std::filesystem::create_directories(folder + "/private");
        socket_ = net::listen_on(net::Address::unix_path(folder + "/private/qmgr"), 10, SOCK_SEQPACKET);
        auto take = [this](base::Fd fd, net::Address) { nursery_.start(serve(ipc::Channel(std::move(fd)), *this)); };
        nursery_.start(net::accept_connections(socket_.get(), take));
    }
    std::vector<std::string> committed, abandoned;
    bool full = false;

    spool::StoredMessage message(const std::string& id) const
    {
        base::Fd fd = base::open_file(folder_ + "/" + id, O_RDONLY);
        return spool::read_message(fd.get(), id, true);
    }
    std::string content(const std::string& id) const
    {
        base::Fd fd = base::open_file(folder_ + "/" + id, O_RDONLY);
        return spool::read_content(fd.get(), message(id).head, id);
    }

private:
    static async::Task<> serve(ipc::Channel channel, QueueManager& self)
    {
        while (auto packet = co_await channel.receive()) {
            if (packet->type == spool::Commit::type) self.committed.push_back(ipc::unpack<spool::Commit>(*packet).id);
            if (packet->type == spool::Abandon::type) self.abandoned.push_back(ipc::unpack<spool::Abandon>(*packet).id);
            if (packet->type != spool::Create::type) continue;
            spool::Created created;
            created.request = ipc::unpack<spool::Create>(*packet).request;
            created.id = "NEW" + std::to_string(++self.count_);
            if (self.full) created.problem = "Insufficient system storage";
            else created.file = base::open_file(self.folder_ + "/" + created.id, O_RDWR | O_CREAT | O_EXCL, 0600);
            channel.post(std::move(created));
        }
    }
    std::string folder_;
    base::Fd socket_;
    int count_ = 0;
    async::Nursery nursery_{"queue manager"};
};

struct Town {
    explicit Town(const std::string& aliases, const std::string& parameters = "")
        : config(make_config(folder.path, aliases, parameters)), queue_manager(folder.path), agent(config, "local", false, folder.path, limits())
    {
        std::ofstream(folder.path + "/queue-file") << content;
        me = sandbox::find_user(::geteuid()).name;
    }
    static Workers::Limits limits()
    {
        Workers::Limits limits;
        limits.sandboxed = false;
        return limits;
    }
    static config::Config make_config(const std::string& folder, const std::string& aliases, const std::string& parameters)
    {
        std::ofstream(folder + "/aliases") << aliases;
        return config::Config::parse("compatibility_level = 3.6\nmyhostname = host.example\nmyorigin = host.example\nmydestination = host.example\n"
                                     "inet_interfaces = 127.0.0.1\nalias_maps = texthash:" +
                                         folder + "/aliases\nalias_database =\nmail_spool_directory = " + folder + "/mail/\nforward_path = " +
                                         folder + "/forward.$user\n" + parameters,
                                     "test/main.cf");
    }
    template <class Deliver> static async::Task<> one(Agent& agent, const spool::Deliver& job, spool::Done& done, Deliver deliver)
    {
        done = co_await deliver(agent, job);
    }
    spool::Outcome send(const std::string& recipient, bool to_virtual = false)
    {
        spool::Deliver job;
        job.queue_id = "OLD";
        job.file = base::open_file(folder.path + "/queue-file", O_RDONLY);
        job.content_length = std::filesystem::file_size(folder.path + "/queue-file");
        job.sender = "s@x";
        job.client_address = "192.0.2.1";
        job.envid = "env";
        spool::Recipient to;
        to.address = recipient;
        to.number = 7;
        to.notify = spool::notify_success;
        job.recipients.push_back(to);
        spool::Done done;
        async::Nursery nursery("test");
        nursery.start(one(agent, job, done, to_virtual ? deliver_virtual : deliver_local));
        for (int round = 0; round < 2000 && nursery.size() > 0; ++round) async::loop().run_once(std::chrono::milliseconds(20));
        REQUIRE(nursery.size() == 0);
        REQUIRE(done.outcomes.size() == 1);
        CHECK(done.outcomes[0].number == 7);
        for (int round = 0; round < 5; ++round) async::loop().run_once(std::chrono::milliseconds(1));     // commits arrive
        return done.outcomes[0];
    }
    std::vector<std::string> mail(const std::string& box)
    {
        std::vector<std::string> all;
        std::error_code none;
        for (const auto& file : std::filesystem::directory_iterator(folder.path + "/" + box + "/new", none)) all.push_back(slurp(file.path()));
        return all;
    }

    Folder folder;
    std::string me;
    config::Config config;
    QueueManager queue_manager;
    Agent agent;
};

} // namespace

TEST_CASE("a user gets mail with its marks", "[local-delivery]")
{
    Town town("");
    auto outcome = town.send(town.me + "@host.example");
    CHECK(outcome.status == spool::Outcome::delivered);
    CHECK(outcome.text == "delivered to maildir");
    auto mail = town.mail("mail/" + town.me);
    REQUIRE(mail.size() == 1);
    std::string address = town.me + "@host.example";
    CHECK(mail[0] == "Return-Path: <s@x>\nX-Original-To: " + address + "\nDelivered-To: " + address + "\nReceived: by x\nFrom: a@b\n\nbody\n");
    CHECK(town.send("no-such-user-here@host.example").text == "unknown user: \"no-such-user-here\"");
}

TEST_CASE("mail for others becomes one message of its own", "[local-delivery]")
{
    Town town("list: far@away.example, also@away.example, far@away.example\n");
    auto outcome = town.send("list@host.example");
    CHECK(outcome.status == spool::Outcome::handed_on);
    CHECK(outcome.text == "forwarded as NEW1");
    CHECK(outcome.action == "expanded");
    REQUIRE(town.queue_manager.committed == std::vector<std::string>{"NEW1"});
    auto message = town.queue_manager.message("NEW1");
    CHECK(message.envelope.sender == "s@x");
    CHECK(message.envelope.attribute("client_address") == "192.0.2.1");
    CHECK(message.envelope.attribute("envid") == "env");
    REQUIRE(message.envelope.recipients.size() == 2);
    CHECK(message.envelope.recipients[0].address == "far@away.example");
    CHECK(message.envelope.recipients[0].original == "list@host.example");
    CHECK(message.envelope.recipients[0].notify == spool::notify_success);
    std::string text = town.queue_manager.content("NEW1");
    CHECK(text.starts_with("Delivered-To: list@host.example\r\nReceived: by host.example ("));
    CHECK(text.ends_with(content));
}

TEST_CASE("a list with an owner has its own sender", "[local-delivery]")
{
    Town town("list: far@away.example\nowner-list: boss@away.example\n");
    CHECK(town.send("list@host.example").action == "relayed");
    auto message = town.queue_manager.message("NEW1");
    CHECK(message.envelope.sender == "owner-list@host.example");
    CHECK(message.envelope.attribute("envid").empty());
    CHECK(message.envelope.recipients[0].notify == 0);
}

TEST_CASE("a copy that can't be kept is tried again, one that went around too often is not", "[local-delivery]")
{
    Town town("list: far@away.example\n", "hopcount_limit = 3\n");
    town.queue_manager.full = true;
    auto outcome = town.send("list@host.example");
    CHECK(outcome.status == spool::Outcome::deferred);
    CHECK(outcome.text == "unable to forward message: Insufficient system storage");
    town.queue_manager.full = false;
    std::string hops;
    for (int i = 0; i < 5; ++i) hops += "Received: by y\r\n";
    std::ofstream(town.folder.path + "/queue-file") << hops << content;
    outcome = town.send("list@host.example");
    CHECK(outcome.status == spool::Outcome::bounced);
    CHECK(outcome.dsn == "5.4.0");
    CHECK(town.queue_manager.committed.empty());
    CHECK(town.queue_manager.abandoned.size() == 1);
}

TEST_CASE("nothing is sent on while something has to be tried again", "[local-delivery]")
{
    Town town("both: far@away.example, |\"exit 75\", ");
    auto outcome = town.send("both@host.example");
    CHECK(outcome.status == spool::Outcome::deferred);
    CHECK(outcome.text == "temporary failure");
    CHECK(town.queue_manager.committed.empty());
}

TEST_CASE("a user of a list whose mailbox fails for now gets mail of his own", "[local-delivery]")
{
    Town town("", "mail_spool_directory = /dev/null/\n");
    std::ofstream(town.folder.path + "/aliases") << "list: " << town.me << ", " << town.folder.path << "/box\n";
    Town other("list: " + town.me + ", " + town.folder.path + "/box\n", "mail_spool_directory = /dev/null/\n");
    auto outcome = other.send("list@host.example");
    CHECK(outcome.status == spool::Outcome::handed_on);
    REQUIRE(other.queue_manager.committed.size() == 1);
    CHECK(other.queue_manager.message("NEW1").envelope.recipients[0].address == town.me + "@host.example");
    CHECK(base::exists(town.folder.path + "/box"));
}

TEST_CASE("a .forward file leads on, and keeps a copy", "[local-delivery]")
{
    Town town("");
    std::ofstream(town.folder.path + "/forward." + town.me) << "\\" << town.me << ", far@away.example\n";
    auto outcome = town.send(town.me + "@host.example");
    CHECK(outcome.status == spool::Outcome::handed_on);
    CHECK(town.mail("mail/" + town.me).size() == 1);
    CHECK(town.queue_manager.committed.size() == 1);
}

TEST_CASE("virtual mailboxes", "[local-delivery]")
{
    auto me = std::to_string(::geteuid()), group = std::to_string(::getegid());
    Town town("", "virtual_mailbox_domains = v.example\nvirtual_mailbox_maps = inline:{ a@v.example=a/, b@v.example=b.mbox, "
                  "up@v.example=../up/, low@v.example=low/, @w.example=all/ }\nvirtual_mailbox_base = /tmp\n"
                  "virtual_uid_maps = inline:{ a@v.example=" + me + ", b@v.example=" + me + ", up@v.example=" + me + ", low@v.example=x, @w.example=" + me +
                  " }\nvirtual_gid_maps = static:" + (group == "0" ? "1" : group) + "\nvirtual_minimum_uid = 1\n");
    town.config.virtual_mailbox_base = town.folder.path;
    town.config.virtual_minimum_uid = 0;
    CHECK(town.send("a@v.example", true).text == "delivered to maildir");
    CHECK(town.mail("a").size() == 1);
    CHECK(town.send("b@v.example", true).text == "delivered to mailbox");
    CHECK(town.send("any@w.example", true).text == "delivered to maildir");
    CHECK(town.send("c@v.example", true).dsn == "5.1.1");
    CHECK(town.send("up@v.example", true).dsn == "4.3.5");
    CHECK(town.send("low@v.example", true).dsn == "4.3.5");
}
