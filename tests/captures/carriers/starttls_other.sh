#!/bin/bash
# FTP, LDAP, XMPP, NNTP, IRC, PostgreSQL, MariaDB, RDP, TDS, and plain protocols for contrast.
. "$(dirname "$0")/lib.sh"
export DEBIAN_FRONTEND=noninteractive
for p in tcpdump ethtool curl lftp slapd ldap-utils prosody inspircd inn2 postgresql postgresql-client mariadb-server mariadb-client xrdp freerdp2-x11 xvfb freetds-bin nginx openssh-server openssh-client redis-server redis-tools; do dpkg -s $p >/dev/null 2>&1 || apt-get install -y --no-install-recommends $p; done
pki; NEW=$(venv misc pyftpdlib pyOpenSSL python-tds 'psycopg[binary]' slixmpp); net_up other
one() { local f=$1 filter=$2; shift 2; cap_start starttls/$f.pcap "$filter"; "$@" >"$WORK/client.log" 2>&1; cap_stop; }
sc() { (sleep 0.7; printf '%b' "$1"; sleep 0.5) | c openssl s_client -quiet -CAfile $PKI/ca.pem "${@:2}"; }
say() { local port=$1; shift; c sh -c "(sleep .4; $(for l in "$@"; do printf "printf '%%b' '%s'; sleep .4; " "$l"; done)) | python3 $HERE/starttls/talk.py 192.0.2.20 $port"; }
up() { daemon "${@:2}"; wait_tcp $1; sleep 0.3; }
WANT=${*:-ftp ldap xmpp nntp irc postgres mysql rdp tds plain}

