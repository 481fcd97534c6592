// How many cores this process may keep busy: what the machine has, or less where a container's CPU
// quota says so (cgroup v2, cpu.max). Counts of threads are made from it.
#pragma once

#include <cstdint>
#include <string_view>

namespace spangate {

// Read once. At least 1.
[[nodiscard]] std::uint32_t usable_cores();

// The same from the text of cpu.max («max 100000», «150000 100000»: quota and period in µs); a
// quota is rounded up to whole cores.
[[nodiscard]] std::uint32_t cores_within_quota(
    std::uint32_t machine_cores, std::string_view cpu_max
);

}  // namespace spangate
