#include "thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace imapd {

namespace {

constexpr size_t none = ThreadNode::none;

class Weaver {
public:
    explicit Weaver(const std::vector<Headline>& lines) : lines_(lines) {}

    // RFC 5256 3 REFERENCES, steps 1 to 6.
    Threads references(bool by_newest)
    {
        for (size_t i = 0; i < lines_.size(); ++i) place(i);
        prune();
        dates_of_all(by_newest);
        if (!by_newest) {
            sort_nodes(threads_.roots);
            merge_subjects();
            collect_roots();
            dates_of_all(false);
        }
        for (auto& node : threads_.nodes) sort_nodes(node.children);
        sort_nodes(threads_.roots);
        return std::move(threads_);
    }

    // RFC 5256 3 ORDEREDSUBJECT: the first of a subject has all others below it.
    Threads ordered_subject()
    {
        std::vector<size_t> order(lines_.size());
        for (size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [this](size_t a, size_t b) {
            return std::tie(lines_[a].sent, a) < std::tie(lines_[b].sent, b);
        });
        std::unordered_map<std::string_view, size_t> first;
        for (size_t index : order) {
            size_t node = add_node(index);
            auto [entry, is_first] = first.emplace(lines_[index].subject, node);
            if (is_first)
                threads_.roots.push_back(node);
            else
                link(entry->second, node);
        }
        return std::move(threads_);
    }

private:
    std::vector<ThreadNode>& nodes() { return threads_.nodes; }

    size_t add_node(size_t message)
    {
        nodes().push_back({message, none, {}});
        return nodes().size() - 1;
    }

    void link(size_t parent, size_t child)
    {
        nodes()[child].parent = parent;
        nodes()[parent].children.push_back(child);
    }

    void unlink(size_t child)
    {
        size_t parent = std::exchange(nodes()[child].parent, none);
        if (parent != none) std::erase(nodes()[parent].children, child);
    }

    // Whether node lies above other, or is it. What has no children lies above nothing.
    bool is_above(size_t node, size_t other)
    {
        if (node == other) return true;
        if (nodes()[node].children.empty()) return false;
        for (size_t up = nodes()[other].parent; up != none; up = nodes()[up].parent)
            if (up == node) return true;
        return false;
    }

    size_t node_of_id(const std::string& id)
    {
        auto [entry, is_new] = by_id_.emplace(id, none);
        if (is_new) entry->second = add_node(none);
        return entry->second;
    }

    // Step 1: the message's own node, and a chain of its references above it.
    void place(size_t index)
    {
        const Headline& line = lines_[index];
        size_t mine = none;
        if (!line.message_id.empty()) mine = node_of_id(line.message_id);
        // No id, or one that another message has already: a node of its own.
        if (mine == none || nodes()[mine].message != none)
            mine = add_node(index);
        else
            nodes()[mine].message = index;
        size_t above = none;
        for (const std::string& id : line.references) {
            size_t node = node_of_id(id);
            if (node == mine) continue;
            if (above != none && nodes()[node].parent == none && !is_above(node, above)) link(above, node);
            above = node;
        }
        if (above == none || is_above(mine, above)) {
            if (above == none && nodes()[mine].parent != none) unlink(mine);
            return;
        }
        if (nodes()[mine].parent == above) return;
        unlink(mine);
        link(above, mine);
    }

    // Step 3: places without a message go, and what was below them moves up; at the top only where it is one.
    void prune()
    {
        std::vector<size_t> order = top_down();
        for (auto node = order.rbegin(); node != order.rend(); ++node) prune_children(*node);
        collect_roots();
        for (size_t& root : threads_.roots) {
            if (nodes()[root].message != none || nodes()[root].children.size() != 1) continue;
            size_t child = nodes()[root].children.front();
            nodes()[root].children.clear();
            nodes()[child].parent = none;
            root = child;
        }
    }

    void collect_roots()
    {
        threads_.roots.clear();
        for (size_t i = 0; i < nodes().size(); ++i)
            if (nodes()[i].parent == none && !dropped(i)) threads_.roots.push_back(i);
    }

    bool dropped(size_t node) { return nodes()[node].message == none && nodes()[node].children.empty(); }

    void prune_children(size_t node)
    {
        std::vector<size_t> kept;
        for (size_t child : nodes()[node].children) {
            if (nodes()[child].message != none) {
                kept.push_back(child);
                continue;
            }
            for (size_t grandchild : std::exchange(nodes()[child].children, {})) {
                nodes()[grandchild].parent = node;
                kept.push_back(grandchild);
            }
        }
        nodes()[node].children = std::move(kept);
    }

