// The inside of GrpcReceiver: one completion queue with its thread and its calls. It shows gRPC's
// types, so grpc_receiver.cc alone includes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include "base/check.h"
#include "base/result.h"
#include "config/config.h"
#include "model/request.h"
#include "model/ticket.h"
#include "observe/metrics.h"
#include "receive/admission.h"
#include "receive/content_coding.h"
#include "receive/otlp_status.h"

namespace spangate {

// How often bodies that do not arrive are looked for, while any is awaited.
inline constexpr std::chrono::milliseconds sweep_interval{1'000};

inline constexpr std::string_view gzip_magic = "\x1f\x8b";

inline std::optional<Signal> signal_of(std::string_view method) {
    if (method == "/opentelemetry.proto.collector.trace.v1.TraceService/Export") {
        return Signal::traces;
    }
    if (method == "/opentelemetry.proto.collector.logs.v1.LogsService/Export") return Signal::logs;
    if (method == "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export") {
        return Signal::metrics;
    }
    return std::nullopt;
}

// The client's compression is left on (grpc.per_message_decompression = 0), and the library does
// not show the message's compressed flag. The first bytes tell: 1f is no tag that an
// Export…ServiceRequest, or any protobuf message, can begin with.
inline ContentCoding coding_of(std::span<const std::string_view> wire) {
    std::string head;
    for (const std::string_view piece : wire) {
        head += piece.substr(0, gzip_magic.size() - head.size());
        if (head.size() == gzip_magic.size()) break;
    }
    return head == gzip_magic ? ContentCoding::gzip : ContentCoding::identity;
}

struct GrpcCounters {
    explicit GrpcCounters(Metrics& metrics)
        : replies_lost(metrics.counter(
              "spangate_replies_lost_total",
              "Replies that did not reach their client: it had gone.",
              {{"transport", "grpc"}}
          )),
          bodies_late(metrics.counter(
              "spangate_bodies_timed_out_total",
              "Requests cancelled because their body did not arrive in time.",
              {{"transport", "grpc"}}
          )),
          bodies_missing(metrics.counter(
              "spangate_bodies_missing_total",
              "Requests whose body did not come: over the limit, cancelled, or connection lost.",
              {{"transport", "grpc"}}
          )),
          calls_open(metrics.gauge("spangate_grpc_calls_open", "gRPC calls begun and not finished.")
          ) {}

    Counter& replies_lost;
    Counter& bodies_late;
    Counter& bodies_missing;
    Gauge& calls_open;
};

// One call from request to reply; the object is used again for the next. It has one operation
// under way at a time and is itself that operation's tag:
//
//   idle → requested → reading → waiting (no operation; the ticket has it) → finishing → idle
//                 └─ turned away ────────────────────────────────────────────┘
struct GrpcCall {
    enum class Step : std::uint8_t { idle, requested, reading, waiting, finishing };

    // Set by whoever starts the next operation; the queue hands it on to its own thread.
    Step step = Step::idle;
    std::optional<grpc::GenericServerContext> context;
    std::optional<grpc::GenericServerAsyncReaderWriter> stream;
    grpc::ByteBuffer message;
    Admitted admitted;
    Signal signal = Signal::traces;

    // Only the queue's thread.
    bool is_reading = false;
    std::chrono::steady_clock::time_point reading_since;
};

// One completion queue with its thread and its calls. Shared with the responders, so that a late
// one finds a closed queue and not freed memory.
class GrpcCallQueue : public std::enable_shared_from_this<GrpcCallQueue> {
  public:
    GrpcCallQueue(
        grpc::AsyncGenericService& service,
        std::unique_ptr<grpc::ServerCompletionQueue> queue,
        Admission& admission,
        GrpcCounters& counters,
        Millis body_timeout
    )
        : service_(service),
          queue_(std::move(queue)),
          admission_(admission),
          counters_(counters),
          body_timeout_(body_timeout) {}

    void start(std::size_t index, std::size_t calls_requested) {
        for (std::size_t i = 0; i < calls_requested; ++i)
            request_call();
        thread_ = std::thread([this, index] {
            const std::string name = "grpc-" + std::to_string(index);
            pthread_setname_np(pthread_self(), name.c_str());
            run();
        });
    }

    // After Server::Shutdown. Starting an operation on a queue that is shut down ends the process,
    // so from here on none is started.
    void close() {
        {
            const std::unique_lock lock(closing_);
            is_closed_ = true;
        }
        queue_->Shutdown();
        thread_.join();
    }

    // From any thread.
    void finish(GrpcCall& call, const Outcome& outcome) {
        const GrpcReply reply = grpc_reply(outcome, call.signal);
        const grpc::Status status(
            static_cast<grpc::StatusCode>(reply.code), reply.message, reply.details
        );
        start_operation([&] {
            call.step = GrpcCall::Step::finishing;
            if (!status.ok()) {
                call.stream->Finish(status, &call);
                return;
            }
            const grpc::Slice slice(reply.response);
            const grpc::ByteBuffer buffer(&slice, 1);
            call.stream->WriteAndFinish(buffer, grpc::WriteOptions(), status, &call);
        });
    }

  private:
    // Many start at the same time, close() alone excludes them; no operation waits.
    template <typename Operation>
    void start_operation(Operation&& operation) {
        const std::shared_lock lock(closing_);
        if (!is_closed_) operation();
    }

    void run() {
        void* tag = nullptr;
        bool is_ok = false;
        while (true) {
            const auto wake_at = reading_ > 0 ? std::chrono::system_clock::now() + sweep_interval
                                              : std::chrono::system_clock::time_point::max();
            const auto next = queue_->AsyncNext(&tag, &is_ok, wake_at);
            if (next == grpc::CompletionQueue::SHUTDOWN) return;
            if (next == grpc::CompletionQueue::GOT_EVENT) {
                completed(*static_cast<GrpcCall*>(tag), is_ok);
            }
            if (reading_ > 0) sweep();
        }
    }

    void completed(GrpcCall& call, bool is_ok) {
        switch (call.step) {
            case GrpcCall::Step::requested:
                return is_ok ? arrived(call) : recycle(call);
            case GrpcCall::Step::reading:
                return body_came(call, is_ok);
            case GrpcCall::Step::finishing:
                if (!is_ok) counters_.replies_lost.add();
                counters_.calls_open.add(-1);
                return recycle(call);
            case GrpcCall::Step::idle:
            case GrpcCall::Step::waiting:
                break;
        }
        SPANGATE_CHECK(false && "an operation completed that was not started");
    }

    void request_call() {
        if (idle_.empty()) idle_.push_back(&calls_.emplace_back());
        GrpcCall& call = *idle_.back();
        idle_.pop_back();
        call.context.emplace();
        call.stream.emplace(&*call.context);
        start_operation([&] {
            call.step = GrpcCall::Step::requested;
            service_.RequestCall(&*call.context, &*call.stream, queue_.get(), queue_.get(), &call);
        });
    }

    void recycle(GrpcCall& call) {
        call.step = GrpcCall::Step::idle;
        call.stream.reset();
        call.context.reset();
        call.message.Clear();
        call.admitted = Admitted();
        idle_.push_back(&call);
    }

    // The headers are here, the body is not asked for yet.
    void arrived(GrpcCall& call) {
        request_call();
        counters_.calls_open.add(1);
        const std::optional<Signal> signal = signal_of(call.context->method());
        if (!signal) {
            return finish(
                call,
                admission_.turn_away(
                    {ErrorCode::unsupported,
                     "this method is not served; OTLP's Export of TraceService, LogsService and "
                     "MetricsService is"},
                    Signal::traces
                )
            );
        }
        call.signal = *signal;
        tl::expected<Admitted, Outcome> admitted = admit(call);
        if (!admitted) return finish(call, admitted.error());
        call.admitted = std::move(*admitted);
        start_operation([&] {
            call.step = GrpcCall::Step::reading;
            call.is_reading = true;
            call.reading_since = std::chrono::steady_clock::now();
            ++reading_;
            call.stream->Read(&call.message, &call);
        });
    }

    tl::expected<Admitted, Outcome> admit(const GrpcCall& call) {
        RequestHead head;
        head.transport = Transport::grpc;
        head.signal = call.signal;
        head.authorization = metadata_of(call, "authorization");
        head.api_key = metadata_of(call, "x-api-key");
        const std::shared_ptr<const grpc::AuthContext> identity = call.context->auth_context();
        std::vector<grpc::string_ref> names;
        if (identity != nullptr && identity->IsPeerAuthenticated()) {
            names = identity->FindPropertyValues(GRPC_X509_CN_PROPERTY_NAME);
        }
        if (!names.empty()) head.certificate_name = {names[0].data(), names[0].size()};
        const std::string peer_uri = call.context->peer();
        head.peer = peer_of_uri(peer_uri);
        return admission_.admit(head);
    }

    // The first value of that name, which is in lower case; empty: none.
    static std::string_view metadata_of(const GrpcCall& call, const char* name) {
        const auto& metadata = call.context->client_metadata();
        const auto found = metadata.find(name);
        if (found == metadata.end()) return {};
        return {found->second.data(), found->second.size()};
    }

    void body_came(GrpcCall& call, bool is_ok) {
        call.is_reading = false;
        --reading_;
        if (!is_ok) return body_missing(call);
        Result<Body> body = take_body(call);
        call.message.Clear();
        if (!body) {
            call.admitted = Admitted();  // its memory is free before the client may come again
            return finish(call, admission_.turn_away(std::move(body.error()), call.signal));
        }
        call.step = GrpcCall::Step::waiting;
        admission_.submit(
            std::move(call.admitted), BodyEncoding::protobuf, std::move(*body), make_responder(call)
        );
    }

    // The library itself answers a message over its limit, with RESOURCE_EXHAUSTED, and whoever
    // cancelled hears nothing. So this is for the client that ended its request without a message.
    void body_missing(GrpcCall& call) {
        counters_.bodies_missing.add();
        call.admitted = Admitted();
        finish(call, Outcome::failure({ErrorCode::invalid_argument, "the request has no message"}));
    }

    // One copy of the bytes (about 10 µs for 100 KiB): they arrive in pieces, and a Body has room
    // behind its end.
    Result<Body> take_body(GrpcCall& call) {
        std::vector<grpc::Slice> slices;
        if (!call.message.Dump(&slices).ok()) {
            return fail(ErrorCode::internal, "the message cannot be read");
        }
        std::vector<std::string_view> wire;
        wire.reserve(slices.size());
        for (const grpc::Slice& slice : slices)
            wire.emplace_back(
                reinterpret_cast<const char*>(slice.begin()), slice.size()
            );  // NOLINT
        const auto grow = [&](Bytes bytes) {
            return admission_.grow(call.admitted, bytes);
        };
        return inflate(coding_of(wire), wire, admission_.request_bytes_max(), grow);
    }

    [[nodiscard]] std::unique_ptr<Responder> make_responder(GrpcCall& call);

    // O(calls) once a second, only while bodies are awaited.
    void sweep() {
        const auto now = std::chrono::steady_clock::now();
        if (now < sweep_at_) return;
        sweep_at_ = now + sweep_interval;
        for (GrpcCall& call : calls_) {
            if (!call.is_reading || now - call.reading_since < body_timeout_) continue;
            call.is_reading = false;  // asked once; the read then fails
            counters_.bodies_late.add();
            call.context->TryCancel();
        }
    }

    grpc::AsyncGenericService& service_;
    std::unique_ptr<grpc::ServerCompletionQueue> queue_;
    Admission& admission_;
    GrpcCounters& counters_;
    const Millis body_timeout_;

    std::shared_mutex closing_;
    bool is_closed_ = false;  // guarded by closing_

    // The queue's thread only (before it starts: the caller of start()).
    std::deque<GrpcCall> calls_;
    std::vector<GrpcCall*> idle_;
    std::size_t reading_ = 0;
    std::chrono::steady_clock::time_point sweep_at_;

    std::thread thread_;
};

class GrpcResponder final : public Responder {
  public:
    GrpcResponder(std::shared_ptr<GrpcCallQueue> queue, GrpcCall& call)
        : queue_(std::move(queue)),
          call_(call) {}

    void respond(const Outcome& outcome) override { queue_->finish(call_, outcome); }

  private:
    std::shared_ptr<GrpcCallQueue> queue_;
    GrpcCall& call_;
};

inline std::unique_ptr<Responder> GrpcCallQueue::make_responder(GrpcCall& call) {
    return std::make_unique<GrpcResponder>(shared_from_this(), call);
}

}  // namespace spangate
