#include "harness/sweep/sweep.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/sweep/cell_lock.h"
#include "harness/sweep/display.h"
#include "harness/sweep/progress.h"

namespace harness {

namespace {

constexpr int kPollMilliseconds = 200;

// The state of one sweep while it runs.
class Scheduler {
 public:
  Scheduler(const std::vector<Cell>& cells, const SweepSettings& settings, const std::function<bool(const Cell&)>& is_done)
      : cells_(cells),
        settings_(settings),
        is_done_(is_done),
        earlier_(waits_for(cells)),
        queue_(queue_order(cells)),
        slots_(static_cast<size_t>(std::max<int64_t>(1, settings.jobs))),
        seen_elsewhere_(cells.size(), false),
        display_(cells, settings) {
    for (const Cell& cell : cells) result_.cells.push_back({cell.id, CellState::waiting, false, {}, ""});
  }

  SweepResult run() {
    const double started = now_seconds();
    while (open_cells() > 0) {
      collect();
      if (interrupt_requested()) stop();
      block_what_cannot_run();
      start_what_can();
      display_.refresh(result_);
      wait();
    }
    display_.finish();
    result_.wall_seconds = now_seconds() - started;
    return result_;
  }

 private:
  struct Slot {
    size_t cell = 0;
    std::unique_ptr<Worker> worker;
  };

  [[nodiscard]] int64_t open_cells() const { return result_.count(CellState::waiting) + result_.count(CellState::running); }
  CellState& state(size_t cell) { return result_.cells[cell].state; }
  [[nodiscard]] bool all_earlier(size_t cell, CellState wanted) {
    return std::all_of(earlier_[cell].begin(), earlier_[cell].end(), [&](size_t other) { return state(other) == wanted; });
  }
  [[nodiscard]] std::string log_of(const Cell& cell) const {
    if (settings_.log_folder.empty()) return cell.folder + "/log.txt";
    std::string name = cell.id;
    std::replace(name.begin(), name.end(), '/', '_');
    return settings_.log_folder + "/" + name + ".txt";
  }

  // Workers that have ended.
  void collect() {
    for (Slot& slot : slots_) {
      if (!slot.worker || !slot.worker->poll()) continue;
      const Cell& cell = cells_[slot.cell];
      CellResult& result = result_.cells[slot.cell];
      result.end = slot.worker->end();
      const bool done = is_done_(cell);  // also where it was killed, or broke, after its results were whole
      if (done) {
        result.state = CellState::done;
      } else {
        fail(slot.cell, result.end.status == 0 ? "ended with status 0 but left no finished results" : "");
      }
      slot.worker.reset();  // frees the lock only now, with failed.json written
      if (!done && interrupt_requested()) {
        display_.say(fmt::format("{}: stopped", cell.id));
      } else {
        display_.ended(cell, result);
      }
    }
  }

  void fail(size_t index, const std::string& reason) {
    const Cell& cell = cells_[index];
    CellResult& result = result_.cells[index];
    result.state = CellState::failed;
    result.log_tail = reason.empty() ? last_lines(log_of(cell), kTailLines) : reason;
    if (interrupt_requested()) return;  // stopped, not broken
    try {
      write_file_atomically(cell.folder + "/failed.json",
                            dump_line(OrderedJson{{"status", result.end.status}, {"last_lines", result.log_tail}}) + "\n");
    } catch (const Error& error) {
      result.log_tail += fmt::format("\n{}", error.what());  // a full disk may be why it failed
    }
  }

  void block_what_cannot_run() {
    for (const size_t cell : queue_) {
      if (state(cell) != CellState::waiting) continue;
      const bool blocked = std::any_of(earlier_[cell].begin(), earlier_[cell].end(), [&](size_t other) {
        return state(other) == CellState::failed || state(other) == CellState::blocked;
      });
      if (!blocked) continue;
      state(cell) = CellState::blocked;
      display_.ended(cells_[cell], result_.cells[cell]);
    }
  }

  void start_what_can() {
    for (const size_t cell : queue_) {
      const bool locked_by_others = state(cell) == CellState::running && !result_.cells[cell].ran_here;
      if (state(cell) != CellState::waiting && !locked_by_others) continue;
      if (!all_earlier(cell, CellState::done)) continue;
      const auto slot = std::find_if(slots_.begin(), slots_.end(), [](const Slot& one) { return !one.worker; });
      // Without a free slot a cell may still turn out to be done already.
      visit(cell, slot == slots_.end() ? nullptr : &*slot);
    }
  }