    // Every node before those below it. A chain of replies may be long: no recursion.
    std::vector<size_t> top_down()
    {
        std::vector<size_t> order;
        order.reserve(nodes().size());
        for (size_t i = 0; i < nodes().size(); ++i)
            if (nodes()[i].parent == none) order.push_back(i);
        for (size_t at = 0; at < order.size(); ++at)
            order.insert(order.end(), nodes()[order[at]].children.begin(), nodes()[order[at]].children.end());
        return order;
    }

    // The date by which a node is sorted: its message's, where there is none that of its first child; or the newest in it.
    void dates_of_all(bool newest)
    {
        dates_.assign(nodes().size(), {});
        std::vector<size_t> order = top_down();
        for (auto node = order.rbegin(); node != order.rend(); ++node) {
            const ThreadNode& it = nodes()[*node];
            bool has_date = it.message != none;
            if (has_date) dates_[*node] = {lines_[it.message].sent, it.message};
            for (size_t child : it.children) {
                Date date = dates_[child];
                if (!has_date || (newest && dates_[*node] < date) || (!newest && it.message == none && date < dates_[*node]))
                    dates_[*node] = date;
                has_date = true;
            }
        }
    }

    void sort_nodes(std::vector<size_t>& list)
    {
        std::sort(list.begin(), list.end(), [this](size_t a, size_t b) { return dates_[a] < dates_[b]; });
    }

    const Headline* headline_of_root(size_t root)
    {
        const ThreadNode& node = nodes()[root];
        size_t message = node.message;
        if (message == none && !node.children.empty()) {
            size_t first = *std::min_element(node.children.begin(), node.children.end(),
                                             [this](size_t a, size_t b) { return dates_[a] < dates_[b]; });
            message = nodes()[first].message;
        }
        return message == none ? nullptr : &lines_[message];
    }

    // Step 5: threads of one subject are one thread.
    void merge_subjects()
    {
        std::map<std::string_view, size_t> table;
        for (size_t root : threads_.roots) {
            const Headline* line = headline_of_root(root);
            if (!line || line->subject.empty()) continue;
            auto [entry, is_new] = table.emplace(line->subject, root);
            if (is_new) continue;
            size_t there = entry->second;
            bool there_is_message = nodes()[there].message != none, is_message = nodes()[root].message != none;
            bool replaces = there_is_message && (!is_message || (headline_of_root(there)->reply_or_forward && !line->reply_or_forward));
            if (replaces) entry->second = root;
        }
        for (size_t root : threads_.roots) {
            const Headline* line = headline_of_root(root);
            if (!line || line->subject.empty()) continue;
            size_t& there = table[line->subject];
            if (there != root) merge(there, root);
        }
    }

    void merge(size_t& there, size_t root)
    {
        bool there_is_message = nodes()[there].message != none, is_message = nodes()[root].message != none;
        if (!there_is_message && !is_message) {
            for (size_t child : std::exchange(nodes()[root].children, {})) link(there, child);
            return;
        }
        bool is_reply = is_message && lines_[nodes()[root].message].reply_or_forward;
        bool there_is_reply = there_is_message && lines_[nodes()[there].message].reply_or_forward;
        if (!there_is_message || (is_reply && !there_is_reply)) {
            link(there, root);
            return;
        }
        // Both stand beside each other, below a place for the message that is not there.
        size_t above = add_node(none);
        dates_.push_back(std::min(dates_[there], dates_[root]));
        link(above, there);
        link(above, root);
        there = above;
    }

    using Date = std::pair<int64_t, size_t>; // and the place in the mailbox
    const std::vector<Headline>& lines_;
    Threads threads_;
    std::unordered_map<std::string, size_t> by_id_;
    std::vector<Date> dates_;
};

} // namespace

Threads make_threads(const std::vector<Headline>& lines, ThreadAlgorithm algorithm)
{
    Weaver weaver(lines);
    if (algorithm == ThreadAlgorithm::ordered_subject) return weaver.ordered_subject();
    return weaver.references(algorithm == ThreadAlgorithm::refs);
}

std::string threads_text(const Threads& threads, const std::function<uint32_t(size_t)>& number)
{
    std::string text;
    std::vector<size_t> left(threads.roots.rbegin(), threads.roots.rend()); // none stands for ')'
    while (!left.empty()) {
        size_t at = left.back();
        left.pop_back();
        if (at == none) {
            text += ')';
            continue;
        }
        text += '(';
        bool first = true;
        while (true) {
            const ThreadNode& node = threads.nodes[at];
            if (node.message != none) text += fmt::format("{}{}", std::exchange(first, false) ? "" : " ", number(node.message));
            if (node.children.size() != 1) break;
            at = node.children.front();
        }
        const auto& children = threads.nodes[at].children;
        if (!children.empty() && !first) text += ' ';
        left.push_back(none);
        left.insert(left.end(), children.rbegin(), children.rend());
    }
    return text;
}

} // namespace imapd
