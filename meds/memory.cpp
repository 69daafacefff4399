#include "meds/memory.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "meds/penalty.h"

namespace meds {

namespace {

// Runs body(0 .. count-1) on up to `threads` threads; rethrows the first exception.
template <typename Body>
void for_each_in_parallel(size_t count, int64_t threads, const Body& body) {
  const auto workers = static_cast<size_t>(std::min<int64_t>(threads, static_cast<int64_t>(count)));
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex guard;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> pool;
  for (size_t i = 1; i < workers; ++i) pool.emplace_back(work);
  work();
  pool.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

// What a JSON file would give back: bytes that are not UTF-8 replaced.
std::string as_utf8(const std::string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? text : harness::parse_json(harness::dump_line(harness::Json(text))).get<std::string>();
}

}  // namespace

int32_t TextTable::intern(const std::string& text) {
  const auto [found, is_new] = ids_.emplace(as_utf8(text), static_cast<int32_t>(texts_.size()));
  if (is_new) texts_.push_back(found->first);
  return found->second;
}

int32_t TextTable::find(const std::string& text) const {
  const auto found = ids_.find(as_utf8(text));
  return found == ids_.end() ? -1 : found->second;
}

bool ErrorMemory::has_stored_answer(const Response& response) const {
  const auto found = histories_.find({response.problem, response.correct});
  const int32_t answer = response.answer ? answers_.find(*response.answer) : -1;
  if (found == histories_.end() || answer < 0) return false;
  const std::vector<int32_t>& stored = found->second.answers();
  return std::find(stored.begin(), stored.end(), answer) != stored.end();
}

bool ErrorMemory::has_stored_label(const Response& response) const {
  const auto found = histories_.find({response.problem, response.correct});
  const int32_t label = response.error_label.empty() ? -1 : error_labels_.find(response.error_label);
  if (found == histories_.end() || label < 0) return false;
  const std::vector<int32_t>& stored = found->second.error_labels();
  return std::find(stored.begin(), stored.end(), label) != stored.end();
}

// The responses of one key in this step, in order.
struct ErrorMemory::Task {
  Key key;
  History* history = nullptr;
  std::vector<size_t> members;
};

ErrorMemory::ErrorMemory(Settings settings) : settings_(std::move(settings)) { check_settings(settings_); }

int64_t ErrorMemory::size() const {
  int64_t size = 0;
  for (const auto& [key, history] : histories_) size += history.size();
  return size;
}

void ErrorMemory::require_comparable(std::span<const Response> responses) const {
  auto dimension = static_cast<size_t>(dimension_);
  for (size_t i = 0; i < responses.size(); ++i) {
    const std::span<const float> fingerprint = responses[i].fingerprint;
    if (fingerprint.empty()) continue;
    if (dimension == 0) dimension = fingerprint.size();
    if (fingerprint.size() != dimension) {
      throw harness::Error("response {}: expected a fingerprint of {} numbers, found one of {}", i, dimension,
                           fingerprint.size());
    }
    for (const float value : fingerprint) {
      if (!std::isfinite(value)) throw harness::Error("response {}: expected a finite fingerprint, found {}", i, value);
    }
  }
}

void ErrorMemory::run_task(const Task& task, std::span<const Trace> traces, int64_t step, std::vector<Recalled>& recalled) {
  std::vector<Trace> own;
  for (const size_t i : task.members) own.push_back(traces[i]);
  History alone(settings_, task.key.problem, task.key.correct);
  History& history = settings_.current_only ? alone : *task.history;
  history.open_window(step);
  if (settings_.history_only && !settings_.current_only) {
    for (const size_t i : task.members) recalled[i] = history.recall(traces[i]);
    history.add(own, step);
  } else {
    int64_t stored = history.size();
    history.add(own, step);
    history.settle();
    for (const size_t i : task.members) {
      if (History::is_comparable(settings_, traces[i])) recalled[i] = history.recall_stored(stored++);
    }
  }
  history.close_window();
}

void ErrorMemory::wait() const {
  if (clustering_.valid()) clustering_.get();
}

int32_t ErrorMemory::Log::number_of(const Key& key) {
  const auto [found, is_new] = numbers.emplace(key, static_cast<int32_t>(keys.size()));
  if (is_new) keys.push_back(key);
  return found->second;
}

// The step's stored responses, in their order; each history's newest rows are those of its task.
void ErrorMemory::log_stored(std::span<const Task> tasks, std::span<const Trace> traces) {
  std::vector<Log::Row> row_of(traces.size(), {-1, 0});
  std::vector<const Task*> task_of(traces.size(), nullptr);
  for (const Task& task : tasks) {
    auto place = static_cast<int32_t>(task.history->size());
    for (const size_t i : task.members) task_of[i] = &task;
    for (size_t m = task.members.size(); m-- > 0;) {
      const size_t i = task.members[m];
      if (History::is_comparable(settings_, traces[i])) row_of[i] = {0, --place};
    }
  }
  for (size_t i = 0; i < traces.size(); ++i) {
    const int32_t number = log_.number_of(task_of[i]->key);  // also where nothing of it is stored: it has been met
    if (row_of[i].history >= 0) log_.rows.push_back({number, row_of[i].place});
  }
}

Shaping ErrorMemory::shape(std::span<const Response> responses, int64_t step) {
  require_comparable(responses);
  wait();
  std::vector<Trace> traces;
  std::map<Key, Task> by_key;
  for (size_t i = 0; i < responses.size(); ++i) {
    const Response& response = responses[i];
    if (dimension_ == 0) dimension_ = static_cast<int64_t>(response.fingerprint.size());
    traces.push_back({response.fingerprint, response.answer ? answers_.intern(*response.answer) : -1,
                      response.error_label.empty() ? -1 : error_labels_.intern(response.error_label)});
    const Key key{response.problem, response.correct};
    Task& task = by_key[key];
    task.key = key;
    task.members.push_back(i);
  }
  std::vector<Task> tasks;
  for (auto& [key, task] : by_key) {
    if (!settings_.current_only) task.history = &histories_.try_emplace(key, settings_, key.problem, key.correct).first->second;
    tasks.push_back(std::move(task));
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {  // the longest first: threads end together
    return a.history != nullptr && a.history->size() > b.history->size();
  });
  std::vector<Recalled> recalled(responses.size());
  for_each_in_parallel(tasks.size(), settings_.threads, [&](size_t t) { run_task(tasks[t], traces, step, recalled); });
  if (!settings_.forgets()) log_stored(tasks, traces);
  if (!settings_.current_only) {
    std::vector<History*> unsettled;
    for (const Task& task : tasks) unsettled.push_back(task.history);
    clustering_ = std::async(std::launch::async, [unsettled, threads = settings_.threads] {
      for_each_in_parallel(unsettled.size(), threads, [&](size_t h) { unsettled[h]->settle(); });
    });
  }

  Shaping shaping;
  for (size_t i = 0; i < responses.size(); ++i) {
    const bool targeted = is_targeted(settings_.target, responses[i].correct);
    const int64_t size = targeted ? recalled[i].size : 0;
    const double b = penalty(size, settings_.alpha, settings_.beta);
    shaping.labels.push_back(recalled[i].label);
    shaping.sizes.push_back(size);
    shaping.penalties.push_back(b);
    shaping.scores.push_back(shaped_score(responses[i].score, b, responses[i].correct));
    shaping.had_history.push_back(static_cast<char>(recalled[i].had_history));
  }
  return shaping;
}

}  // namespace meds
