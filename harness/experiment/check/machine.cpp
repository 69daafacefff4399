// Devices, threads and memory.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <thread>

#include "harness/core/error.h"
#include "harness/cuda/device.h"
#include "harness/experiment/check/parts.h"
#include "harness/plan/experiment_plan.h"

namespace harness {

namespace {

// The largest value in [1, most] that fits, where every smaller one fits too; 0: none.
template <typename Fits>
int64_t largest_that_fits(int64_t most, Fits&& fits) {
  int64_t low = 0, high = most;
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    fits(middle) ? low = middle : high = middle - 1;
  }
  return low;
}

// What a process may hold.
struct Room {
  double bytes = 0;
  std::string name;  // "80.0 GB of a GPU"
  bool of_machine = true;
};

struct Sizes {
  int64_t rows = 0, micro_batch = 0;  // 0: no size fits
};

// The most rows and the largest micro-batch that fit together: rows first, which change no result.
Sizes sizes_that_fit(MemorySettings settings, double bytes) {
  const int64_t rows = settings.rows;
  const int64_t micro_batch =
      settings.micro_batch > 0 ? std::min(settings.micro_batch, settings.mini_batch) : settings.mini_batch;
  const auto fits = [&](int64_t with_rows, int64_t with_micro_batch) {
    settings.rows = with_rows;
    settings.micro_batch = with_micro_batch;
    return plan_memory(settings).peak().bytes() <= bytes;
  };
  Sizes sizes;
  sizes.rows = largest_that_fits(rows, [&](int64_t value) { return fits(value, 1); });
  if (sizes.rows > 0)
    sizes.micro_batch = largest_that_fits(micro_batch, [&](int64_t value) { return fits(sizes.rows, value); });
  return sizes;
}

// The row whose plan takes most; none where there is no such row.
struct Largest {
  const PlannedRow* row = nullptr;
  MemorySettings settings;
  double bytes = 0;
  void take(const PlannedRow& other, const MemorySettings& of_other) {
    const double peak = plan_memory(of_other).peak().bytes();
    if (peak > bytes) *this = {&other, of_other, peak};
  }
};

std::string what_does_not_fit(const Largest& largest, const Room& room, const char* job) {
  return fmt::format("expected {} within {}, found {} at its peak ({})", job, room.name, bytes_text(largest.bytes),
                     plan_memory(largest.settings).peak().name);
}

void check_training(const Largest& training, const Room& room, FindingList& found) {
  if (training.row == nullptr || training.bytes <= room.bytes) return;
  const Sizes sizes = sizes_that_fit(training.settings, room.bytes);
  Finding finding{
      .severity = Severity::warning, .what = what_does_not_fit(training, room, "a training"), .of_machine = room.of_machine};
  if (sizes.rows == 0) {
    if (training.settings.cuda) finding.severity = Severity::error;
    finding.what += ", and more than that with one response a pass";
    finding.way_out = training.settings.cuda
                          ? "train.recompute_activations, train.offload_optimizer, train.processes with train.shard, or bf16"
                          : "fewer run.jobs, train.recompute_activations, or a smaller model";
  } else {
    std::vector<std::string> values;
    if (sizes.rows < training.settings.rows) values.push_back(fmt::format("rollout.max_rows = {}", sizes.rows));
    values.push_back(fmt::format("train.micro_batch_responses = {}", sizes.micro_batch));
    finding.way_out = fmt::format("{} fits", fmt::join(values, " and "));
    if (!training.settings.recompute) finding.way_out += " (train.recompute_activations = true lets more fit)";
  }
  found.add(*training.row, "train.micro_batch_responses", std::move(finding));
}

void check_evaluation(const Largest& evaluation, const Room& room, FindingList& found) {
  if (evaluation.row == nullptr || evaluation.bytes <= room.bytes) return;
  MemorySettings settings = evaluation.settings;
  const int64_t rows = largest_that_fits(settings.rows, [&](int64_t value) {
    settings.rows = value;
    return plan_memory(settings).peak().bytes() <= room.bytes;
  });
  Finding finding{.severity = rows == 0 && settings.cuda ? Severity::error : Severity::warning,
                  .what = what_does_not_fit(evaluation, room, "an evaluation"),
                  .way_out = rows == 0 ? "a smaller model or bf16" : fmt::format("eval.max_rows = {} fits", rows),
                  .of_machine = room.of_machine};
  found.add(*evaluation.row, "eval.max_rows", std::move(finding));
}

class MachineCheck {
 public:
  MachineCheck(const Experiment& experiment, const Program& program, const CheckOptions& options, FindingList& found)
      : experiment_(experiment), program_(program), options_(options), found_(found), devices_(cuda::find_devices()) {}

