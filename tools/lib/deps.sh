# Debian packages that building and testing need, and how to get them. Sourced, not run.
#
# ebb_install build        what `ebb` itself needs
# ebb_install build test   and what its tests need; `long` what only tools/test --long does
#
# Quiet when nothing is missing. EBB_SKIP_DEPS=1 leaves everything to you.

EBB_PACKAGES_build=(
  g++ meson ninja-build pkg-config python3
  libuv1-dev libmsgpack-cxx-dev libsqlite3-dev libsodium-dev libzstd-dev libmicrohttpd-dev
  libcli11-dev libtomlplusplus-dev libfmt-dev libspdlog-dev libcurl4-openssl-dev libsimdjson-dev
  nlohmann-json3-dev libqrencode-dev
)

EBB_PACKAGES_test=(
  clang-14 clang-format-14 libclang-rt-14-dev llvm-14 doctest-dev librapidcheck-dev
  libbenchmark-dev tshark faketime
)

EBB_PACKAGES_long=(
  clang-tidy-14
)

# Prints those of the given packages that are not installed.
ebb_missing() {
  local installed
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  local package
  for package in "$@"; do
    grep -qxF -- "$package installed" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Prints the command that gives root rights, nothing when we have them; fails when there is none.
ebb_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    return 0
  elif ! command -v sudo >/dev/null; then
    return 1
  elif [ -t 1 ]; then
    echo "sudo"
  else
    echo "sudo -n"
  fi
}

# ebb_cannot_install <reason> <package>...
ebb_cannot_install() {
  local reason=$1
  shift
  {
    echo "error: packages are missing and cannot be installed: $reason."
    echo "missing: $*"
    echo "Install them (on Debian 12: apt-get install $*), or set EBB_SKIP_DEPS=1 if you have them in"
    echo "another way."
  } >&2
  return 1
}

# ebb_apt <as root> <log> <apt-get arguments>...
ebb_apt() {
  local as_root=$1 log=$2
  shift 2
  # Unquoted on purpose: nothing, or `sudo -n` as two words.
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >>"$log" 2>&1 </dev/null
}

# ebb_install <set>...   with sets `build`, `test` and `long`
ebb_install() {
  [ -z "${EBB_SKIP_DEPS:-}" ] || return 0
  local wanted=() set
  for set in "$@"; do
    local -n packages="EBB_PACKAGES_$set"
    wanted+=("${packages[@]}")
  done
  local missing
  mapfile -t missing < <(ebb_missing "${wanted[@]}")
  [ ${#missing[@]} -gt 0 ] || return 0

  local as_root log
  command -v apt-get >/dev/null || {
    ebb_cannot_install "there is no apt-get here" "${missing[@]}"
    return 1
  }
  as_root=$(ebb_as_root) || {
    ebb_cannot_install "not root, and there is no sudo" "${missing[@]}"
    return 1
  }
  log=$(mktemp "${TMPDIR:-/tmp}/ebb-apt-XXXXXX")
  echo "installing with apt: ${missing[*]}"
  if ebb_apt "$as_root" "$log" update &&
    ebb_apt "$as_root" "$log" install --yes --no-install-recommends "${missing[@]}"; then
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  rm -f "$log"
  ebb_cannot_install "apt-get failed (above)" "${missing[@]}"
}
