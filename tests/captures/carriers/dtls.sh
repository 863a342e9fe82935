#!/bin/bash
# DTLS: OpenSSL, GnuTLS, wolfSSL (1.3), aiortc and Chromium (WebRTC), coturn; then the scripted variants.
. "$(dirname "$0")/lib.sh"
export DEBIAN_FRONTEND=noninteractive
for p in tcpdump ethtool gnutls-bin coturn chromium gcc make autoconf automake libtool libssl-dev; do dpkg -s $p >/dev/null 2>&1 || apt-get install -y --no-install-recommends $p; done
pki; NEW=$(venv aioquic aioquic scapy) RTC=$(venv rtc aiortc)
net_up dtls

# Debian's libwolfssl has no DTLS 1.3: build the same source package with it.
W=$WORK/wolf
if [ ! -f $W/inst/lib/libwolfssl.a ]; then ( mkdir -p $W/lists/partial; cd $W
  echo 'deb-src http://deb.debian.org/debian bookworm main' > src.list
  A="apt-get -o Dir::Etc::sourcelist=$W/src.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$W/lists"
  $A update && $A source --download-only wolfssl && tar xzf wolfssl_*.orig.tar.gz && cd wolfssl-*/ && autoreconf -fi &&
  ./configure --prefix=$W/inst --enable-static --disable-shared --enable-dtls --enable-dtls13 --enable-dtls-mtu --enable-tls13 --enable-psk \
    --enable-curve25519 --enable-srtp --enable-session-ticket --enable-hrrcookie --enable-dtlscid --enable-sni --enable-alpn --disable-examples --disable-crypttests &&
  make -j2 && make install ) >$WORK/wolf.log 2>&1; fi
cc -O1 -o $WORK/wolf13 "$HERE/dtls/wolf13.c" -I$W/inst/include $W/inst/lib/libwolfssl.a -lm -lpthread
cc -O1 -w -o $WORK/bad_ver_client "$HERE/dtls/bad_ver_client.c" -lssl -lcrypto

LOW="-cipher ALL:@SECLEVEL=0"
ossl() { # ossl FILE "SERVER OPTIONS" "CLIENT OPTIONS" [EC|RSA] [BIND, e.g. [2001:db8::20]]
  local k=server to=${5:-192.0.2.20}; [ "${4:-EC}" = RSA ] && k=serverrsa
  [ "${4:-}" = none ] && local kc=-nocert || local kc="-cert $PKI/$k.pem -key $PKI/$k.key -CAfile $PKI/ca.pem"
  # -quiet would make s_server wait for input; a slow pipe keeps both ends open
  setsid ip netns exec $S sh -c "sleep 6 | openssl s_server -accept $to:4433 $kc $2" >$WORK/s_server.log 2>&1 & DAEMONS+=($!)
  wait_udp 4433
  cap_start dtls/$1.pcap "udp" ${SNAP:-}
  (sleep 0.8; echo hello; sleep 0.7; echo Q) | T=6 c openssl s_client -connect $to:4433 -servername server.example.test $3 >"$WORK/client.log" 2>&1
  cap_stop; stop_daemons
}
ossl v1.2-openssl                         "-dtls1_2"          "-dtls1_2"
ossl v1.2-openssl-cookie                  "-dtls1_2 -listen"  "-dtls1_2"
ossl v1.2-openssl-rsa                     "-dtls1_2"          "-dtls1_2" RSA
ossl v1.2-openssl-ipv6                    "-dtls1_2 -listen"  "-dtls1_2" EC [2001:db8::20]
ossl v1.0-openssl                         "-dtls1 $LOW"       "-dtls1 $LOW"
ossl v1.0-openssl-cookie                  "-dtls1 -listen $LOW" "-dtls1 $LOW" RSA
ossl v1.2-offered-v1.0-chosen-openssl     "-dtls1 $LOW"       "-dtls $LOW"
ossl v1.2-openssl-version-refused-alert   "-dtls1_2"          "-dtls1 $LOW"
ossl v1.2-openssl-no-shared-cipher-alert  "-dtls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384" "-dtls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256"
ossl v1.2-openssl-client-certificate      "-dtls1_2 -Verify 2" "-dtls1_2 -cert $PKI/client.pem -key $PKI/client.key"
ossl v1.2-openssl-client-certificate-missing-alert "-dtls1_2 -Verify 2 -verify_return_error" "-dtls1_2"
ossl v1.2-openssl-unknown-ca-alert        "-dtls1_2"          "-dtls1_2 -CAfile $PKI/stranger.pem -verify_return_error"
ossl v1.2-openssl-psk                     "-dtls1_2 -psk 0badc0de0badc0de -psk_identity sensor -cipher PSK" "-dtls1_2 -psk 0badc0de0badc0de -psk_identity sensor -cipher PSK" none
ossl v1.2-openssl-use-srtp-80             "-dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_80" "-dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_80"
ossl v1.2-openssl-use-srtp-32             "-dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_32" "-dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80"
ossl v1.2-openssl-use-srtp-gcm            "-dtls1_2 -use_srtp SRTP_AEAD_AES_256_GCM" "-dtls1_2 -use_srtp SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"
ossl v1.2-openssl-small-mtu-fragments     "-dtls1_2 -mtu 300 -listen" "-dtls1_2 -mtu 300 -alpn $(seq -s, -f 'example/%g' 1 30)" RSA
ossl v1.2-openssl-null-cipher             "-dtls1_2 $LOW:eNULL" "-dtls1_2 -cipher NULL-SHA256:@SECLEVEL=0" RSA
SNAP="-s 200" ossl v1.2-openssl-snaplen-200           "-dtls1_2" "-dtls1_2" RSA

