#!/bin/sh
# Make a virtual environment. Debian's python3 lacks ensurepip until python3-venv is installed.
set -eu
python="$1"
folder="$2"
if [ -z "$python" ]; then
    echo "Python 3.11 is needed and was not found: install it, or name it with make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$python is older than Python 3.11: name a newer one with make PYTHON=/path/to/python3.11" >&2
    exit 1
}
"$python" -m venv "$folder" 2>/dev/null && exit 0
rm -rf "$folder"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    apt-get update -qq
    apt-get install -y -qq "python$version-venv" || apt-get install -y -qq python3-venv
    exec "$python" -m venv "$folder"
fi
if "$python" -m virtualenv --version >/dev/null 2>&1; then
    exec "$python" -m virtualenv "$folder"
fi
echo "This Python cannot make a virtual environment: install it with 'apt-get install python3-venv' and try again" >&2
exit 1
