// LoopbackServer: test support, an HTTP server on 127.0.0.1 that answers as a test says, faults included.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/core/error.h"

namespace tests {

struct ServerRequest {
  std::string path;                            // with the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body = {};                       // as long as Content-Length says
};

struct ServerReply {
  int status = 200;
  std::string body;
  std::vector<std::string> headers = {};  // "Name: value"
  int64_t cut_after = -1;                 // >= 0: the connection is dropped after so many bytes of the body
  bool never = false;                     // no answer at all: the connection stands until the client gives up
};

class LoopbackServer {
 public:
  using Handler = std::function<ServerReply(const ServerRequest&)>;

  explicit LoopbackServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || bind(listener_, generic, length) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, generic, &length) != 0) {
      throw harness::Error("expected a free port on 127.0.0.1, found none");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackServer() {
    stopped_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (std::thread& worker : workers_) worker.join();
    close(listener_);
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  // The requests so far.
  [[nodiscard]] std::vector<ServerRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopped_) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) continue;
      workers_.emplace_back([this, connection] {
        answer(connection);
        close(connection);
      });
    }
  }

  void answer(int connection) {
    std::string head;
    char piece[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = recv(connection, piece, sizeof piece, 0);
      if (got <= 0) return;
      head.append(piece, static_cast<size_t>(got));
    }
    ServerRequest request = parse(head);
    request.body = head.substr(head.find("\r\n\r\n") + 4);
    const auto length = request.headers.find("content-length");
    const size_t expected = length == request.headers.end() ? 0 : std::stoul(length->second);
    while (request.body.size() < expected) {
      const ssize_t got = recv(connection, piece, sizeof piece, 0);
      if (got <= 0) return;
      request.body.append(piece, static_cast<size_t>(got));
    }
    ServerReply reply;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      reply = handler_(request);
    }
    if (reply.never) {
      while (recv(connection, piece, sizeof piece, 0) > 0) {
      }
      return;
    }
    std::string out =
        fmt::format("HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {}\r\n", reply.status, reply.body.size());
    for (const std::string& header : reply.headers) out += header + "\r\n";
    out += "\r\n" + (reply.cut_after >= 0 ? reply.body.substr(0, static_cast<size_t>(reply.cut_after)) : reply.body);
    for (size_t sent = 0; sent < out.size();) {
      const ssize_t count = send(connection, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<size_t>(count);
    }
  }

  static ServerRequest parse(const std::string& head) {
    ServerRequest request;
    const size_t first = head.find(' ');
    request.path = head.substr(first + 1, head.find(' ', first + 1) - first - 1);
    size_t at = head.find("\r\n") + 2;
    while (at < head.size() && head.compare(at, 2, "\r\n") != 0) {
      const size_t end = head.find("\r\n", at);
      const size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      request.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    return request;
  }

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_ = false;
  mutable std::mutex mutex_;  // guards requests_, and the handler runs one request at a time
  std::vector<ServerRequest> requests_;
  std::vector<std::thread> workers_;
  std::thread thread_;
};

}  // namespace tests
