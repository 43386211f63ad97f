#!/bin/sh
# Makes a virtual environment with what builds and tests the project: tools/make_venv.sh FOLDER [PYTHON]
# Without PYTHON, the newest of 3.10 to 3.13 in PATH or among pyenv's.
set -eu
folder=$1
wanted=${2:-}

# Prints major.minor of an interpreter, nothing when it does not run (pyenv's shims may not).
version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

candidates() {
    for minor in 13 12 11 10; do
        command -v "python3.$minor" || true
        for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.$minor*/bin/python; do
            [ -x "$python" ] && echo "$python"
        done
    done
    command -v python3 || true
}

choose() {
    if [ -n "$wanted" ]; then
        echo "$wanted"
        return
    fi
    candidates | while read -r python; do
        case $(version "$python") in 3.1[0-3]) echo "$python"; break ;; esac
    done
}

python=$(choose)
case $(version "${python:-false}") in
    3.1[0-9]) ;;
    3.[0-9]) echo "spacetime-py needs Python 3.10 or newer, $python is $(version "$python"): see docs/decisions/0003-python-versions.md" >&2; exit 1 ;;
    *) echo "no Python 3.10 to 3.13 was found${wanted:+ as $wanted}: install one, or say PYTHON=/path/to/python" >&2; exit 1 ;;
esac
if ! command -v cargo >/dev/null; then
    echo "Rust is missing: install it with rustup, then try again" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    package="python$(version "$python")-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package"
    else
        echo "$python cannot make virtual environments: as root, apt-get install $package" >&2
        exit 1
    fi
fi
echo "virtual environment $folder with Python $(version "$python")"
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --upgrade pip
"$folder/bin/python" -m pip install --quiet --group test --group lint --group bench "maturin>=1.13,<2"
