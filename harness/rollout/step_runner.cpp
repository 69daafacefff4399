#include "harness/rollout/step_runner.h"

#ifdef MEDSBENCH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace harness {

struct StepRunner::Recording {
  Step step;  // on the CPU
#ifdef MEDSBENCH_CUDA
  std::unique_ptr<at::cuda::CUDAGraph> graph;  // on a GPU
#endif
};

#ifdef MEDSBENCH_CUDA
struct StepRunner::Stream {
  c10::cuda::CUDAStream stream;
  at::cuda::CUDAEvent before, done[2];
  at::MempoolId_t pool;  // one for all graphs: they never run side by side
};
#else
struct StepRunner::Stream {};
#endif

namespace {

#ifdef MEDSBENCH_CUDA
// After an error within it: the stream can be used again.
void end_capture(at::cuda::CUDAGraph& graph) {
  try {
    graph.capture_end();
  } catch (const std::exception&) {  // says that the capture failed, which the error within it says better
  }
}
#endif

}  // namespace

StepRunner::StepRunner(torch::Device device) {
#ifdef MEDSBENCH_CUDA
  if (device.is_cuda()) {
    // One stream for the life of the process, which has one GPU: cuBLAS keeps a workspace for each that it has seen.
    static const c10::cuda::CUDAStream stream = c10::cuda::getStreamFromPool(false, device.index());
    stream_ = std::make_unique<Stream>(Stream{stream, {}, {}, at::cuda::graph_pool_handle()});
  }
#else
  (void)device;
#endif
}

StepRunner::~StepRunner() = default;

int64_t StepRunner::start(const std::function<void()>& work) {
  const int64_t number = started_++;
#ifdef MEDSBENCH_CUDA
  if (stream_ != nullptr) {
    stream_->before.record(c10::cuda::getCurrentCUDAStream(stream_->stream.device_index()));
    const c10::cuda::CUDAStreamGuard guard(stream_->stream);
    stream_->before.block(stream_->stream);
    work();
    stream_->done[number % 2].record(stream_->stream);
    return number;
  }
#endif
  work();
  return number;
}

void StepRunner::wait(int64_t number) {
#ifdef MEDSBENCH_CUDA
  if (stream_ != nullptr) stream_->done[number % 2].synchronize();
#else
  (void)number;
#endif
}

std::unique_ptr<StepRunner::Recording> StepRunner::record(const Step& step) const {
  auto recording = std::make_unique<Recording>();
#ifdef MEDSBENCH_CUDA
  if (stream_ != nullptr) {
    recording->graph = std::make_unique<at::cuda::CUDAGraph>();
    // Other threads may go on calling CUDA (communication, writing of checkpoints).
    recording->graph->capture_begin(stream_->pool, cudaStreamCaptureModeThreadLocal);
    try {
      step();
    } catch (...) {
      end_capture(*recording->graph);
      throw;
    }
    recording->graph->capture_end();
    return recording;
  }
#endif
  recording->step = step;
  return recording;
}

void StepRunner::run(Key key, const Step& step) {
  Entry& entry = entries_[key];
  if (entry.recording == nullptr) {
    const int64_t direct = entries_.size() == 1 ? kDirectRuns : 1;  // the first key has made what the stream needs
    if (entry.direct++ < direct) return step();
    entry.recording = record(step);
    ++recordings_;
  }
  ++replays_;
#ifdef MEDSBENCH_CUDA
  if (entry.recording->graph != nullptr) return entry.recording->graph->replay();
#endif
  entry.recording->step();
}

void StepRunner::forget() {
  entries_.clear();
#ifdef MEDSBENCH_CUDA
  if (stream_ != nullptr) stream_->pool = at::cuda::graph_pool_handle();  // a pool that no graph holds cannot be used again
#endif
}

}  // namespace harness
