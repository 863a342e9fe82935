#!/bin/bash
# TLS behind proxies: HTTP CONNECT, SOCKS, PROXY protocol. The capture is taken between client and proxy
# (or, for HAProxy, between proxy and server); the proxied server is on the same side as the proxy.
. "$(dirname "$0")/lib.sh"
export DEBIAN_FRONTEND=noninteractive
for p in tcpdump ethtool curl tinyproxy squid dante-server microsocks haproxy nginx openssh-server openssh-client; do dpkg -s $p >/dev/null 2>&1 || apt-get install -y --no-install-recommends $p; done
pki; net_up proxy
one() { local f=$1 filter=$2; shift 2; cap_start proxy/$f.pcap "$filter"; "$@" >"$WORK/client.log" 2>&1; cap_stop; }
up() { daemon "${@:2}"; wait_tcp $1; sleep 0.3; }
N=$WORK/nginx; mkdir -p $N
ng() { printf 'daemon off; pid %s; error_log %s; events {}\nhttp { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;\n server { listen 192.0.2.20:443 ssl%s; listen [2001:db8::20]:443 ssl%s; ssl_certificate %s; ssl_certificate_key %s; return 200 "example page\\n"; } }\n' $N/pid $N/err $N $N $N $N $N "$1" "$1" $PKI/server.chain.pem $PKI/server.key > $N/n.conf; up 443 nginx -c $N/n.conf; }
CU="curl -s -m 5 --cacert $PKI/ca.pem"; U=https://server.example.test/
ng ""
P=$WORK/proxy; mkdir -p $P
printf 'Port 8888\nListen 192.0.2.20\nTimeout 10\nMaxClients 5\nLogFile "%s"\nConnectPort 443\n' $P/tiny.log > $P/tiny.conf
up 8888 tinyproxy -d -c $P/tiny.conf
one http-connect-tinyproxy               "tcp port 8888" c $CU -x http://192.0.2.20:8888 $U
one http-connect-tinyproxy-ipv6-target   "tcp port 8888" c $CU -x http://192.0.2.20:8888 https://six.example.test/ -k
one http-connect-refused-403-port        "tcp port 8888" c $CU -x http://192.0.2.20:8888 https://server.example.test:8443/
one http-plain-get-through-proxy         "tcp port 8888" c $CU -x http://192.0.2.20:8888 http://server.example.test:443/
kill -- -${DAEMONS[-1]} 2>/dev/null; unset 'DAEMONS[-1]'
printf 'http_port 192.0.2.20:3128\nacl c src 192.0.2.0/24\nacl bad dstdomain mail.example.test\nhttp_access deny bad\nauth_param basic program /usr/lib/squid/basic_fake_auth\nacl who proxy_auth alice\nhttp_access allow CONNECT who\nhttp_access deny all\naccess_log none\ncache_log %s\ncache deny all\npid_filename none\ncoredump_dir %s\nhosts_file /etc/netns/%s/hosts\nvisible_hostname proxy.example.test\n' $P/squid.log $P $S > $P/squid.conf
chmod 777 $P
up 3128 squid -N -f $P/squid.conf
one http-connect-squid-basic-auth        "tcp port 3128" c $CU -x http://alice:invented-password@192.0.2.20:3128 $U
one http-connect-squid-407-then-200      "tcp port 3128" c $CU --proxy-anyauth -x http://alice:invented-password@192.0.2.20:3128 $U
one http-connect-squid-403               "tcp port 3128" c $CU -x http://alice:invented-password@192.0.2.20:3128 https://mail.example.test/
kill -- -${DAEMONS[-1]} 2>/dev/null; unset 'DAEMONS[-1]'
# the proxy itself is reached over TLS: TLS inside TLS
printf 'global\n maxconn 10\ndefaults\n mode tcp\n timeout connect 3s\n timeout client 5s\n timeout server 5s\nfrontend f\n bind 192.0.2.20:3129 ssl crt %s\n default_backend b\nbackend b\n server t 192.0.2.20:8888\n' $PKI/server.both.pem > $P/h0.cfg
up 8888 tinyproxy -d -c $P/tiny.conf; up 3129 haproxy -db -f $P/h0.cfg
one http-connect-inside-tls-to-the-proxy "tcp port 3129" c $CU --proxy-cacert $PKI/ca.pem -x https://server.example.test:3129 $U
kill -- -${DAEMONS[-1]} -${DAEMONS[-2]} 2>/dev/null; unset 'DAEMONS[-1]'; unset 'DAEMONS[-1]'
up 1080 microsocks -i 192.0.2.20 -p 1080
one socks5-microsocks-hostname           "tcp port 1080" c $CU --socks5-hostname 192.0.2.20:1080 $U
one socks5-microsocks-ipv4               "tcp port 1080" c $CU --socks5 192.0.2.20:1080 $U
one socks5-microsocks-ipv6               "tcp port 1080" c $CU --socks5 192.0.2.20:1080 https://six.example.test/ -k
kill -- -${DAEMONS[-1]} 2>/dev/null; unset 'DAEMONS[-1]'
up 1080 microsocks -i 192.0.2.20 -p 1080 -u alice -P invented-password
one socks5-password                      "tcp port 1080" c $CU --socks5-hostname alice:invented-password@192.0.2.20:1080 $U
one socks5-password-wrong                "tcp port 1080" c $CU --socks5-hostname alice:other@192.0.2.20:1080 $U
kill -- -${DAEMONS[-1]} 2>/dev/null; unset 'DAEMONS[-1]'
printf 'logoutput: %s\ninternal: 192.0.2.20 port = 1080\nexternal: 192.0.2.20\nsocksmethod: none\nclientmethod: none\nuser.unprivileged: nobody\nclient pass { from: 0/0 to: 0/0 }\nsocks block { from: 0/0 to: 0/0 port = 8443 }\nsocks pass { from: 0/0 to: 0/0 }\n' $P/dante.log > $P/dante.conf
up 1080 danted -f $P/dante.conf
one socks4-dante                         "tcp port 1080" c $CU --socks4 192.0.2.20:1080 $U
one socks4a-dante-refused                        "tcp port 1080" c $CU --socks4a 192.0.2.20:1080 $U
one socks5-dante-hostname                "tcp port 1080" c $CU --socks5-hostname 192.0.2.20:1080 $U
one socks5-dante-refused                 "tcp port 1080" c $CU --socks5-hostname 192.0.2.20:1080 https://server.example.test:8443/
one socks4-dante-refused                 "tcp port 1080" c $CU --socks4 192.0.2.20:1080 https://server.example.test:8443/
stop_daemons; sleep 0.5
ng ""      # OpenSSH's dynamic forwarding (ssh -D) as a SOCKS4a server, to an sshd on the same host
rm -f $P/key* $P/host*; ssh-keygen -q -t ed25519 -N '' -f $P/key; ssh-keygen -q -t ed25519 -N '' -f $P/host; mkdir -p /run/sshd
up 2222 /usr/sbin/sshd -D -f /dev/null -p 2222 -h $P/host -o ListenAddress=127.0.0.1 -o PidFile=none -o AuthorizedKeysFile=$P/key.pub -o StrictModes=no -o UsePAM=no
up 1080 ssh -N -D 192.0.2.20:1080 -p 2222 -i $P/key -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1
one socks4a-openssh                      "tcp port 1080" c $CU --socks4a 192.0.2.20:1080 $U
stop_daemons; sleep 0.5
# PROXY protocol: curl speaks version 1 itself; HAProxy on the client's host speaks 1 and 2 to nginx
ng " proxy_protocol"
one proxy-protocol-v1-curl-nginx         "tcp port 443" c $CU --haproxy-protocol $U
one proxy-protocol-missing               "tcp port 443" c $CU $U
for v in v1:send-proxy v2:send-proxy-v2 "v2-ssl-cn:send-proxy-v2-ssl-cn" "v2-options:send-proxy-v2 proxy-v2-options unique-id,crc32c" ; do
  n=${v%%:*}; o=${v#*:}
  printf 'global\n maxconn 10\ndefaults\n mode tcp\n timeout connect 3s\n timeout client 5s\n timeout server 5s\nfrontend f\n bind 127.0.0.1:8443\n unique-id-format %%{+X}o\\ %%ci:%%cp\n default_backend b\nbackend b\n server t 192.0.2.20:443 %s\n' "$o" > $P/h.cfg
  setsid ip netns exec $C haproxy -db -f $P/h.cfg >>$WORK/daemon.log 2>&1 & H=$!; sleep 1
  one proxy-protocol-$n-haproxy-nginx    "tcp port 443" c $CU --connect-to server.example.test:443:127.0.0.1:8443 $U
  kill $H; wait $H 2>/dev/null
done
stop_daemons
up 443 openssl s_server -quiet -accept 192.0.2.20:443 -cert $PKI/server.pem -key $PKI/server.key
one proxy-protocol-v1-server-does-not-know-it "tcp port 443" c $CU --haproxy-protocol $U
stop_daemons
# version 2 LOCAL and UNKNOWN, as health checks send them
python3 - <<'X' > $P/local.bin
import sys; sys.stdout.buffer.write(b"\r\n\r\n\0\r\nQUIT\n" + b"\x20\0\0\0")
X
ng " proxy_protocol"
one proxy-protocol-v2-local-no-addresses "tcp port 443" c python3 "$HERE/starttls/prefix_client.py" $P/local.bin
printf 'PROXY UNKNOWN\r\n' > $P/unknown.bin
one proxy-protocol-v1-unknown            "tcp port 443" c python3 "$HERE/starttls/prefix_client.py" $P/unknown.bin
stop_daemons
