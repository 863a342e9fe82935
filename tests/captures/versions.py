"""Protocol versions negotiated, from SSLv2 to TLS 1.3."""
from lib import *

SH = "tls.handshake.type==2"
# tshark 4.0 has no fields for SSLv2 message types, so look at the bytes
V2CH = "tcp.dstport==443 && tcp.payload[0:1]==80 && tcp.payload[2:3]==01:00:02"
V2SH = "tcp.srcport==443 && tcp.payload[2:1]==04 && tcp.payload[5:2]==00:02"


def ver(v):
    return f"{SH} && tls.handshake.version==0x{v:04x}"


def run():
    cap("ssl2-negotiated", "true SSL 2.0 handshake, DES-CBC3-MD5",
        o102s("--method", "SSLv2"), o102c("--method", "SSLv2", "--cipher", "DES-CBC3-MD5"),
        expect=[V2CH, V2SH])
    cap("ssl2-rc4-export-negotiated", "true SSL 2.0 handshake, EXP-RC4-MD5 (40 bit)",
        o102s("--method", "SSLv2"), o102c("--method", "SSLv2", "--cipher", "EXP-RC4-MD5"),
        expect=[V2CH, V2SH])
    cap("ssl2-hello-to-tls12", "SSLv2-format CLIENT-HELLO that offers up to TLS 1.2; the server answers with TLS 1.2",
        o102s(), o102c("--cipher", "ALL:COMPLEMENTOFALL"),
        expect=["tcp.dstport==443 && tcp.payload[2:3]==01:03:03", ver(0x303)])
    cap("ssl2-hello-to-ssl3", "SSLv2-format CLIENT-HELLO offering up to SSL 3.0; SSL 3.0 negotiated",
        o102s(), o102c("--op", "no_tls1", "--op", "no_tls1_1", "--op", "no_tls1_2"), expect=["tcp.dstport==443 && tcp.payload[2:3]==01:03:00", ver(0x300)])
    cap("ssl2-hello-refused", "SSLv2-format CLIENT-HELLO sent to a server without it",
        s_server(), o102c("--method", "SSLv2", "--cipher", "DES-CBC3-MD5"), expect=[V2CH], absent=[V2SH])
    cap("ssl3-negotiated", "SSL 3.0 negotiated, AES128-SHA, hello without extensions",
        o102s("--method", "SSLv3"), o102c("--method", "SSLv3", "--cipher", "AES128-SHA"), expect=[ver(0x300)])
    cap("ssl3-tlslite", "SSL 3.0 negotiated, between two tlslite-ng peers, RC4-SHA",
        tlslite("server", "--min", "3,0", "--max", "3,0", "--set", "cipherNames=['rc4']"),
        tlslite("client", "--host", S4, "--min", "3,0", "--max", "3,0", "--set", "cipherNames=['rc4']"), expect=[ver(0x300)])
    cap("ssl3-offered-tls12-max-refused", "client limited to SSL 3.0, server refuses with an alert",
        s_server(), o102c("--method", "SSLv3"), expect=["tls.alert_message"])
    sec0 = "DEFAULT:@SECLEVEL=0"
    for n, flag, v in (("tls10", "-tls1", 0x301), ("tls11", "-tls1_1", 0x302), ("tls12", "-tls1_2", 0x303)):
        cap(f"{n}-negotiated", f"{n[:3].upper()} {n[3]}.{n[4]} negotiated",
            s_server("-cipher", sec0), s_client(flag, "-cipher", sec0), expect=[ver(v)], absent=[f"{SH} && tls.handshake.extensions.supported_version==0x0304"])
    cap("tls13-negotiated", "TLS 1.3 negotiated", s_server(), s_client(),
        expect=[f"{SH} && tls.handshake.extensions.supported_version==0x0304"])
    cap("tls13-ipv6", "TLS 1.3 negotiated over IPv6", s_server(), s_client(host=S6),
        expect=["ipv6 && " + SH + " && tls.handshake.extensions.supported_version==0x0304"])
    cap("tls13-no-middlebox-compat", "TLS 1.3 without the compatibility mode: empty session id, no ChangeCipherSpec",
        s_server("-no_middlebox"), s_client("-no_middlebox"), expect=["tls.handshake.session_id_length==0"], absent=["tls.record.content_type==20"])
    cap("tls12-only-client-tls13-server", "a TLS 1.2 client at a TLS 1.3 server: the server random ends in the downgrade mark DOWNGRD 01",
        s_server(), s_client("-tls1_2"), expect=[ver(0x303), SH + " && tls.handshake.random[24:8]==44:4f:57:4e:47:52:44:01"])
    cap("tls11-client-tls13-server", "a TLS 1.1 client at a TLS 1.3 server: the server random ends in DOWNGRD 00",
        s_server("-cipher", sec0), s_client("-tls1_1", "-cipher", sec0), expect=[ver(0x302), SH + " && tls.handshake.random[24:8]==44:4f:57:4e:47:52:44:00"])
    cap("tls13-client-tls12-server", "a TLS 1.3 client at a server limited to TLS 1.2 (no downgrade mark)",
        s_server("-tls1_2"), s_client(), expect=[ver(0x303)], absent=[SH + " && tls.handshake.random[24:8]==44:4f:57:4e:47:52:44:01"])
    cap("tls12-client-openssl102-server", "an OpenSSL 1.0.2 server: TLS 1.2 without extended master secret",
        o102s(), s_client("-tls1_2"), expect=[ver(0x303)], absent=[SH + " && tls.handshake.extension.type==23"])
    cap("tls12-port-8443", "TLS 1.2 on port 8443", s_server(port=8443), s_client("-tls1_2", port=8443), port=8443, expect=[ver(0x303)])
