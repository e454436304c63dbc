#include "sendmail_address_test.h"

#include "explain.h"

#include "async/loop.h"
#include "async/nursery.h"
#include "base/text.h"
#include "dns/resolver.h"
#include "mail/address.h"
#include "maps/map.h"

#include <sysexits.h>

#include <cstdio>
#include <iostream>

namespace sendmail {
namespace {

using Words = std::vector<std::string_view>;

struct Session {
    const config::Config& config;
    commands::Explainer explainer;
    std::string sender;
};

void say(const std::string& text) { std::fputs(text.c_str(), stdout); }

void explain(Session& s, std::string_view text)
{
    auto addresses = mail::mailboxes(text);
    if (addresses.empty()) say(base::printable(text, 200) + ": no address\n");
    for (const auto& address : addresses) say(s.explainer.explain(address, s.sender).text);
}

std::string rest_of(std::string_view line)
{
    size_t space = line.find_first_of(" \t");
    return std::string(space == line.npos ? "" : base::trim(line.substr(space)));
}

void parse(Session& s, std::string_view line) { explain(s, rest_of(line)); }
// /try mailer address: the mailer has no rules of its own here.
void try_mailer(Session& s, std::string_view line) { explain(s, rest_of(rest_of(line))); }

void look_up(Session&, std::string_view line)
{
    auto words = base::split(line);
    if (words.size() < 3) return say("Usage: /map type:table key\n");
    auto found = maps::open(std::string(words[1]))->find(words[2]);
    say(found ? fmt::format("map_lookup: {} ({}) returns {} (0)\n", words[1], words[2], *found) : fmt::format("map_lookup: {} ({}) no match (68)\n", words[1], words[2]));
}

async::Task<> ask_mx(dns::Resolver& resolver, std::string host)
{
    auto answer = co_await resolver.mx(host);
    say(fmt::format("getmxrr({}) returns {} value(s):\n", host, answer.records.size()));
    for (const auto& mx : answer.records) say(fmt::format("\t{} {}\n", mx.preference, mx.host));
    async::loop().stop();
}

void mx(Session&, std::string_view line)
{
    dns::Resolver resolver;
    async::Nursery nursery("address test");
    nursery.start(ask_mx(resolver, rest_of(line)));
    if (nursery.size() > 0) async::loop().run();
}

void canonical_host(Session& s, std::string_view line)
{
    std::string host = rest_of(line);
    say(fmt::format("getcanonname({}) returns {}\n", host, mail::split_address(s.explainer.rewritten_sender("x@" + host)).domain));
}

struct Verb {
    std::string_view name;
    void (*run)(Session&, std::string_view line);
};
constexpr Verb verbs[] = {{"/parse", parse}, {"/try", try_mailer}, {"/map", look_up}, {"/mx", mx}, {"/canon", canonical_host}};

// $=w and =S-like questions: the class of our own domains. $m, $j: macros.
bool answer_macro(Session& s, std::string_view line)
{
    if (line == "$=w" || line == "$=m") {
        for (const auto& domain : s.config.mydestination) say(domain + "\n");
    } else if (line == "$j" || line == "$w") {
        say(s.config.myhostname + "\n");
    } else if (line == "$m") {
        say(s.config.mydomain + "\n");
    } else if (line.starts_with('$') || line.starts_with('=') || line.starts_with('.') || line.starts_with('-')) {
        say("Undefined\n");
    } else {
        return false;
    }
    return true;
}

// False: no more questions.
bool answer(Session& s, std::string_view line)
{
    if (line.empty() || line[0] == '#' || answer_macro(s, line)) return true;
    if (line == "/quit" || line == "\x04") return false;
    if (line[0] == '/') {
        std::string_view name = line.substr(0, line.find_first_of(" \t"));
        for (const Verb& verb : verbs)
            if (verb.name == name) {
                verb.run(s, line);
                return true;
            }
        say(fmt::format("Unknown \"/\" command {}\n", base::printable(line, 200)));
        return true;
    }
    if (line == "?") {
        say("rulesets address | /parse address | /try mailer address | /mx host | /canon host | /map type:table key | $m | $=w | /quit\n");
        return true;
    }
    // "3,0 user@host": all rule sets are one here.
    bool rulesets = line.find_first_not_of("0123456789, \t") > line.find_first_of(" \t");
    explain(s, rulesets ? rest_of(line) : std::string(line));
    return true;
}

} // namespace

int test_addresses(const config::Config& config, const std::vector<std::string>& recipients, const std::string& sender)
{
    Session s{config, commands::Explainer(config), sender};
    for (const auto& address : recipients) explain(s, address);
    if (!recipients.empty()) return EX_OK;
    say("ADDRESS TEST MODE (ruleset 3 NOT automatically invoked)\nEnter <ruleset> <address>\n> ");
    std::string line;
    while (std::getline(std::cin, line)) {
        try {
            if (!answer(s, base::trim(line))) return EX_OK;
        } catch (const maps::Unavailable& trouble) {
            say(std::string(trouble.what()) + "\n");
        }
        say("> ");
    }
    say("\n");
    return EX_OK;
}

} // namespace sendmail
