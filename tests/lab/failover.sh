#!/usr/bin/env bash
# The scenarios of failover at length, with their figures: see README.md.
#
#   tests/lab/failover.sh [--seconds N] [--only a,b] [--rate N] [--logs] [--samples FOLDER]
#
# The exit status is 0 if every bar is met.

source "$(dirname "${BASH_SOURCE[0]}")/lab.sh" failover "$@"
