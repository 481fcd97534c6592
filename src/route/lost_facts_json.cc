#include "route/json_members.h"
#include "route/lost_facts.h"

namespace spangate {
namespace {

void add_sizes(std::vector<KeySize>& sizes, std::string_view object, const std::string& prefix) {
    JsonMembers members(object);
    while (members.next())
        sizes.push_back({prefix + std::string(members.key()), members.value().size()});
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
    out += out.empty() ? "\"" : ",\"";
    out += key;
    out += "\":";
    out += value;
}

}  // namespace

LostFacts lost_facts_json(std::string_view value) {
    LostFacts facts;
    JsonMembers members(value);
    while (members.next()) {
        const std::string key(members.key());
        if (is_header_key(key)) {
            append_member(facts.header, key, members.value());
        } else if (is_opened_key(key)) {
            add_sizes(facts.key_sizes, members.value(), key + ".");
        } else {
            facts.key_sizes.push_back({key, members.value().size()});
        }
    }
    return facts;
}

}  // namespace spangate
