// How far back the topics reach: what tells expired evidence from missing evidence.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "model/event_type.h"

namespace spangate {

enum class Reach : std::uint8_t {
    holds,    // the partition still holds older records, or none was ever deleted
    gone,     // all that the partition still holds is newer; older records were deleted
    unknown,  // who stores the records cannot tell
};

// The seam for tests, and for files, which cannot tell.
class EventReach {
  public:
    virtual ~EventReach() = default;

    // Whether a record of `event_class` in `partition`, received then, would still be there.
    [[nodiscard]] virtual Reach of(
        EventClass event_class,
        std::string_view tenant_id,
        std::int32_t partition,
        WallNanos received_at
    ) = 0;
};

// Asks the brokers, and remembers by partition what follows from their answers. One thread.
class TopicReach final : public EventReach {
  public:
    // The order of records is that of arrival, which gateways' clocks and retries blur: a record
    // this little newer than the oldest one there may have been deleted, too.
    static constexpr WallNanos blur = 60'000'000'000;

    [[nodiscard]] static Result<std::unique_ptr<TopicReach>> connect(const KafkaConfig& config);

    ~TopicReach() override;
    TopicReach(const TopicReach&) = delete;
    TopicReach& operator=(const TopicReach&) = delete;

    [[nodiscard]] Reach of(
        EventClass event_class,
        std::string_view tenant_id,
        std::int32_t partition,
        WallNanos received_at
    ) override;

  private:
    struct Client;

    struct Partition {
        std::int64_t first_offset = -1;  // -1: not known
        bool is_empty = false;
        WallNanos gone_until = 0;         // what was received by then is gone
        WallNanos held_from = INT64_MAX;  // what was received from then on would be there
    };

    TopicReach(const KafkaConfig& config, std::unique_ptr<Client> client);

    [[nodiscard]] std::string topic_of(EventClass event_class, std::string_view tenant_id) const;
    [[nodiscard]] Partition look_at(const std::string& topic, std::int32_t partition) const;
    [[nodiscard]] Reach ask(
        const std::string& topic,
        std::int32_t number,
        const Partition& partition,
        WallNanos received_at
    ) const;

    const KafkaTopics topics_;
    const std::unique_ptr<Client> client_;
    std::map<std::pair<std::string, std::int32_t>, Partition> partitions_;
};

}  // namespace spangate
