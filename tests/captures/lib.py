"""Shared machinery for the plain TLS captures.

Two network namespaces joined by one veth pair:

    hpcap-client 192.0.2.10 / 2001:db8::10  <->  hpcap-server 192.0.2.20 / 2001:db8::20

No default route, offloads off, so what is captured is what a real MTU-1500
Ethernet segment would carry and nothing can leave the machine.
"""
import atexit
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PCAPS = os.path.join(ROOT, "pcaps")
W = os.environ.get("HP_CAPTURE_WORK", "/tmp/handprint-captures")
PKI = os.path.join(W, "pki")
PY = os.path.join(W, "venv/bin/python")
PEERS = os.path.join(HERE, "peers")
NODE = os.path.join(W, "npm/bin/node24")
GO = os.path.join(W, "venv/bin/go")
C4, S4, C6, S6 = "192.0.2.10", "192.0.2.20", "2001:db8::10", "2001:db8::20"
HOST = "www.example.org"
CNS, SNS = "hpcap-client", "hpcap-server"
ENV = dict(os.environ, OPENSSL_CONF=os.path.join(W, "openssl.cnf"), W=W, PKI=PKI)


def sh(cmd, check=True, **kw):
    return subprocess.run(cmd, shell=isinstance(cmd, str), check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **kw).stdout


# ---------------------------------------------------------------- network

def net_down():
    for ns in (CNS, SNS):
        subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL)
    hosts = f"/etc/netns/{CNS}/hosts"
    if os.path.exists(hosts):
        os.remove(hosts)
        os.rmdir(os.path.dirname(hosts))


def net_up():
    net_down()
    for ns in (CNS, SNS):
        sh(["ip", "netns", "add", ns])
    sh(f"ip link add hpc0 netns {CNS} address 02:00:00:00:00:10 type veth "
       f"peer name hps0 netns {SNS} address 02:00:00:00:00:20")
    for ns, dev, a4, a6 in ((CNS, "hpc0", C4, C6), (SNS, "hps0", S4, S6)):
        n = ["ip", "-n", ns]
        sh(n + ["addr", "add", a4 + "/24", "dev", dev])
        sh(n + ["addr", "add", a6 + "/64", "dev", dev, "nodad"])
        sh(n + ["link", "set", "lo", "up"])
        sh(n + ["link", "set", dev, "up"])
        sh(f"ip netns exec {ns} ethtool -K {dev} tso off gso off gro off tx off rx off", check=False)
    atexit.register(net_down)
    # hosts file for the client namespace only
    os.makedirs(f"/etc/netns/{CNS}", exist_ok=True)
    with open(f"/etc/netns/{CNS}/hosts", "w") as f:
        f.write(f"127.0.0.1 localhost\n{S4} {HOST} other.example.org\n{S6} v6.example.org\n")


def in_ns(ns, argv):
    return ["ip", "netns", "exec", ns] + argv


class Proc:
    def __init__(self, ns, argv, log, stdin=None):
        self.log = open(log, "w")
        self.p = subprocess.Popen(in_ns(ns, argv), stdin=stdin or subprocess.DEVNULL,
                                  stdout=self.log, stderr=subprocess.STDOUT, env=ENV,
                                  start_new_session=True, cwd=W)

    def stop(self, sig=signal.SIGTERM, grace=2):
        if self.p.poll() is None:
            try:
                os.killpg(self.p.pid, sig)
            except ProcessLookupError:
                pass
            try:
                self.p.wait(grace)
            except subprocess.TimeoutExpired:
                os.killpg(self.p.pid, signal.SIGKILL)
                self.p.wait()
        self.log.close()


def listening(ns, port, limit=15):
    end = time.time() + limit
    while time.time() < end:
        if sh(in_ns(ns, ["ss", "-Hltn", f"sport = :{port}"]), check=False).strip():
            return True
        time.sleep(0.05)
    return False


# ---------------------------------------------------------------- commands

def q(argv):
    """A command line for the manifest, with the work directory shortened."""
    s = " ".join(shlex.quote(a) for a in argv)
    return (s.replace(PEERS, "peers").replace(NODE, "node24").replace(PY, "python").replace(PKI, "$PKI").replace(W, "$W")
            .replace("|", "\\|"))


