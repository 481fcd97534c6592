// Question: would an embedded store keep the spool's records better than the own segment log? The
// same records (1 KiB values) go to the own log, LMDB and RocksDB, durably at every round; printed
// for each: records/s and CPU by records a round, bytes written to the device by byte of value, the
// drain, and the start after a kill with a filled store. Answer and machine: src/spool/README.md.
//
//   spool_bench DIRECTORY [MIB_FOR_START]        DIRECTORY on a real disk; emptied at the end
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include <lmdb.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/file_system.h"
#include "observe/metrics.h"
#include "spool/segment_format.h"
#include "spool/spool_log.h"

namespace {

using namespace spangate;

constexpr std::size_t value_bytes = 1024;
constexpr std::uint64_t space_bytes = 8ULL * 1024 * 1024 * 1024;

void require(bool is_done, const char* what) {
    if (is_done) return;
    std::fprintf(stderr, "spool_bench: %s failed\n", what);
    std::exit(1);
}

SpoolRecord sample(std::uint64_t number, std::string& value) {
    for (std::size_t i = 0; i < 64; ++i) {
        value[i] = static_cast<char>('a' + (number * 31 + i * 7) % 26);
    }
    SpoolRecord record;
    record.event_id.fill('0');
    record.gateway_seq = number;
    record.tenant_id = "acme";
    record.key = "session-0123456789abcdef";
    record.value = value;
    return record;
}

class Store {
  public:
    virtual ~Store() = default;
    virtual void append(const SpoolRecord& record) = 0;
    virtual void sync() = 0;
    // Reads and forgets up to `count` of the oldest; how many there were.
    virtual std::size_t drain(std::size_t count) = 0;
};

class OwnLog final : public Store {
  public:
    explicit OwnLog(const std::string& directory) : space_(space_bytes) {
        SpoolLogSettings settings;
        settings.directory = directory + "/own";
        auto opened = SpoolLog::open(settings, files_, space_, metrics_);
        require(opened.has_value(), "own: open");
        log_ = std::move(*opened);
    }

    void append(const SpoolRecord& record) override {
        require(log_->append(record).has_value(), "own: append");
    }

    void sync() override { require(log_->sync().has_value(), "own: sync"); }

    std::size_t drain(std::size_t count) override {
        std::size_t done = 0;
        for (; done < count; ++done) {
            const auto entry = log_->read_next();
            require(entry.has_value(), "own: read");
            if (!*entry) break;
            log_->acknowledge((*entry)->entry_no);
        }
        return done;
    }

  private:
    PosixFileSystem files_;
    SpoolSpace space_;
    Metrics metrics_;
    std::unique_ptr<SpoolLog> log_;
};

// What the others keep as a value: the same bytes, with the same checksums.
std::string encoded(const SpoolRecord& record, std::uint64_t number) {
    static const SegmentFormat format{SegmentHeader()};
    std::string bytes;
    format.append_record(record, static_cast<std::uint32_t>(number), 0, 0, bytes);
    return bytes;
}

class Lmdb final : public Store {
  public:
    explicit Lmdb(const std::string& directory) {
        std::filesystem::create_directories(directory + "/lmdb");
        require(mdb_env_create(&environment_) == 0, "lmdb: create");
        require(mdb_env_set_mapsize(environment_, space_bytes) == 0, "lmdb: map");
        const int opened = mdb_env_open(environment_, (directory + "/lmdb").c_str(), 0, 0600);
        require(opened == 0, "lmdb: open");
        begin();
        require(mdb_dbi_open(transaction_, nullptr, MDB_INTEGERKEY, &table_) == 0, "lmdb: table");
        MDB_cursor* cursor = nullptr;
        MDB_val key{};
        MDB_val value{};
        mdb_cursor_open(transaction_, table_, &cursor);
        if (mdb_cursor_get(cursor, &key, &value, MDB_LAST) == 0) {
            next_ = *static_cast<std::uint64_t*>(key.mv_data) + 1;
        }
        mdb_cursor_close(cursor);
        sync();
    }

