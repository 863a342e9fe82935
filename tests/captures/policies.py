"""A server set up as the 2015 advice for Exchange had it: SSL 3.0 and RC4 off, TLS 1.0 to 1.2, AES and 3DES.

Windows is not to be had here, so its suites in its order are given to OpenSSL 1.0.2, which is of that time.
"""
from lib import *

SH = "tls.handshake.type==2"
SCHANNEL = ":".join("""ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES128-SHA256 ECDHE-RSA-AES256-SHA ECDHE-RSA-AES128-SHA
    AES256-GCM-SHA384 AES128-GCM-SHA256 AES256-SHA256 AES128-SHA256 AES256-SHA AES128-SHA DES-CBC3-SHA""".split())
CURVES = ["--curves", "P-256:P-384:P-521"]


def run():
    server = o102s("--cipher", SCHANNEL, "--op", "no_ssl2", "--op", "no_ssl3", "--curve", "P-256")

    def client(*args, cipher=SCHANNEL):
        return o102c("--cipher", cipher, "--sni", HOST, *CURVES, *args)

    def one(name, shows, argv, **kw):
        cap("exchange-2015-" + name, "Exchange-like server of 2015: " + shows, server, argv, **kw)

    one("tls12", "TLS 1.2, ECDHE on P-256, AES", client("--method", "TLSv1_2"),
        expect=[f"{SH} && tls.handshake.version==0x0303 && tls.handshake.ciphersuite==0xc028"])
    one("tls10", "TLS 1.0, ECDHE on P-256, AES", client("--method", "TLSv1"),
        expect=[f"{SH} && tls.handshake.version==0x0301 && tls.handshake.ciphersuite==0xc014"])
    one("tls10-3des", "TLS 1.0, RSA key exchange, 3DES", client("--method", "TLSv1", cipher="DES-CBC3-SHA"),
        expect=[f"{SH} && tls.handshake.version==0x0301 && tls.handshake.ciphersuite==0x000a"])
    one("ssl3-refused", "a client limited to SSL 3.0 is refused", client("--method", "SSLv3", cipher="AES128-SHA"),
        expect=["tls.alert_message"], absent=[SH])
    one("rc4-refused", "a client with nothing but RC4 is refused", client("--method", "TLSv1", cipher="RC4-SHA"),
        expect=["tls.alert_message"], absent=[SH])
