// `spangate evidence verify | erase`: the command lines of session/evidence_check.h and of
// crypto-shredding.
#pragma once

#include <string>

#include "app/commands.h"

namespace spangate {

struct EvidenceVerifyArguments {
    std::string config_path;
    std::string brokers;    // over the configuration's: host:port,…
    std::string directory;  // --from
    std::string key_file;   // over the configuration's; empty: the configuration's, if any
    std::string tenant_id;
    std::string session_id;
    std::string since;
    bool prints_json = false;
};

struct EvidenceEraseArguments {
    std::string config_path;
    std::string tenant_id;
    std::string session_id;  // one of the two, or neither: the whole tenant
    std::string user_ref;
    std::string reason;
    bool is_confirmed = false;  // --yes
};

// 0: all fits (erased evidence whose commitments hold included), 1: findings, 3: nothing to verify.
[[nodiscard]] ExitCode verify_evidence(const EvidenceVerifyArguments& arguments);

// 0: erased, and nothing opens any more; 1: not confirmed, or something still opens; 3: no such
// key; 4 and 5: the audit record or an erasure was not stored.
[[nodiscard]] ExitCode erase_evidence(const EvidenceEraseArguments& arguments);

}  // namespace spangate
