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

SweepDisplay::SweepDisplay(const std::vector<Cell>& cells, const SweepSettings& settings)
    : cells_(cells),
      out_(settings.out != nullptr ? *settings.out : std::cerr),
      live_(settings.live),
      line_seconds_(settings.live ? std::min(settings.line_seconds, kFrameSeconds) : settings.line_seconds),
      last_(now_seconds()) {
  for (const Cell& cell : cells) width_ = std::max(width_, cell.id.size());
}

void SweepDisplay::started(const Cell& cell) {
  clocks_[cell.id] = {now_seconds(), -1};
  if (!live_) say(fmt::format("{}: started", cell.id));
}

void SweepDisplay::ended(const Cell& cell, const CellResult& result) {
  const WorkerEnd& end = result.end;
  std::string line = fmt::format("{}: {}", cell.id, to_string(result.state));
  if (result.ran_here) {
    line += fmt::format(", {}, peak {} MiB", describe_seconds(end.wall_seconds), (end.peak_kib + 1023) / 1024);
    if (result.state == CellState::failed) line += fmt::format(", exit status {}; its last lines:", end.status);
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

std::string SweepDisplay::line_of(const Cell& cell) {
  const auto progress = read_progress(cell.folder);
  Clock& clock = clocks_[cell.id];
  if (!progress) return fmt::format("{:<{}}  {}", cell.id, width_, describe_seconds(now_seconds() - clock.since));
  // The rate counts from the first progress seen, which may be that of a run that is gone on with.
  if (clock.first_done < 0 || progress->done < clock.first_done) clock = {now_seconds(), progress->done};
  const double share = progress->total > 0 ? progress->done / progress->total : 0;
  const double passed = now_seconds() - clock.since;
  const double gained = progress->done - clock.first_done;
  std::string line = fmt::format("{:<{}}  {} {:3.0f} %  {}", cell.id, width_, bar(share, 16), 100 * share, describe(*progress));
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
  for (size_t i = 0; i < cells_.size(); ++i) {
    if (so_far.cells[i].state == CellState::running && so_far.cells[i].ran_here) out_ << line_of(cells_[i]) << '\n';
  }
  out_ << fmt::format("{} of {} cells done", so_far.count(CellState::done), cells_.size()) << std::endl;
}

void SweepDisplay::draw(const SweepResult& so_far) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < cells_.size() && lines.size() < kMostLines; ++i) {
    if (so_far.cells[i].state == CellState::running) {
      lines.push_back(so_far.cells[i].ran_here ? line_of(cells_[i])
                                               : fmt::format("{:<{}}  worked on by another process", cells_[i].id, width_));
    }
  }
  lines.push_back(fmt::format("{} done, {} running, {} waiting, {} failed, {} blocked", so_far.count(CellState::done),
                              so_far.count(CellState::running), so_far.count(CellState::waiting),
                              so_far.count(CellState::failed), so_far.count(CellState::blocked)));
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
