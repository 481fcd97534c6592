// Where the hash key comes from: the configuration, or, where nothing but this machine reads what
// is written (dev broker, JSONL alone), a key made once and kept beside the JSONL files.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace spangate {

struct HashKeyText {
    std::string text;
    std::string file;  // where a made key is kept; empty: from the configuration
};

[[nodiscard]] Result<HashKeyText> find_hash_key(const Config& config, bool has_dev_broker);

}  // namespace spangate
