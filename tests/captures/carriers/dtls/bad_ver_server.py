"""Answers bad_ver_client: HelloVerifyRequest, then ServerHello resuming its session, a pre-standard
ChangeCipherSpec (three bytes) and random bytes in place of a Finished. No program was found that still does."""
import os, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.20", 443)); s.settimeout(5)
def rec(typ, body, epoch, seq): return struct.pack("!BHHHIH", typ, 0x0100, epoch, 0, seq, len(body)) + body
def hs(typ, body, seq): return struct.pack("!B", typ) + len(body).to_bytes(3, "big") + struct.pack("!H", seq) + bytes(3) + len(body).to_bytes(3, "big") + body
d, who = s.recvfrom(2000)
cookie = os.urandom(20)
s.sendto(rec(22, hs(3, b"\x01\x00" + bytes([len(cookie)]) + cookie, 0), 0, 0), who)
d, who = s.recvfrom(2000)
sid = d[13 + 12 + 35:][:32]
s.sendto(rec(22, hs(2, b"\x01\x00" + os.urandom(32) + b"\x20" + sid + b"\x00\x2f\x00", 1), 0, 1)
         + rec(20, b"\x01\x00\x02", 0, 2) + rec(22, os.urandom(64), 1, 0), who)
