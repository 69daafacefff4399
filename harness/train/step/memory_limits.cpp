#include "harness/train/step/memory_limits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/core/error.h"
#include "harness/model/out_of_memory.h"

namespace harness {

namespace {

const char* unit_of(Pass pass) { return pass == Pass::sampling ? "rows decoded at once" : "responses a pass"; }

const char* name_of(Pass pass) {
  switch (pass) {
    case Pass::sampling:
      return "sampling";
    case Pass::scoring:
      return "scoring";
    case Pass::update:
      break;
  }
  return "update";
}

}  // namespace

MemoryLimits::MemoryLimits(const TrainSettings& settings, torch::Device device, Ranks* ranks, MemorySizes& sizes, Hooks hooks)
    : device_(device),
      shard_(settings.shard),
      part_of_loss_(settings.loss.aggregation == Aggregation::micro_token_mean),
      ranks_(ranks),
      sizes_(sizes),
      hooks_(std::move(hooks)) {}

bool MemoryLimits::shared(Pass pass) const {
  return (pass == Pass::update && shard_ >= Shard::gradients) || (pass == Pass::scoring && shard_ == Shard::parameters);
}

void MemoryLimits::begin(Pass pass, int64_t size) const {
  if (hooks_.before_pass) hooks_.before_pass(pass, size);
}

void MemoryLimits::fit(Pass pass, int64_t wanted, const std::string& place, const std::function<void(int64_t size)>& attempt) {
  if (shared(pass)) {
    if (const auto ended = out_of_memory_in(device_, [&] { attempt(wanted); })) {
      throw Error(
          "{}: {}: expected memory for {} responses a pass (with train.shard = \"{}\" the processes cannot go on with fewer: "
          "set a smaller train.micro_batch_responses{}), found: {}",
          place, name_of(pass), wanted, shard_name(shard_),
          pass == Pass::update ? " or train.recompute_activations = true" : "", *ended);
    }
    return;
  }
  int64_t& limit = pass == Pass::sampling ? sizes_.rows : sizes_.micro_batch;
  for (;;) {
    const int64_t size = limit > 0 ? std::min(limit, wanted) : wanted;
    const std::optional<std::string> ended = out_of_memory_in(device_, [&] { attempt(size); });
    const bool any = ranks_ != nullptr ? ranks_->any(ended.has_value()) : ended.has_value();
    if (!any) return;
    const std::string how = ended.value_or("another process of the run had none left");
    if (size <= 1) {
      throw Error("{}: {}: expected memory for one response, found: {}", place, name_of(pass), how);
    }
    if (pass != Pass::sampling && part_of_loss_) {
      throw Error(
          "{}: {}: expected memory for {} responses a pass (with loss.aggregation = \"micro_token_mean\" their number is "
          "part of the loss: set a smaller train.micro_batch_responses), found: {}",
          place, name_of(pass), size, how);
    }
    limit = (size + 1) / 2;
    if (hooks_.on_warning) {
      hooks_.on_warning(fmt::format("{}: {}: out of memory with {} {}, goes on with {} for the rest of the run: {}", place,
                                    name_of(pass), size, unit_of(pass), limit, how));
    }
  }
}

void fit_memory(MemoryLimits* limits, Pass pass, int64_t wanted, const std::string& place,
                const std::function<void(int64_t size)>& attempt) {
  if (limits == nullptr) return attempt(wanted);
  limits->fit(pass, wanted, place, attempt);
}

}  // namespace harness
