#!/bin/bash
# IP fragments: made by the kernel on a small-MTU link where datagrams are sent, by fragments.py for TCP.
. "$(dirname "$0")/lib.sh"
pki; NEW=$(venv aioquic aioquic scapy); net_up frag
BASE=$WORK/base-frag; mkdir -p $BASE; KEEP=$PCAPS
PCAPS=$BASE
for v in "four 192.0.2.20 -tls1_2" "six [2001:db8::20] -tls1_3"; do set -- $v
  daemon openssl s_server -quiet -accept "$2:443" -cert $PKI/serverrsa.pem -key $PKI/serverrsa.key -naccept 1 $3; wait_tcp 443
  cap_start $1.pcap "tcp port 443"
  (sleep 0.4; echo hello; sleep 0.3) | T=4 c openssl s_client -connect "$2:443" -servername server.example.test -CAfile $PKI/ca.pem $3 -alpn $(seq -s, -f 'example/%g' 1 60) >/dev/null 2>&1; cap_stop; stop_daemons
done
PCAPS=$KEEP
six_again() { ip -n $C addr replace 2001:db8::10/64 dev vc nodad; ip -n $S addr replace 2001:db8::20/64 dev vs nodad; }  # an MTU below 1280 took the addresses away
dtls() { # dtls FILE ADDRESS MTU
  mtu $3; [ $3 -lt 1280 ] || six_again
  setsid ip netns exec $S sh -c "sleep 5 | openssl s_server -accept $2:4433 -dtls1_2 -mtu 1400 -cert $PKI/serverrsa.pem -key $PKI/serverrsa.key -CAfile $PKI/ca.pem -cert_chain $PKI/ca.pem" >$WORK/s_server.log 2>&1 & DAEMONS+=($!)
  wait_udp 4433
  cap_start fragments/$1.pcap "udp or ip[6:2] & 0x3fff != 0 or ip6[6] == 44"
  (sleep 0.8; echo hello; sleep 0.5; echo Q) | T=5 c openssl s_client -connect $2:4433 -dtls1_2 -mtu 1400 -servername server.example.test -alpn $(seq -s, -f 'example/%g' 1 110) >"$WORK/client.log" 2>&1
  cap_stop; stop_daemons
}
dtls ipv4-dtls-hello-and-certificate-kernel 192.0.2.20 600
dtls ipv6-dtls-hello-kernel [2001:db8::20] 1280
mtu 600
daemon $NEW $HERE/quic_aio.py server --cert $PKI/server.chain.pem --key $PKI/server.key; wait_udp 443
cap_start fragments/ipv4-quic-initial-kernel.pcap "udp or ip[6:2] & 0x3fff != 0"
c $NEW $HERE/quic_aio.py client --ca $PKI/ca.pem >/dev/null 2>&1; cap_stop; stop_daemons
mtu 1280; six_again
daemon $NEW $HERE/quic_aio.py server --cert $PKI/server.chain.pem --key $PKI/server.key --host 2001:db8::20 --datagram 1400; wait_udp 443
cap_start fragments/ipv6-quic-initial-kernel.pcap "udp or ip6[6] == 44"
c $NEW $HERE/quic_aio.py client --ca $PKI/ca.pem --host 2001:db8::20 --datagram 1400 >/dev/null 2>&1; cap_stop; stop_daemons
mtu 1500
$NEW "$HERE/fragments.py" $BASE "$PCAPS/fragments"