ftp() {
CU="curl -s -m 5 --cacert $PKI/ca.pem -u alice:invented-password"
up 21 $NEW $HERE/starttls/ftp_server.py 21 $PKI/server.both.pem
one ftp-auth-ssl-prot-p-curl             "tcp" c $CU --ssl-reqd ftp://server.example.test/hello.txt
one ftp-auth-ssl-data-in-clear-curl      "tcp" c $CU --ftp-ssl-control ftp://server.example.test/hello.txt
one ftp-auth-tls-prot-p-lftp             "tcp" c lftp -c "set ssl:ca-file $PKI/ca.pem; set ftp:ssl-force true; set ftp:ssl-protect-data true; set net:max-retries 1; open -u alice,invented-password 192.0.2.20; cat hello.txt"
one ftp-auth-tls-data-in-clear-lftp      "tcp" c lftp -c "set ssl:ca-file $PKI/ca.pem; set ftp:ssl-force true; set ftp:ssl-protect-data false; set ftp:ssl-protect-list false; set net:max-retries 1; open -u alice,invented-password 192.0.2.20; cat hello.txt"
one ftp-auth-ssl-lftp                    "tcp" c lftp -c "set ssl:ca-file $PKI/ca.pem; set ftp:ssl-auth SSL; set ftp:ssl-force true; set net:max-retries 1; open -u alice,invented-password 192.0.2.20; cat hello.txt"
one ftp-auth-tls-offered-not-used        "tcp" c $CU ftp://server.example.test/hello.txt
one ftp-auth-tls-openssl-tls12           "tcp" sc 'QUIT\r\n' -starttls ftp -connect 192.0.2.20:21 -tls1_2
stop_daemons
up 21 $NEW $HERE/starttls/ftp_server.py 21
one ftp-user-pass-in-clear               "tcp" c $CU ftp://server.example.test/hello.txt
one ftp-auth-tls-refused-then-clear      "tcp" c $CU --ssl ftp://server.example.test/hello.txt
stop_daemons
up 21 $NEW $HERE/starttls/ftp_server.py 21 $PKI/server.both.pem require
one ftp-tls-required-user-refused        "tcp" c $CU ftp://server.example.test/hello.txt
stop_daemons
}
ldap() {
L=$WORK/ldap; rm -rf $L; mkdir -p $L/db
conf() { printf '%s\n' "include /etc/ldap/schema/core.schema" "modulepath /usr/lib/ldap" "moduleload back_mdb" "pidfile $L/pid" "$@" "database mdb" "directory $L/db" "suffix dc=example,dc=test" "rootdn cn=admin,dc=example,dc=test" "rootpw invented-password" > $L/slapd.conf; }
T1="TLSCertificateFile $PKI/server.pem"; T2="TLSCertificateKeyFile $PKI/server.key"; T3="TLSCACertificateFile $PKI/ca.pem"
export LDAPTLS_CACERT=$PKI/ca.pem
Q="-x -D cn=admin,dc=example,dc=test -w invented-password -b dc=example,dc=test -s base"
conf "$T1" "$T2" "$T3"; up 389 slapd -d0 -f $L/slapd.conf -h "ldap://192.0.2.20/ ldaps://192.0.2.20/"
one ldap-starttls-ldapsearch             "tcp port 389" c ldapsearch -ZZ -H ldap://server.example.test $Q
one ldap-starttls-openssl-tls12          "tcp port 389" sc '' -starttls ldap -connect 192.0.2.20:389 -tls1_2
one ldap-simple-bind-in-clear            "tcp port 389" c ldapsearch -H ldap://server.example.test $Q
one ldap-implicit-tls-636                "tcp port 636" c ldapsearch -H ldaps://server.example.test $Q
stop_daemons
conf; up 389 slapd -d0 -f $L/slapd.conf -h "ldap://192.0.2.20/"
one ldap-starttls-refused-then-clear-bind "tcp port 389" c ldapsearch -Z -H ldap://server.example.test $Q
one ldap-starttls-refused                "tcp port 389" c ldapsearch -ZZ -H ldap://server.example.test $Q
stop_daemons
conf "$T1" "$T2" "$T3" "security simple_bind=128"; up 389 slapd -d0 -f $L/slapd.conf -h "ldap://192.0.2.20/"
one ldap-confidentiality-required        "tcp port 389" c ldapsearch -H ldap://server.example.test $Q
stop_daemons
}
xmpp() {
X=$WORK/xmpp; rm -rf $X; mkdir -p $X/data; chmod 777 $X $X/data
pconf() { cat > $X/prosody.cfg.lua <<P
run_as_root = true
daemonize = false
pidfile = "$X/pid"
data_path = "$X/data"
plugin_paths = {}
interfaces = { "192.0.2.20" }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping" }
authentication = "internal_plain"
$1
ssl = { key = "$PKI/server.key"; certificate = "$PKI/server.chain.pem" }
log = { { levels = { min = "info" }, to = "file", filename = "$X/log" } }
VirtualHost "example.test"
P
prosodyctl --config $X/prosody.cfg.lua register alice example.test invented-password >/dev/null 2>&1; }
pconf 'c2s_require_encryption = true'; up 5222 prosody --config $X/prosody.cfg.lua
one xmpp-starttls-required-openssl       "tcp port 5222" sc '</stream:stream>' -starttls xmpp -xmpphost example.test -connect 192.0.2.20:5222
one xmpp-starttls-required-openssl-tls12 "tcp port 5222" sc '</stream:stream>' -starttls xmpp -xmpphost example.test -connect 192.0.2.20:5222 -tls1_2
one xmpp-starttls-required-slixmpp       "tcp port 5222" c $NEW $HERE/starttls/xmpp_client.py $PKI/ca.pem
one xmpp-starttls-required-client-logs-in-anyway "tcp port 5222" say 5222 '<?xml version="1.0"?><stream:stream to="example.test" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">' '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">AGFsaWNlAGludmVudGVkLXBhc3N3b3Jk</auth>' '</stream:stream>'
one xmpp-server-to-server-starttls       "tcp port 5269" sc '</stream:stream>' -starttls xmpp-server -xmpphost example.test -connect 192.0.2.20:5269
stop_daemons
pconf 'c2s_require_encryption = false; allow_unencrypted_plain_auth = true'; up 5222 prosody --config $X/prosody.cfg.lua
one xmpp-starttls-optional-auth-plain-in-clear "tcp port 5222" say 5222 '<?xml version="1.0"?><stream:stream to="example.test" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">' '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">AGFsaWNlAGludmVudGVkLXBhc3N3b3Jk</auth>' '</stream:stream>'
stop_daemons
sed -i 's/"tls", //' $X/prosody.cfg.lua; up 5222 prosody --config $X/prosody.cfg.lua
one xmpp-starttls-not-offered            "tcp port 5222" say 5222 '<?xml version="1.0"?><stream:stream to="example.test" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">' '<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>' '</stream:stream>'
stop_daemons
}
nntp() {
up 119 python3 $HERE/starttls/scripted_server.py 119 nntp $PKI/server.chain.pem $PKI/server.key
one nntp-starttls-openssl                "tcp port 119" sc 'QUIT\r\n' -starttls nntp -connect 192.0.2.20:119
one nntp-starttls-openssl-tls12          "tcp port 119" sc 'QUIT\r\n' -starttls nntp -connect 192.0.2.20:119 -tls1_2
stop_daemons
up 119 python3 $HERE/starttls/scripted_server.py 119 nntp-refused
one nntp-starttls-refused-then-authinfo-in-clear "tcp port 119" say 119 'CAPABILITIES\r\n' 'STARTTLS\r\n' 'AUTHINFO USER alice\r\n' 'AUTHINFO PASS invented-password\r\n' 'QUIT\r\n'
stop_daemons
}
irc() {
I=$WORK/irc; mkdir -p $I; chmod 777 $I; cat > $I/i.conf <<P
<server name="server.example.test" description="example" network="Example" id="97K">
<admin name="a" nick="a" email="a@example.test">
<bind address="192.0.2.20" port="6667" type="clients">
<bind address="192.0.2.20" port="6697" type="clients" ssl="gnutls">
<module name="cap"><module name="starttls"><module name="ssl_gnutls"><module name="sslinfo">
<gnutls certfile="$PKI/server.chain.pem" keyfile="$PKI/server.key">
<starttls enabled="yes">
<connect allow="*" timeout="20" resolvehostnames="no" useident="no">
<pid file="$I/pid"><log method="file" type="*" level="default" target="$I/log">
<options casemapping="ascii">
P
up 6667 inspircd --runasroot --nofork --config $I/i.conf
one irc-starttls-openssl                 "tcp port 6667" sc 'QUIT\r\n' -starttls irc -connect 192.0.2.20:6667
one irc-starttls-openssl-tls12           "tcp port 6667" sc 'QUIT\r\n' -starttls irc -connect 192.0.2.20:6667 -tls1_2
one irc-starttls-in-cap-list-then-670    "tcp port 6667" say 6667 'CAP LS 302\r\n' 'STARTTLS\r\n'
one irc-password-in-clear                "tcp port 6667" say 6667 'PASS invented-password\r\nNICK alice\r\nUSER alice 0 * :Alice\r\n' 'QUIT\r\n'
one irc-implicit-tls-6697                "tcp port 6697" sc 'QUIT\r\n' -connect 192.0.2.20:6697
stop_daemons
up 6667 python3 $HERE/starttls/scripted_server.py 6667 irc-refused
one irc-starttls-refused-691             "tcp port 6667" say 6667 'STARTTLS\r\n' 'NICK alice\r\nUSER alice 0 * :Alice\r\n' 'QUIT\r\n'
stop_daemons
}
postgres() {
G=$WORK/pg; B=$(ls -d /usr/lib/postgresql/*/bin | tail -1); rm -rf $G; mkdir -p $G; chown postgres: $G
install -o postgres -m 600 $PKI/server.key $G/server.key; install -o postgres -m 644 $PKI/server.chain.pem $G/server.crt
echo invented-password > $G/pw; chown postgres: $G/pw
su postgres -s /bin/sh -c "$B/initdb -D $G/d -U alice --pwfile=$G/pw -A scram-sha-256 >/dev/null"
pg() { printf "host all all 192.0.2.0/24 $1\nlocal all all trust\n" > $G/d/pg_hba.conf; up 5432 su postgres -s /bin/sh -c "exec $B/postgres -D $G/d -h 192.0.2.20 -k $G $2"; sleep 0.5; }
ON="-c ssl=on -c ssl_cert_file=$G/server.crt -c ssl_key_file=$G/server.key"
ps() { T=5 c env PGPASSWORD=invented-password PGSSLROOTCERT=$PKI/ca.pem psql "host=server.example.test user=alice dbname=postgres $1" -c 'select 1'; }
pg scram-sha-256 "$ON"
one postgresql-sslrequest-tls-psql       "tcp port 5432" ps sslmode=verify-full
one postgresql-sslrequest-openssl-tls12  "tcp port 5432" sc '' -starttls postgres -connect 192.0.2.20:5432 -tls1_2
one postgresql-tls-available-not-used    "tcp port 5432" ps sslmode=disable
one postgresql-direct-tls-refused-by-15  "tcp port 5432" c $NEW -c "import psycopg; psycopg.connect('host=192.0.2.20 user=alice dbname=postgres password=invented-password sslmode=require sslnegotiation=direct')"
stop_daemons; sleep 1
pg password "-c ssl=off"
one postgresql-sslrequest-answered-n-then-password-in-clear "tcp port 5432" ps sslmode=prefer
one postgresql-sslrequest-answered-n-client-leaves "tcp port 5432" ps sslmode=require
stop_daemons; sleep 1
up 5432 openssl s_server -quiet -accept 192.0.2.20:5432 -cert $PKI/server.pem -key $PKI/server.key -alpn postgresql
one postgresql-direct-tls-libpq-alpn     "tcp port 5432" c $NEW -c "import psycopg; psycopg.connect('host=192.0.2.20 user=alice dbname=postgres password=invented-password sslmode=require sslnegotiation=direct connect_timeout=2')"
stop_daemons
}
mysql() {
M=$WORK/my; rm -rf $M; mkdir -p $M; chown mysql: $M
mariadb-install-db --no-defaults --user=mysql --datadir=$M/d --skip-test-db --auth-root-authentication-method=normal >/dev/null 2>&1
my() { up 3306 mariadbd --no-defaults --user=mysql --datadir=$M/d --socket=$M/s --bind-address=192.0.2.20 --port=3306 --skip-name-resolve --innodb-buffer-pool-size=8M $1
  mariadb --no-defaults -S $M/s -u root -e "create user if not exists alice@'192.0.2.%' identified by 'invented-password'" ; }
cl() { c mariadb --no-defaults -h server.example.test -u alice -pinvented-password $1 -e 'select 1'; }
my "--ssl-cert=$PKI/server.pem --ssl-key=$PKI/server.key --ssl-ca=$PKI/ca.pem"
one mysql-tls-mariadb                    "tcp port 3306" cl "--ssl --ssl-ca=$PKI/ca.pem"
one mysql-tls-openssl-tls12              "tcp port 3306" sc '' -starttls mysql -connect 192.0.2.20:3306 -tls1_2
one mysql-tls-available-not-used         "tcp port 3306" cl "--skip-ssl"
stop_daemons; sleep 1
my ""
one mysql-server-without-tls             "tcp port 3306" cl ""
one mysql-server-without-tls-client-insists "tcp port 3306" cl "--ssl --ssl-verify-server-cert"
stop_daemons
}
rdp() {
R=$WORK/rdp; mkdir -p $R
xr() { sleep 3; sed -E "s/^port=.*/port=tcp:\/\/192.0.2.20:3389/; s/^security_layer=.*/security_layer=$1/; s#^certificate=.*#certificate=$PKI/serverrsa.pem#; s#^key_file=.*#key_file=$PKI/serverrsa.key#; s#^ssl_protocols=.*#ssl_protocols=${2:-TLSv1.2, TLSv1.3}#; s#^LogFile=.*#LogFile=$R/log#" /etc/xrdp/xrdp.ini > $R/xrdp.ini; rm -f /var/run/xrdp/xrdp.pid; up 3389 xrdp --nodaemon --config $R/xrdp.ini; }
fr() { T=8 c xvfb-run -a timeout 5 xfreerdp /v:192.0.2.20 /u:alice /p:invented-password /cert:ignore /w:640 /h:480 /bpp:8 +auth-only "$@"; }
xr tls
one rdp-tls-freerdp-xrdp                 "tcp port 3389" fr /sec:tls
one rdp-tls-required-client-offers-rdp-only-disconnected "tcp port 3389" fr /sec:rdp
one rdp-tls-client-offers-nla-too        "tcp port 3389" fr
stop_daemons
xr tls TLSv1.2
one rdp-tls1.2                           "tcp port 3389" fr /sec:tls
stop_daemons
xr rdp
one rdp-standard-security-only           "tcp port 3389" fr /sec:rdp
one rdp-standard-security-chosen-though-tls-offered "tcp port 3389" fr /sec:tls
stop_daemons
up 3389 python3 $HERE/starttls/rdp_refuse.py
one rdp-negotiation-failure-nla-required "tcp port 3389" fr /sec:tls
stop_daemons
}
tds() {
printf '[global]\n tds version = 7.4\n[ex]\n host = 192.0.2.20\n port = 1433\n encryption = require\n[exoff]\n host = 192.0.2.20\n port = 1433\n encryption = off\n' > $WORK/freetds.conf
ts() { T=6 c env FREETDSCONF=$WORK/freetds.conf sh -c "echo | tsql -S $1 -U alice -P invented-password"; }
tp() { T=6 c $NEW -c "import pytds; pytds.connect(dsn='192.0.2.20', user='alice', password='invented-password', cafile='$PKI/ca.pem', validate_host=False, login_timeout=3$1)"; }
for m in "on" "on tls1.2" "off tls1.2" "unsupported"; do
  up 1433 python3 $HERE/starttls/tds_server.py $PKI/serverrsa.chain.pem $PKI/serverrsa.key $m
  n=${m// /-}
  case $m in
  on) one tds-prelogin-tls-pytds "tcp port 1433" tp "";;
  "on tls1.2") one tds-prelogin-tls1.2-freetds "tcp port 1433" ts ex;;
  off*) one tds-prelogin-tls-for-login-only "tcp port 1433" tp ", enc_login_only=True";;
  unsupported) one tds-prelogin-encryption-not-supported-login-in-clear "tcp port 1433" ts exoff; one tds-prelogin-encryption-not-supported-client-leaves "tcp port 1433" ts ex;;
  esac
  stop_daemons
