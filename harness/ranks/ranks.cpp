#include "harness/ranks/ranks.h"

#include <torch/types.h>

#include "harness/ranks/gloo_names.h"
// LibTorch's wheel is built with both; its headers ask for these names.
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#ifdef MEDSBENCH_CUDA
#define USE_C10D_NCCL
#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "harness/core/error.h"

namespace harness {

struct Ranks::Groups {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> gloo;
  c10::intrusive_ptr<c10d::Backend> nccl;  // null on the CPU
  std::atomic<bool> finished = false;      // NCCL's group is shut down: it must not be aborted any more
};

namespace {

// A rank may wait for the longest rollout of another; once all are there, connecting takes a moment.
constexpr std::chrono::minutes kPatience(60), kConnecting(2);

constexpr int64_t kBucket = int64_t{1} << 22;  // numbers summed at once
// Bytes of all ranks that Gloo gathers or scatters at once: what it copies them to comes from the heap and goes back there, and
// stays in the processor's cache.
constexpr int64_t kPieceBytes = int64_t{1} << 21;

// All ranks wait here until the last has come; `check` is called meanwhile and may throw.
void wait_for_all(c10d::Store& store, int rank, int size, const std::function<void()>& check) {
  const std::vector<uint8_t> mark = {1};
  if (rank > 0) {
    store.set(fmt::format("here {}", rank), mark);
    store.wait({"all"}, kPatience);
    return;
  }
  std::vector<std::string> others;
  for (int r = 1; r < size; ++r) others.push_back(fmt::format("here {}", r));
  while (!others.empty() && !store.check(others)) {
    if (check) check();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  store.set("all", mark);
}

// One all-gather of a flat tensor: [size] of them.
std::vector<torch::Tensor> gather_flat(c10d::Backend& group, int size, const torch::Tensor& mine) {
  std::vector<std::vector<at::Tensor>> outputs(1);
  for (int r = 0; r < size; ++r) outputs[0].push_back(torch::empty_like(mine));
  std::vector<at::Tensor> inputs = {mine};
  group.allgather(outputs, inputs)->wait();
  return outputs[0];
}

#ifdef MEDSBENCH_CUDA
// Settings of NCCL that the user has not made, before its first call.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size) {
  // Sums in one order, that of a ring: a switch that adds (NVLS) and a tree have orders of their own.
  ::setenv("NCCL_NVLS_ENABLE", "0", 0);
  ::setenv("NCCL_ALGO", "Ring", 0);
  // An error in NCCL or the end of its patience stops the group, so that the next exchange says so, not the process.
  ::setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", 0);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = kPatience;  // that of Gloo: a process may wait in here while the first writes its files
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
}
#endif

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Ranks::Ranks(int rank, int size, std::string file, std::unique_ptr<Groups> groups)
    : rank_(rank), size_(size), file_(std::move(file)), groups_(std::move(groups)) {}

Ranks::~Ranks() {
  groups_.reset();
  std::error_code ignored;
  if (first()) std::filesystem::remove(file_, ignored);
}

std::unique_ptr<Ranks> Ranks::meet(const std::string& file, int rank, int size, torch::Device device,
                                   const std::function<void()>& check) {
  MEDSBENCH_CHECK(rank >= 0 && rank < size, "rank {} of {}", rank, size);
  auto groups = std::make_unique<Groups>();
  try {
    groups->store = c10::make_intrusive<c10d::FileStore>(file, size);
    wait_for_all(*groups->store, rank, size, check);
    auto options = c10d::ProcessGroupGloo::Options::create(kConnecting);
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface("lo"));
    groups->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(groups->store, rank, size, options);
    groups->gloo->setTimeout(kPatience);
#ifdef MEDSBENCH_CUDA
    if (device.is_cuda()) {
      groups->nccl = make_nccl(groups->store, rank, size);
      // NCCL meets at its first call: now, so that an error is one of meeting.
      std::vector<at::Tensor> one = {torch::ones({1}, torch::TensorOptions().device(device))};
      groups->nccl->allreduce(one)->wait();
    }
#endif
  } catch (const Error&) {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("rank {} of {}: expected to meet the others through {}, found: {}", rank, size, file, first_line(error.what()));
  }
  (void)device;
  return std::unique_ptr<Ranks>(new Ranks(rank, size, file, std::move(groups)));
}

template <typename Call>
void Ranks::together(Call&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    give_up();  // kernels would wait for the one that is gone
    throw Error("rank {}: expected {} processes, {} ({}); the same command goes on from the last checkpoint", rank_, size_,
                kOneHasEnded, first_line(error.what()));
  }
}

std::vector<std::string> Ranks::gather(const std::string& bytes) {
  std::vector<std::string> all;
  together([&] {
    const auto lengths = gather_flat(*groups_->gloo, size_, torch::tensor({static_cast<int64_t>(bytes.size())}, torch::kInt64));
    int64_t longest = 1;
    for (const torch::Tensor& length : lengths) longest = std::max(longest, length.item<int64_t>());
    torch::Tensor mine = torch::zeros({longest}, torch::kUInt8);
    std::memcpy(mine.data_ptr(), bytes.data(), bytes.size());
    const auto parts = gather_flat(*groups_->gloo, size_, mine);
    for (size_t r = 0; r < parts.size(); ++r) {
      all.emplace_back(static_cast<const char*>(parts[r].data_ptr()), static_cast<size_t>(lengths[r].item<int64_t>()));
    }
  });
  return all;
}

