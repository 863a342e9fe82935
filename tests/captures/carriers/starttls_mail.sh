#!/bin/bash
# SMTP and LMTP (Postfix, Dovecot), IMAP, POP3 and ManageSieve (Dovecot).
. "$(dirname "$0")/lib.sh"
export DEBIAN_FRONTEND=noninteractive
for p in tcpdump ethtool curl swaks libnet-ssleay-perl libio-socket-ssl-perl postfix dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved; do dpkg -s $p >/dev/null 2>&1 || apt-get install -y --no-install-recommends $p; done
pki; net_up mail
D=$WORK/dovecot; rm -rf $D; mkdir -p $D/mail; chown nobody: $D/mail
echo 'alice:{PLAIN}invented-password' > $D/users

dovecot_up() { # dovecot_up [EXTRA CONFIGURATION]
  cat > $D/dovecot.conf <<X
base_dir = $D/run
log_path = $D/log
hostname = server.example.test
auth_username_format = %n
protocols = imap pop3 lmtp sieve
listen = 192.0.2.20, 2001:db8::20
ssl_cert = <$PKI/server.chain.pem
ssl_key = <$PKI/server.key
ssl_min_protocol = TLSv1.2
ssl = yes
disable_plaintext_auth = yes
auth_mechanisms = plain login
mail_location = maildir:$D/mail/%n
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = $D/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=$D/mail/%n
}
service lmtp {
  inet_listener lmtp {
    address = 192.0.2.20
    port = 24
  }
}
service auth {
  unix_listener postfix-auth {
    mode = 0666
  }
}
${1:-}
X
  daemon dovecot -F -c $D/dovecot.conf; wait_tcp 143; sleep 0.3
}
P=$WORK/postfix
postfix_up() { # postfix_up NAMESPACE [SETTING=VALUE …]
  local ns=$1 d=$P-$1; shift; local q=$d/queue
  rm -rf $d; mkdir -p $d $q $d/data; chown postfix: $d/data; chmod 755 $d
  local me=server.example.test at=${AT:-192.0.2.20}; [ $ns = $C ] && me=client.example.test at=127.0.0.1
  cat > $d/main.cf <<X
compatibility_level = 3.6
queue_directory = $q
data_directory = $d/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = $d/log
maillog_file_prefixes = $d
myhostname = $me
mydestination = ${DEST-example.test}
mynetworks = 192.0.2.0/24, 127.0.0.0/8
inet_interfaces = $at
local_transport = discard
local_recipient_maps =
alias_maps =
smtpd_tls_chain_files = $PKI/server.both.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = $D/run/postfix-auth
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
$(printf '%s\n' "$@")
X
  sed -E 's/^((\S+\s+){4})y/\1n/; s/^(smtp +inet .*)/\1/' /usr/share/postfix/master.cf.dist 2>/dev/null | grep -v '^#' > $d/master.cf
  cat >> $d/master.cf <<X
postlog unix-dgram n - n - 1 postlogd
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
submissions inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
2525 inet n - n - - smtpd
X
  setsid ip netns exec $ns postfix -c $d start-fg >>$WORK/daemon.log 2>&1 & DAEMONS+=($!)
  if [ $ns = $S ] && [ $at = 192.0.2.20 ]; then wait_tcp 25; else sleep 2; fi
}
mail_down() { # the masters, by the process ids they wrote down, with their children
  local d p; for d in $P-*; do p=$(cat $d/queue/pid/master.pid 2>/dev/null | tr -d ' ') && [ -n "$p" ] && kill -9 -- -$p 2>/dev/null; done; sleep 0.3; stop_daemons
}
SW="swaks --server 192.0.2.20 --from alice@example.test --to bob@example.test --helo client.example.test --header Subject:hello --timeout 4 --suppress-data"
one() { local f=$1 filter=$2; shift 2; cap_start starttls/$f.pcap "$filter"; "$@" >"$WORK/client.log" 2>&1; cap_stop; }
sc() { (sleep 0.5; printf '%b' "$1"; sleep 0.5) | c openssl s_client -quiet -CAfile $PKI/ca.pem "${@:2}"; }

