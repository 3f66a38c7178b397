#!/bin/sh
# What compiles the tables of the tests: pdflatex on PATH, else the smallest of Debian's packages when root.
set -eu
packages="texlive-latex-base texlive-latex-recommended"
if command -v pdflatex >/dev/null && kpsewhich booktabs.sty >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    # shellcheck disable=SC2086  (two packages)
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    exit 0
fi
if [ "${CI:-}" = true ]; then
    echo "LaTeX could not be installed: install pdflatex with booktabs and try again" >&2
    exit 1
fi
echo "LaTeX could not be installed; tests that compile tables will be skipped. Install it with 'apt-get install $packages'" >&2
