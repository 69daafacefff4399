#!/usr/bin/env bash
# The time of a sweep on two workers over that on one, its base models made beforehand, and whether the results are equal.
# Usage: sweep_ratio.sh EXPERIMENT.toml [ROUNDS] [further arguments of `run`]   (MEDSBENCH and TMPDIR as in kill_check.sh)
set -euo pipefail
experiment=${1:?EXPERIMENT.toml} rounds=${2:-1}
shift $(($# < 2 ? $# : 2))
program=${MEDSBENCH:-build/medsbench}
if [[ -z ${TMPDIR:-} && -w /dev/shm ]]; then TMPDIR=/dev/shm; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/sweep_ratio.XXXXXX")
trap 'rm -rf "$work"' EXIT
run() { "$program" run "$experiment" --out "$1" --jobs "$2" --set "run.models=\"$work/models\"" "${@:3}" > "$1.log" 2>&1; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

run "$work/first" 2 "$@"  # the base models come from this one
for ((round = 1; round <= rounds; ++round)); do
  for jobs in 1 2; do
    rm -rf "$work/jobs$jobs"
    begin=$(milliseconds)
    run "$work/jobs$jobs" "$jobs" "$@"
    declare "time$jobs=$(($(milliseconds) - begin))"
    diff -rq -x report.html "$work/first/results" "$work/jobs$jobs/results"
  done
  echo "1 worker $time1 ms, 2 workers $time2 ms, ratio $(awk "BEGIN {printf \"%.3f\", $time2 / $time1}"), results equal"
done
