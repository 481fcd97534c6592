// Configuration faults for people: one a line on stderr, «file:line:column: what».
#pragma once

#include <cstdio>
#include <vector>

#include "config/load_config.h"

namespace spangate {

inline void report_faults(const std::vector<ConfigFault>& faults) {
    for (const ConfigFault& fault : faults) {
        std::fprintf(stderr, "%s: %s\n", fault.place.c_str(), fault.message.c_str());
    }
}

}  // namespace spangate
