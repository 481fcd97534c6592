// Holds operational fields to their forms (contract §5): a value of another form, or one that a
// detector hits, becomes `h:` and its keyed hash, whole. Belongs to one lane.
#pragma once

#include <string_view>
#include <vector>

#include "base/arena.h"
#include "digest/hash_key.h"
#include "model/field_set.h"
#include "redact/text_redactor.h"

namespace spangate {

class FieldRedactor {
  public:
    FieldRedactor(const HashKey& key, TextRedactor& texts) : key_(key), texts_(texts) {}

    // Where results are put from now on.
    void use(Arena& arena) { arena_ = &arena; }

    // `released` becomes `fields` with every text held to its form.
    void redact(const FieldSet& fields, FieldSetBuilder& released);

    // The session id of an alias, as the records of that session have it: one that the gateway made
    // stands as it is, one of a client goes through released_id().
    [[nodiscard]] std::string_view released_session_id(std::string_view id);

    // A client's session id, a tenant, a session key: an Id.
    [[nodiscard]] std::string_view released_id(std::string_view id);

  private:
    [[nodiscard]] std::string_view released_name(std::string_view name, KeyHints hints);
    [[nodiscard]] std::string_view released(std::string_view text, const FieldInfo& field);
    [[nodiscard]] FieldValue released_texts(const FieldValue& value, const FieldInfo& field);
    [[nodiscard]] std::string_view token(std::string_view text);

    const HashKey& key_;
    TextRedactor& texts_;
    Arena* arena_ = nullptr;
    std::vector<Match> matches_;
};

}  // namespace spangate
