// Who a span belongs to: tenant, session and user as the client says them (contract §3, §4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "config/config.h"
#include "digest/hash_key.h"
#include "interpret/draft.h"
#include "interpret/field_reader.h"
#include "model/batch.h"
#include "model/id_form.h"

namespace spangate {

class IdentityReader {
  public:
    static constexpr std::size_t keys_seen_max = 8;

    IdentityReader(
        const ConventionTable& table, std::vector<std::string> session_keys, const HashKey& hash_key
    );

    // Authority, tenant and user of the draft. The tenant stays empty when it says none.
    void read_tenant(
        const FieldPlan& plan,
        const FieldSource& source,
        const RequestFacts& facts,
        FieldReader& reader,
        Draft& draft,
        Arena& arena
    );

    // The session by the span's own keys, and the other keys' values.
    void read_session(
        const FieldPlan& plan,
        const FieldSource& source,
        FieldReader& reader,
        Draft& draft,
        Arena& arena
    );

    [[nodiscard]] SessionClaim session_of_resource(
        const FieldSource& source, FieldReader& reader, Arena& arena
    );

    // Keys of the configuration, which the table does not know.
    [[nodiscard]] const std::vector<std::string>& session_keys() const { return session_keys_; }

  private:
    [[nodiscard]] bool is_rejected(std::string_view key, std::string_view value) const;
    [[nodiscard]] SessionClaim claim(std::string_view key, std::string_view value, Arena& arena);
    void keep_seen(Draft& draft, Arena& arena) const;
    void take(std::string_view key, std::string_view value, Draft& draft, Arena& arena);

    const ConventionTable& table_;
    std::vector<std::string> session_keys_;
    const HashKey& hash_key_;
    std::vector<std::string_view> seen_;  // scratch
};

}  // namespace spangate
