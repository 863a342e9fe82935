"""Cipher suites, key exchanges and groups negotiated."""
from lib import *

SH = "tls.handshake.type==2"
SKE = "tls.handshake.type==12"


def suite(code):
    return f"{SH} && tls.handshake.ciphersuite==0x{code:04x}"


def curve(n):
    return f"{SKE} && tls.handshake.server_named_curve==0x{n:04x}"


def group13(n):
    return f"{SH} && tls.handshake.extensions_key_share_group=={n}"


def run():
    # OpenSSL 1.0.2 on both sides for what newer libraries no longer have
    def old(name, shows, cipher, code, *server, cert="leaf-rsa2048", method="TLSv1", more=(), client=()):
        cap(name, shows, o102s("--cipher", "ALL:COMPLEMENTOFALL", *server, cert=cert),
            o102c("--method", method, "--cipher", cipher, *client), expect=[suite(code), *more])

    dh = lambda b: ("--dh", f"{PKI}/dh{b}.pem")
    old("tls10-rc4-md5-negotiated", "TLS 1.0, RSA kex, RC4-MD5", "RC4-MD5", 0x0004)
    old("tls12-rc4-sha-negotiated", "TLS 1.2, RSA kex, RC4-SHA", "RC4-SHA", 0x0005, method="TLSv1_2")
    old("tls12-ecdhe-rc4-sha", "TLS 1.2, ECDHE-RSA, RC4-SHA", "ECDHE-RSA-RC4-SHA", 0xC011, method="TLSv1_2")
    old("tls10-3des", "TLS 1.0, RSA kex, 3DES", "DES-CBC3-SHA", 0x000A)
    old("tls12-ecdhe-3des", "TLS 1.2, ECDHE-RSA, 3DES", "ECDHE-RSA-DES-CBC3-SHA", 0xC012, method="TLSv1_2")
    old("tls10-des", "TLS 1.0, RSA kex, single DES", "DES-CBC-SHA", 0x0009)
    old("tls10-dhe-des", "TLS 1.0, DHE-RSA with a 1024-bit prime, single DES", "EDH-RSA-DES-CBC-SHA", 0x0015, *dh(1024), more=[SKE])
    old("tls10-idea", "TLS 1.0, RSA kex, IDEA", "IDEA-CBC-SHA", 0x0007)
    old("tls10-seed", "TLS 1.0, RSA kex, SEED", "SEED-SHA", 0x0096)
    old("tls10-rsa-export-rc4-40", "TLS 1.0, RSA_EXPORT with RC4-40, 512-bit temporary RSA key in ServerKeyExchange",
        "EXP-RC4-MD5", 0x0003, "--tmp-rsa", "512", more=[SKE])
    old("tls10-rsa-export-rc2-40", "TLS 1.0, RSA_EXPORT with RC2-CBC-40, 512-bit temporary RSA key", "EXP-RC2-CBC-MD5", 0x0006,
        "--tmp-rsa", "512", more=[SKE])
    old("tls10-rsa-export-des40", "TLS 1.0, RSA_EXPORT with DES40", "EXP-DES-CBC-SHA", 0x0008, "--tmp-rsa", "512", more=[SKE])
    old("ssl3-rsa-export-rc4-40", "SSL 3.0, RSA_EXPORT with RC4-40", "EXP-RC4-MD5", 0x0003, "--tmp-rsa", "512", method="SSLv3", more=[SKE])
    old("tls10-rsa-export-512-leaf", "TLS 1.0, RSA_EXPORT with a 512-bit RSA certificate: no ServerKeyExchange is needed",
        "EXP-RC4-MD5", 0x0003, cert="leaf-rsa512")
    old("tls10-dhe-export-512", "TLS 1.0, DHE_EXPORT with a 512-bit prime, DES40", "EXP-EDH-RSA-DES-CBC-SHA", 0x0014, *dh(512), more=[SKE])
    old("tls10-adh-export-rc4", "TLS 1.0, anonymous DH_EXPORT, RC4-40", "EXP-ADH-RC4-MD5", 0x0017, *dh(512), cert=None, more=[SKE])
    old("tls12-null-sha256", "TLS 1.2, RSA kex, NULL-SHA256: application data in the clear", "NULL-SHA256", 0x003B, method="TLSv1_2")
    old("tls10-null-md5", "TLS 1.0, RSA kex, NULL-MD5", "NULL-MD5", 0x0001)
    old("tls12-ecdhe-null-sha", "TLS 1.2, ECDHE-RSA, NULL", "ECDHE-RSA-NULL-SHA", 0xC010, method="TLSv1_2")
    old("tls10-adh-rc4-md5", "TLS 1.0, anonymous DH, RC4-MD5, no certificate", "ADH-RC4-MD5", 0x0018, *dh(1024), cert=None, more=[SKE])
    old("tls12-adh-aes128-gcm", "TLS 1.2, anonymous DH, AES-128-GCM, no certificate", "ADH-AES128-GCM-SHA256", 0x00A6, *dh(2048), cert=None, method="TLSv1_2", more=[SKE])
    old("tls12-aecdh-aes128-sha", "TLS 1.2, anonymous ECDH, AES-128-CBC, no certificate", "AECDH-AES128-SHA", 0xC018, cert=None, method="TLSv1_2", more=[SKE])
    old("tls10-aecdh-rc4", "TLS 1.0, anonymous ECDH, RC4", "AECDH-RC4-SHA", 0xC016, cert=None, more=[SKE])
    old("tls10-aecdh-null", "TLS 1.0, anonymous ECDH, NULL encryption", "AECDH-NULL-SHA", 0xC015, cert=None, more=[SKE])
    old("tls12-dhe-512", "TLS 1.2, DHE-RSA with a 512-bit prime", "DHE-RSA-AES128-SHA256", 0x0067, *dh(512), method="TLSv1_2", more=[SKE])
    old("tls12-dhe-768", "TLS 1.2, DHE-RSA with a 768-bit prime", "DHE-RSA-AES128-GCM-SHA256", 0x009E, *dh(768), method="TLSv1_2", more=[SKE])
    old("tls12-dhe-1024", "TLS 1.2, DHE-RSA with a 1024-bit prime", "DHE-RSA-AES128-GCM-SHA256", 0x009E, *dh(1024), method="TLSv1_2", more=[SKE])
    old("tls12-dhe-2048", "TLS 1.2, DHE-RSA with a 2048-bit prime", "DHE-RSA-AES256-GCM-SHA384", 0x009F, *dh(2048), method="TLSv1_2", more=[SKE])
    old("tls10-dhe-dss-1024", "TLS 1.0, DHE-DSS with a 1024-bit DSA certificate and prime", "DHE-DSS-AES128-SHA", 0x0032, *dh(1024), cert="leaf-dsa1024", more=[SKE])
    old("tls12-static-ecdh-rsa", "TLS 1.2, static ECDH (certificate key, signed by RSA)", "ECDH-RSA-AES128-GCM-SHA256", 0xC031,
        cert="leaf-p256-by-rsa", method="TLSv1_2")
    old("tls12-static-ecdh-ecdsa", "TLS 1.2, static ECDH (certificate key, signed by ECDSA)", "ECDH-ECDSA-AES128-SHA", 0xC004,
        cert="leaf-p256-ka", method="TLSv1_2")
    old("tls12-ecdhe-p192", "TLS 1.2, ECDHE on secp192r1", "ECDHE-RSA-AES128-GCM-SHA256", 0xC02F, "--curve", "P-192", "--curves", "prime192v1", client=("--curves", "prime192v1"), method="TLSv1_2", more=[curve(19)])
    old("tls12-ecdhe-sect163k1", "TLS 1.2, ECDHE on the 163-bit binary curve sect163k1", "ECDHE-RSA-AES128-GCM-SHA256", 0xC02F, "--curve", "sect163k1", "--curves", "sect163k1", client=("--curves", "sect163k1"), method="TLSv1_2", more=[curve(1)])
    old("tls12-ecdhe-secp256k1", "TLS 1.2, ECDHE on secp256k1", "ECDHE-RSA-AES128-GCM-SHA256", 0xC02F, "--curve", "secp256k1", method="TLSv1_2", more=[curve(22)])

    # OpenSSL 3.0 on both sides
    all0 = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

    def new(name, shows, cipher, code, *server, cert="leaf-rsa2048", client=(), more=(), absent=()):
        cap(name, shows, s_server("-cipher", all0, *server, cert=cert),
            s_client("-tls1_2", "-cipher", cipher + ":@SECLEVEL=0", *client), expect=[suite(code), *more], absent=absent)

    etm = SH + " && tls.handshake.extension.type==22"
    new("tls12-rsa-aes128-gcm", "TLS 1.2, static RSA kex (no forward secrecy), AES-128-GCM", "AES128-GCM-SHA256", 0x009C)
    new("tls12-rsa-aes256-cbc-sha256", "TLS 1.2, static RSA kex, AES-256-CBC with SHA-256", "AES256-SHA256", 0x003D)
    new("tls12-cbc-with-etm", "TLS 1.2, ECDHE, AES-128-CBC, encrypt_then_mac agreed", "ECDHE-RSA-AES128-SHA", 0xC013, more=[etm])
    cap("tls12-cbc-without-etm", "TLS 1.2, ECDHE, AES-128-CBC, client offers no encrypt_then_mac", o102s(),
        o102c("--method", "TLSv1_2", "--cipher", "ECDHE-RSA-AES128-SHA"), expect=[suite(0xC013)], absent=["tls.handshake.extension.type==22"])
    new("tls12-cbc-sha384-ecdsa", "TLS 1.2, ECDHE-ECDSA, AES-256-CBC SHA-384", "ECDHE-ECDSA-AES256-SHA384", 0xC024, cert="leaf-p256")
    new("tls12-aes128-ccm8", "TLS 1.2, ECDHE-ECDSA, AES-128-CCM-8 (64-bit tag)", "ECDHE-ECDSA-AES128-CCM8", 0xC0AE, cert="leaf-p256")
    new("tls12-aes256-ccm", "TLS 1.2, RSA kex, AES-256-CCM", "AES256-CCM", 0xC09D)
    new("tls12-camellia256", "TLS 1.2, DHE-RSA, CAMELLIA-256-CBC", "DHE-RSA-CAMELLIA256-SHA", 0x0088, "-dhparam", f"{PKI}/dh2048.pem")
    new("tls12-camellia128-sha256", "TLS 1.2, ECDHE-RSA, CAMELLIA-128-CBC SHA-256", "ECDHE-RSA-CAMELLIA128-SHA256", 0xC076)
    new("tls12-aria256-gcm", "TLS 1.2, ECDHE-RSA, ARIA-256-GCM", "ECDHE-ARIA256-GCM-SHA384", 0xC061)
    new("tls12-chacha20", "TLS 1.2, ECDHE-RSA, ChaCha20-Poly1305", "ECDHE-RSA-CHACHA20-POLY1305", 0xCCA8)
    for n, g, code in (("p256", "P-256", 23), ("p384", "P-384", 24), ("p521", "P-521", 25), ("x25519", "X25519", 29), ("x448", "X448", 30)):
        new(f"tls12-ecdhe-{n}", f"TLS 1.2, ECDHE on {g}", "ECDHE-RSA-AES128-GCM-SHA256", 0xC02F, client=("-groups", g), more=[curve(code)])
    cap("tls12-ffdhe2048", "TLS 1.2, DHE with the RFC 7919 ffdhe2048 group", ["gnutls-serv", "-p", "443", "--http", "-q", "--x509certfile", f"{PKI}/leaf-rsa2048.full",
        "--x509keyfile", f"{PKI}/leaf-rsa2048.key", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-FFDHE2048"],
        ["gnutls-cli", "-p", "443", "--insecure", "--sni-hostname", HOST, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA", S4],
        expect=[SKE, suite(0x009F)])
    psk = ("-psk", "00112233445566778899aabbccddeeff")
    cap("tls12-psk", "TLS 1.2, pure PSK, AES-128-CBC", s_server("-cipher", all0, *psk, "-psk_hint", "example-hint", "-nocert", cert=None),
        s_client("-tls1_2", "-cipher", "PSK-AES128-CBC-SHA:@SECLEVEL=0", *psk), expect=[suite(0x008C)])
    cap("tls12-ecdhe-psk", "TLS 1.2, ECDHE-PSK, ChaCha20-Poly1305", s_server("-cipher", all0, *psk, "-nocert", cert=None),
        s_client("-tls1_2", "-cipher", "ECDHE-PSK-CHACHA20-POLY1305", *psk), expect=[suite(0xCCAC)])
    cap("tls12-rsa-psk", "TLS 1.2, RSA-PSK, AES-128-GCM", s_server("-cipher", all0, *psk), s_client("-tls1_2", "-cipher", "RSA-PSK-AES128-GCM-SHA256", *psk), expect=[suite(0x00AC)])
    cap("tls12-srp", "TLS 1.2, SRP with an RSA certificate", ["gnutls-serv", "-p", "443", "--echo", "-q", "--srppasswd", f"{PKI}/srp.passwd", "--srppasswdconf", f"{PKI}/srp.conf",
        "--x509certfile", f"{PKI}/leaf-rsa2048.full", "--x509keyfile", f"{PKI}/leaf-rsa2048.key", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+SRP:+SRP-RSA"],
        ["gnutls-cli", "-p", "443", "--insecure", "--srpusername", "alice", "--srppasswd", "secret", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+SRP-RSA", S4],
        before=srp_files, expect=[SKE, "tls.handshake.type==1 && tls.handshake.extension.type==12"])

    # TLS 1.3
    for n, s, code in (("aes128-gcm", "TLS_AES_128_GCM_SHA256", 0x1301), ("aes256-gcm", "TLS_AES_256_GCM_SHA384", 0x1302),
                       ("chacha20", "TLS_CHACHA20_POLY1305_SHA256", 0x1303), ("aes128-ccm", "TLS_AES_128_CCM_SHA256", 0x1304),
                       ("aes128-ccm8", "TLS_AES_128_CCM_8_SHA256", 0x1305)):
        cap(f"tls13-{n}", f"TLS 1.3, {s}", s_server("-ciphersuites", s), s_client("-ciphersuites", s), expect=[suite(code)])
    for n, g, code in (("x25519", "X25519", 29), ("p256", "P-256", 23), ("p521", "P-521", 25), ("x448", "X448", 30), ("ffdhe2048", "ffdhe2048", 256)):
        cap(f"tls13-{n}", f"TLS 1.3, key exchange {g}", s_server("-groups", g), s_client("-groups", g), expect=[group13(code)])
    node = lambda *a: [NODE, f"{PEERS}/nodepeer.js", *a]
    for n, g, code in (("x25519mlkem768", "X25519MLKEM768", 4588), ("secp256r1mlkem768", "SecP256r1MLKEM768", 4587),
                       ("mlkem1024", "MLKEM1024", 514)):
        cap(f"tls13-{n}", f"TLS 1.3, post-quantum key exchange {g}", node("server", "443", g), node("client", "443", g), expect=[group13(code)])
    cap("tls13-x25519mlkem768-not-supported", "client offers X25519MLKEM768 and X25519, server knows only X25519: no retry needed",
        s_server(), node("client", "443", "X25519MLKEM768:X25519"), expect=["tls.handshake.type==1 && tls.handshake.extensions_key_share_group==4588", group13(29)])
    cap("tls13-external-psk-dhe", "TLS 1.3, external PSK with (EC)DHE, no certificate", s_server(*psk, "-nocert", cert=None), s_client(*psk, "-ciphersuites", "TLS_AES_128_GCM_SHA256"),
        expect=[SH + " && tls.handshake.extension.type==41", SH + " && tls.handshake.extension.type==51"])
    gpsk = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK"
    cap("tls13-psk-ke-only", "TLS 1.3, external PSK in psk_ke mode: no key_share in the ServerHello, no forward secrecy",
        ["gnutls-serv", "-p", "443", "--echo", "-q", "--pskpasswd", f"{PKI}/psk.passwd", "--priority", gpsk],
        ["gnutls-cli", "-p", "443", "--insecure", "--pskusername", "alice", "--pskkey", "00112233445566778899aabbccddeeff", "--priority", gpsk, S4],
        before=lambda: open(f"{PKI}/psk.passwd", "w").write("alice:00112233445566778899aabbccddeeff\n"),
        expect=[SH + " && tls.handshake.extension.type==41"], absent=[SH + " && tls.handshake.extension.type==51"])


def srp_files():
    if not os.path.exists(f"{PKI}/srp.passwd"):
        sh(f"cd {PKI} && srptool --create-conf srp.conf && echo secret | srptool --passwd srp.passwd --passwd-conf srp.conf -u alice", check=False)
        sh(["srptool", "--passwd", f"{PKI}/srp.passwd", "--passwd-conf", f"{PKI}/srp.conf", "-u", "alice"], check=False, input="secret\n")
