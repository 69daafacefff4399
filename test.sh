#!/usr/bin/env bash
# Builds and runs the tests. --benchmarks: the benchmarks instead, each for a moment; --all: both. Other arguments go to ctest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

targets=(medsbench all_tests) labels=(-LE benchmark)
case "${1:-}" in
  --benchmarks) targets=(medsbench all_benchmarks) labels=(-L benchmark); shift ;;
  --all) targets=(medsbench all_tests all_benchmarks) labels=(); shift ;;
esac
cores=$(nproc)
say() { echo "test: $*" >&2; }

start=$SECONDS
./setup.sh --quiet
say "set-up and program: $((SECONDS - start)) s"

start=$SECONDS
NINJA_STATUS='[%f of %t, %e s] ' ninja -C build "${targets[@]}"
say "building the tests: $((SECONDS - start)) s"

# Tests sync what they write; in memory that costs nothing.
if [[ -w /dev/shm && -z ${TEST_TMPDIR:-} ]]; then
  TEST_TMPDIR=$(mktemp -d /dev/shm/medsbench_test.XXXXXX)
  chmod 711 "$TEST_TMPDIR"  # one test runs the program as another user
  export TEST_TMPDIR
  trap 'rm -rf "$TEST_TMPDIR"' EXIT
fi

start=$SECONDS status=0
OMP_NUM_THREADS=1 ctest --test-dir build --output-on-failure -j "$cores" "${labels[@]}" "$@" || status=$?
say "running the tests: $((SECONDS - start)) s"
exit $status
