#!/usr/bin/env bash
# Sets up what is missing, then runs the program: ./run.sh ARGS. Without arguments the quickstart; FILE.toml means run
# FILE.toml.
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$folder/setup.sh" --quiet
if [[ $# -eq 0 ]]; then
  cd "$folder"
  set -- run experiments/quickstart.toml
elif [[ $1 == *.toml ]]; then
  set -- run "$@"
fi
exec "$folder/build/medsbench" "$@"
