// The grammar of FETCH: fetch-att and its macros.
#include "fetch.h"

#include "base/text.h"

#include <fmt/format.h>

namespace imapd {

namespace {

constexpr size_t item_limit = 200, depth_limit = 100, field_limit = 1000;

using What = FetchItem::What;

FetchItem simple(What what, std::string label)
{
    FetchItem item;
    item.what = what;
    item.label = std::move(label);
    return item;
}

FetchItem whole_section(std::string label, Section::What what, bool sets_seen)
{
    FetchItem item = simple(What::section, std::move(label));
    item.section.what = what;
    item.sets_seen = sets_seen;
    return item;
}

// header-list = "(" header-fld-name *(SP header-fld-name) ")"
void read_fields(Arguments& arguments, FetchItem& item)
{
    arguments.space();
    arguments.expect('(');
    item.label += " (";
    while (true) {
        std::string name = arguments.astring();
        if (name.empty()) throw Bad("A field name is empty");
        if (item.section.fields.size() >= field_limit) throw Bad("Too many field names");
        put_astring(item.label, name);
        item.section.fields.push_back(std::move(name));
        if (arguments.skip(')')) break;
        arguments.space();
        item.label += ' ';
    }
    item.label += ')';
}

// section-text = section-msgtext / "MIME"
void read_section_text(Arguments& arguments, FetchItem& item)
{
    static constexpr struct {
        std::string_view word;
        Section::What what;
    } words[] = {{"HEADER.FIELDS.NOT", Section::What::fields_not},
                 {"HEADER.FIELDS", Section::What::fields},
                 {"HEADER", Section::What::header},
                 {"TEXT", Section::What::text},
                 {"MIME", Section::What::mime}};
    for (const auto& known : words) {
        if (!arguments.skip_keyword(known.word)) continue;
        if (known.what == Section::What::mime && item.section.path.empty())
            throw Bad("MIME needs the number of a part");
        item.section.what = known.what;
        item.label += known.word;
        if (known.what == Section::What::fields || known.what == Section::What::fields_not)
            read_fields(arguments, item);
        return;
    }
    throw Bad("Expected HEADER, TEXT or MIME in a section");
}

// section = "[" [section-spec] "]"
void read_section(Arguments& arguments, FetchItem& item)
{
    arguments.expect('[');
    item.label += '[';
    bool numbers = !arguments.at(']');
    while (numbers && !arguments.at_end() && base::is_digit(arguments.rest().front())) {
        uint32_t number = arguments.nz_number();
        if (item.section.path.size() >= depth_limit) throw Bad("Section too deep");
        item.section.path.push_back(number);
        item.label += fmt::format("{}", number);
        numbers = arguments.skip('.');
        if (numbers) item.label += '.';
    }
    if (numbers) read_section_text(arguments, item);
    arguments.expect(']');
    item.label += ']';
}

// "<" number "." nz-number ">"
void read_partial(Arguments& arguments, FetchItem& item)
{
    if (!arguments.skip('<')) return;
    item.partial = true;
    item.start = arguments.number64();
    arguments.expect('.');
    item.count = arguments.number64();
    if (item.count == 0) throw Bad("A part of no octets");
    arguments.expect('>');
    item.label += fmt::format("<{}>", item.start);
}

FetchItem read_body(Arguments& arguments, bool peek)
{
    FetchItem item = whole_section("BODY", Section::What::all, !peek);
    read_section(arguments, item);
    read_partial(arguments, item);
    return item;
}

// section-binary = "[" [section-part] "]"
FetchItem read_binary(Arguments& arguments, What what, std::string label)
{
    FetchItem item = simple(what, std::move(label));
    read_section(arguments, item);
    if (item.section.what != Section::What::all) throw Bad("BINARY takes the number of a part alone");
    if (what == What::binary) read_partial(arguments, item);
    return item;
}

// RFC 8970 3.1: "PREVIEW" [SP "(LAZY)"]. A preview is made when asked for, so that LAZY is no different.
FetchItem read_preview(Arguments& arguments)
{
    if (base::starts_with_word(arguments.rest(), " (LAZY)")) {
        arguments.space();
        arguments.expect('(');
        arguments.keyword();
        arguments.expect(')');
    }
    return simple(What::preview, "PREVIEW");
}

FetchItem read_item(Arguments& arguments)
{
    std::string word = base::upper(arguments.keyword());
    if (word == "FLAGS") return simple(What::flags, word);
    if (word == "UID") return simple(What::uid, word);
    if (word == "INTERNALDATE") return simple(What::internal_date, word);
    if (word == "RFC822.SIZE") return simple(What::size, word);
    if (word == "ENVELOPE") return simple(What::envelope, word);
    if (word == "BODYSTRUCTURE") return simple(What::body_structure, word);
    if (word == "RFC822") return whole_section(word, Section::What::all, true);
    if (word == "RFC822.HEADER") return whole_section(word, Section::What::header, false);
    if (word == "RFC822.TEXT") return whole_section(word, Section::What::text, true);
    if (word == "BODY.PEEK") return read_body(arguments, true);
    if (word == "BODY") return arguments.at('[') ? read_body(arguments, false) : simple(What::body, word);
    if (word == "MODSEQ") return simple(What::modseq, word);
    if (word == "SAVEDATE") return simple(What::save_date, word);
    if (word == "PREVIEW") return read_preview(arguments);
    if (word == "BINARY.SIZE") return read_binary(arguments, What::binary_size, word);
    if (word == "BINARY" || word == "BINARY.PEEK") {
        FetchItem item = read_binary(arguments, What::binary, "BINARY");
        item.sets_seen = word == "BINARY";
        return item;
    }
    throw Bad("Unknown FETCH item " + base::printable(word, 40));
}

// "ALL" / "FULL" / "FAST"
bool read_macro(Arguments& arguments, std::vector<FetchItem>& items)
{
    size_t length = arguments.skip_keyword("FAST")   ? 3
                    : arguments.skip_keyword("ALL")  ? 4
                    : arguments.skip_keyword("FULL") ? 5
                                                     : 0;
    const FetchItem all[] = {simple(What::flags, "FLAGS"), simple(What::internal_date, "INTERNALDATE"),
                             simple(What::size, "RFC822.SIZE"), simple(What::envelope, "ENVELOPE"),
                             simple(What::body, "BODY")};
    items.assign(all, all + length);
    return length > 0;
}

} // namespace

std::vector<FetchItem> parse_fetch_items(Arguments& arguments)
{
    std::vector<FetchItem> items;
    if (read_macro(arguments, items)) return items;
    if (!arguments.skip('(')) {
        items.push_back(read_item(arguments));
        return items;
    }
    while (true) {
        if (items.size() >= item_limit) throw Bad("Too many FETCH items");
        items.push_back(read_item(arguments));
        if (arguments.skip(')')) return items;
        arguments.space();
    }
}

} // namespace imapd
