#include "experiments/cli/fetch_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace experiments {
namespace {

constexpr int kWidth = 24;

}  // namespace

FetchBar::~FetchBar() {
  if (drawn_) fmt::print(stderr, "\n");
}

harness::ProgressReport FetchBar::report() {
  return [this](const harness::FetchProgress& progress) { show(progress); };
}

void FetchBar::show(const harness::FetchProgress& progress) {
  using Seconds = std::chrono::duration<double>;
  const auto now = std::chrono::steady_clock::now();
  const bool last = progress.files_done == progress.files;
  const double pause = isatty(STDERR_FILENO) != 0 ? .1 : 10;  // a log file gets a line every ten seconds
  if (first_bytes_ < 0) first_bytes_ = progress.bytes_done;
  if (!last && Seconds(now - shown_).count() < pause) return;
  shown_ = now;
  const double share = progress.bytes > 0 ? static_cast<double>(progress.bytes_done) / static_cast<double>(progress.bytes) : 1;
  const double rate = static_cast<double>(progress.bytes_done - first_bytes_) / std::max(Seconds(now - start_).count(), 1e-3);
  const auto filled = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kWidth);
  std::string left;
  if (rate > 0 && !last)
    left = fmt::format(", {:.0f} s left", static_cast<double>(progress.bytes - progress.bytes_done) / rate);
  fmt::print(stderr, "{}{} [{:<{}}] {:.1f} of {:.1f} MB, {} of {} files, {:.1f} MB/s{}   {}",
             isatty(STDERR_FILENO) != 0 ? "\r" : "", name_, std::string(filled, '#'), kWidth,
             static_cast<double>(progress.bytes_done) / 1e6, static_cast<double>(progress.bytes) / 1e6, progress.files_done,
             progress.files, rate / 1e6, left, isatty(STDERR_FILENO) != 0 ? "" : "\n");
  drawn_ = isatty(STDERR_FILENO) != 0;
}

}  // namespace experiments