    ~Lmdb() override { mdb_env_close(environment_); }

    void append(const SpoolRecord& record) override {
        if (transaction_ == nullptr) begin();
        std::string bytes = encoded(record, next_);
        MDB_val key{sizeof next_, &next_};
        MDB_val value{bytes.size(), bytes.data()};
        require(mdb_put(transaction_, table_, &key, &value, MDB_APPEND) == 0, "lmdb: put");
        ++next_;
    }

    void sync() override {
        if (transaction_ == nullptr) return;
        require(mdb_txn_commit(transaction_) == 0, "lmdb: commit");
        transaction_ = nullptr;
    }

    std::size_t drain(std::size_t count) override {
        begin();
        MDB_cursor* cursor = nullptr;
        mdb_cursor_open(transaction_, table_, &cursor);
        MDB_val key{};
        MDB_val value{};
        std::size_t done = 0;
        for (; done < count && mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == 0; ++done) {
            require(mdb_cursor_del(cursor, 0) == 0, "lmdb: delete");
        }
        mdb_cursor_close(cursor);
        sync();
        return done;
    }

  private:
    void begin() {
        require(mdb_txn_begin(environment_, nullptr, 0, &transaction_) == 0, "lmdb: begin");
    }

    MDB_env* environment_ = nullptr;
    MDB_txn* transaction_ = nullptr;
    MDB_dbi table_ = 0;
    std::uint64_t next_ = 1;
};

class RocksDb final : public Store {
  public:
    explicit RocksDb(const std::string& directory) {
        rocksdb::Options options;
        options.create_if_missing = true;
        options.compression = rocksdb::kNoCompression;
        rocksdb::DB* opened = nullptr;
        require(rocksdb::DB::Open(options, directory + "/rocksdb", &opened).ok(), "rocksdb: open");
        store_.reset(opened);
    }

    void append(const SpoolRecord& record) override {
        batch_.Put(key(next_), encoded(record, next_));
        ++next_;
    }

    void sync() override {
        rocksdb::WriteOptions durable;
        durable.sync = true;
        require(store_->Write(durable, &batch_).ok(), "rocksdb: write");
        batch_.Clear();
    }

    std::size_t drain(std::size_t count) override {
        const std::unique_ptr<rocksdb::Iterator> at(store_->NewIterator({}));
        rocksdb::WriteBatch gone;
        std::size_t done = 0;
        const std::string first = key(oldest_);
        for (at->Seek(first); at->Valid() && done < count; at->Next()) {
            require(at->value().size() > value_bytes, "rocksdb: read");
            gone.Delete(at->key());
            oldest_ = number(at->key()) + 1;
            ++done;
        }
        require(store_->Write({}, &gone).ok(), "rocksdb: delete");
        return done;
    }

  private:
    // Big-endian, so that the order of keys is the order of numbers.
    static std::string key(std::uint64_t number) {
        std::string bytes(8, '\0');
        for (int i = 7; i >= 0; --i, number >>= 8)
            bytes[static_cast<std::size_t>(i)] = static_cast<char>(number);
        return bytes;
    }

    static std::uint64_t number(const rocksdb::Slice& bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            value = (value << 8) | static_cast<unsigned char>(bytes[i]);
        }
        return value;
    }

    std::unique_ptr<rocksdb::DB> store_;
    rocksdb::WriteBatch batch_;
    std::uint64_t next_ = 1;
    std::uint64_t oldest_ = 1;
};

using Maker = std::function<std::unique_ptr<Store>(const std::string&)>;

double now_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

