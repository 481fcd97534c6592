// Outbound records for tests of sinks and of the delivery room: in slabs, as the router makes them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/slab.h"
#include "model/record.h"
#include "model/session_key.h"
#include "model/ticket.h"

namespace spangate::testing {

// What a client heard; shared with the test, because the responder dies with its ticket.
struct Answer {
    std::mutex mutex;
    int count = 0;
    Outcome outcome;

    [[nodiscard]] int answers() {
        const std::lock_guard lock(mutex);
        return count;
    }
};

class RecordingResponder final : public Responder {
  public:
    explicit RecordingResponder(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}

    void respond(const Outcome& outcome) override {
        const std::lock_guard lock(answer_->mutex);
        ++answer_->count;
        answer_->outcome = outcome;
    }

  private:
    std::shared_ptr<Answer> answer_;
};

struct TicketAndAnswer {
    Ticket* ticket;
    std::shared_ptr<Answer> answer;
};

// A ticket with its own hold still open: settle it once when all records are handed over.
[[nodiscard]] inline TicketAndAnswer make_ticket() {
    auto answer = std::make_shared<Answer>();
    return {new Ticket(std::make_unique<RecordingResponder>(answer), nullptr, Lease()), answer};
}

// Not thread-safe; the pool outlives the records.
class RecordBuilder {
  public:
    explicit RecordBuilder(SlabPool& pool) : writer_(pool) {}

    RecordBuilder& tenant(std::string value) {
        tenant_ = std::move(value);
        return *this;
    }

    RecordBuilder& event_class(EventClass value) {
        class_ = value;
        return *this;
    }

    RecordBuilder& type(EventType value) {
        type_ = value;
        return *this;
    }

    RecordBuilder& starts_event(bool value) {
        starts_event_ = value;
        return *this;
    }

    RecordBuilder& traceparent(std::string value) {
        traceparent_ = std::move(value);
        return *this;
    }

    // Padding behind the body, to make a value large.
    RecordBuilder& padding(std::size_t bytes) {
        padding_ = bytes;
        return *this;
    }

    // Binary slots of eight bytes instead of decimal ones.
    RecordBuilder& fixed64_slots(bool value) {
        fixed64_ = value;
        return *this;
    }

    // {"body":"…","epoch":0000000000000,"seq":                    } with slots for both numbers.
    // Takes a hold on `ticket` when there is one.
    [[nodiscard]] OutboundRecord* make(
        std::string_view session, std::string_view body = "x", Ticket* ticket = nullptr
    ) {
        std::string value = "{\"body\":\"" + std::string(body) + std::string(padding_, '.');
        value += "\",\"epoch\":";
        const std::size_t epoch_at = value.size();
        value += std::string(fixed64_ ? 8 : 13, '0') + ",\"seq\":";
        const std::size_t seq_at = value.size();
        value += std::string(fixed64_ ? 8 : 20, ' ') + "}";
        const std::size_t bytes = sizeof(OutboundRecord) + tenant_.size() + session.size() +
                                  traceparent_.size() + value.size();
        const SlabPiece piece = writer_.allocate(bytes);
        auto* record = new (piece.bytes) OutboundRecord;
        char* at = piece.bytes + sizeof(OutboundRecord);
        record->tenant_id = put(tenant_, at);
        record->key = put(session, at);
        record->traceparent = put(traceparent_, at);
        record->value = at;
        record->value_bytes = static_cast<std::uint32_t>(value.size());
        std::memcpy(at, value.data(), value.size());
        record->epoch_offset = static_cast<std::uint32_t>(epoch_at);
        record->seq_offset = static_cast<std::uint32_t>(seq_at);
        record->event_class = class_;
        record->event_type = type_;
        record->starts_event = starts_event_;
        record->event_id = next_id();
        record->timestamp_ms = 1'790'000'000'000;
        record->session_hash = SessionKey{record->tenant_id, record->key}.hash();
        record->ticket = ticket;
        record->slab = piece.slab;
        if (ticket != nullptr) ticket->hold(1);
        return record;
    }

    // Gives the current slab's reference back; records keep theirs.
    void finish() { writer_.finish(); }

  private:
    static std::string_view put(std::string_view text, char*& at) {
        std::memcpy(at, text.data(), text.size());
        const std::string_view placed(at, text.size());
        at += text.size();
        return placed;
    }

    EventId next_id() {
        EventId id{};
        id.fill('0');
        const std::string number = std::to_string(++records_count_);
        std::memcpy(id.data() + id.size() - number.size(), number.data(), number.size());
        return id;
    }

    SlabWriter writer_;
    std::string tenant_ = "default";
    std::string traceparent_;
    EventClass class_ = EventClass::operational;
    EventType type_ = EventType::inference;
    bool starts_event_ = true;
    bool fixed64_ = false;
    std::size_t padding_ = 0;
    std::uint64_t records_count_ = 0;
};

}  // namespace spangate::testing
