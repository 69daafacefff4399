// FetchBar: the progress of a download as one line on stderr.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "harness/hub/hub.h"

namespace experiments {

class FetchBar {
 public:
  explicit FetchBar(std::string name) : name_(std::move(name)) {}
  ~FetchBar();
  FetchBar(const FetchBar&) = delete;
  FetchBar& operator=(const FetchBar&) = delete;

  // Valid while the bar lives.
  [[nodiscard]] harness::ProgressReport report();

 private:
  void show(const harness::FetchProgress& progress);

  std::string name_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_;
  int64_t first_bytes_ = -1;  // what an earlier call had fetched
  bool drawn_ = false;
};

}  // namespace experiments