# ---- SMTP
dovecot_up; postfix_up $S "smtpd_sasl_auth_enable = yes"
one smtp-starttls-with-mail-swaks        "tcp port 25"  c $SW --port 25 --tls
one smtp-starttls-openssl                "tcp port 25"  sc 'EHLO client.example.test\r\nQUIT\r\n' -starttls smtp -connect 192.0.2.20:25 -name client.example.test
one smtp-starttls-openssl-tls12   "tcp port 25"  sc 'QUIT\r\n' -starttls smtp -connect 192.0.2.20:25 -tls1_2
one smtp-starttls-curl-auth-inside       "tcp port 587" c curl -s --ssl-reqd --cacert $PKI/ca.pem smtp://server.example.test:587 -u alice:invented-password --mail-from alice@example.test --mail-rcpt bob@example.test -T $HERE/starttls/letter.txt
one smtp-starttls-advertised-not-used    "tcp port 25"  c $SW --port 25
one smtp-auth-plain-in-clear             "tcp port 25"  c $SW --port 25 --auth PLAIN --auth-user alice --auth-password invented-password
one smtp-auth-login-in-clear             "tcp port 25"  c $SW --port 25 --auth LOGIN --auth-user alice --auth-password invented-password
one smtp-clear-letter-mentions-starttls  "tcp port 25"  c $SW --port 25 --body "220 ready\nSTARTTLS\n220 2.0.0 Ready to start TLS\n"
one smtp-starttls-python-smtplib "tcp port 25" c python3 -c 'import smtplib; m=smtplib.SMTP("192.0.2.20"); m.starttls(); m.sendmail("alice@example.test","bob@example.test","Subject: hello\n\nhello\n"); m.quit()'
one smtp-implicit-tls-465                "tcp port 465" c $SW --port 465 --tls-on-connect
one smtp-starttls-pipelined-injected-command "tcp port 25" c python3 $HERE/starttls/smtp_client.py inject
one smtp-starttls-agreed-then-clear-command  "tcp port 25" c python3 $HERE/starttls/smtp_client.py starttls-then-mail
one smtp-starttls-agreed-then-closed         "tcp port 25" c python3 $HERE/starttls/smtp_client.py starttls-then-close
one smtp-starttls-unknown-ca-alert       "tcp port 25"  sc 'QUIT\r\n' -starttls smtp -connect 192.0.2.20:25 -tls1_2 -CAfile $PKI/stranger.pem -verify_return_error
one lmtp-starttls-swaks                  "tcp port 24"  c $SW --protocol LMTP --port 24 --tls --to alice@example.test
one lmtp-clear                           "tcp port 24"  c $SW --protocol LMTP --port 24 --to alice@example.test
mail_down

dovecot_up; postfix_up $S "smtpd_tls_security_level = none"
one smtp-starttls-not-advertised         "tcp port 25"  c $SW --port 25 --tls-optional
one smtp-starttls-unknown-command        "tcp port 25"  sc 'QUIT\r\n' -starttls smtp -connect 192.0.2.20:25
mail_down
postfix_up $S "smtpd_tls_security_level = encrypt"
one smtp-530-must-issue-starttls         "tcp port 25"  c $SW --port 25
mail_down
postfix_up $S "smtpd_tls_chain_files = $PKI/nothing.pem"
one smtp-starttls-handshake-failure-then-clear-command "tcp port 25" c $SW --port 25 --tls-optional
mail_down
postfix_up $S "smtpd_tls_chain_files =" "smtpd_tls_cert_file = $PKI/server.pem" "smtpd_tls_key_file = $PKI/other.key"
one smtp-starttls-refused-454            "tcp port 25"  c $SW --port 25 --tls-optional
mail_down
postfix_up $S "smtpd_tls_ask_ccert = yes" "smtpd_tls_protocols = TLSv1.2" "smtpd_tls_CAfile = $PKI/ca.pem"
one smtp-starttls-client-certificate     "tcp port 25"  sc 'QUIT\r\n' -starttls smtp -connect 192.0.2.20:25 -cert $PKI/client.pem -key $PKI/client.key
mail_down
postfix_up $S "smtpd_tls_protocols = TLSv1" "tls_medium_cipherlist = ALL:@SECLEVEL=0" "tls_high_cipherlist = ALL:@SECLEVEL=0"
one smtp-starttls-tls1.0                 "tcp port 25"  sc 'QUIT\r\n' -starttls smtp -connect 192.0.2.20:25 -tls1 -cipher ALL:@SECLEVEL=0
# the sending Postfix wants 1.2 or better, fails, and delivers in clear over a second connection
DEST= postfix_up $C "relayhost = [192.0.2.20]:25" "smtp_tls_security_level = may" "smtp_tls_protocols = >=TLSv1.2" "smtp_bind_address = 192.0.2.10" "minimal_backoff_time = 1s" "queue_run_delay = 1s"
cap_start starttls/smtp-tls-fails-then-clear-delivery-postfix.pcap "tcp port 25"
c sendmail -C $P-$C -f alice@client.example.test bob@example.test < $HERE/starttls/letter.txt; cap_stop 7; mail_down
postfix_up $S; DEST= postfix_up $C "relayhost = [192.0.2.20]:25" "smtp_tls_security_level = may" "smtp_bind_address = 192.0.2.10"
cap_start starttls/smtp-starttls-postfix-to-postfix.pcap "tcp port 25"
c sendmail -C $P-$C -f alice@client.example.test bob@example.test < $HERE/starttls/letter.txt; cap_stop 3; mail_down
# a middlebox blots out the keyword
AT=127.0.0.1 postfix_up $S
daemon python3 $HERE/starttls/rewrite_proxy.py 25 25 STARTTLS XXXXXXXA; sleep 0.5
one smtp-starttls-keyword-blotted-out    "tcp port 25"  c $SW --port 25 --tls-optional
mail_down

