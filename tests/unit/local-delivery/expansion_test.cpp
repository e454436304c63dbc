// Aliases, .forward files and lists, followed to their ends over tables in memory.
#include "catch.h"

#include "world.h"

TEST_CASE("users and aliases expand as Postfix does", "[local-delivery]")
{
    FakeWorld world;
    world.users = {"anna", "bob", "carl", "loop", "root", "self", "slash", "ext", "cmd", "other"};
    world.aliases = {{"office", "anna, bob"},
                     {"nested", "office, carl, far@away.example"},
                     {"twice", "office, nested, anna"},
                     {"a", "b"},
                     {"b", "a, anna"},
                     {"carl", "carl, far@away.example"},
                     {"list", "anna, far@away.example, away2@away.example"},
                     {"owner-list", "bob"},
                     {"prog", "|\"/bin/cat -u\", \"|exit 3\""},
                     {"archive", "/var/archive/, /var/one.mbox"},
                     {"direct", "\\anna"},
                     {"lists", ":include:/lists/all"},
                     {"broken", ":include:relative"},
                     {"absent", ":include:/lists/none"},
                     {"nobody-there", "unknown-user"},
                     {"x+y", "anna"}};
    world.includes = {{"/lists/all", "anna\nfar@away.example\n# comment\n|cmd\n"}};
    world.forwards = {{"/home/self/.forward", "self, far@away.example"},
                      {"/home/slash/.forward", "\\slash\n\"|vacation slash\"\n"},
                      {"/home/other/.forward", "anna"},
                      {"/home/cmd/.forward", "|run this, /home/cmd/box"},
                      {"/home/ext/.forward+work", "work@away.example"},
                      {"/home/ext/.forward", "home@away.example"}};
    auto config = test_config("recipient_delimiter = +\n");

    struct Case {
        const char *recipient, *leaves;
    };
    const Case cases[] = {
        {"anna@host.example", "{2.0.0 delivered to maildir}"},
        {"ANNA@host.example", "{2.0.0 delivered to maildir}"},
        {"anna+shop@host.example", "{2.0.0 delivered to maildir}"},
        {"office@host.example", "mailbox:anna mailbox:bob"},
        {"nested@host.example", "mailbox:anna mailbox:bob mailbox:carl forward:far@away.example"},
        {"twice@host.example", "mailbox:anna mailbox:bob mailbox:carl forward:far@away.example"},
        {"a@host.example", "{5.4.6 mail forwarding loop for a@host.example} mailbox:anna"},
        {"carl@host.example", "mailbox:carl forward:far@away.example"},
        {"list@host.example", "forward:anna@host.example(owner-list@host.example) forward:far@away.example(owner-list@host.example) "
                              "forward:away2@away.example(owner-list@host.example)"},
        {"owner-list@host.example", "mailbox:bob"},
        {"prog@host.example", "command:/bin/cat -u command:exit 3"},
        {"archive@host.example", "file:/var/archive/ file:/var/one.mbox"},
        {"direct@host.example", "mailbox:anna"},
        {"lists@host.example", "forward:anna@host.example forward:far@away.example {5.7.1 mail to command is restricted}"},
        {"broken@host.example", "{5.2.0 mail to :include:relative: an absolute file name is expected}"},
        {"absent@host.example", "{5.2.0 cannot open include file /lists/none}"},
        {"nobody-there@host.example", "{5.1.1 unknown user: \"unknown-user\"}"},
        {"x+y@host.example", "mailbox:anna"},
        {"x+z@host.example", "{5.1.1 unknown user: \"x\"}"},
        {"nobody@host.example", "{5.1.1 unknown user: \"nobody\"}"},
        {"postmaster@host.example", "{2.0.0 discarded}"},
        {"self@host.example", "mailbox:self forward:far@away.example"},
        {"slash@host.example", "mailbox:slash command:vacation slash[slash]"},
        {"other@host.example", "forward:anna@host.example"},
        {"cmd@host.example", "command:run this[cmd] file:/home/cmd/box[cmd]"},
        {"ext+work@host.example", "forward:work@away.example"},
        {"ext+play@host.example", "forward:home@away.example"},
        {"ext@host.example", "forward:home@away.example"},
        {"\\anna@host.example", "mailbox:anna"},
        {"@host.example", "{5.1.1 unknown user: \"\"}"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.recipient);
        CHECK(expand(world, config, each.recipient) == each.leaves);
    }
}

TEST_CASE("a message that was here before is in a loop", "[local-delivery]")
{
    FakeWorld world;
    world.users = {"anna"};
    world.aliases = {{"list", "anna"}};
    auto config = test_config();
    world.delivered_to = {"list@host.example"};
    CHECK(expand(world, config, "list@host.example") == "{5.4.6 mail forwarding loop for list@host.example}");
    world.delivered_to = {"anna@host.example"};
    CHECK(expand(world, config, "list@host.example") == "{5.4.6 mail forwarding loop for anna@host.example}");
}

