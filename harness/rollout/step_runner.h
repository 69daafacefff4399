// StepRunner: runs a step whose addresses never change, again and again; on a GPU as a recorded CUDA graph.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

namespace harness {

// Steps of several shapes (keys). The first run of a key (of the very first key kDirectRuns) starts its kernels one by one,
// which also lets LibTorch make what it keeps for a stream; then the step is recorded, and only the recording is run. A
// recording is worth its time only where a shape comes back.
//
// On the CPU a recording is the function itself, kept: the plain twin, which goes wrong where a recording would, if what the
// function was made with is not what holds later.
class StepRunner {
 public:
  using Key = std::pair<int64_t, int64_t>;
  using Step = std::function<void()>;
  static constexpr int64_t kDirectRuns = 2;

  explicit StepRunner(torch::Device device);
  ~StepRunner();
  StepRunner(const StepRunner&) = delete;
  StepRunner& operator=(const StepRunner&) = delete;

  // Calls `work` with the runner's own stream as the current one, after everything that the caller's stream holds now; on a GPU
  // it goes on by itself. (A graph cannot be recorded on the default stream.) Returns its number; at most two may be
  // unfinished.
  int64_t start(const std::function<void()>& work);
  void wait(int64_t number);
  [[nodiscard]] int64_t next() const { return started_; }  // number of the next start
  // Within start: one run of `step`, which must do the same for a key every time and touch no other memory than before.
  void run(Key key, const Step& step);
  // Drops all recordings: their addresses hold no longer. Everything started has been waited for.
  void forget();

  [[nodiscard]] int64_t recordings() const { return recordings_; }  // made so far
  [[nodiscard]] int64_t replays() const { return replays_; }        // runs of a recording

 private:
  struct Recording;
  struct Stream;
  struct Entry {
    int64_t direct = 0;
    std::unique_ptr<Recording> recording;
  };
  std::unique_ptr<Recording> record(const Step& step) const;

  std::unique_ptr<Stream> stream_;  // null on the CPU
  std::map<Key, Entry> entries_;    // after the stream, so that recordings end before it
  int64_t started_ = 0, recordings_ = 0, replays_ = 0;
};

}  // namespace harness