  // Looks at a cell whose turn it is: done, somebody else's, or ours to run.
  void visit(size_t index, Slot* slot) {
    const Cell& cell = cells_[index];
    CellResult& result = result_.cells[index];
    try {
      if (is_done_(cell)) return finish_unworked(index);
      if (slot == nullptr) return;
      std::optional<CellLock> lock = CellLock::try_take(cell.folder);
      if (!lock) {
        if (!seen_elsewhere_[index]) display_.say(fmt::format("{}: worked on by another process", cell.id));
        seen_elsewhere_[index] = true;
        result.state = CellState::running;
        return;
      }
      if (is_done_(cell)) return finish_unworked(index);  // its last holder may have finished it meanwhile
      if (seen_elsewhere_[index] && std::filesystem::exists(cell.folder + "/failed.json")) {
        result.state = CellState::failed;  // by the process that had it
        result.log_tail = last_lines(log_of(cell), kTailLines);
        return display_.ended(cell, result);
      }
      std::filesystem::remove(cell.folder + "/failed.json");
      start(index, *slot, std::move(*lock));
    } catch (const std::filesystem::filesystem_error& error) {
      fail(index, error.what());
      display_.ended(cell, result);
    } catch (const Error& error) {
      fail(index, error.what());
      display_.ended(cell, result);
    }
  }

  void finish_unworked(size_t index) {
    state(index) = CellState::done;
    if (seen_elsewhere_[index]) display_.ended(cells_[index], result_.cells[index]);
  }

  void start(size_t index, Slot& slot, CellLock lock) {
    const Cell& cell = cells_[index];
    WorkerCommand command{settings_.program, cell.arguments, settings_.environment, log_of(cell)};
    if (!settings_.slots.empty()) {
      const auto number = static_cast<size_t>(&slot - slots_.data());
      for (const auto& [name, value] : settings_.slots[number % settings_.slots.size()]) command.environment[name] = value;
    }
    slot.cell = index;
    slot.worker = std::make_unique<Worker>(command, std::move(lock));
    result_.cells[index].state = CellState::running;
    result_.cells[index].ran_here = true;
    display_.started(cell);
  }

  // Until a worker ends, a moment has passed, or a signal comes.
  void wait() {
    std::vector<pollfd> ends;
    bool free_slot = false;
    for (const Slot& slot : slots_) {
      free_slot |= !slot.worker;
      if (slot.worker && slot.worker->end_descriptor() >= 0) ends.push_back({slot.worker->end_descriptor(), POLLIN, 0});
    }
    if (open_cells() == 0 || (ends.empty() && startable())) return;
    ::poll(ends.data(), ends.size(), kPollMilliseconds);
  }

  // A cell that became free to run in this very round (its last predecessor turned out to be done already).
  [[nodiscard]] bool startable() {
    for (const size_t cell : queue_) {
      if (state(cell) == CellState::waiting && all_earlier(cell, CellState::done)) return true;
    }
    return false;
  }

  [[noreturn]] void stop() {
    display_.say("stopping: waiting for the workers to save what they have");
    for (const Slot& slot : slots_) {
      if (slot.worker) slot.worker->signal(SIGINT);
    }
    while (std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.worker != nullptr; })) {
      collect();
      wait();
    }
    display_.finish();
    throw Interrupted();
  }

  const std::vector<Cell>& cells_;
  const SweepSettings& settings_;
  const std::function<bool(const Cell&)>& is_done_;
  std::vector<std::vector<size_t>> earlier_;
  std::vector<size_t> queue_;
  std::vector<Slot> slots_;
  std::vector<bool> seen_elsewhere_;
  SweepResult result_;
  SweepDisplay display_;
};

}  // namespace

const char* to_string(CellState state) {
  switch (state) {
    case CellState::waiting:
      return "waiting";
    case CellState::running:
      return "running";
    case CellState::done:
      return "done";
    case CellState::failed:
      return "failed";
    case CellState::blocked:
      return "blocked: a cell it waits for failed";
  }
  return "";
}

int64_t SweepResult::count(CellState state) const {
  return std::count_if(cells.begin(), cells.end(), [&](const CellResult& cell) { return cell.state == state; });
}

bool SweepResult::ok() const { return count(CellState::done) == static_cast<int64_t>(cells.size()); }

SweepResult run_cells(const std::vector<Cell>& cells, const SweepSettings& settings,
                      const std::function<bool(const Cell&)>& is_done) {
  return Scheduler(cells, settings, is_done).run();
}

}  // namespace harness
