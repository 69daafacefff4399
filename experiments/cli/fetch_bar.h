// FetchBar: the progress of a download as one line on stderr.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "datasets/hub.h"

namespace experiments {

class FetchBar {
 public:
  explicit FetchBar(std::string name) : name_(std::move(name)) {}
  ~FetchBar();
  FetchBar(const FetchBar&) = delete;
  FetchBar& operator=(const FetchBar&) = delete;

  // Valid while the bar lives.
  [[nodiscard]] datasets::ProgressReport report();

 private:
  void show(const datasets::FetchProgress& progress);

  std::string name_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_;
  int64_t first_bytes_ = -1;  // what an earlier call had fetched
  bool drawn_ = false;
};

}  // namespace experiments
