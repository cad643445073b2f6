#!/usr/bin/env bash
# The caches side by side; see README.md. Installs what it needs, builds, and hands over to side-by-side.mjs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../../.." && pwd)

say() { echo "$*" >&2; }

# Installs Debian packages without letting their services start.
install() {
    if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
        say "These packages are needed and can only be installed by root: apt-get install $*"
        exit 2
    fi
    say "installing $*"
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap "rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"; } >&2
    if [[ -n $(trap -p EXIT) ]]; then
        rm -f "$policy"
        trap - EXIT
    fi
}

# Debian keeps servers in sbin, which isn't on every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing=()
for pair in nginx:nginx varnishd:varnish wrk:wrk h2load:nghttp2-client openssl:openssl node:nodejs taskset:util-linux; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
if ((${#missing[@]} > 0)); then install "${missing[@]}"; fi
command -v dotnet >/dev/null || { say "The .NET SDK is needed: https://dot.net"; exit 2; }

arguments=()
build=true
for argument in "$@"; do
    if [[ $argument == --no-build ]]; then build=false; else arguments+=("$argument"); fi
    if [[ $argument == --help ]]; then build=false; fi
done
if $build; then
    for project in src/CdnEdge tests/benchmarks/Contenders; do
        say "building $project"
        dotnet build "$repository/$project" -c Release -v quiet --nologo >&2
    done
fi

exec node "$here/side-by-side.mjs" ${arguments[@]+"${arguments[@]}"}