def s_server(*args, port=443, cert="leaf-rsa2048", chain=True):
    a = ["openssl", "s_server", "-accept", str(port), "-quiet"]
    if cert:
        a += ["-cert", f"{PKI}/{cert}.pem", "-key", f"{PKI}/{cert}.key"]
        if chain:
            a += ["-cert_chain", f"{PKI}/{cert}.chain"]
    return a + list(args)


def s_client(*args, port=443, sni=True, host=S4):
    a = ["openssl", "s_client", "-connect", (f"[{host}]" if ":" in host else host) + f":{port}"]
    a += ["-servername", HOST] if sni else ["-noservername"]
    return a + list(args)


def o102s(*args, port=443, cert="leaf-rsa2048"):
    a = [PY, f"{PEERS}/ossl102.py", "server", "--port", str(port)]
    if cert:
        a += ["--cert", f"{PKI}/{cert}.full", "--key", f"{PKI}/{cert}.key"]
    return a + list(args)


def o102c(*args, port=443):
    return [PY, f"{PEERS}/ossl102.py", "client", "--host", S4, "--port", str(port)] + list(args)


def bpeer(role, what, *args, port=443):
    return [PY, f"{PEERS}/bytes_peer.py", role, what, "--port", str(port)] + list(args)


TL = "tlslite-ng"


def tlslite(role, *args, port=443, cert="leaf-rsa2048"):
    a = [PY, f"{PEERS}/tlslite_peer.py", role, "--port", str(port)]
    if role == "server" and cert:
        a += ["--cert", f"{PKI}/{cert}.full", "--key", f"{PKI}/{cert}.key"]
    return a + list(args)


# ---------------------------------------------------------------- versions

def _v(cmd, rx, fmt="{}"):
    out = sh(cmd, check=False)
    m = re.search(rx, out)
    return fmt.format(m.group(1) if m else "?")


_soft = {}


def soft(argv):
    """Software name and version, asked from the software itself."""
    if argv is None:
        return "-"
    a = list(argv)
    if a[0] in ("bash", "sh") :
        a = shlex.split(a[-1].replace(";", " "))
        a = [x for x in a if x]
    exe = os.path.basename(a[0])
    key = exe
    scripts = [os.path.basename(x) for x in a if x.startswith(PEERS)]
    if scripts:
        key = scripts[0] if scripts[0] != "nodepeer.js" or a[0] == NODE else "node"
    if key in _soft:
        return _soft[key]
    t = {
        "openssl": lambda: _v("openssl version", r"OpenSSL (\S+)", "OpenSSL {}"),
        "curl": lambda: _v("curl --version", r"curl (\S+) .*?", "curl {}") + _v("curl --version", r"(OpenSSL/\S+)", " ({})"),
        "wget": lambda: _v("wget --version", r"Wget (\S+)", "GNU Wget {}") + _v("dpkg-query -W -f '${Version}' libgnutls30", r"(\S+?)-", " (GnuTLS {})"),
        "gnutls-cli": lambda: _v("gnutls-cli --version", r"gnutls-cli (\S+)", "GnuTLS {}"),
        "gnutls-serv": lambda: _v("gnutls-serv --version", r"gnutls-serv (\S+)", "GnuTLS {}"),
        "tstclnt": lambda: _v("dpkg-query -W -f '${Version}' libnss3", r"2:(\S+?)-", "NSS {}"),
        "selfserv": lambda: _v("dpkg-query -W -f '${Version}' libnss3", r"2:(\S+?)-", "NSS {}"),
        "chromium": lambda: _v("chromium --version 2>/dev/null", r"Chromium (\S+)", "Chromium {}"),
        "firefox-esr": lambda: _v("firefox-esr --version 2>/dev/null", r"Firefox (\S+)", "Firefox {}"),
        "java": lambda: _v("java -version", r'version "(\S+?)"', "OpenJDK {}"),
        "ossl102.py": lambda: "OpenSSL 1.0.2e (from the nassl wheel)",
        "tlslite_peer.py": lambda: _v(f"{PY} -m pip list", r"tlslite-ng\s+(\S+)", "tlslite-ng {}"),
        "bytes_peer.py": lambda: "scripted bytes",
        "pyclient.py": lambda: _v("python3 -c 'import sys,ssl;print(\"V\",sys.version.split()[0]+\" (\"+ssl.OPENSSL_VERSION.rsplit(\" \",3)[0]+\")\")'", r"V (.*)", "Python {}"),
        "nodepeer.js": lambda: _v(f"{NODE} -p '\"V \"+process.version+\" (OpenSSL \"+process.versions.openssl+\")\"'", r"V (.*)", "Node {}"),
        "botan": lambda: _v("botan version", r"(\d+\.\d+\.\d+)", "Botan {}"),
        "impersonate.py": lambda: _v(f"{PY} -m pip list", r"curl_cffi\s+(\S+)", "curl-impersonate (curl_cffi {}, BoringSSL)"),
        "node": lambda: _v("node -p '\"V \"+process.version+\" (OpenSSL \"+process.versions.openssl+\")\"'", r"V (.*)", "Node {}"),
        "gopeer": lambda: _v(f"{GO} version", r"go version go(\S+)", "Go {}"),
        "tlsrs": lambda: _v(f"cat {W}/rs/Cargo.lock", r'name = "rustls"\nversion = "(\S+)"', "rustls {}"),
    }.get(key)
    v = t() if t else key
    _soft[key] = v
    return v


