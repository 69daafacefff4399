// HTTP: one request through libcurl, the body of the answer handed on as it arrives.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace harness {

struct HttpRequest {
  std::string url;
  std::string token;     // sent as a bearer token to the url's own host, never to one it redirects to
  int64_t offset = 0;    // > 0: asks for the bytes from there on
  int64_t stall_s = 30;  // given up after so long without a byte
};

struct HttpReply {
  int64_t status = 0;        // 0: no answer came
  int64_t retry_after = -1;  // seconds that the server asks for; -1: it asks for none
  std::string failure;       // what broke the transfer; "" if nothing did
  std::string refusal;       // the first bytes of the body of a refusal (status not 200 or 206)
};

// Gets each piece of the body of a 200 or 206; false ends the transfer.
using HttpSink = std::function<bool(int64_t status, std::string_view piece)>;

// Redirects are followed. Never throws for what the network does. The transfer ends early when an interrupt is requested.
HttpReply http_get(const HttpRequest& request, const HttpSink& sink);
// Sends `body` as JSON; a redirect is a refusal.
HttpReply http_post(const HttpRequest& request, const std::string& body, const HttpSink& sink);

// A path with all but letters, digits, "-._~" and "/" percent-encoded.
std::string encode_path(std::string_view path);
// One part of a path: "/" is encoded too.
std::string encode_segment(std::string_view segment);

}  // namespace harness