double cpu_s() {
    struct ::rusage usage {};

    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const ::timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A number of /proc/self/<file>, whose line begins with `name`.
double process_number(const std::string& file, const std::string& name) {
    std::ifstream lines("/proc/self/" + file);
    for (std::string word; lines >> word;) {
        double number = 0;
        if (word == name && lines >> number) return number;
    }
    return 0;
}

void fill(Store& store, std::uint64_t records, std::uint64_t round) {
    std::string value(value_bytes, 'v');
    for (std::uint64_t number = 1; number <= records; ++number) {
        store.append(sample(number, value));
        if (number % round == 0) store.sync();
    }
    store.sync();
}

void in_child(const std::function<void()>& work) {
    std::fflush(stdout);
    const ::pid_t child = ::fork();
    if (child == 0) {
        work();
        std::fflush(stdout);
        ::_exit(0);  // as a kill: nothing is closed
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    require(status == 0, "an arm");
}

void measure_rounds(const char* name, const Maker& make, const std::string& directory) {
    for (const std::uint64_t round : {1U, 16U, 256U}) {
        const std::uint64_t records = round == 1 ? 1000 : round == 16 ? 8000 : 64000;
        in_child([&] {
            const std::unique_ptr<Store> store = make(directory);
            const double written = process_number("io", "write_bytes:");
            const double cpu = cpu_s();
            const double start = now_s();
            fill(*store, records, round);
            const double wall = now_s() - start;
            const double count = static_cast<double>(records);
            const double cpu_us = (cpu_s() - cpu) / count * 1e6;
            const double stored = process_number("io", "write_bytes:") - written;
            const double drain_start = now_s();
            const double drain_cpu = cpu_s();
            while (store->drain(256) > 0) {
            }
            const double drain_wall = now_s() - drain_start;
            const double drained = process_number("io", "write_bytes:") - written;
            const double bytes = count * static_cast<double>(value_bytes);
            fmt::print(
                "{:8} {:4} a round: {:8.0f} records/s, {:6.2f} us CPU, {:5.2f} bytes written a byte"
                "; drain {:8.0f} records/s, {:6.2f} us CPU, {:5.2f} in all\n",
                name,
                round,
                count / wall,
                cpu_us,
                stored / bytes,
                count / drain_wall,
                (cpu_s() - drain_cpu) / count * 1e6,
                drained / bytes
            );
        });
        std::filesystem::remove_all(directory + "/" + name);
    }
}

void measure_start(const char* name, const Maker& make, const std::string& directory, int mib) {
    const std::uint64_t records = static_cast<std::uint64_t>(mib) * 1024 * 1024 / value_bytes;
    in_child([&] { fill(*make(directory).release(), records, 1024); });
    double disk_bytes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory + "/" + name)) {
        if (file.is_regular_file()) disk_bytes += static_cast<double>(file.file_size());
    }
    in_child([&] {
        const double before = process_number("status", "VmHWM:");
        const double start = now_s();
        const double cpu = cpu_s();
        const std::unique_ptr<Store> store = make(directory);
        require(store->drain(1) == 1, "start: the first record");
        fmt::print(
            "{:8} start with {} MiB of values ({:.0f} MiB on disk) to the first record: {:.3f} s, "
            "{:.3f} s CPU, {:.1f} MiB more memory\n",
            name,
            mib,
            disk_bytes / 1024 / 1024,
            now_s() - start,
            cpu_s() - cpu,
            (process_number("status", "VmHWM:") - before) / 1024
        );
    });
    std::filesystem::remove_all(directory + "/" + name);
}

}  // namespace

int main(int argc, char** argv) {
    require(argc >= 2, "usage: spool_bench DIRECTORY [MIB_FOR_START]; this");
    const std::string directory = std::string(argv[1]) + "/spool-bench";
    const int mib = argc > 2 ? std::atoi(argv[2]) : 1024;
    std::filesystem::create_directories(directory);
    const std::pair<const char*, Maker> arms[] = {
        {"own",
         [](const std::string& at) {
             return std::make_unique<OwnLog>(at);
         }},
        {"lmdb",
         [](const std::string& at) {
             return std::make_unique<Lmdb>(at);
         }},
        {"rocksdb", [](const std::string& at) {
             return std::make_unique<RocksDb>(at);
         }}};
    for (const auto& [name, make] : arms)
        measure_rounds(name, make, directory);
    for (const auto& [name, make] : arms)
        measure_start(name, make, directory, mib);
    std::filesystem::remove_all(directory);
    return 0;
}
