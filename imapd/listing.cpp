#include "listing.h"

#include "base/text.h"
#include "folder_pattern.h"
#include "store/names.h"

#include <algorithm>
#include <set>

namespace imapd {

namespace {

constexpr size_t pattern_limit = 50;

void read_selection(Arguments& arguments, ListRequest& request)
{
    request.extended = true;
    bool first = true;
    while (!arguments.skip(')')) {
        if (!std::exchange(first, false)) arguments.space();
        if (arguments.skip_keyword("SUBSCRIBED"))
            request.only_subscribed = true;
        else if (arguments.skip_keyword("RECURSIVEMATCH"))
            request.recursive = true;
        else if (arguments.skip_keyword("SPECIAL-USE"))
            request.only_special = true;
        else if (!arguments.skip_keyword("REMOTE")) // there are none
            throw Bad("Unknown LIST selection option");
    }
    // RFC 5258 3: it modifies others, and may not stand alone.
    if (request.recursive && !request.only_subscribed) throw Bad("RECURSIVEMATCH needs SUBSCRIBED");
}

void read_return(Arguments& arguments, ListRequest& request)
{
    request.extended = true;
    arguments.expect('(');
    bool first = true;
    while (!arguments.skip(')')) {
        if (!std::exchange(first, false)) arguments.space();
        if (arguments.skip_keyword("SUBSCRIBED"))
            request.tell_subscribed = true;
        else if (arguments.skip_keyword("STATUS")) {
            arguments.space();
            request.status = parse_status_items(arguments);
        } else if (!arguments.skip_keyword("CHILDREN") && !arguments.skip_keyword("SPECIAL-USE")) // always told
            throw Bad("Unknown LIST return option");
    }
}

void read_patterns(Arguments& arguments, ListRequest& request)
{
    if (!arguments.skip('(')) {
        request.patterns.push_back(arguments.list_mailbox());
        return;
    }
    request.extended = true;
    do {
        if (request.patterns.size() >= pattern_limit) throw Bad("Too many patterns");
        request.patterns.push_back(arguments.list_mailbox());
    } while (arguments.skip(' '));
    arguments.expect(')');
}

bool matches_any(const ListRequest& request, std::string_view name, char separator)
{
    return std::any_of(request.patterns.begin(), request.patterns.end(), [&](const std::string& pattern) {
        return matches_pattern(request.reference + pattern, name, separator);
    });
}

using Names = std::set<std::string, std::less<>>;

// All levels above the names.
Names parents_of(const std::vector<std::string>& names, char separator)
{
    Names parents;
    for (const auto& name : names)
        for (auto up = store::parent_of(name, separator); !up.empty(); up = store::parent_of(up, separator))
            parents.emplace(up);
    return parents;
}

// The use said for the folder; else the one that its name says, unless another folder was made for that.
std::string_view use_of(const std::string& name, const SpecialUses& uses)
{
    if (auto said = uses.find(name); said != uses.end()) return said->second;
    std::string_view use = special_use(name);
    bool taken = std::any_of(uses.begin(), uses.end(), [&](const auto& said) { return said.second == use; });
    return taken ? std::string_view() : use;
}

Listed describe(const store::Folder& folder, const SpecialUses& uses)
{
    Listed listed;
    listed.name = folder.name;
    listed.selectable = folder.selectable;
    if (!folder.selectable) listed.attributes.push_back("\\Noselect");
    if (!folder.may_have_children)
        listed.attributes.push_back("\\Noinferiors");
    else
        listed.attributes.push_back(folder.has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (auto use = use_of(folder.name, uses); !use.empty() && folder.selectable) listed.attributes.push_back(use);
    return listed;
}

Listed describe_missing(const std::string& name)
{
    Listed listed;
    listed.name = name;
    listed.selectable = false;
    listed.attributes.push_back("\\NonExistent");
    return listed;
}

} // namespace

// list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
ListRequest parse_list(Arguments& arguments)
{
    ListRequest request;
    arguments.space();
    if (arguments.skip('(')) {
        read_selection(arguments, request);
        arguments.space();
    }
    request.reference = arguments.mailbox();
    arguments.space();
    read_patterns(arguments, request);
    if (arguments.skip(' ')) {
        if (!arguments.skip_keyword("RETURN")) throw Bad("Expected RETURN");
        arguments.space();
        read_return(arguments, request);
    }
    arguments.end();
    return request;
}

std::string_view known_use(std::string_view use)
{
    for (std::string_view known : {"\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"})
        if (base::same_word(use, known)) return known;
    return {};
}

const SpecialUses& no_special_uses()
{
    static const SpecialUses none;
    return none;
}

std::string_view special_use(std::string_view name)
{
    static constexpr struct {
        std::string_view name, use;
    } uses[] = {{"Drafts", "\\Drafts"},   {"Sent", "\\Sent"},           {"Sent Messages", "\\Sent"},
                {"Sent Items", "\\Sent"}, {"Junk", "\\Junk"},           {"Spam", "\\Junk"},
                {"Trash", "\\Trash"},     {"Deleted Items", "\\Trash"}, {"Archive", "\\Archive"},
                {"Archives", "\\Archive"}};
    for (const auto& known : uses)
        if (base::same_word(known.name, name)) return known.use;
    return {};
}

std::vector<Listed> choose_folders(const ListRequest& request, const std::vector<store::Folder>& folders,
                                   const std::vector<std::string>& subscriptions, char separator, const SpecialUses& uses)
{
    Names subscribed(subscriptions.begin(), subscriptions.end());
    // RFC 5258 3.1: a level above is shown for what lies below it only when that is not shown itself.
    Names above_subscribed, above_hidden;
    if (request.recursive) {
        std::vector<std::string> hidden = subscriptions;
        std::erase_if(hidden, [&](const std::string& name) { return matches_any(request, name, separator); });
        above_subscribed = parents_of(subscriptions, separator);
        above_hidden = parents_of(hidden, separator);
    }
    Names existing;
    std::vector<Listed> chosen;
    auto consider = [&](Listed listed) {
        bool is_subscribed = subscribed.contains(listed.name);
        listed.has_subscribed_child = above_subscribed.contains(listed.name);
        if (request.only_subscribed && !is_subscribed && !above_hidden.contains(listed.name)) return;
        if (request.only_special && use_of(listed.name, uses).empty()) return;
        if (!matches_any(request, listed.name, separator)) return;
        if (is_subscribed && (request.only_subscribed || request.tell_subscribed))
            listed.attributes.push_back("\\Subscribed");
        chosen.push_back(std::move(listed));
    };
    for (const auto& folder : folders) {
        existing.insert(folder.name);
        consider(describe(folder, uses));
    }
    if (!request.only_subscribed) return chosen;
    // What is subscribed though it is not there, and what lies above such.
    Names missing = subscribed;
    missing.insert(above_hidden.begin(), above_hidden.end());
    for (const auto& name : missing)
        if (!existing.contains(name)) consider(describe_missing(name));
    return chosen;
}

std::vector<Listed> choose_subscribed(const ListRequest& request, const std::vector<std::string>& subscriptions,
                                      char separator)
{
    std::vector<Listed> chosen;
    Names shown;
    for (const auto& name : subscriptions) {
        if (!matches_any(request, name, separator)) continue;
        chosen.push_back({name, {}, false, true});
        shown.insert(name);
    }
    // RFC 3501 6.3.9: "%" shows a level that is not subscribed, when something below it is, as \Noselect.
    for (const auto& parent : parents_of(subscriptions, separator)) {
        if (shown.contains(parent) || !matches_any(request, parent, separator)) continue;
        bool below_hidden = std::any_of(subscriptions.begin(), subscriptions.end(), [&](const std::string& name) {
            return name.size() > parent.size() && name.starts_with(parent) && name[parent.size()] == separator &&
                   !shown.contains(name);
        });
        if (below_hidden) chosen.push_back({parent, {"\\Noselect"}, false, false});
    }
    return chosen;
}

} // namespace imapd
