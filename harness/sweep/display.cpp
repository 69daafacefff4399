#include "harness/sweep/display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "harness/core/error.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

constexpr double kFrameSeconds = 0.5;
constexpr size_t kMostLines = 24;

size_t terminal_columns() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 100;
}

std::string bar(double share, int width) {
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * width + 0.5);
  return "[" + std::string(static_cast<size_t>(full), '#') + std::string(static_cast<size_t>(width - full), '.') + "]";
}

}  // namespace

SweepDisplay::SweepDisplay(const std::vector<Job>& jobs, const SweepSettings& settings)
    : jobs_(jobs),
      out_(settings.out != nullptr ? *settings.out : std::cerr),
      live_(settings.live),
      line_seconds_(settings.live ? std::min(settings.line_seconds, kFrameSeconds) : settings.line_seconds),
      last_(now_seconds()) {
  for (const Job& job : jobs) width_ = std::max(width_, job.id.size());
}

void SweepDisplay::started(const Job& job) {
  clocks_[job.id] = {now_seconds(), -1};
  if (!live_) say(fmt::format("{}: started", job.id));
}

void SweepDisplay::ended(const Job& job, const JobResult& result) {
  const WorkerEnd& end = result.end;
  std::string line = fmt::format("{}: {}", job.id, to_string(result.state));
  if (result.ran_here) {
    line += fmt::format(", {}, peak {} MiB", describe_seconds(end.wall_seconds), (end.peak_kib + 1023) / 1024);
    if (result.state == JobState::failed) line += fmt::format(", exit status {}; its last lines:", end.status);
  }
  if (!result.log_tail.empty()) line += "\n    " + result.log_tail;
  for (size_t at = line.find('\n'); at != std::string::npos; at = line.find('\n', at + 1)) {
    if (line.compare(at + 1, 4, "    ") != 0) line.insert(at + 1, "    ");
  }
  say(line);
}

void SweepDisplay::say(const std::string& line) {
  erase();
  out_ << line << std::endl;
}

std::string SweepDisplay::line_of(const Job& job) {
  const auto progress = read_progress(job.folder);
  Clock& clock = clocks_[job.id];
  if (!progress) return fmt::format("{:<{}}  {}", job.id, width_, describe_seconds(now_seconds() - clock.since));
  // The rate counts from the first progress seen, which may be that of a run that is gone on with.
  if (clock.first_done < 0 || progress->done < clock.first_done) clock = {now_seconds(), progress->done};
  const double share = progress->total > 0 ? progress->done / progress->total : 0;
  const double passed = now_seconds() - clock.since;
  const double gained = progress->done - clock.first_done;
  std::string line = fmt::format("{:<{}}  {} {:3.0f} %  {}", job.id, width_, bar(share, 16), 100 * share, describe(*progress));
  if (gained > 0 && passed > 0) {
    const double rate = gained / passed;
    line += rate >= 1 ? fmt::format(", {:.1f} {}/s", rate, progress->unit) : fmt::format(", {:.1f} s each", 1 / rate);
    if (progress->total > 0) line += ", " + describe_seconds((progress->total - progress->done) / rate) + " left";
  }
  return line;
}

void SweepDisplay::refresh(const SweepResult& so_far) {
  const double now = now_seconds();
  if (now - last_ < line_seconds_) return;
  last_ = now;
  if (live_) {
    erase();
    draw(so_far);
    return;
  }
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (so_far.jobs[i].state == JobState::running && so_far.jobs[i].ran_here) out_ << line_of(jobs_[i]) << '\n';
  }
  out_ << fmt::format("{} of {} cells done", so_far.count(JobState::done), jobs_.size()) << std::endl;
}

void SweepDisplay::draw(const SweepResult& so_far) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < jobs_.size() && lines.size() < kMostLines; ++i) {
    if (so_far.jobs[i].state == JobState::running) {
      lines.push_back(so_far.jobs[i].ran_here ? line_of(jobs_[i])
                                              : fmt::format("{:<{}}  worked on by another process", jobs_[i].id, width_));
    }
  }
  lines.push_back(fmt::format("{} done, {} running, {} waiting, {} failed, {} blocked", so_far.count(JobState::done),
                              so_far.count(JobState::running), so_far.count(JobState::waiting), so_far.count(JobState::failed),
                              so_far.count(JobState::blocked)));
  const size_t columns = terminal_columns() - 1;
  for (const std::string& line : lines) out_ << line.substr(0, columns) << '\n';
  out_.flush();
  drawn_ = static_cast<int>(lines.size());
}

void SweepDisplay::erase() {
  if (drawn_ > 0) out_ << fmt::format("\x1b[{}A\x1b[J", drawn_);
  drawn_ = 0;
}

void SweepDisplay::finish() {
  erase();
  out_.flush();
}

}  // namespace harness
