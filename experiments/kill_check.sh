#!/usr/bin/env bash
# Kills a run with SIGKILL at random moments, goes on each time, and compares every byte with an undisturbed run.
# Usage: kill_check.sh EXPERIMENT.toml KILLS [SEED] [--set KEY=VALUE ...]     (MEDSBENCH: the program; default build/medsbench)
# timing.json, log.txt, progress.json and the lock files hold times, cell.toml and config.toml the two folders' names (the
# identities in manifest.json cover what they say): these are left out.
set -euo pipefail
experiment=$1 kills=$2 seed=${3:-1}
shift $(($# < 3 ? $# : 3))
program=${MEDSBENCH:-build/medsbench}
work=$(mktemp -d "${TMPDIR:-/tmp}/kill_check.XXXXXX")
RANDOM=$seed
run() { setsid "$program" run "$experiment" --out "$1" --set "run.models=\"$1/models\"" "${@:2}"; }

begin=$(date +%s%N)
run "$work/whole" "$@" >"$work/whole.log" 2>&1
span=$((($(date +%s%N) - begin) / 1000000))
echo "undisturbed: $span ms"

killed=0
while [ "$killed" -lt "$kills" ]; do
  run "$work/killed" "$@" >"$work/killed.log" 2>&1 &
  leader=$!
  # Moments spread so that all kills fall within about twice the undisturbed time.
  delay=$((RANDOM * 32768 + RANDOM))
  delay=$((delay % (span * 2 / kills + 200)))
  sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
  if ! kill -0 "$leader" 2>/dev/null; then
    echo "ended by itself after $killed kills: begun anew"
    wait "$leader" || true
    rm -rf "$work/killed"
    continue
  fi
  # Everything at once: the sweep and its workers (each leads a process group of its own).
  pkill -9 -P "$leader" 2>/dev/null || true
  kill -9 "$leader" 2>/dev/null || true
  wait "$leader" 2>/dev/null || true
  killed=$((killed + 1))
done
run "$work/killed" "$@" >"$work/killed.log" 2>&1
if diff -rq -x timing.json -x log.txt -x progress.json -x lock -x report.html -x cell.toml -x config.toml -x experiment.txt "$work/whole" "$work/killed"; then
  echo "$killed kills, seed $seed: every file equal"
  rm -rf "$work"
else
  echo "$killed kills, seed $seed: files differ, kept in $work"
  exit 1
fi
