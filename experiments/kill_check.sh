#!/usr/bin/env bash
# Kills a sweep with SIGKILL at random moments, goes on each time, and compares every byte with an undisturbed sweep.
# Usage: kill_check.sh EXPERIMENT.toml [--kills N] [--seed N] [further arguments of `run`]
#   MEDSBENCH: the program (default build/medsbench); TMPDIR: where the folders go (default /dev/shm, else /tmp)
# Each time one of three is killed: the sweep alone, one of its workers, or all at once. The moments are uniform over a span
# that grows while no checkpoint or finished cell comes between two kills and shrinks again afterwards.
# timing.json, log.txt, progress.json and the lock files hold times, cell.toml and config.toml the two folders' names (the
# identities in manifest.json cover what they say), report.html the times of timing.json: these are left out.
set -euo pipefail
experiment=${1:?EXPERIMENT.toml}
shift
kills=100 seed=1 rest=()
while (($#)); do
  case $1 in
    --kills) kills=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    *) rest+=("$1"); shift ;;
  esac
done
program=${MEDSBENCH:-build/medsbench}
if [[ -z ${TMPDIR:-} && -w /dev/shm ]]; then TMPDIR=/dev/shm; fi
work=$(mktemp -d "${TMPDIR:-/tmp}/kill_check.XXXXXX")
RANDOM=$seed
run() { exec setsid "$program" run "$experiment" --out "$1" --set "run.models=\"$1/models\"" "${rest[@]}"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
below() { draw=$(((RANDOM * 32768 + RANDOM) % $1)); }  # no subshell: the draws are one sequence
pause() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }
# What a kill must not take away: finished cells, whole training steps, and steps of base models that a checkpoint holds.
progress() {
  {
    find "$work/killed" -name done.json || true
    find "$work/killed" -name metrics.jsonl -exec cat {} + || true
    find "$work/killed/models" -path '*/checkpoint/state.json' -exec grep -o '"step":[0-9]*' {} + | grep -o '[0-9]*$' |
      xargs -r -n 1 seq || true
  } 2> /dev/null | wc -l
}

begin=$(milliseconds)
(run "$work/whole") > "$work/whole.log" 2>&1
span=$(($(milliseconds) - begin))
echo "undisturbed: $span ms"

# The shell's own lines about killed jobs are left out; a command that fails is still named.
exec 3>&2 2> /dev/null
trap 'echo "kill_check.sh: line $LINENO: a command failed" >&3' ERR
trap '((leader == 0)) || kill -9 "$leader" || true' EXIT
least=$((span * 2 / kills + 200)) bound=0 leader=0 before=0
sweep=0 worker=0 all=0 restarts=0
((bound = least))
begin=$(milliseconds)
while ((sweep + worker + all < kills)); do
  if ! { ((leader > 0)) && kill -0 "$leader" 2> /dev/null; }; then
    if ((leader > 0)) && wait "$leader"; then  # finished: the rest of the kills go to a new one
      rm -rf "$work/killed"
      before=0
      ((restarts += 1))
    fi
    run "$work/killed" > "$work/killed.log" 2>&1 &
    leader=$!
  fi
  below $bound
  pause $draw
  kill -0 "$leader" 2> /dev/null || continue
  mapfile -t workers < <(pgrep -P "$leader" || true)
  below 3
  case $draw in
    0)
      kill -9 "$leader" 2> /dev/null || continue
      ((sweep += 1))
      ;;
    1)
      ((${#workers[@]} > 0)) || continue
      below ${#workers[@]}
      kill -9 "${workers[$draw]}" 2> /dev/null || continue
      ((worker += 1))
      ;;
    2)
      kill -9 "$leader" "${workers[@]}" 2> /dev/null || true
      ((all += 1))
      ;;
  esac
  now=$(progress)
  if ((now > before)); then
    ((bound = bound * 3 / 4, bound = bound < least ? least : bound))
  else
    ((bound = bound * 3 / 2))
  fi
  before=$now
done
wait "$leader" || true  # where a worker was killed last, the sweep ends without its cell
leader=0
exec 2>&3
(run "$work/killed") > "$work/killed.log" 2>&1
echo "$kills kills in $(($(milliseconds) - begin)) ms: $sweep of the sweep, $worker of a worker, $all of everything;" \
  "finished and begun anew $restarts times"
leave_out=(-x timing.json -x log.txt -x progress.json -x lock -x report.html -x cell.toml -x config.toml -x experiment.txt)
if diff -rq "${leave_out[@]}" "$work/whole" "$work/killed"; then
  echo "seed $seed: every file equal ($(find "$work/whole" -type f | wc -l) files)"
  rm -rf "$work"
else
  echo "seed $seed: files differ, kept in $work"
  exit 1
fi
