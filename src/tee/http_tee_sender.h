// Copies over OTLP/HTTP: POST to [PATH]/v1/<signal>, protobuf and JSON as they came. Not
// thread-safe beyond TeeSender's contract; one connection each.
#pragma once

#include <memory>
#include <utility>

#include "net/http_client.h"
#include "tee/tee_sender.h"

namespace spangate {

class HttpTeeSender final : public TeeSender {
  public:
    explicit HttpTeeSender(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}

    [[nodiscard]] bool carries(BodyEncoding /*encoding*/) const override { return true; }

    [[nodiscard]] TeeReply send(const TeeRequest& request, SteadyTime deadline) override;

    void cancel() override { client_->cancel(); }

  private:
    std::unique_ptr<HttpClient> client_;
};

}  // namespace spangate
