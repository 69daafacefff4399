#include "baselines/all_methods.h"

#include "baselines/adaptive_entropy.h"
#include "baselines/bases.h"
#include "baselines/bbg.h"
#include "baselines/cispo.h"
#include "baselines/clip_cov.h"
#include "baselines/clip_higher.h"
#include "baselines/controls.h"
#include "baselines/cue_grpo.h"
#include "baselines/darling.h"
#include "baselines/differential_smoothing.h"
#include "baselines/dph_rl.h"
#include "baselines/dr_grpo.h"
#include "baselines/edas.h"
#include "baselines/entropy_advantage.h"
#include "baselines/entropy_bonus.h"
#include "baselines/f_grpo.h"
#include "baselines/gspo.h"
#include "baselines/kl_cov.h"
#include "baselines/lp_reg.h"
#include "baselines/maxrl.h"
#include "baselines/outcome_exploration.h"
#include "baselines/pass_k_training.h"
#include "baselines/pkpo.h"
#include "baselines/qae.h"
#include "baselines/repexp.h"
#include "baselines/risk_sensitive.h"
#include "baselines/signed_reinforce.h"
#include "baselines/simko.h"
#include "baselines/spurious_rewards.h"
#include "baselines/steer.h"
#include "baselines/top_entropy.h"
#include "baselines/ucpo.h"
#include "baselines/uniqueness.h"
#include "baselines/unlikeliness.h"

namespace baselines {

std::vector<harness::MethodEntry> all_methods() {
  std::vector<harness::MethodEntry> entries = {
      grpo_entry(),        dr_grpo_entry(),           dapo_entry(),     entropy_bonus_entry(), adaptive_entropy_entry(),
      clip_higher_entry(), entropy_advantage_entry(), clip_cov_entry(), kl_cov_entry(),        top_entropy_entry()};
  for (harness::MethodEntry& entry : signed_reinforce_entries()) entries.push_back(std::move(entry));
  for (harness::MethodEntry& entry : std::vector<harness::MethodEntry>{pass_k_training_entry(),
                                                                       pkpo_entry(),
                                                                       unlikeliness_entry(),
                                                                       uniqueness_entry(),
                                                                       outcome_exploration_entry(),
                                                                       maxrl_entry(),
                                                                       gspo_entry(),
                                                                       cispo_entry(),
                                                                       edas_entry(),
                                                                       f_grpo_entry(),
                                                                       ucpo_entry(),
                                                                       steer_entry(),
                                                                       qae_entry(),
                                                                       differential_smoothing_entry(),
                                                                       darling_entry(),
                                                                       simko_entry(),
                                                                       lp_reg_entry(),
                                                                       bbg_entry(),
                                                                       cue_grpo_entry(),
                                                                       repexp_entry(),
                                                                       risk_sensitive_entry(),
                                                                       dph_rl_entry()}) {
    entries.push_back(std::move(entry));
  }
  for (harness::MethodEntry& entry : control_entries()) entries.push_back(std::move(entry));
  for (harness::MethodEntry& entry : spurious_reward_entries()) entries.push_back(std::move(entry));
  return entries;
}

}  // namespace baselines