done
up 1433 openssl s_server -quiet -accept 192.0.2.20:1433 -cert $PKI/server.pem -key $PKI/server.key -alpn tds/8.0
one tds8-tls-first-alpn-openssl          "tcp port 1433" sc 'x' -connect 192.0.2.20:1433 -servername db.example.test -alpn tds/8.0
stop_daemons
}
plain() {
N=$WORK/nginx; mkdir -p $N; cat > $N/n.conf <<P
daemon off; pid $N/pid; error_log $N/err; events {}
http { access_log off; client_body_temp_path $N/b; proxy_temp_path $N/p; fastcgi_temp_path $N/f; uwsgi_temp_path $N/u; scgi_temp_path $N/s;
 server { listen 192.0.2.20:80; return 301 https://\$host\$request_uri; }
 server { listen 192.0.2.20:443 ssl; ssl_certificate $PKI/server.chain.pem; ssl_certificate_key $PKI/server.key; return 200 "example page\n"; } }
P
up 80 nginx -c $N/n.conf
one plain-http-redirects-to-https        "tcp" c curl -sL --cacert $PKI/ca.pem http://server.example.test/
one plain-http-to-the-tls-port           "tcp port 443" c curl -s http://server.example.test:443/
one tls-to-the-plain-http-port           "tcp port 80" c curl -s https://server.example.test:80/
stop_daemons
ssh-keygen -q -t ed25519 -N '' -f $WORK/hostkey <<< y >/dev/null 2>&1; mkdir -p /run/sshd
up 22 /usr/sbin/sshd -D -h $WORK/hostkey -o ListenAddress=192.0.2.20 -o PidFile=none -f /dev/null
one plain-ssh                            "tcp port 22" c ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null alice@192.0.2.20 true
stop_daemons
up 6379 redis-server --bind 192.0.2.20 --port 6379 --save '' --requirepass invented-password --dir $WORK
one plain-redis-auth-in-clear            "tcp port 6379" c redis-cli -h 192.0.2.20 -a invented-password ping
stop_daemons
}
for g in $WANT; do $g; done
