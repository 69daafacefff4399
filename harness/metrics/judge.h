// Judge: another model asked about responses, its answers kept by the hash of the question.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace harness {

struct JudgeSettings {
  std::string model;         // as the endpoint names it
  std::string cache;         // folder of the answers; a question whose answer lies there is never sent
  bool cached_only = false;  // nothing is sent: what a table was made of is derived again
  int64_t attempts = 5;      // of one question
  double first_wait = 1;     // seconds before the second attempt, doubled each time; the server's Retry-After wins
  double longest_wait = 60;  // seconds
};

struct JudgeReply {
  int64_t status = 0;        // of HTTP; 0: no answer came
  int64_t retry_after = -1;  // seconds the server asks for; -1: none
  std::string body;          // of the answer or refusal
  std::string failure;       // what broke the transfer
};

// Sends the JSON body of a chat completion to the endpoint; knows the key, which never comes here.
using JudgePost = std::function<JudgeReply(const std::string& body)>;
using JudgeWait = std::function<void(double seconds)>;

class Judge {
 public:
  // Throws Error where the cache folder cannot be made.
  Judge(JudgeSettings settings, JudgePost post, JudgeWait wait);

  // The text the model answers at temperature 0. 429, 500 and above, a broken transfer and an answer that is no chat
  // completion are asked again; throws Error for another refusal, after the last attempt, and for a question without a stored
  // answer where nothing may be sent.
  std::string ask(const std::string& instructions, const std::string& question);

  [[nodiscard]] int64_t sent() const { return sent_; }      // questions that went to the endpoint
  [[nodiscard]] int64_t cached() const { return cached_; }  // questions answered from the cache

 private:
  std::string ask_endpoint(const std::string& body);

  JudgeSettings settings_;
  JudgePost post_;
  JudgeWait wait_;
  int64_t sent_ = 0, cached_ = 0;
};

// The whole number of a field in the JSON object of an answer, which may stand in other words or a code fence; none where
// there is no such object or the number is outside low..high.
std::optional<int64_t> number_in_answer(const std::string& answer, const std::string& field, int64_t low, int64_t high);

}  // namespace harness
