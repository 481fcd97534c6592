#include "guard/webhook.h"

#include <algorithm>
#include <utility>

#include "base/url.h"

namespace spangate {
namespace {

constexpr std::string_view room = "guard";

bool is_taken(std::uint16_t status) {
    return status >= 200 && status < 300;
}

bool may_repeat(std::uint16_t status) {
    return status == 408 || status == 429 || status >= 500;
}

}  // namespace

Result<std::unique_ptr<Webhook>> Webhook::open(
    const Secret& url, GuardCounters& counters, WebhookLimits limits
) {
    const std::optional<Url> server = parse_url(url.reveal());
    if (!server) return fail(ErrorCode::invalid_argument, "guard.webhook is no URL");
    Result<std::unique_ptr<HttpClient>> client = HttpClient::open(*server);
    if (!client) return tl::unexpected(std::move(client.error()));
    return std::unique_ptr<Webhook>(new Webhook(std::move(*client), counters, limits));
}

Webhook::Webhook(std::unique_ptr<HttpClient> client, GuardCounters& counters, WebhookLimits limits)
    : limits_(limits),
      counters_(counters),
      client_(std::move(client)),
      queue_(limits.messages_max),
      thread_([this] { run(); }) {}

Webhook::~Webhook() {
    queue_.close();
    {
        std::unique_lock lock(mutex_);
        (void)changed_.wait_for(lock, limits_.drain_timeout, [this] { return is_done_; });
        is_ending_ = true;
    }
    client_->cancel();
    changed_.notify_all();
    thread_.join();
}

void Webhook::post(std::string message) {
    if (queue_.try_push(std::move(message))) return;
    counters_.count(WebhookOutcome::dropped);
    if (log_limit_.allows()) {
        log_warn(
            room, "the webhook is too slow: {} messages wait, new ones drop", limits_.messages_max
        );
    }
}

void Webhook::run() {
    while (const std::optional<std::string> message = queue_.pop())
        deliver(*message);
    {
        const std::lock_guard lock(mutex_);
        is_done_ = true;
    }
    changed_.notify_all();
}

void Webhook::deliver(const std::string& message) {
    Millis wait = limits_.first_pause;
    for (std::uint32_t tries = 1;; ++tries) {
        const SteadyTime deadline = std::chrono::steady_clock::now() + limits_.post_timeout;
        const Result<HttpClientReply> reply =
            client_->post("", "application/json", message, deadline);
        if (reply && is_taken(reply->status)) {
            counters_.count(WebhookOutcome::delivered);
            return;
        }
        if (reply && !may_repeat(reply->status)) {
            counters_.count(WebhookOutcome::refused);
            if (log_limit_.allows()) log_warn(room, "the webhook answers {}", reply->status);
            return;
        }
        if (log_limit_.allows()) {
            log_warn(
                room,
                "the webhook does not take a message, which is tried again: {}",
                reply ? "status " + std::to_string(reply->status) : reply.error().message
            );
        }
        if (reply && reply->retry_after) {
            wait = std::max(wait, std::chrono::duration_cast<Millis>(*reply->retry_after));
        }
        if (tries == limits_.tries_max || !pause(std::min(wait, limits_.pause_max))) {
            counters_.count(WebhookOutcome::given_up);
            return;
        }
        counters_.webhook_retries.add();
        wait *= 2;
    }
}

bool Webhook::pause(Millis time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return is_ending_; });
}

}  // namespace spangate
