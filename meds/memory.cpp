#include "meds/memory.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "harness/core/error.h"
#include "harness/core/json.h"

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

int64_t ErrorMemory::times_answered(const harness::Sample& sample) const {
  const auto found = histories_.find({sample.problem, sample.correct});
  const int32_t answer = sample.has_answer ? answers_.find(sample.answer) : -1;
  if (found == histories_.end() || answer < 0) return 0;
  const std::vector<int32_t>& stored = found->second.answers();
  return std::count(stored.begin(), stored.end(), answer);
}

int64_t ErrorMemory::times_labelled(const harness::Sample& sample) const {
  const auto found = histories_.find({sample.problem, sample.correct});
  const int32_t label = sample.error_label.empty() ? -1 : error_labels_.find(sample.error_label);
  if (found == histories_.end() || label < 0) return 0;
  const std::vector<int32_t>& stored = found->second.error_labels();
  return std::count(stored.begin(), stored.end(), label);
}

// The responses of one key in this step, in order.
struct ErrorMemory::Task {
  Key key;
  History* history = nullptr;  // null: no memory
  std::vector<size_t> members;
  std::vector<TextIds> ids;  // of each member
};

ErrorMemory::ErrorMemory(Settings settings) : settings_(std::move(settings)) { check_settings(settings_); }

int64_t ErrorMemory::size() const {
  int64_t size = 0;
  for (const auto& [key, history] : histories_) size += history.size();
  return size;
}

void ErrorMemory::require_comparable(std::span<const harness::Sample> samples) const {
  auto dimension = static_cast<size_t>(dimension_);
  for (size_t i = 0; i < samples.size(); ++i) {
    const std::vector<float>& fingerprint = samples[i].fingerprint;
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

// The step's responses by key, the longest history first: threads then end together.
std::vector<ErrorMemory::Task> ErrorMemory::tasks_of(std::span<const harness::Sample> samples) {
  std::map<Key, Task> by_key;
  for (size_t i = 0; i < samples.size(); ++i) {
    const harness::Sample& sample = samples[i];
    if (dimension_ == 0) dimension_ = static_cast<int64_t>(sample.fingerprint.size());
    Task& task = by_key[{sample.problem, sample.correct}];
    task.members.push_back(i);
    task.ids.push_back({sample.has_answer ? answers_.intern(sample.answer) : -1,
                        sample.error_label.empty() ? -1 : error_labels_.intern(sample.error_label)});
  }
  std::vector<Task> tasks;
  for (auto& [key, task] : by_key) {
    task.key = key;
    if (!settings_.current_only) task.history = &histories_.try_emplace(key, settings_, key.problem, key.correct).first->second;
    tasks.push_back(std::move(task));
  }
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Task& a, const Task& b) { return a.history != nullptr && a.history->size() > b.history->size(); });
  return tasks;
}

void ErrorMemory::run_task(const Task& task, std::span<const harness::Sample> samples, int64_t step,
                           std::vector<Recalled>& recalled) const {
  History alone(settings_, task.key.problem, task.key.correct);
  History& history = settings_.current_only ? alone : *task.history;
  history.open_window(step);
  const bool look_first = settings_.history_only && !settings_.current_only;
  if (look_first) {
    for (size_t m = 0; m < task.members.size(); ++m) {
      recalled[task.members[m]] = history.recall(samples[task.members[m]], task.ids[m]);
    }
  }
  int64_t stored = history.size();
  for (size_t m = 0; m < task.members.size(); ++m) history.add(samples[task.members[m]], task.ids[m], step);
  if (!look_first) {
    history.settle();
    for (const size_t i : task.members) {
      if (History::is_comparable(settings_, samples[i])) recalled[i] = history.recall_stored(stored++);
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
void ErrorMemory::log_stored(std::span<const Task> tasks, std::span<const harness::Sample> samples) {
  std::vector<Log::Row> row_of(samples.size(), {-1, 0});
  for (const Task& task : tasks) {
    auto place = static_cast<int32_t>(task.history->size());
    for (size_t m = task.members.size(); m-- > 0;) {
      const size_t i = task.members[m];
      if (History::is_comparable(settings_, samples[i])) row_of[i] = {0, --place};
    }
  }
  for (size_t i = 0; i < samples.size(); ++i) {
    const int32_t number =
        log_.number_of({samples[i].problem, samples[i].correct});  // also where nothing is stored: it was met
    if (row_of[i].history >= 0) log_.rows.push_back({number, row_of[i].place});
  }
}

std::vector<Recalled> ErrorMemory::recall_and_store(std::span<const harness::Sample> samples, int64_t step) {
  require_comparable(samples);
  wait();
  const std::vector<Task> tasks = tasks_of(samples);
  std::vector<Recalled> recalled(samples.size());
  for_each_in_parallel(tasks.size(), settings_.threads, [&](size_t t) { run_task(tasks[t], samples, step, recalled); });
  if (!settings_.forgets()) log_stored(tasks, samples);
  if (!settings_.current_only) {
    std::vector<History*> unsettled;
    for (const Task& task : tasks) unsettled.push_back(task.history);
    clustering_ = std::async(std::launch::async, [unsettled, threads = settings_.threads] {
      for_each_in_parallel(unsettled.size(), threads, [&](size_t h) { unsettled[h]->settle(); });
    });
  }
  return recalled;
}

}  // namespace meds
