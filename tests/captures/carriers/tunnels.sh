#!/bin/bash
# One real small TLS flow (IPv4 and IPv6), and one over the kernel's VXLAN; the other wrappings by tunnels.py.
. "$(dirname "$0")/lib.sh"
pki; NEW=$(venv aioquic aioquic scapy); net_up tun
tls() { # tls ADDRESS NAME OPTIONS
  daemon openssl s_server -quiet -accept "$1:443" -cert $PKI/server.pem -key $PKI/server.key -naccept 1 $3; wait_tcp 443
  (sleep 0.4; echo hello; sleep 0.3) | T=4 c openssl s_client -connect "$1:443" -servername $2 -CAfile $PKI/ca.pem $3 >"$WORK/client.log" 2>&1
}
BASE=$WORK/base; mkdir -p $BASE; KEEP=$PCAPS
PCAPS=$BASE
cap_start four.pcap "tcp port 443"; tls 192.0.2.20 server.example.test -tls1_2; cap_stop; stop_daemons
cap_start six.pcap "tcp port 443"; tls [2001:db8::20] six.example.test -tls1_3; cap_stop; stop_daemons
PCAPS=$KEEP
for n in "$C vc 10 20" "$S vs 20 10"; do set -- $n
  ip -n $1 link add vx type vxlan id 4242 remote 192.0.2.$4 dstport 4789 dev $2 && ip -n $1 addr add 198.51.100.$3/24 dev vx && ip -n $1 link set vx up
  ip netns exec $1 ethtool -K vx tso off gso off gro off tx off rx off >/dev/null 2>&1
done
cap_start tunnels/vxlan-linux.pcap "udp port 4789"; tls 198.51.100.20 server.example.test -tls1_2; cap_stop; stop_daemons
ip -n $C link del vx; ip -n $S link del vx
# MPLS by the kernel, where it has the modules
ip netns exec $C sysctl -qw net.mpls.platform_labels=1000 2>/dev/null
ip netns exec $S sysctl -qw net.mpls.platform_labels=1000 2>/dev/null
ip netns exec $C sysctl -qw net.mpls.conf.vc.input=1 2>/dev/null; ip netns exec $S sysctl -qw net.mpls.conf.vs.input=1 2>/dev/null
if ip -n $C route add 198.51.100.20/32 encap mpls 100/200 via 192.0.2.20 src 192.0.2.10 2>/dev/null; then
  ip -n $S addr add 198.51.100.20/32 dev lo; ip -n $S -f mpls route add 100 dev lo 2>/dev/null; ip -n $S -f mpls route add 200 dev lo
  ip -n $S -f mpls route replace 100 dev lo
  cap_start tunnels/mpls-linux-two-labels.pcap "mpls or tcp port 443"; tls 198.51.100.20 server.example.test -tls1_2; cap_stop; stop_daemons
else echo "no MPLS routes in this kernel"; fi
$NEW "$HERE/tunnels.py" $BASE "$PCAPS/tunnels"
