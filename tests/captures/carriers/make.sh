#!/bin/bash
# Make every capture of these groups again (as root, Debian 12). Arguments: the groups wanted.
cd "$(dirname "$0")"
for g in ${*:-quic dtls starttls proxy tunnels fragments}; do echo "== $g"; bash ./$g.sh; done
./check.sh
