#include "master/commands/rookpost_pw.h"

#include "base/text.h"
#include "passwords/schemes.h"
#include "sasl/secret.h"

#include <fmt/format.h>

#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

namespace rookpost {
namespace {

struct Options {
    std::string scheme = "CRYPT";
    std::optional<sasl::Secret> password;
    std::string stored; // to be tested
    unsigned rounds = 0;
    bool verify = false;
    bool list = false;
};

int fail(int status, const std::string& text)
{
    fmt::print(stderr, "rookpost pw: {}\n", text);
    return status;
}

std::optional<Options> read_options(int argc, char** argv)
{
    Options options;
    optind = 0; // begins anew
    for (int letter; (letter = ::getopt(argc, argv, "lp:r:s:t:u:V")) != -1;) {
        if (letter == 'l') options.list = true;
        if (letter == 'p') options.password.emplace(std::string(optarg));
        if (letter == 's') options.scheme = optarg;
        if (letter == 't') options.stored = optarg;
        if (letter == 'V') options.verify = true;
        if (letter == '?') return std::nullopt;
        if (letter != 'r') continue;
        auto rounds = base::number<unsigned>(optarg);
        if (!rounds) return std::nullopt;
        options.rounds = *rounds;
    }
    if (optind != argc) return std::nullopt;
    return options;
}

// A line of standard input, unseen if it is a terminal.
sasl::Secret ask(const char* question)
{
    termios usual{};
    bool terminal = ::tcgetattr(STDIN_FILENO, &usual) == 0;
    if (terminal) {
        std::fputs(question, stderr);
        termios silent = usual;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    sasl::Secret answer;
    for (int c; (c = std::getchar()) != EOF && c != '\n';) answer.text() += static_cast<char>(c);
    if (terminal) {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
        std::fputs("\n", stderr);
    }
    return answer;
}

int test(const Options& options)
{
    if (passwords::check_password(options.password->view(), options.stored) != passwords::Match::yes)
        return fail(1, "reverse password verification check failed: Password mismatch");
    fmt::print("{} (verified)\n", options.stored);
    return EX_OK;
}

} // namespace

int pw(int argc, char** argv)
{
    auto options = read_options(argc, argv);
    if (!options) return fail(EX_USAGE, "usage: rookpost pw [-l] [-p password] [-r rounds] [-s scheme] [-t hash] [-u user] [-V]");
    if (options->list) {
        std::string words;
        for (auto name : passwords::scheme_names()) words += (words.empty() ? "" : " ") + std::string(name);
        fmt::print("{}\n", words);
        return EX_OK;
    }
    if (!options->password) {
        options->password = ask(options->stored.empty() ? "Enter new password: " : "Enter password to verify: ");
        bool twice = options->stored.empty() && ::isatty(STDIN_FILENO);
        if (twice && ask("Retype new password: ").view() != options->password->view()) return fail(1, "Passwords don't match!");
    }
    if (!options->stored.empty()) return test(*options);
    auto made = passwords::make_password(options->scheme, options->password->view(), options->rounds);
    if (!made) return fail(1, fmt::format("cannot make a password of scheme {}; \"rookpost pw -l\" lists the schemes", base::printable(options->scheme, 80)));
    options->stored = *made;
    if (options->verify) return test(*options);
    fmt::print("{}\n", *made);
    return EX_OK;
}

} // namespace rookpost
