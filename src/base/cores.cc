#include "base/cores.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <thread>

namespace spangate {
namespace {

constexpr const char* cpu_max_path = "/sys/fs/cgroup/cpu.max";

}  // namespace

std::uint32_t usable_cores() {
    static const std::uint32_t cores = [] {
        std::string text;
        std::ifstream file(cpu_max_path);
        std::getline(file, text);
        return cores_within_quota(std::thread::hardware_concurrency(), text);
    }();
    return cores;
}

std::uint32_t cores_within_quota(std::uint32_t machine_cores, std::string_view cpu_max) {
    machine_cores = std::max(1U, machine_cores);
    const char* const end = cpu_max.data() + cpu_max.size();
    std::uint64_t quota = 0;
    std::uint64_t period = 0;
    const auto first = std::from_chars(cpu_max.data(), end, quota);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return machine_cores;
    const auto second = std::from_chars(first.ptr + 1, end, period);
    if (second.ec != std::errc{} || quota == 0 || period == 0) return machine_cores;
    const std::uint64_t cores = quota / period + (quota % period == 0 ? 0 : 1);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(machine_cores, cores));
}

}  // namespace spangate
