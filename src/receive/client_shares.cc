#include "receive/client_shares.h"

#include <charconv>

namespace spangate {
namespace {

void remove_around(std::string_view& text, std::string_view prefix, std::string_view suffix) {
    if (!text.starts_with(prefix) || !text.ends_with(suffix)) return;
    text.remove_prefix(prefix.size());
    text.remove_suffix(suffix.size());
}

bool is_loopback_address(std::string_view address) {
    return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

}  // namespace

ClientPeer peer_of_uri(std::string_view uri) {
    if (!uri.starts_with("ipv4:") && !uri.starts_with("ipv6:")) return {};
    uri.remove_prefix(5);
    const std::size_t colon = uri.rfind(':');
    if (colon == std::string_view::npos) return {};
    ClientPeer peer{uri.substr(0, colon), 0};
    const std::string_view port = uri.substr(colon + 1);
    (void)std::from_chars(port.data(), port.data() + port.size(), peer.port);
    remove_around(peer.address, "%5B", "%5D");
    remove_around(peer.address, "[", "]");
    return peer;
}

std::atomic<std::uint64_t>* ClientShares::of(std::string_view tenant_id, ClientPeer peer) {
    if (tenant_id.empty() && peer.address.empty()) return nullptr;
    const std::hash<std::string_view> hash;
    std::size_t mixed = hash(tenant_id.empty() ? peer.address : tenant_id);
    if (tenant_id.empty() && is_loopback_address(peer.address)) {
        mixed ^= (peer.port + std::size_t{1}) * 0x9E3779B97F4A7C15;
    }
    return &bytes_held_[(mixed ^ (mixed >> 32U)) % bytes_held_.size()];
}

bool ClientShares::may_grow(const MemoryBudget& budget, const Lease& lease, std::uint64_t bytes) {
    if (bytes <= lease.bytes()) return true;
    const std::uint64_t more = bytes - lease.bytes();
    const std::uint64_t scarce_from = budget.bytes_max() - budget.bytes_max() / 4;
    if (budget.bytes_held() + more <= scarce_from) return true;
    const std::uint64_t others = lease.bytes_of_owner() - lease.bytes();
    return others == 0 || lease.bytes_of_owner() + more <= budget.bytes_max() / 8;
}

}  // namespace spangate
