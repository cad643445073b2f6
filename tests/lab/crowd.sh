#!/usr/bin/env bash
# 10,000 idle connections beside 1,000 active ones, and what an idle one costs: see README.md.
#
#   tests/lab/crowd.sh [--idle N] [--active N] [--seconds N] [--only plain,tls,http2]
#
# The exit status is 0 if every bar is met.

source "$(dirname "${BASH_SOURCE[0]}")/lab.sh" crowd "$@"
