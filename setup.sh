#!/usr/bin/env bash
# Installs what is missing, unpacks the pinned wheels under .deps/, configures a CMake preset and builds medsbench.
#
#   ./setup.sh          CPU: build/medsbench
#   ./setup.sh --cuda   with the machine's CUDA toolkit: build-cuda/medsbench
#   ./setup.sh --quiet  says nothing where nothing is to do
#
# Torch_DIR=DIR/share/cmake/Torch takes a LibTorch that is already there instead of the wheel.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

preset=release build=build quiet=0
for argument in "$@"; do
  case "$argument" in
    --cuda) preset=cuda build=build-cuda ;;
    --quiet) quiet=1 ;;
    --help | -h) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "setup.sh: expected --cuda, --quiet or --help, found $argument" >&2; exit 2 ;;
  esac
done
export Torch_DIR="${Torch_DIR:-}"
started=$SECONDS

say() { echo "setup: $*" >&2; }
fail() { echo "setup.sh: $*" >&2; exit 1; }

packages=(build-essential cmake ninja-build git pkg-config unzip ca-certificates python3 python3-pip
  libtomlplusplus-dev libcli11-dev nlohmann-json3-dev libfmt-dev libboost1.81-dev libpcre2-dev libutf8proc-dev
  librandom123-dev libeigen3-dev libssl-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev librapidcheck-dev
  libgtest-dev libgmock-dev libbenchmark-dev gnuplot-nox)

install_packages() {
  if ! command -v dpkg-query > /dev/null; then
    say "no dpkg here; these Debian 12 packages are taken as there: ${packages[*]}"
    return
  fi
  local missing=() package
  for package in "${packages[@]}"; do
    [[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null || true)" == installed ]] && continue
    [[ $package == python3-pip ]] && python3 -m pip --version > /dev/null 2>&1 && continue
    missing+=("$package")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  local root=()
  if [[ $EUID -ne 0 ]]; then
    command -v sudo > /dev/null || fail "system packages: expected root or sudo to install ${missing[*]}, found neither"
    root=(sudo)
  fi
  say "step 1 of 3: ${#missing[@]} of ${#packages[@]} system packages are missing: ${missing[*]}"
  "${root[@]}" apt-get update -q >&2
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# download NAME==VERSION HASH: the wheel's path on stdout; the file is checked against HASH however it came.
download() {
  local requirement=$1 hash=$2 name file
  name=${requirement/==/-}
  name=${name%-*}
  for attempt in there fetched; do
    for file in .deps/wheels/"${name//-/_}-${requirement##*==}"-*.whl; do
      if [[ -e $file ]] && echo "$hash  $file" | sha256sum --check --status; then
        echo "$file"
        return
      fi
    done
    [[ $attempt == fetched ]] && break
    # The platform is named, so that any Python can fetch what the program links.
    python3 -m pip --disable-pip-version-check download --no-deps --require-hashes --only-binary=:all: --python-version 3.11 \
      --implementation cp --abi cp311 --abi none --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
      --platform manylinux_2_25_x86_64 --platform manylinux_2_18_x86_64 --platform manylinux2014_x86_64 --dest .deps/wheels \
      --requirement <(echo "$requirement --hash=sha256:$hash") >&2 ||
      fail "wheel $requirement: the download failed; the same command tries again"
  done
  fail "wheel $requirement: expected SHA-256 $hash, found another file in .deps/wheels"
}

# unpack WHEEL: beside its place first, then renamed, so that a killed unpacking never looks finished.
unpack() {
  local fresh=.deps/unpacking entry
  rm -rf "$fresh"
  mkdir -p "$fresh"
  unzip -q -o "$1" -d "$fresh"
  for entry in "$fresh"/*; do
    if [[ ${entry##*/} == nvidia ]]; then  # several wheels share this folder
      cp -a "$entry" .deps/
    else
      rm -rf ".deps/${entry##*/}"
      mv "$entry" .deps/
    fi
  done
  rm -rf "$fresh"
}

# wheels FILE [NAME...]: the wheels of FILE (of those names, where given) that are not unpacked yet.
wheels() {
  local list=$1 requirement hash size unpacked rest=() total=0 wheel count=0
  shift
  while read -r requirement hash size unpacked _; do
    [[ -z $requirement || $requirement == \#* ]] && continue
    [[ $# -gt 0 && " $* " != *" ${requirement%%==*} "* ]] && continue
    [[ -n $Torch_DIR && ! $requirement =~ ^pyarrow ]] && continue
    [[ "$(cat ".deps/stamps/${requirement%%==*}" 2> /dev/null || true)" == "$hash" ]] && continue
    rest+=("$requirement $hash $size $unpacked")
    total=$((total + size))
  done < "$list"
  [[ ${#rest[@]} -eq 0 ]] && return
  mkdir -p .deps/wheels .deps/stamps
  say "step 2 of 3: ${#rest[@]} wheels, $total MB to download"
  for wheel in "${rest[@]}"; do
    read -r requirement hash size unpacked <<< "$wheel"
    count=$((count + 1))
    say "wheel $count of ${#rest[@]}: $requirement, $size MB ($unpacked MB unpacked), $total MB to go"
    local file
    file=$(download "$requirement" "$hash")
    say "wheel $count of ${#rest[@]}: unpacking"
    unpack "$file"
    echo "$hash" > ".deps/stamps/${requirement%%==*}"
    total=$((total - size))
  done
}

# The CUDA part of LibTorch needs libraries that a CUDA toolkit has in part; wheels bring only those that are not there.
cuda_wheels() {
  command -v nvcc > /dev/null || PATH=$PATH:/usr/local/cuda/bin
  command -v nvcc > /dev/null || fail "--cuda: expected the CUDA toolkit (13), found no nvcc in PATH or /usr/local/cuda/bin"
  local toolkit requirement library absent=()
  toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
  say "CUDA toolkit: $(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/\1/p') in $toolkit"
  while read -r requirement _ _ _ library; do
    [[ -z $requirement || $requirement == \#* ]] && continue
    [[ -e $toolkit/lib64/$library ]] && continue
    ldconfig -p | grep -qF "$library" && continue
    absent+=("${requirement%%==*}")
  done < cmake/wheels_cuda.txt
  if [[ ${#absent[@]} -gt 0 ]]; then wheels cmake/wheels_cuda.txt "${absent[@]}"; fi
}

configure() {
  local stamp=$build/.configured wanted
  wanted="$preset $Torch_DIR $(cat CMakePresets.json cmake/wheels.txt | sha256sum)"
  [[ -e $build/build.ninja && "$(cat "$stamp" 2> /dev/null || true)" == "$wanted" ]] && return
  say "step 3 of 3: configuring preset $preset"
  local torch=(-UTorch_DIR)
  [[ -n $Torch_DIR ]] && torch=("-DTorch_DIR=$Torch_DIR")
  cmake --preset "$preset" "${torch[@]}" >&2
  echo "$wanted" > "$stamp"
}

build_program() {
  [[ -e $build/medsbench ]] || say "step 3 of 3: building $build/medsbench; the first time takes minutes"
  # Looking for new files and writing the commit into the program happen at each call: not worth a word.
  NINJA_STATUS='[%f of %t, %e s] ' ninja -C "$build" medsbench |
    sed -u -e '/commit/d' -e '/^ninja: /d' -e '/Re-checking globbed/d' >&2
}

install_packages
wheels cmake/wheels.txt
if [[ $preset == cuda ]]; then cuda_wheels; fi
configure
build_program
if [[ $quiet -eq 0 ]]; then say "$build/medsbench is ready ($((SECONDS - started)) s)"; fi
