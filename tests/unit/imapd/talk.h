// talk: a mail program in a test: a session over a socket pair, with a Maildir in a folder of its own.
#pragma once

#include "async/nursery.h"
#include "base/clock.h"
#include "session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

// A home with an empty Maildir.
class Home {
public:
    Home()
    {
        char name[] = "/tmp/imapd_test.XXXXXX";
        if (!::mkdtemp(name)) throw base::SystemError("mkdtemp");
        path_ = name;
    }
    ~Home()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Home(const Home&) = delete;
    const std::string& path() const { return path_; }
    std::string maildir() const { return path_ + "/Maildir"; }

    // Files below new, cur and tmp of a folder.
    size_t files(const std::string& folder = "") const
    {
        size_t count = 0;
        for (const char* part : {"/new", "/cur", "/tmp"})
            for (const auto& file : std::filesystem::directory_iterator(maildir() + folder + part))
                count += file.is_regular_file();
        return count;
    }
    void deliver(const std::string& bytes, const std::string& folder = "") const
    {
        static int number = 0;
        std::string name = "/170000000" + std::to_string(++number) + ".M1P1.test";
        std::ofstream(maildir() + folder + "/tmp" + name, std::ios::binary) << bytes;
        std::filesystem::rename(maildir() + folder + "/tmp" + name, maildir() + folder + "/new" + name);
    }

private:
    std::string path_;
};

inline imapd::Settings& test_settings()
{
    static imapd::Settings settings = [] {
        imapd::Settings made;
        made.message_size_limit = 1'000'000;
        return made;
    }();
    return settings;
}

class Talk {
public:
    explicit Talk(const Home& home, const imapd::Settings& settings = test_settings())
    {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) throw base::SystemError("socketpair");
        mine_ = base::Fd(pair[0]);
        base::set_nonblocking(pair[0]);
        login::Session owner;
        owner.user = "anna";
        owner.home = home.path();
        owner.mail_location = "maildir:~/Maildir";
        owner.tag = "login";
        base::Fd theirs(pair[1]);
        net::Stream stream(std::move(theirs), net::Address());
        nursery_.start(imapd::serve(std::move(stream), std::move(owner), settings));
    }

    void send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            ssize_t put = ::send(mine_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (put > 0) bytes.remove_prefix(static_cast<size_t>(put));
            if (put < 0 && errno == EPIPE) return;
            if (put < 0 && errno != EAGAIN) throw base::SystemError("send");
            if (!bytes.empty()) turn();
        }
    }

    // What the server says up to and with the line that begins like this.
    std::string until(std::string_view line_start)
    {
        base::Steady give_up = base::steady_now() + std::chrono::seconds(20);
        while (true) {
            for (size_t at = 0; at < heard_.size();) {
                size_t end = heard_.find('\n', at);
                if (end == std::string::npos) break;
                if (std::string_view(heard_).substr(at).starts_with(line_start)) {
                    std::string said = heard_.substr(0, end + 1);
                    heard_.erase(0, end + 1);
                    return said;
                }
                at = end + 1;
            }
            if (ended_ || base::steady_now() > give_up)
                throw std::runtime_error("expected " + std::string(line_start) + ", heard: " + heard_);
            turn();
        }
    }

    // Sends a command under a new tag; gives all up to its tagged line, where "x" stands for the tag.
    std::string command(std::string_view text)
    {
        std::string tag = "t" + std::to_string(++tags_);
        send(tag + " " + std::string(text) + "\r\n");
        std::string said = until(tag + " ");
        size_t last = said.rfind('\n', said.size() - 2);
        size_t at = last == std::string::npos ? 0 : last + 1;
        return said.replace(at, tag.size(), "x");
    }

    // All until the server closes.
    std::string rest()
    {
        base::Steady give_up = base::steady_now() + std::chrono::seconds(20);
        while (!ended_ && base::steady_now() < give_up) turn();
        return std::exchange(heard_, {});
    }

    void hang_up()
    {
        mine_.reset();
        ended_ = true;
        base::Steady give_up = base::steady_now() + std::chrono::seconds(20);
        while (nursery_.size() > 0 && base::steady_now() < give_up) async::loop().run_once(async::Limit(10));
    }

    // What was heard and not looked at yet, as it came.
    std::string take() { return std::exchange(heard_, {}); }

    bool over() const { return nursery_.size() == 0; }
    int fd() const { return mine_.get(); }
    size_t heard_so_far() const { return heard_.size(); }

    void turn()
    {
        async::loop().run_once(async::Limit(2));
        char bytes[8192];
        ssize_t got;
        while ((got = ::recv(mine_.get(), bytes, sizeof bytes, 0)) > 0) heard_.append(bytes, static_cast<size_t>(got));
        if (got == 0) ended_ = true;
    }

private:
    base::Fd mine_;
    std::string heard_;
    bool ended_ = false;
    int tags_ = 0;
    async::Nursery nursery_{"session"};
};

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// "APPEND INBOX (\Seen) {n+}…" of a message.
inline std::string append_of(std::string_view message, std::string_view before = "INBOX")
{
    return "APPEND " + std::string(before) + " {" + std::to_string(message.size()) + "+}\r\n" + std::string(message);
}
