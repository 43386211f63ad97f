#!/bin/sh
# Builds the core guided by a profile, as the wheels are, for a virtual environment: tools/build_profiled.sh FOLDER
# It is installed there as from a wheel, apart from what other environments build beside the sources.
# Builds it plainly, and says so, where there is no llvm-profdata that reads what rustc writes.
set -eu
folder=$(cd "$1" && pwd)

# The newest that Debian has beside its own; maturin looks at rustup's llvm-tools before PATH.
newest() {
    for number in 23 22 21 20 19; do
        [ -x "/usr/lib/llvm-$number/bin/llvm-profdata" ] && echo "/usr/lib/llvm-$number/bin" && return
    done
    return 0
}

tools=$(newest)
if [ -z "$tools" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq llvm-19 >/dev/null || true
    tools=$(newest)
fi
install() {
    PATH="$folder/bin:${tools:+$tools:}$PATH" VIRTUAL_ENV="$folder" \
        "$folder/bin/python" -m pip install --verbose --no-build-isolation . > "$folder/build.log" 2>&1
}
rm -f "$folder/.profiled"
echo "compiling the core twice, and training it between (some minutes)"
if MATURIN_PGO=1 install; then
    touch "$folder/.profiled"
    exit 0
fi
echo "not guided by a profile: $folder/build.log says why; rustup component add llvm-tools may help" >&2
install || { tail -n 40 "$folder/build.log" >&2; exit 1; }
