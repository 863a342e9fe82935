"""Real clients with their defaults."""
import shutil

from lib import *

CH = "tls.handshake.type==1"
SH = "tls.handshake.type==2"
V13 = SH + " && tls.handshake.extensions.supported_version==0x0304"
PQ = CH + " && tls.handshake.extensions_key_share_group==4588"
GREASE = CH + " && (tls.handshake.ciphersuite==0x0a0a || tls.handshake.ciphersuite==0x1a1a || tls.handshake.ciphersuite==0x2a2a || tls.handshake.ciphersuite==0x3a3a || " \
    "tls.handshake.ciphersuite==0x4a4a || tls.handshake.ciphersuite==0x5a5a || tls.handshake.ciphersuite==0x6a6a || tls.handshake.ciphersuite==0x7a7a || " \
    "tls.handshake.ciphersuite==0x8a8a || tls.handshake.ciphersuite==0x9a9a || tls.handshake.ciphersuite==0xaaaa || tls.handshake.ciphersuite==0xbaba || " \
    "tls.handshake.ciphersuite==0xcaca || tls.handshake.ciphersuite==0xdada || tls.handshake.ciphersuite==0xeaea || tls.handshake.ciphersuite==0xfafa)"
ECH = CH + " && tls.handshake.extension.type==65037"
SNI = CH + ' && tls.handshake.extensions_server_name=="www.example.org"'


