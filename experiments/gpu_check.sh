#!/usr/bin/env bash
# Everything that needs a GPU, in one go: tests, sanitizer, kernels, decoding, updates, the quickstart on CPU and GPU, other
# programs.
# Usage: gpu_check.sh OUT [PART...]      parts: tests sanitizer kernels decode update step repeat quickstart peers (all of them)
#   BUILD: the CUDA build (default build-cuda: ./setup.sh --cuda)
#   PEERS: a Python with what peers/README.md names, for the last part
# Each part writes OUT/PART.log (benchmarks JSON too) and one line here: "ok", "failed" or "not run" with the reason. Status 1
# if one failed.
# shellcheck disable=SC2317  # the parts are called by their names
set -uo pipefail
out=${1:?OUT}
shift
build=${BUILD:-build-cuda} here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
parts=("$@")
((${#parts[@]})) || parts=(tests sanitizer kernels decode update step repeat quickstart peers)
mkdir -p "$out" || exit 2
export OMP_NUM_THREADS=1
if [[ -e $build/build.ninja ]]; then  # a build carried from elsewhere has none
  ninja -C "$build" medsbench {test,bench}_{cuda,rollout,train} test_{model,ranks} > "$out/build.log" || exit
fi
bench() {  # bench PROGRAM FILTER JSON
  "$build"/harness/"$1" --benchmark_filter="$2" --benchmark_repetitions=5 --benchmark_report_aggregates_only=true \
    --benchmark_out="$out/$3.json" --benchmark_out_format=json
}
shape() {  # shape MODEL PROMPTS SAMPLES NEW_TOKENS MICRO_BATCH STOP_EVERY COMMAND...
  env MEDSBENCH_BENCH_DEVICE=cuda MEDSBENCH_BENCH_DTYPE=bf16 MEDSBENCH_BENCH_MODEL="$1" MEDSBENCH_BENCH_PROMPTS="$2" \
    MEDSBENCH_BENCH_SAMPLES="$3" MEDSBENCH_BENCH_PROMPT_TOKENS=128 MEDSBENCH_BENCH_NEW_TOKENS="$4" \
    MEDSBENCH_BENCH_MICRO_BATCH="$5" MEDSBENCH_BENCH_STOP_EVERY="$6" "${@:7}"
}
both() {  # both FUNCTION NAME: Qwen2.5-0.5B and SmolLM2-135M
  local model
  for model in qwen2.5-0.5b smollm2-135m; do "$1" "$model" "$2-$model" || return; done
}

tests() { ctest --test-dir "$build" -L gpu --output-on-failure; }
sanitizer() {
  local tool
  for tool in memcheck racecheck synccheck initcheck; do
    echo "== $tool"
    compute-sanitizer --tool "$tool" --error-exitcode 1 "$build"/harness/cuda/test_cuda --gtest_filter='Gpu/*' || return
  done
}
kernels() { bench cuda/bench_cuda . kernels; }
decode() {
  bench rollout/bench_rollout static_decode_step decode_step &&
    both decode_of decode
}
decode_of() { shape "$1" 64 16 256 0 0 bench_here model_decode "$2"; }
update() { both update_of update; }
update_of() { shape "$1" 4 16 256 0 0 bench_here 'model_(update|scoring)' "$2"; }  # 16 384 response tokens in one pass
# Lengths about geometric with mean 512, at most 2048: every 512th id of the vocabulary ends a response. 512 x 16 responses are
# 32 of these steps, the published 100 steps 3200.
step() { shape qwen3-1.7b 16 16 2048 16 512 bench_here model_step step; }
bench_here() { bench train/bench_train "$1" "$2"; }
run_quickstart() {  # run_quickstart FOLDER DEVICE
  "$build"/medsbench run "$here/quickstart.toml" --out "$out/$1" --set "run.models=\"$out/$1/models\"" \
    --set "numerics.device=\"$2\""
}
repeat() {  # the same bytes from the same config
  run_quickstart gpu cuda && run_quickstart again cuda && cmp "$out"/{gpu,again}/results/counts.csv &&
    cmp "$out"/{gpu,again}/results/curves.csv
}
# To be read beside results/nano's five seeds.
quickstart() { run_quickstart cpu cpu && diff "$out"/{cpu,gpu}/results/table.md; true; }
peers() {
  local model=$out/qwen2.5-0.5b
  "$PEERS" -c "import pathlib, sys; sys.path.insert(0, '$here/peers'); import plan_memory as p
p.write_model(pathlib.Path('$model'), p.SHAPES['qwen2.5-0.5b'], 'bfloat16')" || return
  for _ in 1 2 3 4 5; do
    shape qwen2.5-0.5b 64 16 256 0 0 "$build"/harness/train/bench_train --benchmark_filter='model_(decode|step)' || return
    "$PEERS" "$here"/peers/transformers_generate.py "$model" --prompts 64 --samples 16 --new-tokens 256 --dtype bf16 \
      --rounds 1 || return
    "$PEERS" "$here"/peers/trl_step.py "$model" --prompts 64 --samples 16 --prompt-tokens 128 --new-tokens 256 --updates 16 \
      --steps 1 --dtype bf16
  done
}
reason() {
  nvidia-smi > "$out/gpu.txt" 2>&1 || { echo "no GPU (nvidia-smi)"; return; }
  [[ $1 == sanitizer ]] && ! command -v compute-sanitizer > /dev/null && echo "no compute-sanitizer"
  [[ $1 == peers && -z ${PEERS:-} ]] && echo "PEERS names no Python"
  [[ $1 == quickstart && ! -d $out/gpu ]] && echo "part repeat comes before it"
}

status=0
for part in "${parts[@]}"; do
  [[ " tests sanitizer kernels decode update step repeat quickstart peers " == *" $part "* ]] ||
    { echo "gpu_check.sh: expected a part, found $part" >&2; exit 2; }
  why=$(reason "$part")
  if [[ -n $why ]]; then
    echo "$part: not run: $why"
  elif "$part" > "$out/$part.log" 2>&1; then
    echo "$part: ok"
  else
    echo "$part: failed, see $out/$part.log"
    status=1
  fi
done
exit $status
