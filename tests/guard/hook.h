// An HTTP server that keeps what is posted to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace spangate::testing {

class Hook {
  public:
    // Answers with `statuses`, one after the other, and with 204 after them.
    explicit Hook(std::vector<std::uint16_t> statuses = {});
    ~Hook();

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<std::string> bodies() const;
    [[nodiscard]] std::string path() const;  // of the last one

  private:
    class Server;
    std::unique_ptr<Server> server_;
};

}  // namespace spangate::testing
