#!/bin/bash
# QUIC: aioquic 1.x and 0.9.25, ngtcp2, quinn, Chromium with Caddy; then the scripted variants.
. "$(dirname "$0")/lib.sh"
DEBIAN_FRONTEND=noninteractive
for p in tcpdump ethtool ngtcp2-client ngtcp2-server caddy chromium; do dpkg -s $p >/dev/null 2>&1 || apt-get install -y --no-install-recommends $p; done
pki
NEW=$(venv aioquic aioquic scapy) OLD=$(venv aioquic-old aioquic==0.9.25)
AIO=$HERE/quic_aio.py
cert="--cert $PKI/server.chain.pem --key $PKI/server.key"
net_up quic
v1=0x1 v2=0x6b3343cf

aio() { # aio FILE "SERVER OPTIONS" "CLIENT OPTIONS" [python]
  local f=quic/$1.pcap py=${4:-$NEW} port=443
  [[ $2 =~ --port\ ([0-9]+) ]] && port=${BASH_REMATCH[1]}
  daemon $py $AIO server $cert $2; wait_udp $port
  cap_start $f "udp"
  c $py $AIO client --ca $PKI/ca.pem $3 >"$WORK/client.log" 2>&1; cap_stop; stop_daemons
}
aio v1-aioquic                     ""                       ""
aio v1-aioquic-ipv6                "--host 2001:db8::20"    "--host 2001:db8::20"
aio v1-aioquic-no-sni-ip-address   ""                       "--sni= "
aio v1-aioquic-port-4433           "--port 4433"            "--port 4433"
aio v1-aioquic-doq-port-853        "--port 853 --alpn doq"  "--port 853 --alpn doq"
aio v1-aioquic-empty-client-cid    ""                       "--cid 0"
aio v1-aioquic-hello-two-datagrams ""                       "--big"
aio v1-aioquic-retry-token         "--retry"                ""
aio v1-aioquic-0rtt-resumption     ""                       "--early"
aio v1-aioquic-alpn-mismatch-close-0x178 "--alpn h3"        "--alpn example/1"
aio v1-aioquic-unknown-ca          ""                       "--ca $PKI/stranger.pem"
aio v2-aioquic                     "--versions $v2,$v1"     "--versions $v2"
aio v2-aioquic-retry-token         "--versions $v2 --retry" "--versions $v2"
aio v1-to-v2-compatible-upgrade    "--versions $v2,$v1"     "--versions $v2,$v1 --original $v1"
aio v2-refused-version-negotiation-then-v1 "--versions $v1" "--versions $v2,$v1 --original $v2"
aio version-negotiation-greased-then-v1    ""               "--versions 0x1a2a3a4a,$v1"
aio version-negotiation-nothing-in-common  "--versions $v2" "--versions $v1"
aio draft-29-aioquic               "--versions 0xff00001d"  "--versions 0xff00001d" $OLD
aio draft-32-aioquic               "--versions 0xff000020"  "--versions 0xff000020" $OLD
aio draft-29-aioquic-retry-token   "--versions 0xff00001d --retry" "--versions 0xff00001d" $OLD

mkdir -p $WORK/www; echo "example page" > $WORK/www/index.html
ng() { # ng FILE "SERVER OPTIONS" "CLIENT OPTIONS"
  daemon gtlsserver -q -d $WORK/www $2 192.0.2.20 443 $PKI/server.key $PKI/server.chain.pem; wait_udp 443
  cap_start quic/$1.pcap "udp port 443"
  c gtlsclient -q --exit-on-all-streams-close --timeout=2s $3 server.example.test 443 https://server.example.test/index.html >"$WORK/client.log" 2>&1
  cap_stop; stop_daemons
}
ng v1-ngtcp2                      "" "--no-pmtud"
ng v1-ngtcp2-hello-retry-request  "--groups=-GROUP-ALL:+GROUP-SECP384R1" "--no-pmtud"
ng v1-ngtcp2-address-validation   "-V" "--no-pmtud"
ng v1-to-v2-draft-709a50c4-ngtcp2-compatible-upgrade   "--preferred-versions=v2draft" "--no-pmtud --other-versions=v2draft,v1"

