#include "json_object.h"

#include "base/text.h"

namespace auth {
namespace {

constexpr int deepest = 10;

struct Malformed {};

void append_utf8(std::string& out, uint32_t code)
{
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    }
}

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    JsonObject object(int depth)
    {
        JsonObject result;
        take('{');
        if (try_take('}')) return result;
        do {
            skip_space();
            std::string name = string();
            take(':');
            if (!result.emplace(std::move(name), value(depth + 1)).second) throw Malformed();
        } while (try_take(','));
        take('}');
        return result;
    }

    void end()
    {
        skip_space();
        if (!rest_.empty()) throw Malformed();
    }

private:
    void skip_space()
    {
        while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_[0]) != std::string_view::npos) rest_.remove_prefix(1);
    }
    bool try_take(char c)
    {
        skip_space();
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void take(char c)
    {
        if (!try_take(c)) throw Malformed();
    }

    uint32_t code_unit()
    {
        auto number = rest_.size() < 4 ? std::nullopt : base::number<uint32_t>(rest_.substr(0, 4), 16);
        if (!number) throw Malformed();
        rest_.remove_prefix(4);
        return *number;
    }

    void escape(std::string& out)
    {
        if (rest_.empty()) throw Malformed();
        char c = rest_[0];
        rest_.remove_prefix(1);
        constexpr std::string_view letters = "\"\\/bfnrt", bytes = "\"\\/\b\f\n\r\t";
        size_t at = letters.find(c);
        if (at != std::string_view::npos) {
            out += bytes[at];
            return;
        }
        if (c != 'u') throw Malformed();
        uint32_t code = code_unit();
        if (code >= 0xd800 && code < 0xdc00) {
            if (!rest_.starts_with("\\u")) throw Malformed();
            rest_.remove_prefix(2);
            uint32_t low = code_unit();
            if (low < 0xdc00 || low >= 0xe000) throw Malformed();
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xdc00 && code < 0xe000) {
            throw Malformed();
        }
        append_utf8(out, code);
    }

    std::string string()
    {
        if (rest_.empty() || rest_[0] != '"') throw Malformed();
        rest_.remove_prefix(1);
        std::string out;
        while (true) {
            if (rest_.empty() || static_cast<unsigned char>(rest_[0]) < 0x20) throw Malformed();
            char c = rest_[0];
            rest_.remove_prefix(1);
            if (c == '"') break;
            if (c == '\\')
                escape(out);
            else
                out += c;
        }
        if (!base::is_utf8(out)) throw Malformed();
        return out;
    }

    JsonMember value(int depth)
    {
        if (depth > deepest) throw Malformed();
        skip_space();
        if (rest_.empty()) throw Malformed();
        JsonMember member;
        if (rest_[0] == '"') {
            member.kind = JsonMember::text;
            member.value = string();
        } else if (rest_[0] == '[') {
            member.kind = JsonMember::list;
            member.values = list(depth);
        } else if (rest_[0] == '{') {
            object(depth);
        } else {
            word(member);
        }
        return member;
    }

    std::vector<std::string> list(int depth)
    {
        std::vector<std::string> values;
        take('[');
        if (try_take(']')) return values;
        do {
            JsonMember member = value(depth + 1);
            if (member.kind == JsonMember::text) values.push_back(std::move(member.value));
        } while (try_take(','));
        take(']');
        return values;
    }

    void word(JsonMember& member)
    {
        size_t size = 0;
        while (size < rest_.size() && (base::is_alnum(rest_[size]) || std::string_view("+-.").find(rest_[size]) != std::string_view::npos))
            ++size;
        std::string_view text = rest_.substr(0, size);
        if (text.empty()) throw Malformed();
        rest_.remove_prefix(size);
        if (text == "true" || text == "false" || text == "null") return;
        if (!base::is_digit(text[0]) && text[0] != '-') throw Malformed();
        member.kind = JsonMember::number;
        member.value = text;
    }

    std::string_view rest_;
};

} // namespace

std::optional<JsonObject> parse_json_object(std::string_view text)
{
    try {
        Reader reader(text);
        JsonObject object = reader.object(0);
        reader.end();
        return object;
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

} // namespace auth
