#include "baselines/all_methods.h"

#include "baselines/adaptive_entropy.h"
#include "baselines/bases.h"
#include "baselines/cispo.h"
#include "baselines/clip_cov.h"
#include "baselines/clip_higher.h"
#include "baselines/controls.h"
#include "baselines/dr_grpo.h"
#include "baselines/entropy_advantage.h"
#include "baselines/entropy_bonus.h"
#include "baselines/gspo.h"
#include "baselines/kl_cov.h"
#include "baselines/maxrl.h"
#include "baselines/outcome_exploration.h"
#include "baselines/pass_k_training.h"
#include "baselines/pkpo.h"
#include "baselines/signed_reinforce.h"
#include "baselines/top_entropy.h"
#include "baselines/uniqueness.h"
#include "baselines/unlikeliness.h"

namespace baselines {

std::vector<harness::MethodEntry> all_methods() {
  std::vector<harness::MethodEntry> entries = {
      grpo_entry(),        dr_grpo_entry(),           dapo_entry(),     entropy_bonus_entry(), adaptive_entropy_entry(),
      clip_higher_entry(), entropy_advantage_entry(), clip_cov_entry(), kl_cov_entry(),        top_entropy_entry()};
  for (harness::MethodEntry& entry : signed_reinforce_entries()) entries.push_back(std::move(entry));
  for (harness::MethodEntry& entry :
       std::vector<harness::MethodEntry>{pass_k_training_entry(), pkpo_entry(), unlikeliness_entry(), uniqueness_entry(),
                                         outcome_exploration_entry(), maxrl_entry(), gspo_entry(), cispo_entry()}) {
    entries.push_back(std::move(entry));
  }
  for (harness::MethodEntry& entry : control_entries()) entries.push_back(std::move(entry));
  return entries;
}

}  // namespace baselines
