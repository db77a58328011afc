#!/bin/sh
# Makes .venv in the current folder with a suitable Python, or says in one line what is missing and which
# command mends it. Plain POSIX shell: it runs before there is any Python environment.
#
# usage: venv.sh [PYTHON]     PYTHON: the interpreter to take; empty: the newest of 3.11 to 3.13 found
set -eu

fail() {
	printf 'intentstream: %s\n  → %s\n' "$1" "$2" >&2
	exit 1
}

as_root=''
[ "$(id -u)" = 0 ] || as_root='sudo '

# What a Python says of itself: "3.12", or nothing where it does not run or is not a supported one.
supported() {
	"$1" -c 'import sys
v = sys.version_info[:2]
print("%d.%d" % v if (3, 11) <= v <= (3, 13) else "")' 2>/dev/null || true
}

[ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ] ||
	fail "$(uname -s) on $(uname -m) is not supported by the embedded servers" \
		'run it on Linux x86-64, or use docker-compose.yml'

wanted=${1-}
# A .venv that works is kept, unless the folder was moved since (its scripts hold absolute paths) or another
# Python is asked for now.
made_in=.venv/made-in
here=$(pwd -P)
if { [ ! -e "$made_in" ] || [ "$(cat "$made_in")" = "$here" ]; } && [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
	have=$(supported .venv/bin/python)
	if [ -n "$have" ] && { [ -z "$wanted" ] || [ "$(supported "$wanted")" = "$have" ]; }; then
		exit 0
	fi
fi

if [ -n "$wanted" ]; then
	command -v "$wanted" >/dev/null 2>&1 ||
		fail "there is no $wanted" "leave PYTHON out, or name a Python 3.11 to 3.13 that is installed"
	version=$(supported "$wanted")
	[ -n "$version" ] ||
		fail "$wanted is not Python 3.11 to 3.13, or does not run" 'leave PYTHON out to have one looked for'
	python=$wanted
else
	python=''
	for candidate in python3.13 python3.12 python3.11 python3; do
		version=$(supported "$candidate")
		if [ -n "$version" ]; then
			python=$candidate
			break
		fi
	done
	[ -n "$python" ] ||
		fail 'no Python 3.11, 3.12 or 3.13 was found' \
			"${as_root}apt-get install python3 python3-venv   (Ubuntu 22.04: python3.11 python3.11-venv)"
fi

# Debian and Ubuntu ship these two in a package of their own.
"$python" -c 'import venv, ensurepip, ctypes' >/dev/null 2>&1 ||
	fail "$(command -v "$python") cannot make virtual environments" \
		"${as_root}apt-get install python$version-venv"

printf 'making .venv with Python %s (%s)\n' "$version" "$(command -v "$python")"
rm -rf .venv
"$python" -m venv .venv || {
	rm -rf .venv
	fail 'the virtual environment could not be made' 'look at the lines above: no room or no rights in this folder?'
}
printf '%s\n' "$here" >"$made_in"
