// command: gives a message to a program that somebody named in an alias, a .forward file or mailbox_command.
#pragma once

#include "async/child.h"
#include "async/task.h"
#include "order.h"

#include <optional>
#include <string>
#include <vector>

namespace config {
class Config;
}

namespace local_delivery {

// Order::command. The program reads the message at its standard input, with LF ends and a "From " line; what it writes becomes part of
// the report. It and whatever it started are killed at command_time_limit, and when the task is destroyed.
async::Task<Report> run_command(const Order& order, const config::Config& config);

// How a program ended, before anybody judges it.
struct Ended {
    std::optional<Report> trouble;      // it could not be given the whole message
    bool in_time = true;
    async::ExitStatus status;
    std::string output;                 // one line
};
// The same without a look at Delivered-To.
async::Task<Ended> run_program(const Order& order, const config::Config& config);

// The words to execute: those of the command itself when no shell is needed, else of the shell.
std::vector<std::string> command_words(const std::string& command, const std::string& local_command_shell);

} // namespace local_delivery
