"""Handshakes that are refused or break off."""
from lib import *

CH = "tls.handshake.type==1"
SH = "tls.handshake.type==2"
ALL0 = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


def al(code, frm=None):
    f = f"tls.alert_message.desc=={code}"
    return f + {"c": " && tcp.dstport==443", "s": " && tcp.srcport==443", None: ""}[frm]


def run():
    roots = ("-CAfile", f"{PKI}/roots.pem", "-verify_return_error")
    t12 = ("-tls1_2",)
    leaf = f"{PKI}/leaf-rsa2048.full"

    # by the server
    cap("protocol-version", "TLS 1.2 client at a server that wants TLS 1.3: protocol_version", s_server("-tls1_3"), s_client(*t12), expect=[al(70, "s")], absent=[SH])
    cap("protocol-version-tls10-client", "TLS 1.0 client at a server with TLS 1.2 and up: protocol_version", s_server("-min_protocol", "TLSv1.2"),
        s_client("-tls1", "-cipher", ALL0), expect=[al(70, "s")])
    cap("handshake-failure-no-common-suite", "no common suite: handshake_failure", s_server("-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"),
        s_client(*t12, "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"), expect=[al(40, "s")], absent=[SH])
    cap("handshake-failure-no-common-group", "TLS 1.3, no common group: handshake_failure", s_server("-groups", "P-521"), s_client("-groups", "X25519"), expect=[al(40, "s")], absent=[SH])
    cap("handshake-failure-go-no-common-version", "Go client that wants TLS 1.3 at a TLS 1.2 server", s_server("-tls1_2"), [f"{W}/gopeer", "client", f"{S4}:443", "min13"], expect=[al(70)])
    cap("handshake-failure-client-certificate-missing", "TLS 1.2 server needs a client certificate and gets none: handshake_failure",
        s_server("-tls1_2", "-Verify", "3", "-CAfile", f"{PKI}/roots.pem"), s_client(*t12), expect=["tls.handshake.type==13", al(40, "s")])
    cap("certificate-required-tls13", "TLS 1.3 server needs a client certificate and gets none: certificate_required (encrypted)",
        s_server("-Verify", "3", "-CAfile", f"{PKI}/roots.pem"), s_client(), expect=[SH])
    cl = lambda n: ("-cert", f"{PKI}/{n}.pem", "-key", f"{PKI}/{n}.key", "-cert_chain", f"{PKI}/{n}.chain")
    need = ("-tls1_2", "-Verify", "3", "-verify_return_error", "-CAfile", f"{PKI}/roots.pem")
    cap("client-certificate-expired-refused", "the server refuses an expired client certificate: certificate_expired", s_server(*need), s_client(*t12, *cl("client-expired")),
        expect=["tls.handshake.type==13", al(45, "s")])
    cap("client-certificate-wrong-purpose-refused", "the server refuses a client certificate meant for servers: unsupported_certificate", s_server(*need),
        s_client(*t12, "-cert", f"{PKI}/leaf-rsa4096.pem", "-key", f"{PKI}/leaf-rsa4096.key", "-cert_chain", f"{PKI}/leaf-rsa4096.chain"), expect=[al(43, "s")])
    cap("client-certificate-unknown-ca-refused", "the server refuses a self-signed client certificate: unknown_ca", s_server(*need),
        s_client(*t12, "-cert", f"{PKI}/leaf-self-signed.pem", "-key", f"{PKI}/leaf-self-signed.key"), expect=[al(48, "s")])
    cap("inappropriate-fallback", "TLS_FALLBACK_SCSV with TLS 1.1 at a TLS 1.3 server: inappropriate_fallback", s_server("-cipher", ALL0),
        s_client("-tls1_1", "-fallback_scsv", "-cipher", ALL0), expect=[CH + " && tls.handshake.ciphersuite==0x5600", al(86, "s")])
    cap("inappropriate-fallback-tls12", "TLS_FALLBACK_SCSV with TLS 1.2 at a TLS 1.3 server: inappropriate_fallback", s_server(), s_client(*t12, "-fallback_scsv"), expect=[al(86, "s")])
    cap("no-application-protocol", "no common ALPN protocol: no_application_protocol", s_server("-alpn", "h2"), s_client("-alpn", "imap"), expect=[al(120, "s")])
    cap("no-application-protocol-go", "no common ALPN protocol at a Go server: no_application_protocol", [f"{W}/gopeer", "server", "443", "plain"], s_client("-alpn", "spdy/3"), expect=[al(120, "s")])
    sni2 = ("-servername", "other.example.org", "-cert2", f"{PKI}/leaf-rsa4096.pem", "-key2", f"{PKI}/leaf-rsa4096.key")
    cap("unrecognized-name", "unknown server name: unrecognized_name, fatal", s_server(*sni2, "-servername_fatal"), s_client(), expect=[al(112, "s")], absent=[SH])
    cap("unrecognized-name-warning", "unknown server name: unrecognized_name as a warning, the handshake goes on", s_server("-tls1_2", *sni2), s_client(*t12), expect=[al(112, "s"), SH])
    cap("internal-error", "an application error in a Go server: internal_error", [f"{W}/gopeer", "server", "443", "refuse"], s_client(), expect=[al(80, "s")])
    cap("decode-error", "ClientHello with an extension that is longer than its list: decode_error", s_server(), bpeer("client", "bad-extension-length"), expect=[al(50, "s")])
    cap("decode-error-trailing-bytes", "ClientHello with bytes after its extensions: decode_error", s_server(), bpeer("client", "trailing-bytes"), expect=[al(50, "s")])
    cap("missing-extension", "TLS 1.3 ClientHello without key_share: missing_extension", s_server(), bpeer("client", "no-key-share"), expect=[al(109, "s")])
    cap("unexpected-message", "a second ClientHello in the middle: unexpected_message", s_server("-tls1_2"), bpeer("client", "hello-twice"), expect=[SH, al(10, "s")])
    cap("illegal-parameter", "the same extension twice: illegal_parameter", s_server(), bpeer("client", "duplicate-extension"), expect=[al(47, "s")])
    cap("bad-record-mac", "a Finished that does not decrypt: bad_record_mac", s_server("-tls1_2", "-cipher", "AES128-GCM-SHA256"), bpeer("client", "bad-finished"), expect=[al(20, "s")])
    cap("record-overflow", "a record that claims 20479 bytes: record_overflow", s_server("-tls1_2"), bpeer("client", "big-record"), expect=[al(22, "s")])
    cap("psk-identity-unknown", "TLS 1.2 PSK with an identity the GnuTLS server does not know: it plays along and ends with bad_record_mac", ["gnutls-serv", "-p", "443", "--echo", "-q", "--pskpasswd", f"{PKI}/psk.passwd", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK"],
        ["gnutls-cli", "-p", "443", "--insecure", "--pskusername", "mallory", "--pskkey", "00112233445566778899aabbccddeeff", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK", S4],
        before=lambda: open(f"{PKI}/psk.passwd", "w").write("alice:00112233445566778899aabbccddeeff\n"), expect=[al(20, "s")])
    cap("psk-binder-wrong", "TLS 1.3 external PSK with a different key: illegal_parameter", s_server("-psk", "00112233445566778899aabbccddeeff", "-nocert", cert=None),
        s_client("-psk", "ffeeddccbbaa99887766554433221100", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), expect=[al(47, "s")])

    # by the client
    cap("unknown-ca", "client does not know the issuer: unknown_ca", s_server("-tls1_2"), s_client(*t12, "-verify_return_error"), expect=[al(48, "c")])
    cap("unknown-ca-curl", "curl does not know the issuer: unknown_ca", s_server("-tls1_2"), ["curl", "-sS", "--tls-max", "1.2", f"https://{HOST}/"], expect=[al(48, "c")])
    cap("certificate-expired", "client refuses an expired certificate: certificate_expired", s_server("-tls1_2", cert="leaf-expired"), s_client(*t12, *roots), expect=[al(45, "c")])
    cap("bad-certificate-go", "Go client does not trust the certificate: bad_certificate", s_server("-tls1_2", cert="leaf-self-signed", chain=False), [f"{W}/gopeer", "client", f"{S4}:443"], expect=[al(42, "c")])
    cap("bad-certificate-wrong-name", "client refuses a certificate for another name: bad_certificate", s_server("-tls1_2", cert="leaf-wrong-name"), s_client(*t12, *roots, "-verify_hostname", HOST), expect=[al(42, "c")])
    cap("certificate-unknown-java", "Java client does not trust the certificate: certificate_unknown", s_server("-tls1_2"), ["java", "-cp", W, "JavaClient", S4, "443", "verify"], expect=[al(46, "c")])
    cap("certificate-revoked", "client finds the certificate in a CRL: certificate_revoked", s_server("-tls1_2", cert="leaf-rsa4096"),
        s_client(*t12, *roots, "-crl_check", "-CRL", f"{PKI}/int.crl"), before=crl, expect=[al(44, "c")])
    cap("insufficient-security-gnutls", "GnuTLS client refuses a 512-bit prime: insufficient_security", o102s("--dh", f"{PKI}/dh512.pem", "--cipher", "DHE-RSA-AES128-SHA"),
        ["gnutls-cli", "-p", "443", "--insecure", "--priority", "NORMAL:-KX-ALL:+DHE-RSA:-VERS-TLS1.3", S4], expect=[al(71, "c")])
    cap("handshake-failure-small-prime", "OpenSSL client refuses a 512-bit prime: handshake_failure", o102s("--dh", f"{PKI}/dh512.pem", "--cipher", "DHE-RSA-AES128-SHA"),
        s_client(*t12, "-cipher", "DHE-RSA-AES128-SHA"), expect=["tls.handshake.type==12", al(40, "c")])
    cap("protocol-version-client", "server answers with TLS 1.0, client refuses: protocol_version", o102s("--method", "TLSv1"), s_client("-min_protocol", "TLSv1.2"), expect=["tls.alert_message.desc==70"])
    cap("unsupported-extension", "ServerHello with an extension that was not offered: unsupported_extension", bpeer("server", "unsolicited-extension"), s_client(*t12), expect=[SH, al(110, "c")])
    cap("illegal-parameter-client", "ServerHello with a suite that was not offered: illegal_parameter", bpeer("server", "unknown-suite"), s_client(*t12), expect=[SH, al(47, "c")])
    cap("user-canceled", "client gives up: user_canceled and close_notify as warnings", s_server("-tls1_2"), bpeer("client", "user-canceled"), expect=[al(90, "c"), al(0, "c")])

    # other alerts, sent as bytes in answer to a real hello
    for code, n in ((49, "access-denied"), (60, "export-restriction"), (113, "bad-certificate-status-response"), (115, "unknown-psk-identity-tls13"), (121, "ech-required"), (0, "close-notify"), (177, "unassigned-number")):
        cap(f"alert-{code}-{n}", f"server answers a hello with alert {code} ({n.replace('-', '_')}), written as bytes", bpeer("server", "alert", "1" if code == 0 else "2", str(code)), s_client(), expect=[al(code, "s")])

    # no answer, or another one
    cap("reset-after-hello", "connection reset after the ClientHello", bpeer("server", "rst"), s_client(), expect=[CH, "tcp.flags.reset==1 && tcp.srcport==443"], absent=[SH])
    cap("closed-after-hello", "connection closed after the ClientHello", bpeer("server", "close"), s_client(), expect=[CH, "tcp.flags.fin==1 && tcp.srcport==443"], absent=[SH, "tls.alert_message && tcp.srcport==443"])
    cap("silent-after-hello", "no answer to the ClientHello", bpeer("server", "silent"), s_client(), stdin=[(0.9, "")], timeout=0.2, expect=[CH], absent=[SH])
    cap("closed-after-certificate", "server closes after ServerHello and Certificate", bpeer("server", "close-after-certificate", leaf), s_client(*t12), expect=[SH, "tls.handshake.type==11"], absent=["tls.handshake.type==14"])
    cap("reset-after-certificate", "server resets after ServerHello and Certificate", bpeer("server", "rst-after-certificate", leaf), s_client(*t12), expect=[SH, "tls.handshake.type==11", "tcp.flags.reset==1"])
    cap("client-vanishes-after-server-hello", "client process is killed after the server's flight", s_server("-tls1_2"), bpeer("client", "hello12"), expect=[SH], absent=["tls.handshake.type==16"])
    cap("half-hello", "client sends 60 bytes of its hello and closes", s_server(), bpeer("client", "half-hello"), absent=[SH])
    cap("plain-http-to-tls-port", "plain HTTP sent to a TLS server", s_server(), bpeer("client", "http"), expect=["tcp.payload[0:4]==47:45:54:20"], absent=[CH])
    cap("http-server-answers-hello", "plain HTTP server answers a ClientHello with 400", bpeer("server", "http"), s_client(), expect=[CH, "tcp.payload[0:5]==48:54:54:50:2f"], absent=[SH])
    cap("ssh-server-on-443", "SSH banner on port 443", bpeer("server", "ssh"), s_client(), expect=["tcp.payload[0:4]==53:53:48:2d"])
    cap("smtp-server-on-443", "SMTP server on port 443 that answers the hello with an SMTP error", bpeer("server", "smtp"), s_client(), expect=["tcp.payload[0:3]==32:32:30"])
    cap("random-bytes-answer", "bytes that are no TLS in answer to the hello", bpeer("server", "garbage"), s_client(), expect=[CH], absent=[SH])
    cap("echo-server", "an echo server: the ClientHello comes back", bpeer("server", "echo"), s_client(), expect=[CH + " && tcp.srcport==443"])
    cap("connection-without-data", "connection opened and closed, no bytes", s_server(), bpeer("client", "nothing"), absent=[CH])
    cap("port-closed", "nothing listens: SYN and RST", None, s_client(), expect=["tcp.flags.reset==1"], absent=[CH])
    cap("alert-before-hello", "client starts with an alert", s_server(), bpeer("client", "alert-first"), expect=[al(80, "c")])


def crl():
    if os.path.exists(f"{PKI}/int.crl"):
        return
    d = f"{PKI}/ca"
    os.makedirs(d, exist_ok=True)
    open(f"{d}/index.txt", "w").close()
    open(f"{d}/crlnumber", "w").write("01\n")
    open(f"{d}/ca.cnf", "w").write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={d}/index.txt\ncrlnumber={d}/crlnumber\ndefault_md=sha256\ndefault_crl_days=3650\n")
    base = ["openssl", "ca", "-config", f"{d}/ca.cnf", "-cert", f"{PKI}/int.pem", "-keyfile", f"{PKI}/int.key"]
    sh(base + ["-revoke", f"{PKI}/leaf-rsa4096.pem"])
    sh(base + ["-gencrl", "-out", f"{PKI}/int.crl"])