TEST_CASE("nothing is delivered while a table is down", "[local-delivery]")
{
    FakeWorld world;
    world.users = {"anna"};
    world.aliases = {{"list", "anna, bob"}};
    world.unreadable = {"bob"};
    CHECK(expand(world, test_config(), "list@host.example") == "mailbox:anna {4.3.0 table is down}");
}

TEST_CASE("rights come from who wrote the line", "[local-delivery]")
{
    FakeWorld world;
    world.users = {"anna", "bob", "root"};
    world.aliases = {{"theirs", "|cmd"}, {"roots", ":include:/lists/annas"}, {"gone", "|cmd"}};
    world.includes = {{"/lists/annas", "|cmd"}};
    world.alias_owners = {{"theirs", world.person("bob").uid}, {"gone", 9999}};
    world.include_owners = {{"/lists/annas", world.person("anna").uid}};
    world.forwards = {{"/home/root/.forward", "|cmd"}};
    auto config = test_config("allow_mail_to_commands = alias, forward, include\n");
    CHECK(expand(world, config, "theirs@host.example") == "command:cmd[bob]");
    CHECK(expand(world, config, "roots@host.example") == "command:cmd[anna]");
    CHECK(expand(world, config, "root@host.example") == "command:cmd");
    CHECK(expand(world, config, "gone@host.example") == "{4.3.0 cannot find the owner of the alias database of gone}");
}

TEST_CASE("parameters of the expansion are obeyed", "[local-delivery]")
{
    FakeWorld world;
    world.users = {"anna", "bob"};
    world.aliases = {{"list", "anna, |cmd, /file"}, {"owner-list", "boss@away.example"}, {"to", "far@away.example"}};
    world.forwards = {{"/home/bob/.forward", "far@away.example"}};
    auto run = [&](const std::string& parameters, const std::string& recipient) { return expand(world, test_config(parameters), recipient); };
    CHECK(run("allow_mail_to_commands =\nallow_mail_to_files = forward\nowner_request_special = no\n", "list@host.example") ==
          "mailbox:anna {5.7.1 mail to command is restricted} {5.7.1 mail to file is restricted}");
    CHECK(run("expand_owner_alias = yes\n", "list@host.example") == "forward:anna@host.example(boss@away.example) command:cmd file:/file");
    CHECK(run("luser_relay = anna\n", "who@host.example") == "mailbox:anna");
    CHECK(run("luser_relay = unknown+${user}@away.example\n", "wh$o@host.example") == "forward:unknown+wh$o@away.example");
    CHECK(run("luser_relay = who\n", "whom@host.example") == "{5.1.1 unknown user: \"who\"}");
    std::string propagate = "recipient_delimiter = +\npropagate_unmatched_extensions = alias, forward\n";
    CHECK(run(propagate, "to+ext@host.example") == "forward:far+ext@away.example");
    CHECK(run(propagate, "bob+ext@host.example") == "forward:far+ext@away.example");
    world.transport = "lmtp:unix:x";
    CHECK(run("", "anna@host.example") == "transport:lmtp:unix:x");
    CHECK(run("", "who@host.example") == "transport:lmtp:unix:x");
    world.transport.clear();
    world.fallback = "smtp:else";
    CHECK(run("", "who@host.example") == "transport:smtp:else");
}

TEST_CASE("long chains and self-made mazes come to an end", "[local-delivery]")
{
    FakeWorld world;
    world.users = {"anna"};
    for (int i = 0; i < 300; ++i) world.aliases["n" + std::to_string(i)] = "n" + std::to_string(i + 1);
    CHECK(expand(world, test_config(), "n0@host.example") == "{5.4.6 mail forwarding loop for n101@host.example}");
    world.includes = {{"/self", ":include:/self, anna"}};
    world.aliases = {{"maze", ":include:/self"}};
    CHECK(expand(world, test_config(), "maze@host.example") == "forward:anna@host.example");
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "user" + std::to_string(i) + "@away.example, ";
    world.aliases = {{"big", many}};
    auto config = test_config();
    Expansion big(world, config);
    auto task = big.run("big@host.example", "s@x");
    task.start();
    REQUIRE(task.done());
    CHECK(task.take().size() == 5000);
}

TEST_CASE("the outcome of a recipient is that of its worst branch", "[local-delivery]")
{
    std::vector<Leaf> leaves(3);
    for (Leaf& leaf : leaves) leaf.report = delivered("done");
    CHECK(decisive(leaves)->report.text == "done");
    leaves[1].report = bounced("5.1.1", "nobody");
    CHECK(decisive(leaves)->report.text == "nobody");
    leaves[2].report = deferred("4.2.0", "later");
    CHECK(decisive(leaves)->report.text == "later");
    CHECK(decisive({}) == nullptr);
}