def run():
    # an HTTPS server that knows both post-quantum and classic groups
    web = [NODE, f"{PEERS}/nodepeer.js", "server", "443", "X25519MLKEM768:X25519:P-256", "http/1.1"]
    web12 = s_server("-tls1_2", "-www")
    url = f"https://{HOST}/"

    def c(name, shows, client, expect=(V13,), server=web, **kw):
        cap(name, shows, server, client, expect=[SNI, *expect], **kw)

    c("curl", "curl: TLS 1.3, ALPN h2 and http/1.1", ["curl", "-sSk", url])
    c("curl-tls12", "curl limited to TLS 1.2", ["curl", "-sSk", "--tls-max", "1.2", url], expect=[SH], server=web12)
    c("wget", "wget", ["wget", "-q", "-O", "-", "--no-check-certificate", url])
    c("openssl-s-client", "openssl s_client with its defaults", s_client())
    c("gnutls-cli", "gnutls-cli with its defaults", ["gnutls-cli", "-p", "443", "--insecure", "--sni-hostname", HOST, S4])
    c("gnutls-cli-tls12", "gnutls-cli limited to TLS 1.2", ["gnutls-cli", "-p", "443", "--insecure", "--sni-hostname", HOST, "--priority", "NORMAL:-VERS-TLS1.3", S4], expect=[SH], server=web12)
    c("nss-tstclnt", "NSS tstclnt", ["tstclnt", "-D", "-o", "-4", "-h", HOST, "-p", "443"])
    c("nss-tstclnt-tls12", "NSS tstclnt limited to TLS 1.2", ["tstclnt", "-D", "-o", "-4", "-V", "tls1.0:tls1.2", "-h", HOST, "-p", "443"], expect=[SH], server=web12)
    c("python-ssl", "Python ssl.create_default_context", ["python3", f"{PEERS}/pyclient.py", "ssl"])
    c("python-urllib", "Python urllib over https", ["python3", f"{PEERS}/pyclient.py", "https"])
    c("node-20", "Node 20 tls.connect", ["node", f"{PEERS}/nodepeer.js", "client", "443"])
    c("node-24", "Node 24 tls.connect", [NODE, f"{PEERS}/nodepeer.js", "client", "443"])
    for v, osl in (("0.8.28", "1.0.0m"), ("0.10.29", "1.0.1h"), ("6.17.1", "1.0.2r"), ("10.24.1", "1.1.1k")):
        c(f"node-{v.rsplit('.', 1)[0]}", f"old Node {v} with OpenSSL {osl}", [f"{W}/npm/bin/node{v}", f"{PEERS}/nodeold.js"], expect=[SH], server=s_server("-cipher", "ALL:@SECLEVEL=0"),
          soft_c=f"Node {v} (OpenSSL {osl})")
    c("go-tls", "Go crypto/tls", [f"{W}/gopeer", "client", f"{S4}:443", "insecure"], expect=[V13, PQ])
    c("go-net-http", "Go net/http", [f"{W}/gopeer", "client", f"{S4}:443", "http"], expect=[V13])
    c("java-17-sslsocket", "Java 17 SSLSocket", ["java", "-cp", W, "JavaClient", S4, "443", "insecure"])
    c("java-17-https", "Java 17 HttpsURLConnection", ["java", "-cp", W, "JavaClient", S4, "443", "https"])
    c("rustls", "rustls with aws-lc-rs and its defaults", [f"{W}/tlsrs", f"{S4}:443"], expect=[V13, PQ])
    c("rustls-tls12", "rustls limited to TLS 1.2", [f"{W}/tlsrs", f"{S4}:443", "tls12"], expect=[SH], server=web12)
    c("botan", "Botan tls_client", ["botan", "tls_client", HOST, "--port=443", "--skip-system-cert-store", f"--trusted-cas={PKI}/roots.pem"], expect=[SH], server=web12, timeout=2)
    c("openssl-111", "OpenSSL 1.1.1w (from the nassl wheel)", [PY, f"{PEERS}/nassl111.py"], soft_c="OpenSSL 1.1.1w (from the nassl wheel)")
    c("openssl-102", "OpenSSL 1.0.2e (from the nassl wheel)", o102c("--sni", HOST, "--cipher", "DEFAULT"), expect=[SH], server=web12)
    cap("tlslite-ng", "tlslite-ng with its defaults", web, tlslite("client", "--host", S4, "--sni", HOST, "--min", "3,1"), expect=[SNI, V13])
    for b, extra in (("chrome99", []), ("chrome110", []), ("chrome124", [CH + " && tls.handshake.extensions_key_share_group==25497"]), ("chrome131", [PQ]), ("safari15_5", []),
                     ("safari17_0", []), ("safari18_0", []), ("firefox133", []), ("chrome131_android", []), ("tor145", [])):
        c("curl-impersonate-" + b.replace("_", "-"), f"curl-impersonate in the shape of {b}, not the browser itself" + (", X25519Kyber768Draft00 share" if b == "chrome124" else ""),
          [PY, f"{PEERS}/impersonate.py", b], expect=[V13, *extra])

    chrome = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
              "--disable-sync", "--disable-default-apps", "--disable-dev-shm-usage", "--ignore-certificate-errors", f"--user-data-dir={W}/chromium",
              f"--host-resolver-rules=MAP {HOST} {S4},MAP * ~NOTFOUND"]
    fresh = lambda: shutil.rmtree(f"{W}/chromium", ignore_errors=True)
    kw = dict(before=fresh, timeout=25, stdin=[])
    c("chromium-1", "Chromium headless: GREASE, ECH GREASE, X25519MLKEM768, shuffled extensions", chrome + ["--dump-dom", url], expect=[V13, PQ, GREASE, ECH], **kw)
    c("chromium-2", "Chromium headless again: the same client with its extensions in another order", chrome + ["--dump-dom", url], expect=[V13, PQ, GREASE, ECH], **kw)
    c("chromium-tls12-server", "Chromium at a TLS 1.2 server", chrome + ["--dump-dom", url], expect=[SH, PQ, GREASE], server=web12, **kw)
    c("chromium-without-post-quantum-server", "Chromium at a server that knows only X25519", chrome + ["--dump-dom", url], expect=[V13, PQ], server=s_server("-www"), **kw)
    c("chromium-hello-retry-request", "Chromium sent back for P-384 by HelloRetryRequest", chrome + ["--dump-dom", url], expect=[SH + " && tls.handshake.extensions_key_share_selected_group==24"],
      server=s_server("-www", "-groups", "P-384"), **kw)
    c("chromium-certificate-refused", "Chromium that does not ignore certificate errors, TLS 1.2 server with an unknown issuer: alert", [a for a in chrome if a != "--ignore-certificate-errors"] + ["--dump-dom", url],
      expect=[SH, "tls.alert_message"], server=web12, **kw)

    ff = ["firefox-esr", "--headless", "--no-remote", "--profile", f"{W}/firefox", "--screenshot", f"{W}/shot.png", url]
    c("firefox-esr", "Firefox ESR headless", ff, expect=[V13], before=firefox_profile, timeout=25, stdin=[])
    c("firefox-esr-tls12-server", "Firefox ESR at a TLS 1.2 server", ff, expect=[SH], server=web12, before=firefox_profile, timeout=25, stdin=[])


def firefox_profile():
    p = f"{W}/firefox"
    shutil.rmtree(p, ignore_errors=True)
    os.makedirs(p)
    sh(f"certutil -N -d sql:{p} --empty-password && certutil -A -d sql:{p} -t C,, -n root -i {PKI}/root.pem", check=False)
    off = {"network.trr.mode": 5, "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False, "app.update.enabled": False,
           "browser.safebrowsing.update.enabled": False, "toolkit.telemetry.enabled": False, "datareporting.policy.dataSubmissionEnabled": False,
           "browser.newtabpage.enabled": False, "extensions.update.enabled": False, "network.http.http3.enable": False, "security.OCSP.enabled": 0,
           "browser.shell.checkDefaultBrowser": False}
    with open(f"{p}/user.js", "w") as f:
        for k, v in off.items():
            f.write(f'user_pref("{k}", {str(v).lower() if isinstance(v, bool) else v});\n')
