#include "guard/kafka_guard.h"

#include <utility>

#include "guard/guard_loop.h"

namespace spangate {

KafkaGuard::KafkaGuard(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

KafkaGuard::~KafkaGuard() = default;

Result<std::unique_ptr<KafkaGuard>> KafkaGuard::open(GuardOrder order, GuardParts parts) {
    auto loop = std::make_unique<Loop>(std::move(order), parts);
    if (Status opened = loop->open_clients(); !opened) {
        return tl::unexpected(std::move(opened.error()));
    }
    return std::unique_ptr<KafkaGuard>(new KafkaGuard(std::move(loop)));
}

Status KafkaGuard::run() {
    return loop_->run();
}

std::string KafkaGuard::verdict(const SessionKey& key) const {
    return loop_->verdict(key);
}

}  // namespace spangate