# ---------------------------------------------------------------- captures

rows = {}
failed = []
GROUP = "?"
LINK_GROUP = {}


def tshark(path, flt, fields=(), port=443):
    cmd = ["tshark", "-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-r", path]
    for p in (port,):
        if p:
            cmd += ["-d", f"tcp.port=={p},tls"]
    if flt:
        cmd += ["-Y", flt]
    if fields:
        cmd += ["-T", "fields"] + [x for f in fields for x in ("-e", f)]
    return subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def check(path, expect=(), absent=(), port=443):
    bad = [f"missing {e}" for e in expect if not tshark(path, e, port=port).strip()]
    bad += [f"present {e}" for e in absent if tshark(path, e, port=port).strip()]
    return bad


def row(path, shows, client, server, how):
    rows.setdefault(GROUP, []).append((os.path.relpath(path, PCAPS), shows, client, server, how))


def read_pcap(path):
    """[(seconds, fraction, caplen bytes, original length)] and linktype of a classic pcap."""
    d = open(path, "rb").read()
    e = "<" if d[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack(e + "I", d[20:24])[0]
    o, out = 24, []
    while o + 16 <= len(d):
        s, u, c, n = struct.unpack(e + "IIII", d[o:o + 16])
        out.append((s, u, d[o + 16:o + 16 + c], n))
        o += 16 + c
    return link, out


def write_pcap(path, link, pkts, magic=0xA1B2C3D4, e="<", snap=262144):
    with open(path, "wb") as f:
        f.write(struct.pack(e + "IHHiIII", magic, 2, 4, 0, 0, snap, link))
        for s, u, b, n in pkts:
            f.write(struct.pack(e + "IIII", s, u, len(b), n) + b)


def flow_key(b):
    """(addresses, ports) of an Ethernet TCP packet, direction-free."""
    if b[12:14] == b"\x08\x00":
        ihl = (b[14] & 15) * 4
        t, a = 14 + ihl, (b[26:30], b[30:34])
    elif b[12:14] == b"\x86\xdd":
        t, a = 54, (b[22:38], b[38:54])
    else:
        return None
    return frozenset(((a[0], b[t:t + 2]), (a[1], b[t + 2:t + 4])))


def trim(path, streams=None, packets=None, first=0):
    link, pk = read_pcap(path)
    order, cnt, out = [], {}, []
    for p in pk:
        k = flow_key(p[2])
        if k not in order:
            order.append(k)
        cnt[k] = cnt.get(k, 0) + 1
        if streams and order.index(k) - first not in range(streams):
            continue
        if packets and cnt[k] > packets:
            continue
        out.append(p)
    write_pcap(path, link, out)


def cap(name, shows, server, client, port=443, expect=(), absent=(), stdin=None, timeout=8,
        streams=1, packets=None, before=None, linger=0.15, how=None, first=0, sub=None,
        soft_c=None, soft_s=None, settle=0.0, sigkill=False, tcpdump_iface="hpc0", tcpdump_args=(), also=()):
    """Run server and client across the veth pair and keep what went by.

    client may be one argv or several, run one after the other.
    stdin: list of (delay, text) fed to the (first) client.
    """
    only = os.environ.get("HP_ONLY")
    path = os.path.normpath(os.path.join(PCAPS, "tls", sub or GROUP, name + ".pcap"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    clients = client if client and isinstance(client[0], list) else [client]
    how_txt = how or " ; ".join(filter(None, ["server: `" + q(server) + "`" if server else None,
                                              "client: `" + "` then `".join(q(c) for c in clients) + "`"]))
    sc = soft_c or soft(clients[0])
    ss = soft_s or soft(server)
    if only and not re.search(only, name):
        row(path, shows, sc, ss, how_txt)
        return path
    tmp = f"{W}/cap.pcap"
    if os.path.exists(tmp):
        os.remove(tmp)
    for attempt in range(3):
        srv = None
        if before:
            before()
        if server:
            # an open, silent stdin: s_server hangs up when it reads end of file
            srv = Proc(SNS, server, f"{W}/server.log", stdin=subprocess.PIPE)
            if not listening(SNS, port):
                print(f"  {name}: server did not listen:", open(f"{W}/server.log").read()[-400:])
                srv.stop()
                break
        err = open(f"{W}/tcpdump.log", "w+")
        td = subprocess.Popen(in_ns(CNS, ["tcpdump", "-i", tcpdump_iface, "-U", "--immediate-mode", "-s", "0",
                                          "-w", tmp, *tcpdump_args, f"tcp port {port}"]),
                              stderr=err, stdout=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            if "listening on" in open(f"{W}/tcpdump.log").read():
                break
            time.sleep(0.02)
        logs = ""
        for i, c in enumerate(clients):
            log = open(f"{W}/client.log", "w")
            p = subprocess.Popen(in_ns(CNS, c), stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                                 env=ENV, start_new_session=True, cwd=W)
            try:
                seq = stdin if stdin is not None else [(0.25, "ping\n"), (0.15, "Q\n")]
                for d, t in seq:
                    time.sleep(d)
                    if p.poll() is not None:
                        break
                    p.stdin.write(t.encode())
                    p.stdin.flush()
                p.stdin.close()
            except (BrokenPipeError, OSError):
                pass
            try:
                p.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL if sigkill else signal.SIGTERM)
                try:
                    p.wait(3)
                except subprocess.TimeoutExpired:
                    os.killpg(p.pid, signal.SIGKILL)
                    p.wait()
            log.close()
            logs += open(f"{W}/client.log", errors="replace").read()
            time.sleep(settle)
        time.sleep(linger)
        os.killpg(td.pid, signal.SIGINT)
        td.wait(5)
        if srv:
            srv.stop()
        if streams or packets:
            trim(tmp, streams * len(clients) if streams else None, packets, first)
        bad = check(tmp, expect, absent, port)
        if not bad:
            break
    else:
        print(f"  {name}: FAILED {bad}")
        print("   client:", logs[-600:].strip().replace("\n", "\n     "))
        print("   server:", (open(f"{W}/server.log", errors="replace").read()[-600:] if server else "").strip().replace("\n", "\n     "))
        if os.path.exists(tmp):
            os.replace(tmp, f"{W}/failed-{name}.pcap")
        failed.append(name)
        return None
    if not os.path.exists(tmp):
        failed.append(name)
        return None
    os.chown(tmp, os.getuid(), os.getgid())
    os.chmod(tmp, 0o644)
    os.replace(tmp, path)
    size = os.path.getsize(path)
    print(f"  {name}: {size} bytes")
    if size > 60000:
        print(f"  {name}: TOO LARGE")
        failed.append(name)
    row(path, shows, sc, ss, how_txt)
    return path


# ---------------------------------------------------------------- manifest

def write_manifest():
    path = os.path.join(HERE, "MANIFEST.md")
    text = open(path).read() if os.path.exists(path) else "# Test captures\n"
    for g, rs in rows.items():
        body = f"<!-- {g} -->\n### {g}\n\n| file | shows | client | server | made by `{g.split('/')[-1]}.py` |\n|---|---|---|---|---|\n"
        for f, shows, c, s, how in sorted(rs):
            body += f"| {f} | {shows} | {c} | {s} | {how} |\n"
        body += f"<!-- /{g} -->\n"
        rx = re.compile(rf"<!-- {re.escape(g)} -->\n.*?<!-- /{re.escape(g)} -->\n", re.S)
        if rx.search(text):
            text = rx.sub(lambda m: body, text)
        else:
            text = text.rstrip("\n") + "\n\n" + body
    open(path, "w").write(text)
