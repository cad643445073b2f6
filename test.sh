#!/usr/bin/env bash
# The test command: builds everything, runs every test, the conformance suite and the packaging check, from a clean
# clone with only the .NET SDK and Node installed.
#
#   ./test.sh                 all of it
#   ./test.sh --quick         without conformance and packaging
#   ./test.sh --filter WORD   only tests whose full name contains WORD (implies --quick)
#
# The last line says "N passed, N failed, N skipped"; the exit status is 0 only if nothing failed.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# What the tests need beside .NET and Node: the command, and the Debian package that brings it.
needed=(
  curl:curl
  redis-server:redis-server
)

configuration=Release
quick=false
filter=()
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=true ;;
    --filter)
      [ $# -gt 1 ] || { echo "--filter needs a word." >&2; exit 2; }
      quick=true
      filter=(--filter-method "*$2*" --ignore-exit-code 8) # 8: an assembly in which nothing matches
      shift ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "Unknown option $1; see ./test.sh --help." >&2; exit 2 ;;
  esac
  shift
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en MSBUILDDISABLENODEREUSE=1

passed=0
failed=0
skipped=0
output=$(mktemp)
rc_policy=

finish() {
  local status=$?
  rm -f "$output" $rc_policy
  # A step that broke off counts as a failure even if no test could say so.
  if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] || exit 1
}
trap finish EXIT

step() { printf '\n== %s\n' "$*"; }

fail() {
  echo "FAILED $*" >&2
  failed=$((failed + 1))
}

check_tools() {
  if ! command -v dotnet >/dev/null || ! dotnet --version >/dev/null 2>&1; then
    echo "The .NET SDK that global.json asks for ($(sed -n 's/.*"version": "\([^"]*\)".*/\1/p' global.json) or a later 10.0) isn't installed: https://dotnet.microsoft.com/download" >&2
    exit 1
  fi
  if ! $quick && ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 18 || (a == 18 && b >= 19) ? 0 : 1)' 2>/dev/null; then
    echo "Node 18.19 or later isn't installed (the conformance suite needs it): https://nodejs.org/" >&2
    exit 1
  fi
}

install_missing() {
  local entry packages=()
  for entry in "${needed[@]}"; do
    command -v "${entry%%:*}" >/dev/null || packages+=("${entry##*:}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need what isn't installed here: ${packages[*]}. Install it (Debian: sudo apt-get install ${packages[*]}) and run ./test.sh again." >&2
    exit 1
  fi
  step "apt-get install ${packages[*]}"
  # No package may start a service here: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    rc_policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$rc_policy"
    chmod +x "$rc_policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "${packages[@]}"
  rm -f $rc_policy
}

# The summary at the end of "dotnet test": total/failed/succeeded/skipped.
count_of() { sed -n "/^Test run summary/,\$s/^ *$1: *\([0-9]*\).*/\1/p" "$output" | tail -n 1; }

run_tests() {
  local status=0
  dotnet test --solution CdnEdge.sln -c $configuration --no-build --no-progress --no-ansi \
    --max-parallel-test-modules 1 --timeout 15m "${filter[@]}" </dev/null | tee "$output" || status=$?
  passed=$((passed + $(count_of succeeded || true) + 0))
  skipped=$((skipped + $(count_of skipped || true) + 0))
  failed=$((failed + $(count_of failed || true) + 0))
  if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then fail "dotnet test ended with $status"; fi
}

run_conformance() {
  local status=0 line
  (cd tests/conformance && npm ci --ignore-scripts --no-audit --no-fund && node run.mjs --configuration $configuration) \
    </dev/null | tee "$output" || status=$?
  line=$(sed -n 's/^conformance: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$output" | tail -n 1)
  if [ -z "$line" ]; then
    fail "the conformance run ended with $status and no figures"
    return
  fi
  read -r p f s <<<"$line"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Whether the zip file $1 has the entries that follow: its directory holds their names as they are.
has() {
  local archive=$1 entry
  shift
  for entry in "$@"; do
    grep -qaF -- "$entry" "$archive" || { echo "$archive lacks $entry." >&2; return 1; }
  done
}

# Every library that calls itself packable makes a package with its readme and XML docs, and a symbol package.
check_packages() {
  local folder=artifacts/packages project name
  rm -rf "$folder"
  if ! dotnet pack CdnEdge.sln -c $configuration --no-build -o "$folder" </dev/null; then
    fail "dotnet pack"
    return
  fi
  for project in $(grep -l '<IsPackable>true</IsPackable>' src/*/*.csproj); do
    name=$(basename "$project" .csproj)
    has "$folder/$name".[0-9]*.nupkg README.md "lib/net10.0/$name.dll" "lib/net10.0/$name.xml" || fail "$name has no whole package"
    has "$folder/$name".[0-9]*.snupkg "lib/net10.0/$name.pdb" || fail "$name has no symbols"
  done
}

check_tools
install_missing
step "build ($configuration)"
dotnet restore CdnEdge.sln --locked-mode
dotnet build CdnEdge.sln -c $configuration --no-restore
step "tests"
run_tests
if ! $quick; then
  step "conformance"
  run_conformance
  step "packages"
  check_packages
fi
echo