  void check() {
    bool any = false;
    for (const PlannedRow& row : experiment_.rows) {
      if (!unfinished(row.train) && !unfinished(row.eval)) continue;
      check_device(row);
      any = true;
    }
    if (!any) return;
    const DataKeys& data = experiment_.rows.front().eval_job->data;  // the same for all rows of a table
    test_problems_ = data.source->count(data.test, "test").known;
    for (const BaseModel& model : experiment_.models) {
      for (const bool cuda : {false, true}) check_memory(model, cuda);
    }
  }

 private:
  void check_device(const PlannedRow& row) {
    const TrainJob& job = *row.train_job;
    const int64_t cores = std::thread::hardware_concurrency();
    if (!job.numerics.numerics.device.is_cuda()) {
      const int64_t threads = experiment_.workers * job.processes * job.numerics.threads;
      if (cores == 0 || job.numerics.threads == 1 || threads <= cores) return;
      found_.add(
          row, "numerics.threads",
          {.severity = Severity::warning,
           .what = fmt::format("expected at most the {} cores of this machine, found {} threads: {} jobs at once with {} "
                               "each",
                               cores, threads, experiment_.workers, job.processes * job.numerics.threads),
           .way_out = "fewer --jobs or threads",
           .of_machine = true});
    } else if (devices_.count == 0) {
      found_.add(row, "numerics.device",
                 {.severity = Severity::missing,
                  .what = "expected a GPU of this machine, found none: " + devices_.why_none,
                  .of_machine = true});
    } else if (job.processes > devices_.count && !row.untrained) {
      found_.add(
          row, "train.processes",
          {.what = fmt::format("expected at most {}, one a GPU, found {}", devices_.count, job.processes), .of_machine = true});
    }
  }

  // None where nothing is known of the device.
  [[nodiscard]] std::optional<Room> room(bool cuda) const {
    if (!cuda) {
      const double bytes = memory_of_machine();
      const auto jobs = static_cast<double>(experiment_.workers);
      return Room{bytes / jobs,
                  fmt::format("a share of this machine's {} for each of {} jobs", bytes_text(bytes), experiment_.workers)};
    }
    const double bytes = options_.device_memory > 0 ? options_.device_memory : devices_.memory;
    if (bytes == 0) return std::nullopt;
    return Room{bytes, bytes_text(bytes) + " of a GPU", options_.device_memory == 0};
  }

  void check_memory(const BaseModel& model, bool cuda) {
    const std::optional<Room> whole = room(cuda);
    const std::optional<ModelConfig> shape = whole ? shape_of_model(model) : std::nullopt;
    if (!shape) return;
    Largest training, evaluation;
    for (const PlannedRow& row : experiment_.rows) {
      const bool on_it = row.base_model == model.name && row.train_job->numerics.numerics.device.is_cuda() == cuda;
      if (on_it && unfinished(row.train)) training.take(row, memory_of(*row.train_job, *shape));
      if (on_it && unfinished(row.eval)) evaluation.take(row, memory_of(*row.eval_job, *shape, test_problems_));
    }
    Room of_process = *whole;
    if (!cuda && training.row != nullptr) of_process.bytes /= static_cast<double>(training.settings.processes);
    check_training(training, of_process, found_);
    check_evaluation(evaluation, *whole, found_);
  }

  // None where the model's files are refused, which check_models finds.
  [[nodiscard]] std::optional<ModelConfig> shape_of_model(const BaseModel& model) const {
    try {
      return shape_of(experiment_, model, program_);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  const Experiment& experiment_;
  const Program& program_;
  const CheckOptions& options_;
  FindingList& found_;
  cuda::Devices devices_;
  int64_t test_problems_ = 0;
};

}  // namespace

void check_machine(const Experiment& experiment, const Program& program, const CheckOptions& options, FindingList& found) {
  MachineCheck(experiment, program, options, found).check();
}

}  // namespace harness
