#!/bin/sh
# A headless browser for the tests: chromium on PATH, else Playwright's own, else Debian's package when root.
set -eu
python="$1"
if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if "$python" -m playwright install chromium >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-core fonts-noto-cjk
    exit 0
fi
if [ "${CI:-}" = true ]; then
    echo "No browser could be installed: install chromium and try again" >&2
    exit 1
fi
echo "No browser could be installed; browser tests will be skipped. Install one with 'apt-get install chromium'" >&2
