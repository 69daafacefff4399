#include "harness/hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "harness/core/error.h"

namespace harness {
namespace {

constexpr size_t kRefusalBytes = 300;

struct Transfer {
  CURL* handle = nullptr;
  const HttpSink* sink = nullptr;
  HttpReply* reply = nullptr;
};

int64_t status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

size_t take_piece(char* bytes, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view piece(bytes, size * count);
  const int64_t status = status_of(transfer.handle);
  if (status == 200 || status == 206) return (*transfer.sink)(status, piece) ? piece.size() : 0;
  std::string& refusal = transfer.reply->refusal;
  refusal += piece.substr(0, kRefusalBytes - std::min(kRefusalBytes, refusal.size()));
  return piece.size();
}

int watch_for_interrupt(void* /*user*/, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return interrupt_requested() ? 1 : 0;
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  MEDSBENCH_CHECK(code == CURLE_OK, "curl option {}: {}", static_cast<int>(option), curl_easy_strerror(code));
}

}  // namespace

namespace {

std::string encode_but(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || kept.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace

std::string encode_path(std::string_view path) { return encode_but(path, "-._~/"); }
std::string encode_segment(std::string_view segment) { return encode_but(segment, "-._~"); }

namespace {

// `body` null: GET.
HttpReply perform(const HttpRequest& request, const std::string* body, const HttpSink& sink) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  HttpReply reply;
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(started == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!handle) {
    reply.failure = "libcurl did not start";
    return reply;
  }
  CURL* curl = handle.get();
  Transfer transfer{curl, &sink, &reply};
  // libcurl keeps an Authorization header from hosts that a redirect leads to.
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(nullptr, curl_slist_free_all);
  const auto add_header = [&](const std::string& header) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  };
  if (!request.token.empty()) add_header("Authorization: Bearer " + request.token);
  if (body != nullptr) add_header("Content-Type: application/json");
  set(curl, CURLOPT_URL, request.url.c_str());
  set(curl, CURLOPT_HTTPHEADER, headers.get());
  set(curl, CURLOPT_USERAGENT, "medsbench");
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_FOLLOWLOCATION, body == nullptr ? 1L : 0L);
  if (body != nullptr) {
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    set(curl, CURLOPT_POSTFIELDS, body->data());
  }
  set(curl, CURLOPT_MAXREDIRS, 10L);
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT, 20L);
  set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall_s));
  set(curl, CURLOPT_WRITEFUNCTION, &take_piece);
  set(curl, CURLOPT_WRITEDATA, &transfer);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, &watch_for_interrupt);
  const std::string range = fmt::format("{}-", request.offset);
  if (request.offset > 0) set(curl, CURLOPT_RANGE, range.c_str());
  const CURLcode code = curl_easy_perform(curl);
  reply.status = status_of(curl);
  if (code != CURLE_OK) reply.failure = curl_easy_strerror(code);
  curl_off_t wait = 0;
  if ((reply.status == 429 || reply.status == 503) && curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK &&
      wait > 0) {
    reply.retry_after = wait;
  }
  return reply;
}

}  // namespace

HttpReply http_get(const HttpRequest& request, const HttpSink& sink) { return perform(request, nullptr, sink); }

HttpReply http_post(const HttpRequest& request, const std::string& body, const HttpSink& sink) {
  return perform(request, &body, sink);
}

}  // namespace harness
