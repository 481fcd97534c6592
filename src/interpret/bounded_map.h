// A map that never grows beyond its bound: entries expire, and when it is full the first one that
// was not used since the clock hand last passed makes room. Not thread-safe; its owner locks.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace spangate {

// Key is comparable and cheap to copy; its hash is given by the caller, who has it anyway.
template <typename Key, typename Value>
class BoundedMap {
  public:
    BoundedMap(std::size_t entries_max, WallNanos ttl)
        : entries_max_(entries_max == 0 ? 1 : entries_max),
          ttl_(ttl) {}

    // Null when it is not there or has expired. Being asked for keeps an entry alive.
    [[nodiscard]] Value* find(const Key& key, std::uint64_t hash, WallNanos now) {
        const std::size_t place = place_of(key, hash);
        if (place == none) return nullptr;
        Node& node = nodes_[places_[place] - 1];
        if (node.expires_at < now) return nullptr;
        node.was_used = true;
        node.expires_at = now + ttl_;
        return &node.value;
    }

    // The value under `key`, new (value-initialised) when there was none or it had expired.
    [[nodiscard]] Value& at(const Key& key, std::uint64_t hash, WallNanos now) {
        if (const std::size_t place = place_of(key, hash); place != none) {
            Node& node = nodes_[places_[place] - 1];
            if (node.expires_at < now) node.value = Value{};
            node.expires_at = now + ttl_;
            node.was_used = true;
            return node.value;
        }
        const std::uint32_t index = free_node(now);
        nodes_[index] = Node{key, Value{}, hash, now + ttl_, false};
        insert(hash, index);
        return nodes_[index].value;
    }

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }

    // Entries that had to go before their time.
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    struct Node {
        Key key{};
        Value value{};
        std::uint64_t hash = 0;
        WallNanos expires_at = 0;
        bool was_used = false;
    };

    [[nodiscard]] std::size_t mask() const { return places_.size() - 1; }

    [[nodiscard]] std::size_t place_of(const Key& key, std::uint64_t hash) const {
        if (places_.empty()) return none;
        for (std::size_t at = hash & mask(); places_[at] != 0; at = (at + 1) & mask()) {
            const Node& node = nodes_[places_[at] - 1];
            if (node.hash == hash && node.key == key) return at;
        }
        return none;
    }

    void insert(std::uint64_t hash, std::uint32_t index) {
        if (places_.size() < nodes_.size() * 2) return rebuild();
        std::size_t at = hash & mask();
        while (places_[at] != 0)
            at = (at + 1) & mask();
        places_[at] = index + 1;
    }

    void rebuild() {
        places_.assign(std::bit_ceil(nodes_.size() * 4), 0);
        for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
            std::size_t at = nodes_[i].hash & mask();
            while (places_[at] != 0)
                at = (at + 1) & mask();
            places_[at] = i + 1;
        }
    }

    std::uint32_t free_node(WallNanos now) {
        if (nodes_.size() < entries_max_) {
            nodes_.emplace_back();
            return static_cast<std::uint32_t>(nodes_.size() - 1);
        }
        while (nodes_[hand_].was_used && nodes_[hand_].expires_at >= now) {
            nodes_[hand_].was_used = false;
            hand_ = (hand_ + 1) % nodes_.size();
        }
        const std::size_t index = hand_;
        hand_ = (hand_ + 1) % nodes_.size();
        if (nodes_[index].expires_at >= now) ++evicted_;
        erase(index);
        return static_cast<std::uint32_t>(index);
    }

    // Linear probing without tombstones: what follows moves up.
    void erase(std::size_t index) {
        std::size_t hole = place_of(nodes_[index].key, nodes_[index].hash);
        if (hole == none) return;
        for (std::size_t at = (hole + 1) & mask(); places_[at] != 0; at = (at + 1) & mask()) {
            const std::size_t home = nodes_[places_[at] - 1].hash & mask();
            const std::size_t distance = (at - home) & mask();
            if (distance < ((at - hole) & mask())) continue;
            places_[hole] = places_[at];
            hole = at;
        }
        places_[hole] = 0;
    }

    std::size_t entries_max_;
    WallNanos ttl_;
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> places_;  // index + 1; 0: free
    std::size_t hand_ = 0;
    std::uint64_t evicted_ = 0;
};

}  // namespace spangate
