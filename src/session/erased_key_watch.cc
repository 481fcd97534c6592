#include "session/erased_key_watch.h"

#include <optional>
#include <utility>

#include "session/event_fields.h"
#include "session/kafka_connect.h"
#include "session/line_file.h"

namespace spangate {
namespace {

constexpr int poll_interval_ms = 100;
constexpr std::string_view file_name = "/evidence-keys-erased.jsonl";

}  // namespace

std::unique_ptr<ErasedKeyWatch> ErasedKeyWatch::of_topic(
    const KafkaConfig& config, OnErased on_erased, Metrics& metrics
) {
    std::unique_ptr<ErasedKeyWatch> watch(new ErasedKeyWatch(std::move(on_erased), metrics));
    watch->thread_ = std::thread([self = watch.get(), config] { self->watch_topic(config); });
    return watch;
}

std::unique_ptr<ErasedKeyWatch> ErasedKeyWatch::of_files(
    const std::string& directory, OnErased on_erased, Metrics& metrics
) {
    std::unique_ptr<ErasedKeyWatch> watch(new ErasedKeyWatch(std::move(on_erased), metrics));
    const std::string path = directory + std::string(file_name);
    watch->thread_ = std::thread([self = watch.get(), path] { self->watch_file(path); });
    return watch;
}

ErasedKeyWatch::ErasedKeyWatch(OnErased on_erased, Metrics& metrics)
    : on_erased_(std::move(on_erased)),
      faults_(metrics.counter(
          "spangate_evidence_key_watch_faults_total",
          "Times a gateway could not hear which data keys of evidence are erased; until it can, it "
          "uses its keys until they rotate."
      )) {}

ErasedKeyWatch::~ErasedKeyWatch() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_.store(true, std::memory_order_relaxed);
    }
    stop_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool ErasedKeyWatch::wait_for_next_look() {
    std::unique_lock lock(mutex_);
    return !stop_.wait_for(lock, look_interval, [this] { return is_stopping(); });
}

void ErasedKeyWatch::tell_fault(const Error& error) {
    faults_.add();
    if (!log_limit_.allows()) return;
    log_warn(
        "session",
        "{}; a data key of evidence that somebody erases stays in use here until it rotates, or "
        "the "
        "gateway reloads",
        error.message
    );
}

void ErasedKeyWatch::watch_topic(const KafkaConfig& config) {
    do {
        const Status read = read_topic(config);
        if (read) return;
        tell_fault(read.error());
        // What cannot become better is not tried again.
        if (!read.error().retryable() && read.error().code != ErrorCode::permission_denied &&
            read.error().code != ErrorCode::not_found) {
            return;
        }
    } while (wait_for_next_look());
}

// Until the watch ends, or what is wrong cannot be left to librdkafka.
Status ErasedKeyWatch::read_topic(const KafkaConfig& config) {
    Result<KafkaHandle> handle = connect_reader(config);
    if (!handle) return tl::unexpected(std::move(handle.error()));
    rd_kafka_set_log_level(handle->get(), 0);  // its faults come as messages; stderr is the log's
    const std::string& name = config.topics.evidence_keys;
    const Result<std::int32_t> count = assign_topic(handle->get(), name, RD_KAFKA_OFFSET_END);
    if (!count) return tl::unexpected(count.error());
    while (!is_stopping()) {
        const KafkaMessage message(rd_kafka_consumer_poll(handle->get(), poll_interval_ms));
        if (message == nullptr) continue;
        switch (message->err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                if (message->payload == nullptr) {
                    on_erased_(kafka_text(message->key, message->key_len));
                }
                break;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                break;
            default:  // librdkafka goes on trying, from where it was
                tell_fault(kafka_failure("read " + name, message->err).value());
        }
    }
    return {};
}

// There is no such file before the first erasure. One that is there already names keys of earlier
// runs: reading them costs little and retires nothing.
void ErasedKeyWatch::watch_file(const std::string& path) {
    std::optional<LineFile> file;
    EventFields fields;
    std::string line;
    do {
        if (!file) {
            Result<LineFile> opened = LineFile::open(path);
            if (!opened) {
                if (opened.error().code != ErrorCode::not_found) tell_fault(opened.error());
                continue;
            }
            file.emplace(std::move(*opened));
        }
        file->restart_if_cut();
        Result<bool> read = file->next(line);
        for (; read && *read; read = file->next(line)) {
            if (fields.parse(line)) on_erased_(fields.text("key_id"));
        }
        if (!read) {
            tell_fault(read.error());
            file.reset();
        }
    } while (wait_for_next_look());
}

}  // namespace spangate
