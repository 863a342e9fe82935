"""Server and client certificates."""
from lib import *

CERT = "tls.handshake.type==11"
CREQ = "tls.handshake.type==13"
ALL0 = "ALL:@SECLEVEL=0"


def run():
    # TLS 1.2, where the certificates are in the clear
    def c(name, shows, cert, client=(), server=(), expect=(), cipher=ALL0, **kw):
        # -cert_chain refuses nothing, so the chain is sent as it stands in the file
        cap(name, shows, s_server("-tls1_2", "-cipher", ALL0, *server, cert=cert), s_client("-tls1_2", "-cipher", cipher, *client),
            expect=[CERT, *expect], **kw)

    def co(name, shows, cert, method="TLSv1_2", cipher="ALL", expect=(), **kw):
        cap(name, shows, o102s(cert=cert), o102c("--method", method, "--cipher", cipher), expect=[CERT, *expect], **kw)

    sig = lambda s: f"x509af.algorithm.id=={s}"
    co("md5-signed", "RSA-2048 certificate signed with MD5", "leaf-md5", expect=[sig("1.2.840.113549.1.1.4")])
    co("md2-signed", "certificate labelled md2WithRSAEncryption (the OID was set by hand: the signature is over MD5)", "leaf-md2", expect=[sig("1.2.840.113549.1.1.2")])
    c("sha1-signed", "RSA-2048 certificate signed with SHA-1", "leaf-sha1", expect=[sig("1.2.840.113549.1.1.5")])
    c("rsa-pss-signed", "certificate signed with RSASSA-PSS", "leaf-pss-signed", expect=[sig("1.2.840.113549.1.1.10")])
    c("rsa-512", "512-bit RSA certificate", "leaf-rsa512", cipher="AES128-SHA:@SECLEVEL=0")
    c("rsa-768", "768-bit RSA certificate", "leaf-rsa768", cipher="AES128-SHA:@SECLEVEL=0")
    c("rsa-1024", "1024-bit RSA certificate", "leaf-rsa1024")
    c("rsa-2048", "2048-bit RSA certificate with SHA-256, leaf and intermediate: the plain good case", "leaf-rsa2048")
    c("rsa-4096", "4096-bit RSA certificate", "leaf-rsa4096")
    c("rsa-exponent-3", "RSA-2048 certificate with public exponent 3", "leaf-rsa-e3")
    c("rsa-pss-key", "certificate with an RSASSA-PSS key", "leaf-rsapss")
    c("ec-p256", "ECDSA P-256 certificate", "leaf-p256")
    c("ec-p384", "ECDSA P-384 certificate", "leaf-p384")
    c("ec-p521", "ECDSA P-521 certificate", "leaf-p521")
    c("ec-p256-sha1-signed", "ECDSA P-256 certificate signed with ecdsa-with-SHA1", "leaf-p256-sha1", expect=[sig("1.2.840.10045.4.1")])
    cap("ec-p192", "ECDSA certificate on secp192r1", o102s("--curves", "prime192v1:prime256v1", cert="leaf-p192"),
        o102c("--method", "TLSv1_2", "--cipher", "ECDHE-ECDSA-AES128-SHA", "--curves", "prime256v1:prime192v1"), expect=[CERT])
    c("ec-secp256k1", "ECDSA certificate on secp256k1", "leaf-k256", server=("-groups", "secp256k1:P-256"), client=("-groups", "P-256:secp256k1"))
    c("ed25519", "Ed25519 certificate", "leaf-ed25519")
    cap(
        "dsa-1024", "1024-bit DSA certificate", o102s("--dh", f"{PKI}/dh1024.pem", cert="leaf-dsa1024"),
        o102c("--method", "TLSv1_2", "--cipher", "DHE-DSS-AES128-SHA"), expect=[CERT])
    for n, what in (("expired", "certificate that ended 35 days before the capture"), ("not-yet", "certificate whose validity starts a year after the capture"),
                    ("self-signed", "self-signed RSA-2048 certificate"), ("self-signed-1024", "self-signed 1024-bit certificate, SHA-1, 20 years"),
                    ("wrong-name", "certificate for mail.example.net, client asked for www.example.org"),
                    ("wildcard", "certificate for *.example.org"), ("no-san", "certificate without subjectAltName, name in CN only"),
                    ("v1", "X.509 version 1 certificate"), ("incomplete", "leaf only, the intermediate is missing"),
                    ("misordered", "chain in the order leaf, root, intermediate"), ("with-root", "chain with the root included"),
                    ("duplicate", "the leaf sent twice, then the intermediate"),
                    ("weak-intermediate", "good leaf, intermediate signed with MD5"), ("expired-intermediate", "good leaf, expired intermediate"),
                    ("ca-as-leaf", "a CA certificate used as the server certificate"),
                    ("eku-client-only", "extended key usage clientAuth and emailProtection, no serverAuth"),
                    ("long-validity", "leaf valid for 3650 days"), ("validity-2050", "leaf valid to 2061, GeneralizedTime"),
                    ("many-names", "leaf with 41 names")):
        cert = "leaf-" + n
        if n in ("incomplete", "duplicate", "misordered"):
            # s_server wants a file to send; 1.0.2 sends the PEM file as it is
            co(n, what, cert)
        elif n.startswith("self-signed"):
            cap(n, what, s_server("-tls1_2", "-cipher", ALL0, cert=cert, chain=False), s_client("-tls1_2", "-cipher", ALL0), expect=[CERT])
        else:
            c(n, what, cert)
    cap("ku-no-encipherment-rsa-kex", "static RSA key exchange with a certificate whose key usage has no keyEncipherment",
        tlslite("server", "--max", "3,3", cert="leaf-ku-no-encipherment"),
        tlslite("client", "--host", S4, "--max", "3,3", "--set", "keyExchangeNames=['rsa']"), expect=[CERT], absent=["tls.handshake.type==12"])
    c("must-staple-without-staple", "must-staple certificate, client asks for a staple, server sends none", "leaf-must-staple", client=("-status",),
      expect=["tls.handshake.type==1 && tls.handshake.extension.type==5"], absent=["tls.handshake.type==22"])
    c("ocsp-stapled", "OCSP answer stapled in CertificateStatus", "leaf-rsa2048", client=("-status",), server=("-status_file", f"{PKI}/ocsp.der"),
      expect=["tls.handshake.type==22"])
    cap("ocsp-stapled-tls13", "OCSP stapling in TLS 1.3, where it is encrypted", s_server("-status_file", f"{PKI}/ocsp.der"), s_client("-status"),
        expect=["tls.handshake.type==1 && tls.handshake.extension.type==5"])
    cap("rsa-1024-tls10-rsa-kex", "TLS 1.0, static RSA, 1024-bit SHA-1 self-signed: an old device", o102s(cert="leaf-self-signed-1024"),
        o102c("--method", "TLSv1", "--cipher", "AES128-SHA"), expect=[CERT])

    # client certificates
    ask = ("-verify", "3", "-verify_quiet", "-CAfile", f"{PKI}/roots.pem")
    cl = lambda n: ("-cert", f"{PKI}/{n}.pem", "-key", f"{PKI}/{n}.key", "-cert_chain", f"{PKI}/{n}.chain")
    c("client-certificate-given", "server asks for a client certificate and the client sends one", "leaf-rsa2048", server=ask, client=cl("client"),
      expect=[CREQ, CERT + " && tcp.dstport==443", "tls.handshake.type==15"])
    c("client-certificate-empty", "server asks for a client certificate, client answers with an empty list, handshake completes", "leaf-rsa2048", server=ask,
      expect=[CREQ, CERT + " && tcp.dstport==443"], absent=["tls.handshake.type==15"])
    c("client-certificate-weak", "client certificate with RSA-1024 and SHA-1", "leaf-rsa2048", server=ask, client=cl("client-weak"),
      expect=[CREQ, CERT + " && tcp.dstport==443"])
    c("client-certificate-expired", "expired client certificate", "leaf-rsa2048", server=ask, client=cl("client-expired"),
      expect=[CREQ, CERT + " && tcp.dstport==443"])
    cap("client-certificate-tls10", "TLS 1.0 client certificate (CertificateRequest without signature algorithms)", o102s("--ask-client-cert"),
        o102c("--method", "TLSv1", "--cipher", "AES128-SHA", "--cert", f"{PKI}/client-weak.full", "--key", f"{PKI}/client-weak.key"),
        expect=[CREQ, CERT + " && tcp.dstport==443"])
    cap("client-certificate-ssl3-none", "SSL 3.0 client without a certificate answers CertificateRequest with the no_certificate warning", o102s("--ask-client-cert"),
        o102c("--method", "SSLv3", "--cipher", "AES128-SHA"), expect=[CREQ, "tls.alert_message.desc==41"])
    cap("client-certificate-tls13", "TLS 1.3 client certificate (encrypted)", s_server(*ask), s_client(*cl("client")),
        expect=["tls.handshake.type==2 && tls.handshake.extensions.supported_version==0x0304"])
    cap("certificates-tls13-encrypted", "TLS 1.3: no certificate visible", s_server(), s_client(), absent=[CERT])
