#!/usr/bin/env bash
# Names each tracked file that clang-format (.clang-format) would change or that has lines of more than 128 columns; status 1
# where there is one. Files under testdata/ and results/ are left out. CLANG_FORMAT: the program, else clang-format-14 or
# clang-format; another major version than 14 formats otherwise and is refused.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
columns=128
# FILE:LINES: so many longer lines that cannot be broken, with the reason.
exceptions=(
  harness/report/page/style.cpp:1  # CSS that goes into every report.html as it stands
)

formatter=${CLANG_FORMAT:-}
for program in clang-format-14 clang-format; do
  if [[ -z $formatter ]] && command -v "$program" > /dev/null; then formatter=$program; fi
done
version=$("${formatter:-clang-format-14}" --version 2>&1 || true)
if [[ $version != *"version 14."* ]]; then
  echo "tests/format.sh: expected clang-format 14 (Debian 12: apt-get install clang-format-14), found: ${version%%$'\n'*}" >&2
  exit 2
fi

tracked() { git ls-files -z -- "$@" ':!:*testdata/*' ':!:results/*'; }
mapfile -d '' -t code < <(tracked '*.cpp' '*.h' '*.cu')
mapfile -d '' -t lines < <(tracked '*.cpp' '*.h' '*.cu' '*.inc' '*.py' '*.sh' '*.cmake' '*.toml' '*CMakeLists.txt' '.ci/*')
if [[ ${#code[@]} -eq 0 ]]; then
  echo "tests/format.sh: expected a git checkout, found no tracked source" >&2
  exit 2
fi

status=0
if ! found=$(printf '%s\0' "${code[@]}" | xargs -0 -P "$(nproc)" -n 32 "$formatter" --dry-run --Werror 2>&1); then
  status=1
  names=$(sed -n 's/^\([^:]*\):.* code should be clang-formatted.*/\1/p' <<< "$found" | sort -u)
  [[ -n $names ]] || echo "$found"  # clang-format itself failed
  for file in $names; do echo "$file: expected as clang-format writes it (clang-format -i), found otherwise"; done
fi

declare -A allowed
for exception in "${exceptions[@]}"; do allowed[${exception%:*}]=${exception##*:}; done
while IFS=: read -r file count; do
  if [[ $count -gt ${allowed[$file]:-0} ]]; then
    echo "$file: expected lines of at most $columns columns, found $count longer"
    status=1
  fi
done < <(LC_ALL=C.UTF-8 grep -cE "^.{$((columns + 1))}" -- "${lines[@]}" || true)
exit $status
