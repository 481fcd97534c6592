// Question: what does librdkafka alone cost for the very same records? Reads records from a file
// (load/bench.py writes it from the topics), produces them `rounds` times with copied payloads and
// the gateway's settings, and prints CPU microseconds per record.
//
// File: per record, little endian u32 sizes and bytes of topic, key, value, then u32 header count
// and per header u32 sizes and bytes of name and value.
//
// usage: rdkafka_floor BROKERS FILE ROUNDS
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include <librdkafka/rdkafka.h>

namespace {

struct Record {
    std::string_view topic;
    std::string_view key;
    std::string_view value;
    std::vector<std::pair<std::string_view, std::string_view>> headers;
};

class FileReader {
  public:
    explicit FileReader(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] bool at_end() const { return bytes_.empty(); }

    std::uint32_t number() {
        std::uint32_t value = 0;
        std::memcpy(&value, bytes_.data(), sizeof value);
        bytes_.remove_prefix(sizeof value);
        return value;
    }

    std::string_view text() {
        const std::uint32_t size = number();
        const std::string_view result = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return result;
    }

  private:
    std::string_view bytes_;
};

std::vector<Record> read_records(std::string_view bytes) {
    std::vector<Record> records;
    for (FileReader reader(bytes); !reader.at_end();) {
        Record& record = records.emplace_back();
        record.topic = reader.text();
        record.key = reader.text();
        record.value = reader.text();
        for (std::uint32_t left = reader.number(); left > 0; --left) {
            const std::string_view name = reader.text();
            record.headers.emplace_back(name, reader.text());
        }
    }
    return records;
}

double cpu_seconds() {
    ::rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const ::timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t failed = 0;

void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++failed;
}

rd_kafka_t* make_producer(const char* brokers) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char error[512];
    const std::pair<const char*, const char*> settings[] = {
        {"bootstrap.servers", brokers},
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"compression.type", "lz4"},
        {"linger.ms", "20"},
        {"partitioner", "murmur2_random"},
        {"queue.buffering.max.messages", "1000000"},
        {"queue.buffering.max.kbytes", "1048576"},
    };
    for (const auto& [name, value] : settings) {
        if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) {
            std::fprintf(stderr, "%s: %s\n", name, error);
            std::exit(2);
        }
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (producer == nullptr) {
        std::fprintf(stderr, "%s\n", error);
        std::exit(2);
    }
    return producer;
}

void produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, const Record& record) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
        rd_kafka_header_add(
            headers,
            name.data(),
            static_cast<::ssize_t>(name.size()),
            value.data(),
            static_cast<::ssize_t>(value.size())
        );
    }
    std::array<rd_kafka_vu_t, 5> fields{};
    fields[0].vtype = RD_KAFKA_VTYPE_RKT;
    fields[0].u.rkt = topic;
    fields[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[1].u.i = RD_KAFKA_MSG_F_COPY;
    fields[2].vtype = RD_KAFKA_VTYPE_KEY;
    fields[2].u.mem.ptr = const_cast<char*>(record.key.data());  // NOLINT: copied, not written
    fields[2].u.mem.size = record.key.size();
    fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[3].u.mem.ptr = const_cast<char*>(record.value.data());  // NOLINT: copied, not written
    fields[3].u.mem.size = record.value.size();
    fields[4].vtype = RD_KAFKA_VTYPE_HEADERS;
    fields[4].u.headers = headers;
    while (true) {
        rd_kafka_error_t* error = rd_kafka_produceva(producer, fields.data(), fields.size());
        if (error == nullptr) return;
        const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) std::exit(5);
        rd_kafka_poll(producer, 10);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: rdkafka_floor BROKERS FILE ROUNDS\n");
        return 2;
    }
    std::ifstream file(argv[2], std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    const std::vector<Record> records = read_records(bytes);
    const long rounds = std::atol(argv[3]);
    rd_kafka_t* producer = make_producer(argv[1]);
    std::map<std::string_view, rd_kafka_topic_t*> topics;
    for (const Record& record : records) {
        rd_kafka_topic_t*& topic = topics[record.topic];
        if (topic == nullptr) {
            topic = rd_kafka_topic_new(producer, std::string(record.topic).c_str(), nullptr);
        }
    }
    const double before = cpu_seconds();
    for (long round = 0; round < rounds; ++round) {
        for (const Record& record : records)
            produce(producer, topics[record.topic], record);
        rd_kafka_poll(producer, 0);
    }
    rd_kafka_flush(producer, 60'000);
    const double spent = cpu_seconds() - before;
    const auto count = static_cast<double>(records.size()) * static_cast<double>(rounds);
    std::printf(
        "{\"records\": %.0f, \"cpu_us_per_record\": %.3f, \"failed\": %llu}\n",
        count,
        spent * 1e6 / count,
        static_cast<unsigned long long>(failed)
    );
    for (const auto& [name, topic] : topics)
        rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return failed == 0 ? 0 : 1;
}
