// Ranks: the processes of one training. Each makes a share of responses and gradients; train.shard says what of the states it
// holds.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// Part of the error of a process that waits for one that has ended.
inline constexpr std::string_view kOneHasEnded = "found that one has ended";

class Ranks {
 public:
  // Meets the other processes of the run: all name the same `file`, absent before and removed by rank 0, and the same `size`.
  // Bytes travel through Gloo over the loopback interface; tensors on a GPU through NCCL. While rank 0 waits for the others it
  // calls `check`, which may throw to end the waiting. Throws Error.
  static std::unique_ptr<Ranks> meet(const std::string& file, int rank, int size, torch::Device device = torch::kCPU,
                                     const std::function<void()>& check = {});
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool first() const { return rank_ == 0; }

  // The calls below wait for the same call of every other process. They throw Error when one of them has ended.
  // The bytes of every rank, in their order.
  std::vector<std::string> gather(const std::string& bytes);
  // The bytes of rank 0; what the others give is ignored.
  std::string from_first(const std::string& bytes);
  // Whether it is true for one of them at least.
  bool any(bool mine);
  // Every tensor becomes the sum of those of all ranks: on the CPU added in the order of ranks, so that all ranks hold the same
  // bytes in every run; on a GPU by NCCL's all-reduce.
  void sum(const std::vector<torch::Tensor>& tensors);
  // This rank's share [C] of the sum of all ranks' `whole` [size * C]: numbers rank * C .. (rank + 1) * C - 1, added as in
  // `sum`.
  torch::Tensor reduce_scatter(const torch::Tensor& whole);
  // Fills `whole` [size * C] of any type, of which each rank has filled its own share.
  void all_gather(torch::Tensor& whole);
  // All end with the first error that one of them found (that of the lowest rank): `mine`, "" for none. Throws Error.
  void agree(const std::string& mine);
  // The last call, before any of the processes ends: returns when the work of all is done, also what their GPUs have been told
  // to do. Without it the end of one would break off what another's GPU still gathers from it.
  void finish();
  // From any thread, once it is known that another process has ended: a GPU that waits for it waits no longer, so that the
  // calls above can throw. On the CPU they notice by themselves.
  void give_up() noexcept;

 private:
  struct Groups;
  Ranks(int rank, int size, std::string file, std::unique_ptr<Groups> groups);
  void sum_bucket(torch::Tensor& bucket);
  template <typename Call>
  void together(Call&& call);

  int rank_, size_;
  std::string file_;
  std::unique_ptr<Groups> groups_;
};

}  // namespace harness
