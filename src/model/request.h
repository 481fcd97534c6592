// One admitted client request on its way to a lane, and the seam that takes it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "model/ticket.h"

namespace spangate {

enum class Signal : std::uint8_t { traces, logs, metrics };
inline constexpr std::string_view signal_names[] = {"traces", "logs", "metrics"};

enum class BodyEncoding : std::uint8_t { protobuf, json };

// Owned bytes with room behind them: simdjson reads up to `padding` bytes past the end.
class Body {
  public:
    static constexpr std::size_t padding = 64;

    Body() = default;

    [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    [[nodiscard]] char* data() { return bytes_.get(); }

    // Room for `capacity` bytes; what is there stays.
    void reserve(std::size_t capacity);

    // After writing into data(); at most capacity().
    void set_size(std::size_t size) { size_ = size; }

    void append(std::string_view bytes);

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

// Move-only. Holds the request's own hold of the ticket: whoever ends with it settles it.
struct RawRequest {
    Signal signal = Signal::traces;
    BodyEncoding encoding = BodyEncoding::protobuf;
    Body body;                  // inflated
    std::string tenant_id;      // authenticated identity; empty when authentication is off
    WallNanos received_at = 0;  // contract: ts_received
    SteadyTime admitted_at{};   // for the acknowledgement timer
    Ticket* ticket = nullptr;
};

// Where admitted requests go. offer() never waits; false means every lane is full, and the request
// is then untouched (the caller answers `unavailable`). Any thread.
class RequestInbox {
  public:
    virtual ~RequestInbox() = default;
    [[nodiscard]] virtual bool offer(RawRequest&& request) = 0;
};

}  // namespace spangate
