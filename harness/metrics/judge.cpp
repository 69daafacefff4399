#include "harness/metrics/judge.h"

#include <algorithm>
#include <filesystem>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"

namespace harness {

namespace {

constexpr int64_t kAnswerVersion = 1;

// The content of the first choice; none where the body is no chat completion.
std::optional<std::string> content_of(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("choices") || !json["choices"].is_array() || json["choices"].empty()) return {};
  const Json& choice = json["choices"][0];
  if (!choice.is_object() || !choice.contains("message") || !choice["message"].is_object()) return {};
  const Json& message = choice["message"];
  if (!message.contains("content") || !message["content"].is_string()) return {};
  return message["content"].get<std::string>();
}

bool worth_another_attempt(const JudgeReply& reply) {
  return reply.status == 0 || reply.status == 200 || reply.status == 408 || reply.status == 429 || reply.status >= 500;
}

std::string what_came(const JudgeReply& reply) {
  if (!reply.failure.empty()) return reply.failure;
  if (reply.status == 200) return "an answer that is no chat completion";
  return fmt::format("HTTP status {}", reply.status);
}

}  // namespace

Judge::Judge(JudgeSettings settings, JudgePost post, JudgeWait wait)
    : settings_(std::move(settings)), post_(std::move(post)), wait_(std::move(wait)) {
  make_folder(settings_.cache);
}

std::string Judge::ask(const std::string& instructions, const std::string& question) {
  const OrderedJson request{
      {"model", settings_.model},
      {"messages", {{{"role", "system"}, {"content", instructions}}, {{"role", "user"}, {"content", question}}}},
      {"temperature", 0}};
  const std::string body = dump_line(request);
  const std::string hash = sha256_hex(body);
  const std::string path = settings_.cache + "/" + hash + ".json";
  if (std::filesystem::exists(path)) {
    ++cached_;
    return with_context(path, [&] {
      const Json stored = parse_json(read_file(path));
      const int64_t version = integer_field(stored, "version");
      if (version > kAnswerVersion) throw Error("expected version <= {}, found {}", kAnswerVersion, version);
      return text_field(stored, "answer");
    });
  }
  if (settings_.cached_only) throw Error("{}: expected the stored answer to this question, found none", path);
  const std::string answer = ask_endpoint(body);
  write_file_atomically(
      path,
      dump_line(OrderedJson{
          {"version", kAnswerVersion}, {"format", "medsbench judge answer"}, {"model", settings_.model}, {"answer", answer}}) +
          "\n");
  return answer;
}

std::string Judge::ask_endpoint(const std::string& body) {
  for (int64_t attempt = 1;; ++attempt) {
    check_interrupt();
    const JudgeReply reply = post_(body);
    if (reply.failure.empty() && reply.status == 200) {
      if (auto content = content_of(reply.body)) {
        ++sent_;
        return std::move(*content);
      }
    }
    if (!worth_another_attempt(reply)) {
      throw Error("judge: expected an answer, found {}: {}", what_came(reply), reply.body.substr(0, 200));
    }
    if (attempt >= settings_.attempts) {
      throw Error("judge: expected an answer, found {} after {} attempts", what_came(reply), attempt);
    }
    const double wait = settings_.first_wait * static_cast<double>(int64_t{1} << std::min<int64_t>(attempt - 1, 20));
    wait_(std::min(settings_.longest_wait, reply.retry_after >= 0 ? static_cast<double>(reply.retry_after) : wait));
  }
}

std::optional<int64_t> number_in_answer(const std::string& answer, const std::string& field, int64_t low, int64_t high) {
  const size_t begin = answer.find('{');
  const size_t end = answer.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const Json json = Json::parse(answer.substr(begin, end - begin + 1), nullptr, false);
  if (!json.is_object() || !json.contains(field) || !json[field].is_number_integer()) return std::nullopt;
  const int64_t value = json[field].get<int64_t>();
  return low <= value && value <= high ? std::optional(value) : std::nullopt;
}

}  // namespace harness