std::string Ranks::from_first(const std::string& bytes) { return gather(first() ? bytes : std::string()).front(); }

bool Ranks::any(bool mine) {
  for (const std::string& flag : gather(mine ? "1" : "0")) {
    if (flag == "1") return true;
  }
  return false;
}

void Ranks::sum_bucket(torch::Tensor& bucket) {
  together([&] {
    if (bucket.is_cuda()) {
      std::vector<at::Tensor> whole = {bucket};
      groups_->nccl->allreduce(whole)->wait();
      return;
    }
    const auto parts = gather_flat(*groups_->gloo, size_, bucket);
    bucket.copy_(parts[0]);
    for (size_t r = 1; r < parts.size(); ++r) bucket.add_(parts[r]);
  });
}

void Ranks::sum(const std::vector<torch::Tensor>& tensors) {
  const torch::NoGradGuard no_grad;
  for (size_t begin = 0; begin < tensors.size();) {
    size_t end = begin;
    int64_t count = 0;
    std::vector<torch::Tensor> flat;
    while (end < tensors.size() && (end == begin || count + tensors[end].numel() <= kBucket)) {
      flat.push_back(tensors[end].reshape({-1}));
      count += tensors[end++].numel();
    }
    torch::Tensor bucket = torch::cat(flat);
    for (int64_t from = 0; from < count; from += kBucket) {
      torch::Tensor part = bucket.slice(0, from, std::min(count, from + kBucket));
      sum_bucket(part);
    }
    int64_t at = 0;
    for (; begin < end; ++begin) {
      torch::Tensor target = tensors[begin];
      target.copy_(bucket.slice(0, at, at + target.numel()).view_as(target));
      at += target.numel();
    }
  }
}

torch::Tensor Ranks::reduce_scatter(const torch::Tensor& whole) {
  const torch::NoGradGuard no_grad;
  MEDSBENCH_CHECK(whole.dim() == 1 && whole.is_contiguous() && whole.numel() % size_ == 0, "{} numbers for {} ranks",
                  whole.numel(), size_);
  const int64_t count = whole.numel() / size_;
  torch::Tensor mine = torch::empty({count}, whole.options());
  together([&] {
    if (whole.is_cuda()) {
      at::Tensor input = whole;
      groups_->nccl->_reduce_scatter_base(mine, input)->wait();
      return;
    }
    // Piece by piece each rank sends every other what that one adds up: as many numbers come as go.
    const torch::Tensor shares = whole.view({size_, count});
    const int64_t piece = std::max<int64_t>(1, kPieceBytes / whole.element_size() / size_);
    for (int64_t from = 0; from < count; from += piece) {
      const int64_t to = std::min(count, from + piece);
      at::Tensor sent = shares.slice(1, from, to).contiguous().view({-1});
      at::Tensor come = torch::empty_like(sent);
      std::vector<int64_t> equal;
      groups_->gloo->alltoall_base(come, sent, equal, equal)->wait();
      const torch::Tensor parts = come.view({size_, to - from});
      torch::Tensor sum = mine.slice(0, from, to);
      sum.copy_(parts[0]);
      for (int r = 1; r < size_; ++r) sum.add_(parts[r]);
    }
  });
  return mine;
}

void Ranks::all_gather(torch::Tensor& whole) {
  const torch::NoGradGuard no_grad;
  MEDSBENCH_CHECK(whole.dim() == 1 && whole.is_contiguous() && whole.numel() % size_ == 0, "{} numbers for {} ranks",
                  whole.numel(), size_);
  together([&] {
    const torch::Tensor shares = whole.view(torch::kUInt8).view({size_, -1});  // bytes: whatever the type
    if (whole.is_cuda()) {
      at::Tensor output = shares.view({-1}), input = shares[rank_];
      groups_->nccl->_allgather_base(output, input)->wait();
      return;
    }
    const int64_t count = shares.size(1), piece = std::max<int64_t>(1, kPieceBytes / size_);
    for (int64_t from = 0; from < count; from += piece) {
      const int64_t to = std::min(count, from + piece);
      const auto parts = gather_flat(*groups_->gloo, size_, shares[rank_].slice(0, from, to));
      for (int r = 0; r < size_; ++r) {
        if (r != rank_) shares[r].slice(0, from, to).copy_(parts[static_cast<size_t>(r)]);
      }
    }
  });
}

void Ranks::agree(const std::string& mine) {
  for (const std::string& error : gather(mine)) {
    if (!error.empty()) throw Error("{}", error);
  }
}

void Ranks::finish() {
#ifdef MEDSBENCH_CUDA
  if (groups_->nccl) together([] { c10::cuda::device_synchronize(); });
#endif
  any(false);
  if (groups_->nccl) {
    together([&] { groups_->nccl->shutdown(); });
    groups_->finished = true;
  }
  any(false);  // none ends while another still shuts down
}

void Ranks::give_up() noexcept {
  try {
    if (groups_->nccl && !groups_->finished) groups_->nccl->abort();
  } catch (const std::exception&) {  // who waits learns of the end by Gloo
  }
}

}  // namespace harness