# ---- IMAP, POP3, ManageSieve
CU="curl -s -m 5 --cacert $PKI/ca.pem -u alice:invented-password"
dovecot_up
one imap-starttls-curl                   "tcp port 143" c $CU --ssl-reqd imap://server.example.test/ -X NOOP
one imap-starttls-openssl                "tcp port 143" sc 'a1 LOGOUT\r\n' -starttls imap -connect 192.0.2.20:143
one imap-starttls-openssl-tls12          "tcp port 143" sc 'a1 LOGOUT\r\n' -starttls imap -connect 192.0.2.20:143 -tls1_2
one imap-logindisabled-client-leaves     "tcp port 143" c $CU imap://server.example.test/ -X NOOP
one imap-logindisabled-login-sent-anyway "tcp port 143" c sh -c '(sleep .3; printf "a1 CAPABILITY\r\n"; sleep .3; printf "a2 LOGIN alice invented-password\r\n"; sleep 2.5; printf "a3 LOGOUT\r\n"; sleep .3) | python3 '$HERE'/starttls/talk.py 192.0.2.20 143'
one imap-implicit-tls-993                "tcp port 993" c $CU imaps://server.example.test/ -X NOOP
one pop3-stls-curl                       "tcp port 110" c $CU --ssl-reqd pop3://server.example.test/
one pop3-stls-openssl                    "tcp port 110" sc 'QUIT\r\n' -starttls pop3 -connect 192.0.2.20:110
one pop3-plaintext-disallowed            "tcp port 110" c sh -c '(sleep .3; printf "CAPA\r\n"; sleep .3; printf "USER alice\r\n"; sleep 1; printf "QUIT\r\n"; sleep .3) | python3 '$HERE'/starttls/talk.py 192.0.2.20 110'
one pop3-implicit-tls-995                "tcp port 995" c $CU pop3s://server.example.test/
one managesieve-starttls-openssl         "tcp port 4190" sc 'LOGOUT\r\n' -starttls sieve -connect 192.0.2.20:4190
stop_daemons
dovecot_up "disable_plaintext_auth = no"
one imap-login-in-clear                  "tcp port 143" c python3 -c 'import imaplib; m=imaplib.IMAP4("192.0.2.20"); m.login("alice","invented-password"); m.logout()'
one imap-authenticate-plain-in-clear     "tcp port 143" c $CU imap://server.example.test/ -X NOOP
one pop3-user-pass-in-clear              "tcp port 110" c python3 -c 'import poplib; m=poplib.POP3("192.0.2.20"); m.user("alice"); m.pass_("invented-password"); m.quit()'
one pop3-auth-plain-in-clear             "tcp port 110" c $CU pop3://server.example.test/
one managesieve-authenticate-in-clear    "tcp port 4190" c sh -c '(sleep .3; printf "AUTHENTICATE \"PLAIN\" \"AGFsaWNlAGludmVudGVkLXBhc3N3b3Jk\"\r\n"; sleep .5; printf "LOGOUT\r\n"; sleep .3) | python3 '$HERE'/starttls/talk.py 192.0.2.20 4190'
stop_daemons
dovecot_up "disable_plaintext_auth = no
ssl = no"
one imap-starttls-not-advertised-login-in-clear "tcp port 143" c python3 -c 'import imaplib; m=imaplib.IMAP4("192.0.2.20"); m.login("alice","invented-password"); m.logout()'
one imap-starttls-refused-bad            "tcp port 143" c sh -c '(sleep .3; printf "a1 STARTTLS\r\n"; sleep .5; printf "a2 LOGOUT\r\n"; sleep .3) | python3 '$HERE'/starttls/talk.py 192.0.2.20 143'
one pop3-stls-refused-err                "tcp port 110" c sh -c '(sleep .3; printf "STLS\r\n"; sleep .5; printf "QUIT\r\n"; sleep .3) | python3 '$HERE'/starttls/talk.py 192.0.2.20 110'
stop_daemons
# PREAUTH: no server does that to a stranger
daemon python3 $HERE/starttls/scripted_server.py 143 imap-preauth; wait_tcp 143
one imap-preauth-hides-starttls          "tcp port 143" c sh -c '(sleep .3; printf "a1 CAPABILITY\r\n"; sleep .3; printf "a2 STARTTLS\r\n"; sleep .3; printf "a3 LOGOUT\r\n"; sleep .3) | python3 '$HERE'/starttls/talk.py 192.0.2.20 143'
stop_daemons
