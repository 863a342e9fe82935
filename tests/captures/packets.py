"""Building and taking apart Ethernet/IPv4/TCP packets for the re-wrapped and
rewritten captures. Plain struct code."""
import struct


def csum(b):
    if len(b) & 1:
        b += b"\0"
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


class Tcp:
    """One TCP segment of a captured flow."""

    def __init__(self, t, src, dst, sport, dport, seq, ack, flags, data=b"", opts=b"", win=502, pad=b"", bad_sum=False, zero_len=False):
        self.t, self.src, self.dst, self.sport, self.dport = t, src, dst, sport, dport
        self.seq, self.ack, self.flags, self.data, self.opts, self.win = seq, ack, flags, data, opts, win
        self.pad, self.bad_sum, self.zero_len = pad, bad_sum, zero_len

    @classmethod
    def parse(cls, s, u, b):
        ip = b[14:]
        tl, = struct.unpack_from("!H", ip, 2)
        ihl = (ip[0] & 15) * 4
        t = ip[ihl:tl]
        sp, dp, seq, ack = struct.unpack_from("!HHII", t)
        off = (t[12] >> 4) * 4
        return cls((s, u), ip[12:16], ip[16:20], sp, dp, seq, ack, t[13], t[off:], t[20:off], struct.unpack_from("!H", t, 14)[0])

    def copy(self, **kw):
        p = Tcp(self.t, self.src, self.dst, self.sport, self.dport, self.seq, self.ack, self.flags, self.data, self.opts, self.win,
                self.pad, self.bad_sum, self.zero_len)
        for k, v in kw.items():
            setattr(p, k, v)
        p.seq &= 0xFFFFFFFF
        p.ack &= 0xFFFFFFFF
        return p

    def ip(self):
        off = (20 + len(self.opts)) // 4
        h = struct.pack("!HHIIBBHHH", self.sport, self.dport, self.seq & 0xFFFFFFFF, self.ack & 0xFFFFFFFF, off << 4, self.flags, self.win, 0, 0) + self.opts
        n = len(h) + len(self.data)
        c = csum(self.src + self.dst + struct.pack("!HH", 6, n) + h + self.data)
        if self.bad_sum:
            c ^= 0x5555
        t = h[:16] + struct.pack("!H", c) + h[18:] + self.data
        ih = struct.pack("!BBHHHBBH", 0x45, 0, 0 if self.zero_len else n + 20, 0, 0x4000, 64, 6, 0) + self.src + self.dst
        return ih[:10] + struct.pack("!H", csum(ih)) + ih[12:] + t

    def eth(self):
        c, s = b"\x02\0\0\0\0\x10", b"\x02\0\0\0\0\x20"
        return ((s + c) if self.dport == 443 else (c + s)) + b"\x08\0" + self.ip() + self.pad


def records(b):
    """TLS records of a stream: [(type, version, body)] and what is left over."""
    out = []
    while len(b) >= 5:
        n, = struct.unpack_from("!H", b, 3)
        if len(b) < 5 + n:
            break
        out.append((b[0], b[1:3], b[5:5 + n]))
        b = b[5 + n:]
    return out, b


def record(t, v, body):
    return bytes([t]) + v + struct.pack("!H", len(body)) + body


class Flow:
    """Writes a conversation as TCP segments: SYN, data, ACKs, FIN."""

    def __init__(self, client=bytes([192, 0, 2, 10]), server=bytes([192, 0, 2, 20]), cport=40000, cisn=1000, sisn=2000, t=1700000000, mss=1448):
        self.a, self.p = (client, server), (cport, 443)
        self.seq = [cisn, sisn]
        self.us = t * 1000000
        self.mss = mss
        self.out = []

    def send(self, d, flags, data=b"", opts=b"", **kw):
        self.us += 150
        p = Tcp((self.us // 1000000, self.us % 1000000), self.a[d], self.a[1 - d], self.p[d], self.p[1 - d], self.seq[d],
                self.seq[1 - d] if flags & 16 else 0, flags, data, opts, **kw)
        p.seq &= 0xFFFFFFFF
        p.ack &= 0xFFFFFFFF
        self.out.append(p)
        self.seq[d] += len(data) + (1 if flags & 3 else 0)
        return p

    def syn(self, data=b""):
        mss = bytes.fromhex("020405b4")
        self.send(0, 2, data, mss)
        self.send(1, 18, b"", mss)
        self.send(0, 16)
        return self

    def data(self, d, b, mss=None, ack=True):
        m = mss or self.mss
        for i in range(0, len(b), m):
            self.send(d, 24, b[i:i + m])
        if ack:
            self.send(1 - d, 16)
        return self

    def fin(self, first=0):
        self.send(first, 17)
        self.send(1 - first, 17)
        self.send(first, 16)
        return self
