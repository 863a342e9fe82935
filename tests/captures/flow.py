"""Resumption, retry, renegotiation, extensions and other courses a handshake can take."""
from lib import *

CH = "tls.handshake.type==1"
SH = "tls.handshake.type==2"
ALL0 = "ALL:@SECLEVEL=0"


def run():
    sess = f"{W}/session.pem"
    node = lambda *a: [NODE, f"{PEERS}/nodepeer.js", *a]
    v13 = SH + " && tls.handshake.extensions.supported_version==0x0304"
    resumed12 = SH + " && tcp.stream==1"

    def fresh():
        if os.path.exists(sess):
            os.remove(sess)

    hrr = SH + " && tls.handshake.random==cf:21:ad:74:e5:9a:61:11:be:1d:8c:02:1e:65:b8:91:c2:a2:11:16:7a:bb:8c:5e:07:9e:09:e2:c8:a8:33:9c"
    cap("hello-retry-request", "HelloRetryRequest asking for P-384 after a share for X25519", s_server("-groups", "P-384"), s_client("-groups", "X25519:P-384"), expect=[hrr])
    cap("hello-retry-request-cookie", "HelloRetryRequest with a cookie, which the client returns; s_server -stateless then closes", s_server("-stateless"), s_client(), expect=[hrr, SH + " && tls.handshake.extension.type==44", CH + " && tls.handshake.extension.type==44"])
    cap("hello-retry-request-to-x25519mlkem768", "HelloRetryRequest asking for X25519MLKEM768", node("server", "443", "X25519MLKEM768"),
        node("client", "443", "P-256:X25519MLKEM768"), expect=[hrr, SH + " && tls.handshake.extensions_key_share_selected_group==4588"])
    cap("hello-retry-request-refused-by-client", "a second HelloRetryRequest: the client answers unexpected_message",
        bpeer("server", "second-retry"), s_client("-groups", "X25519:P-384"), expect=[hrr, "tls.alert_message.desc==10"])

    two = lambda *extra, first=(): [s_client("-sess_out", sess, *extra, *first), s_client("-sess_in", sess, *extra)]
    nocert2 = ["tcp.stream==1 && tls.handshake.type==11"]
    cap("resumption-session-id", "TLS 1.2 session, then resumed by session id", s_server("-tls1_2", "-no_ticket"), two("-tls1_2", "-no_ticket"), before=fresh,
        expect=["tcp.stream==1 && " + SH, "tcp.stream==1 && " + CH + " && tls.handshake.session_id_length==32"], absent=nocert2 + ["tls.handshake.type==4"])
    cap("resumption-ticket", "TLS 1.2 session, then resumed by ticket", s_server("-tls1_2"), two("-tls1_2"), before=fresh,
        expect=["tcp.stream==0 && tls.handshake.type==4", "tcp.stream==1 && " + CH + " && tls.handshake.extension.type==35 && tls.handshake.extension.data"], absent=nocert2)
    cap("resumption-ticket-refused", "a TLS 1.2 ticket of another server process: full handshake", s_server("-tls1_2"), s_client("-tls1_2", "-sess_in", sess),
        expect=[CH + " && tls.handshake.extension.type==35 && tls.handshake.extension.data", "tls.handshake.type==11"])
    cap("resumption-tls10-session-id", "TLS 1.0 session, then resumed by session id", o102s("--op", "no_ticket"),
        o102c("--method", "TLSv1", "--cipher", "AES128-SHA", "--op", "no_ticket", "--connections", "2"), streams=2, absent=nocert2, expect=["tcp.stream==1 && " + SH])
    cap("resumption-psk", "TLS 1.3 session, then resumed by PSK with (EC)DHE", s_server(), two(), before=fresh,
        expect=["tcp.stream==1 && " + CH + " && tls.handshake.extension.type==41", "tcp.stream==1 && " + SH + " && tls.handshake.extension.type==41"])
    cap("resumption-psk-refused", "TLS 1.3 PSK of another server process: full handshake", s_server(), s_client("-sess_in", sess),
        expect=[CH + " && tls.handshake.extension.type==41", v13], absent=[SH + " && tls.handshake.extension.type==41"])
    open(f"{W}/early.txt", "w").write("early\n")
    ed = s_server("-early_data", "-max_early_data", "16384")
    early = CH + " && tls.handshake.extension.type==42"
    cap("early-data-accepted", "TLS 1.3 session, then 0-RTT data in the resumed one", ed, [s_client("-sess_out", sess), s_client("-sess_in", sess, "-early_data", f"{W}/early.txt")],
        before=fresh, expect=["tcp.stream==1 && " + early])
    cap("early-data-replayed", "the same ticket used twice with 0-RTT data: the second use is refused, full handshake", ed,
        [s_client("-sess_out", sess), s_client("-sess_in", sess, "-early_data", f"{W}/early.txt"), s_client("-sess_in", sess, "-early_data", f"{W}/early.txt")],
        before=fresh, expect=["tcp.stream==1 && " + early, "tcp.stream==2 && " + early], absent=["tcp.stream==2 && " + SH + " && tls.handshake.extension.type==41"])
    cap("ticket-lifetime-30-days", "TLS 1.2 NewSessionTicket with a lifetime hint of 30 days", node("server", "443", "auto", "", "2592000"), s_client("-tls1_2"),
        expect=["tls.handshake.type==4 && tls.handshake.session_ticket_lifetime_hint==2592000"])
    cap("renegotiation-client-initiated", "TLS 1.2 renegotiation asked for by the client, with renegotiation_info", s_server("-tls1_2", "-client_renegotiation"),
        s_client("-tls1_2"), stdin=[(0.4, "ping\n"), (0.3, "R\n"), (0.5, "ping\n"), (0.3, "Q\n")], expect=[SH + " && tls.handshake.extension.type==65281"])
    cap("renegotiation-client-initiated-openssl102", "TLS 1.0 renegotiation asked for by the client", o102s(), o102c("--method", "TLSv1", "--cipher", "AES128-SHA", "--renegotiate"),
        expect=[SH])
    cap("renegotiation-server-initiated", "TLS 1.2 renegotiation asked for by the server (encrypted HelloRequest)",
        ["sh", "-c", "(sleep 1.4; echo r; sleep 3) | " + q(s_server("-tls1_2")).replace(" -quiet", "").replace("$PKI", PKI)], s_client("-tls1_2"),
        stdin=[(0.9, "ping\n"), (1.6, "Q\n")], expect=[SH])
    cap("renegotiation-refused", "the server refuses client renegotiation (encrypted alert)", s_server("-tls1_2", "-no_renegotiation"), s_client("-tls1_2"),
        stdin=[(0.4, "R\n"), (0.5, "Q\n")], expect=[SH])
    cap("no-renegotiation-info", "TLS 1.2 server that does not answer renegotiation_info; client refuses to go on", bpeer("server", "no-renegotiation-info", f"{PKI}/leaf-rsa2048.full"),
        s_client("-tls1_2"), expect=[SH], absent=[SH + " && tls.handshake.extension.type==65281"])
    cap("no-renegotiation-info-accepted", "TLS 1.2 server that does not answer renegotiation_info, client goes on (legacy server connect)", bpeer("server", "no-renegotiation-info", f"{PKI}/leaf-rsa2048.full"),
        s_client("-tls1_2", "-legacy_server_connect"), expect=[SH, "tls.handshake.type==16"], absent=[SH + " && tls.handshake.extension.type==65281"])
    cap("client-without-renegotiation-info", "a client that offers neither renegotiation_info nor its signalling suite", s_server("-tls1_2"), bpeer("client", "no-reneg-info"),
        expect=[SH], absent=[CH + " && tls.handshake.extension.type==65281", CH + " && tls.handshake.ciphersuite==0x00ff"])
    cap("no-extended-master-secret", "TLS 1.2 where the server does not know extended_master_secret", o102s(), ["gnutls-cli", "-p", "443", "--insecure", "--sni-hostname", HOST, "--priority", "NORMAL:-VERS-TLS1.3", S4],
        expect=[CH + " && tls.handshake.extension.type==23", SH], absent=[SH + " && tls.handshake.extension.type==23"])
    cap("compression-offered", "client offers DEFLATE compression, server does not take it", s_server("-tls1_2"), o102c("--method", "TLSv1_2", "--compression", "--cipher", "HIGH"),
        expect=[CH + " && tls.handshake.comp_method==1", SH + " && tls.handshake.comp_method==0"])
    cap("compression-negotiated", "DEFLATE compression negotiated (CRIME)", o102s("--compression"), o102c("--method", "TLSv1_2", "--compression", "--cipher", "HIGH"),
        expect=[SH + " && tls.handshake.comp_method==1"])
    cap("heartbeat-negotiated", "heartbeat extension on both sides", o102s(), o102c("--method", "TLSv1_2", "--cipher", "HIGH", "--heartbeat"),
        expect=[CH + " && tls.handshake.extension.type==15", SH + " && tls.handshake.extension.type==15"])
    cap("heartbleed-probe-ignored", "heartbeat with a false length sent in the handshake to OpenSSL 1.0.2e, which drops it", o102s(), bpeer("client", "heartbleed"),
        expect=["tls.record.content_type==24"], absent=["tls.record.content_type==24 && tcp.srcport==443"])
    cap("heartbleed-answered", "heartbeat with a false length, answered with the length asked for (zeros)", bpeer("server", "heartbleed", f"{PKI}/leaf-rsa2048.full"), bpeer("client", "heartbleed"),
        expect=["tls.record.content_type==24 && tcp.srcport==443"])
    cap("fallback-scsv-accepted", "TLS_FALLBACK_SCSV with TLS 1.2 at a server whose best is TLS 1.2: accepted", s_server("-tls1_2"), s_client("-tls1_2", "-fallback_scsv"),
        expect=[CH + " && tls.handshake.ciphersuite==0x5600", SH])
    for n, s, c, what in (("alpn-h2", "h2,http/1.1", "h2,http/1.1", "ALPN, h2 chosen"), ("alpn-http11", "http/1.1", "h2,http/1.1", "ALPN, http/1.1 chosen")):
        cap(n, what + " (TLS 1.2, so the choice is visible)", s_server("-tls1_2", "-alpn", s), s_client("-alpn", c), expect=[SH + " && tls.handshake.extension.type==16"])
    cap("alpn-tls13", "ALPN in TLS 1.3, the choice is encrypted", s_server("-alpn", "h2"), s_client("-alpn", "h2,http/1.1"), expect=[CH + " && tls.handshake.extension.type==16", v13])
    cap("npn", "next protocol negotiation (NPN), TLS 1.2", s_server("-tls1_2", "-nextprotoneg", "http/1.1,spdy/3"), s_client("-tls1_2", "-nextprotoneg", "http/1.1"),
        expect=[SH + " && tls.handshake.extension.type==13172"])
    cap("no-sni", "TLS 1.3 client without server_name", s_server(), s_client(sni=False), expect=[v13], absent=[CH + " && tls.handshake.extension.type==0"])
    cap("max-fragment-length", "max_fragment_length 512 agreed", s_server("-tls1_2"), s_client("-tls1_2", "-maxfraglen", "512"), expect=[SH + " && tls.handshake.extension.type==1"])
    cap("record-size-limit", "record_size_limit offered", s_server(), ["gnutls-cli", "-p", "443", "--insecure", "--sni-hostname", HOST, S4], expect=[CH + " && tls.handshake.extension.type==28"])
    cap("sct-requested", "client asks for signed certificate timestamps", s_server("-tls1_2"), s_client("-tls1_2", "-serverinfo", "18"), expect=[CH + " && tls.handshake.extension.type==18"])
    cap("post-handshake-auth-offered", "client offers post_handshake_auth", s_server(), s_client("-enable_pha"), expect=[CH + " && tls.handshake.extension.type==49"])
    cap("hello-without-extensions", "TLS 1.0 ClientHello without any extension", o102s(), bpeer("client", "no-extensions"), expect=[SH], absent=[CH + " && tls.handshake.extension.type"])
    cap("tls13-draft-versions-offered", "ClientHello that offers only drafts 23, 28 and 27 of TLS 1.3", s_server(), bpeer("client", "draft23"), expect=[CH + " && tls.handshake.extensions.supported_version==0x7f17"])
    cap("tls13-draft28-answered", "ServerHello that selects draft 28 of TLS 1.3", bpeer("server", "draft28"), bpeer("client", "draft23"), expect=[SH + " && tls.handshake.extensions.supported_version==0x7f1c"])
    cap("unknown-suites-and-extensions", "ClientHello with unassigned suites and extensions", s_server("-tls1_2"), bpeer("client", "unknown-everything"), expect=[SH])
    cap("hello-over-several-records", "ClientHello split over records of 50 bytes, accepted", s_server(), bpeer("client", "split-records", "50"), expect=[v13])
    cap("four-session-tickets-tls13", "TLS 1.3, several session tickets after the handshake (encrypted)", s_server("-num_tickets", "4"), s_client(), expect=[v13])
    go = f"{W}/gopeer"
    ech = CH + ' && tls.handshake.extension.type==65037 && tls.handshake.extensions_server_name=="www.example.org"'
    for n, mode, what in (("accepted", "ech", "encrypted client hello, accepted: the outer name is www.example.org, the inner one cannot be seen"),
                          ("rejected", "ech-other-key", "encrypted client hello for a key the server does not have: rejected, the client ends with ech_required (encrypted)")):
        cap("encrypted-client-hello-" + n, what, [go, "server", "443", mode, f"{W}/ech.conf"], [go, "client", f"{S4}:443", "ech", f"{W}/ech.conf"],
            expect=[ech, v13], absent=['tls.handshake.extensions_server_name=="hidden.example.org"'])
    cap("gnutls-resumption-tls13", "GnuTLS client resuming a TLS 1.3 session", s_server(), ["gnutls-cli", "-p", "443", "--insecure", "--sni-hostname", HOST, "--resume", "--waitresumption", S4],
        streams=2, stdin=[(0.8, "ping\n"), (0.8, "")], timeout=6, expect=["tcp.stream==1 && " + CH + " && tls.handshake.extension.type==41"])
