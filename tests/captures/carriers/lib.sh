# Shared by every script here. Two network namespaces joined by one veth pair:
#   client 192.0.2.10 / 2001:db8::10      server 192.0.2.20 / 2001:db8::20
# Nothing leaves them. Source this file, call `net_up NAME`, make captures with
# `cap_start FILE [FILTER]` … `cap_stop`, and leave with `net_down` (also on exit).
set -u
ulimit -c 0          # a server that crashes leaves no core file here
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
PCAPS=$ROOT/pcaps
WORK=${WORK:-/tmp/handprint-carriers}
PKI=$WORK/pki
mkdir -p "$WORK"
export PATH=$PATH:/usr/sbin:/sbin

net_up() {            # net_up NAME [MTU]
  C=hp-$1-c S=hp-$1-s
  DAEMONS=() TCPDUMP= OUT=
  net_clean
  ip netns add $C && ip netns add $S
  ip link add vc netns $C type veth peer name vs netns $S
  local n d a
  for n in "$C vc 10" "$S vs 20"; do
    set -- $n
    ip netns exec $1 sysctl -qw net.ipv6.conf.all.router_solicitations=0 net.ipv6.conf.default.router_solicitations=0 2>/dev/null
    ip -n $1 link set lo up
    ip -n $1 link set $2 address 02:00:00:00:00:$3
    ip -n $1 addr add 192.0.2.$3/24 dev $2
    ip -n $1 addr add 2001:db8::$3/64 dev $2 nodad
    ip -n $1 link set $2 up
    ip netns exec $1 ethtool -K $2 tso off gso off gro off tx off rx off sg off >/dev/null 2>&1
    mkdir -p /etc/netns/$1
    { echo "127.0.0.1 localhost"
      echo "192.0.2.20 server.example.test mail.example.test example.test db.example.test www.example.test"
      echo "2001:db8::20 six.example.test"
      echo "192.0.2.10 client.example.test"; } > /etc/netns/$1/hosts
    : > /etc/netns/$1/resolv.conf
  done
  trap net_down EXIT
}
mtu() { ip -n $C link set vc mtu "$1"; ip -n $S link set vs mtu "$1"; }
net_clean() { ip netns del $C 2>/dev/null; ip netns del $S 2>/dev/null; rm -rf /etc/netns/$C /etc/netns/$S; }
net_down() { stop_daemons; [ -n "$TCPDUMP" ] && kill $TCPDUMP 2>/dev/null; net_clean; }

c() { timeout -k 2 "${T:-15}" ip netns exec $C unshare --uts sh -c 'hostname client.example.test; exec "$@"' - "$@"; }      # run on the client
s() { timeout -k 2 "${T:-15}" ip netns exec $S "$@"; }      # run on the server
daemon() {            # start a server, remember it; stopped by stop_daemons
  setsid ip netns exec $S unshare --uts sh -c 'hostname server.example.test; exec "$@"' - "$@" >>"$WORK/daemon.log" 2>&1 </dev/null & DAEMONS+=($!)
}
stop_daemons() {
  local p; for p in ${DAEMONS[@]+"${DAEMONS[@]}"}; do kill -- -$p 2>/dev/null || kill $p 2>/dev/null; done
  for p in ${DAEMONS[@]+"${DAEMONS[@]}"}; do wait $p 2>/dev/null; done
  DAEMONS=()
}
wait_tcp() { local i; for i in $(seq 60); do s ss -Hltn "sport = :$1" | grep -q . && return 0; sleep 0.1; done; echo "nothing listens on tcp $1" >&2; return 1; }
wait_udp() { local i; for i in $(seq 60); do s ss -Hlun "sport = :$1" | grep -q . && return 0; sleep 0.1; done; echo "nothing listens on udp $1" >&2; return 1; }

cap_start() {         # cap_start FILE(relative to pcaps/) FILTER [tcpdump options]
  OUT=$PCAPS/$1; mkdir -p "$(dirname "$OUT")"; rm -f "$OUT"
  local f=$2; shift 2; rm -f "$WORK/tcpdump-$C.log"; : > "$WORK/tcpdump-$C.log"
  ip netns exec $C tcpdump -i vc -U --immediate-mode -Z root "$@" -w "$OUT" $f 2>"$WORK/tcpdump-$C.log" & TCPDUMP=$!
  local i; for i in $(seq 80); do grep -q listening "$WORK/tcpdump-$C.log" && break; sleep 0.05; done
}
cap_stop() {
  sleep "${1:-0.3}"; kill -INT $TCPDUMP; wait $TCPDUMP 2>/dev/null; TCPDUMP=
  printf '%-60s %7d bytes %4s packets\n' "${OUT#$PCAPS/}" "$(stat -c %s "$OUT")" "$(tcpdump -r "$OUT" 2>/dev/null | wc -l)"
}

pki() {               # invented names, thrown-away keys, a fresh set per $WORK
  [ -f $PKI/done ] && return
  mkdir -p $PKI; ( cd $PKI
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -subj "/O=Example Test/CN=Example Test CA" -days 3650 -out ca.pem \
     -addext "keyUsage=critical,keyCertSign,cRLSign" 
  for k in server:ec client:ec serverrsa:rsa other:ec; do
    n=${k%:*}
    if [ ${k#*:} = ec ]; then openssl ecparam -name prime256v1 -genkey -noout -out $n.key
    else openssl genrsa -out $n.key 2048 2>/dev/null; fi
    cn=server.example.test; [ $n = client ] && cn=client.example.test
    openssl req -new -key $n.key -subj "/O=Example Test/CN=$cn" -out $n.csr
    printf 'subjectAltName=DNS:%s,DNS:mail.example.test,DNS:example.test,DNS:*.example.test,IP:192.0.2.20,IP:2001:db8::20\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature,keyEncipherment\n' $cn > ext
    openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile ext -out $n.pem 2>/dev/null
    cat $n.pem ca.pem > $n.chain.pem; cat $n.key $n.pem > $n.both.pem
  done
  openssl ecparam -name prime256v1 -genkey -noout -out stranger.key
  openssl req -x509 -new -key stranger.key -subj "/CN=Stranger CA" -days 3650 -out stranger.pem
  chmod 644 *.key; : > done ) >/dev/null 2>&1
}
venv() {              # venv NAME PACKAGES… → prints the python of a private virtual environment
  local d=$WORK/venv-$1; shift
  [ -x $d/bin/python ] && [ -f $d/ok ] || { python3 -m venv $d && $d/bin/pip -q install "$@" >&2 && : > $d/ok; }
  echo $d/bin/python
}