daemon $RTC "$HERE/dtls/nocookie_server.py" $PKI/server.chain.pem $PKI/server.key; wait_udp 4433
cap_start dtls/v1.2-openssl-no-cookie.pcap "udp"
(sleep 0.8; echo hello; sleep 0.5; echo Q) | T=6 c openssl s_client -connect 192.0.2.20:4433 -servername server.example.test -dtls1_2 >$WORK/client.log 2>&1; cap_stop; stop_daemons

gn() { # gn FILE "SERVER PRIORITY/OPTIONS" "CLIENT OPTIONS"
  daemon gnutls-serv -u -p 4433 --echo --x509certfile $PKI/server.pem --x509keyfile $PKI/server.key $2; wait_udp 4433
  cap_start dtls/$1.pcap "udp"
  (sleep 0.5; echo hello; sleep 0.5) | T=5 c gnutls-cli -u -p 4433 server.example.test $3 --x509cafile $PKI/ca.pem >"$WORK/client.log" 2>&1
  cap_stop; stop_daemons
}
gn v1.2-gnutls-cookie          "" ""
gn v1.0-gnutls-cookie          "--priority NORMAL:-VERS-ALL:+VERS-DTLS1.0:%COMPAT" "--priority NORMAL:-VERS-ALL:+VERS-DTLS1.0"
gn v1.2-gnutls-srtp-mtu-400    "--mtu 400" "--mtu 400 --srtp-profiles SRTP_AES128_CM_HMAC_SHA1_80"

wf() { # wf FILE "SERVER WORDS" "CLIENT WORDS"
  daemon $WORK/wolf13 server $PKI/server.chain.pem $PKI/server.key $2; wait_udp 4433
  cap_start dtls/$1.pcap "udp"
  T=6 c $WORK/wolf13 client $PKI/ca.pem name server.example.test $3 >"$WORK/client.log" 2>&1; cap_stop; stop_daemons
}
wf v1.3-wolfssl                       "" ""
wf v1.3-wolfssl-hello-retry-cookie    "cookie" ""
wf v1.3-wolfssl-hello-retry-group     "p384" "p256first"
wf v1.3-wolfssl-client-certificate    "verify $PKI/ca.pem" "cert $PKI/client.chain.pem $PKI/client.key"
wf v1.3-wolfssl-client-hello-fragmented "" "mtu 200"
wf v1.3-wolfssl-server-flight-fragmented "mtu 300" ""
wf v1.3-wolfssl-connection-id         "" "cid"
# a 1.2 server does not know it
setsid ip netns exec $S sh -c "sleep 4 | openssl s_server -accept 192.0.2.20:4433 -dtls1_2 -cert $PKI/server.pem -key $PKI/server.key" >$WORK/s_server.log 2>&1 & DAEMONS+=($!)
wait_udp 4433; cap_start dtls/v1.3-wolfssl-refused-by-v1.2-openssl.pcap "udp"; T=4 c $WORK/wolf13 client $PKI/ca.pem name server.example.test >$WORK/client.log; cap_stop; stop_daemons

# 0x0100
daemon python3 "$HERE/dtls/bad_ver_server.py"; wait_udp 443
cap_start dtls/v0x0100-openssl-anyconnect-resumption.pcap "udp"; T=6 c $WORK/bad_ver_client >$WORK/client.log; cap_stop; stop_daemons

# WebRTC: STUN, DTLS and SCTP over DTLS on one port
rtc() { # rtc FILE [relay]
  rm -rf $WORK/rtc; mkdir $WORK/rtc
  daemon $RTC "$HERE/dtls/webrtc.py" answer $WORK/rtc; sleep 1
  cap_start dtls/$1.pcap "udp"; T=12 c $RTC "$HERE/dtls/webrtc.py" offer $WORK/rtc ${2:-} >"$WORK/client.log" 2>&1; cap_stop; stop_daemons
}
rtc webrtc-aiortc-two-address-families
ip -n $C addr del 2001:db8::10/64 dev vc; rtc webrtc-aiortc-stun-and-dtls-one-port; ip -n $C addr add 2001:db8::10/64 dev vc nodad
daemon turnserver -n -L 192.0.2.20 -E 192.0.2.20 -p 3478 -a -u alice:invented -r example.test --no-tls --no-dtls --no-cli --no-multicast-peers --userdb $WORK/turndb --pidfile $WORK/turn.pid -l stdout; wait_udp 3478
setsid ip netns exec $S true; K=("${DAEMONS[@]}"); DAEMONS=(); rtc webrtc-aiortc-turn-relay relay; DAEMONS=("${K[@]}"); stop_daemons

# Chromium with both ends in one page: the packets go over the loopback interface of the client
ip -n $C route add default via 192.0.2.20
rm -rf $WORK/chromium; OUT=$PCAPS/dtls/webrtc-chromium-both-ends.pcap
rm -f $WORK/tcpdump-$C.log; ip netns exec $C tcpdump -i lo -U --immediate-mode -Z root -w $OUT "udp and ip and not port 53" 2>$WORK/tcpdump-$C.log & TCPDUMP=$!; sleep 1
T=7 c env HOME=$WORK chromium --headless --no-sandbox --disable-gpu --user-data-dir=$WORK/chromium --disable-background-networking --disable-component-update \
  --disable-sync --no-first-run --disable-features=WebRtcHideLocalIpsWithMdns --remote-debugging-port=9333 --force-webrtc-ip-handling-policy=default_public_and_private_interfaces file://$HERE/dtls/webrtc.html >$WORK/client.log 2>&1; cap_stop

[ -n "${SKIP_SCRIPTED:-}" ] || $NEW "$HERE/dtls_scripted.py" "$PCAPS/dtls"
