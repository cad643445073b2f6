#!/usr/bin/env bash
# A quarter of an hour of visits, purges, broken transfers and attacks: see README.md.
#
#   tests/lab/soak.sh [--seconds N] [--rate N] [--attackers N] [--log]
#
# The exit status is 0 if every bar is met.

source "$(dirname "${BASH_SOURCE[0]}")/lab.sh" soak "$@"
