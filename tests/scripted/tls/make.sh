#!/bin/sh
# Makes the certificates here anew: a CA, a server's certificate for "localhost" signed by it, and a stranger's CA.
set -eu
cd "$(dirname "$0")"
ca() {
    openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -keyout "$2" -out "$1" \
        -subj "/CN=$3" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" 2>/dev/null
}
secret=$(mktemp)
ca stranger.pem "$secret" "a stranger's CA"
ca ca.pem "$secret" "the tests' CA"
openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -keyout key.pem -out certificate.pem \
    -subj "/CN=localhost" -CA ca.pem -CAkey "$secret" -addext "subjectAltName=DNS:localhost" \
    -addext "basicConstraints=critical,CA:FALSE" 2>/dev/null
rm "$secret"