# No server on the port: the client repeats its Initial (the ICMP answers are kept out by the filter).
cap_start quic/v1-ngtcp2-client-only-nobody-answers.pcap "udp port 443"
T=3 c gtlsclient -q --no-pmtud --handshake-timeout=2s 192.0.2.99 443 https://server.example.test/ >/dev/null 2>&1
T=4 c $NEW $AIO client --ca $PKI/ca.pem >/dev/null 2>&1
cap_stop

# quinn (rustls with aws-lc-rs, X25519MLKEM768 first: the hello needs two datagrams)
mkdir -p $WORK/quinn; cp -ru "$HERE/quinn/." $WORK/quinn/
( cd $WORK/quinn && cargo build -q ) && Q=$WORK/quinn/target/debug/quinn-capture
qn() { # qn FILE ADDRESS "SERVER WORDS" "CLIENT WORDS" [CLIENT ALPN]
  daemon $Q server "$2" $PKI/server.chain.pem $PKI/server.key h3 $3; wait_udp 443
  cap_start quic/$1.pcap "udp port 443"
  c $Q client "$2" server.example.test $PKI/ca.pem ${5:-h3} $4 >"$WORK/client.log" 2>&1; cap_stop; stop_daemons
}
qn v1-quinn-post-quantum-two-datagrams 192.0.2.20:443 "" ""
qn v1-quinn-x25519                     192.0.2.20:443 "" classic
qn v1-quinn-retry-token                192.0.2.20:443 retry classic
qn v1-quinn-0rtt-resumption            192.0.2.20:443 "" "classic 0rtt"
qn v1-quinn-post-quantum-offer-x25519-chosen 192.0.2.20:443 classic ""
qn v1-quinn-alpn-mismatch-close        192.0.2.20:443 "" classic example/1
qn v1-quinn-ipv6                       "[2001:db8::20]:443" "" ""

# Chromium to Caddy (quic-go)
cat > $WORK/Caddyfile <<X
{
  admin off
  auto_https off
  storage file_system $WORK/caddy
}
https://server.example.test, https://six.example.test {
  tls $PKI/server.chain.pem $PKI/server.key
  respond "example page"
}
X
SPKI=$(openssl x509 -in $PKI/server.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
chrom_run() {
  local h=$1; rm -rf $WORK/chromium
  T=12 c env HOME=$WORK chromium --headless --no-sandbox --disable-gpu --user-data-dir=$WORK/chromium \
    --disable-background-networking --disable-component-update --disable-sync --no-first-run --disable-extensions \
    --origin-to-force-quic-on=$h:443 --ignore-certificate-errors-spki-list=$SPKI --timeout=4000 --dump-dom https://$h/ >"$WORK/client.log" 2>&1
}
chrom() { # chrom FILE HOST
  daemon env HOME=$WORK caddy run --config $WORK/Caddyfile; wait_udp 443
  cap_start quic/$1.pcap "udp port 443"; chrom_run $2; cap_stop; stop_daemons
}
chrom v1-chromium-caddy-post-quantum server.example.test
chrom v1-chromium-caddy-ipv6         six.example.test
# A server that takes X25519MLKEM768 (quinn speaks no HTTP/3 here: the handshake is what counts)
rm -rf $WORK/chromium; daemon $Q server 192.0.2.20:443 $PKI/server.chain.pem $PKI/server.key h3; wait_udp 443
cap_start quic/v1-chromium-quinn-x25519mlkem768.pcap "udp port 443"
chrom_run server.example.test; cap_stop; stop_daemons

# Only the first 200 bytes of each packet kept by the capturing tool
daemon $NEW $AIO server $cert; wait_udp 443
cap_start quic/v1-aioquic-snaplen-200.pcap "udp" -s 200
c $NEW $AIO client --ca $PKI/ca.pem >/dev/null 2>&1; cap_stop; stop_daemons

[ -n "${SKIP_SCRIPTED:-}" ] || $NEW "$HERE/quic_scripted.py" "$PCAPS/quic"
