#!/usr/bin/env bash
# Watches `handprint live` for as long as you like under mixed load: real handshakes, and floods of SYNs, of random UDP and
# of half hellos. Fails where its memory grows, where it ends, or where a record is lost that it does not count.
#
#   sudo tests/soak.sh [SECONDS]        (default 3600)
#
# HANDPRINT   the command (default target/release/handprint)
# RATE        packets a second of the real handshakes (default 2000)
# FLOOD       packets a second of a flood (default 20000); a flood of each kind comes every minute, for ten seconds
# THREADS     threads that capture (default 1)
# OUT         directory for the samples (default a new one in /tmp)
#
# The tables of the engine have a bound, not a size: they grow until they are full. So they are filled first, by SYNs
# from a million addresses and half hellos from 300,000. From then on memory must stay where it is, give or take 5 % and
# 16 MiB.
#
# Needs root, ip, tcpreplay, python3, curl.
set -euo pipefail
# Each job with what it starts is a process group.
set -m
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SECONDS_TO_RUN=${1:-3600}
HANDPRINT=$(realpath "${HANDPRINT:-target/release/handprint}")
RATE=${RATE:-2000} FLOOD=${FLOOD:-20000} THREADS=${THREADS:-1}
OUT=${OUT:-$(mktemp -d /tmp/handprint-soak.XXXXXX)}
NS=handprint-soak-$$

for tool in ip tcpreplay python3 curl; do
  command -v "$tool" >/dev/null || { echo "soak: skipped: there is no $tool" >&2; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "soak: skipped: only root can make a network namespace" >&2; exit 0; }

mkdir -p "$OUT/flows"
chmod 755 "$OUT"
chmod 777 "$OUT/flows"

ip netns add "$NS"
LIVE='' LOAD=''
finish() {
  for group in $LOAD $LIVE; do kill -- "-$group" 2>/dev/null || true; done
  ip netns del "$NS" 2>/dev/null || true
}
trap finish EXIT

in_ns() { ip netns exec "$NS" "$@"; }
in_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
in_ns ip link set lo up
in_ns ip link add gen0 mtu 9000 type veth peer name tap0 mtu 9000
in_ns ip link set gen0 up
in_ns ip link set tap0 up

# Floods as captures, each packet from an address of its own.
python3 - "$OUT" <<'PYTHON'
import random, struct, sys

random.seed(1)
hello = bytes.fromhex("16030102000100") + b"\x01\xfc\x03\x03" + random.randbytes(32) + b"\x20" + random.randbytes(32)
hello += b"\x00\x08\x13\x01\x13\x02\x13\x03\xc0\x2f\x01\x00\x01\xab" + random.randbytes(40)


def address():
    return struct.pack(">BBH", 10, random.randrange(256), random.randrange(65536))


def packet(protocol, payload):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), random.randrange(65536), 0x4000, 64, protocol, 0)
    return bytes(12) + b"\x08\x00" + header + address() + bytes([192, 0, 2, 1]) + payload


def tcp(flags, payload=b""):
    ports = struct.pack(">HH", random.randrange(1024, 65536), 443)
    return packet(6, ports + struct.pack(">IIBBHHH", random.randrange(1 << 32), 0, 0x50, flags, 65535, 0, 0) + payload)


def udp(payload):
    return packet(17, struct.pack(">HHHH", random.randrange(1024, 65536), 443, 8 + len(payload), 0) + payload)


def noise():
    first = random.choice([b"", b"\x16\xfe\xfd", b"\xc3\x00\x00\x00\x01\x08", b"\xd1\x6b\x33\x43\xcf\x08"])
    return udp(first + random.randbytes(random.randrange(1, 600)))


floods = {
    "fill": (1_200_000, lambda: tcp(2)),
    "syn": (200_000, lambda: tcp(2)),
    "udp": (100_000, noise),
    "hello": (100_000, lambda: tcp(0x18, hello)),
}
for name, (count, make) in floods.items():
    with open(f"{sys.argv[1]}/{name}.pcap", "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for _ in range(count):
            frame = make()
            out.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
PYTHON

ip netns exec "$NS" "$HANDPRINT" live -i tap0 --no-config -j "$THREADS" -o "$OUT/flows/flows.ndjson" --rotate 20MB,1m --compress gzip \
  --keep 3 --metrics 9100 2>"$OUT/stderr" &
LIVE=$!
sleep 2
kill -0 "$LIVE" 2>/dev/null || { cat "$OUT/stderr" >&2; exit 1; }

# In bursts, and asleep between them: the processors are for the one that is tested.
replay() { in_ns tcpreplay -q -T nano --pps-multi=50 -i gen0 "$@" >/dev/null 2>&1; }

echo "filling the tables"
replay -p 40000 "$OUT/fill.pcap"
replay -p 40000 --loop=3 --unique-ip "$OUT/hello.pcap"
sleep 2

# Real handshakes all the time, each round from other addresses.
(
  mapfile -t captures < <(find pcaps -name '*.pcap' | sort)
  while true; do
    for capture in "${captures[@]}"; do replay -p "$RATE" --unique-ip --loop=20 "$capture" || true; done
  done
) &
LOAD=$!
(
  while true; do
    for flood in syn udp hello; do
      replay -p "$FLOOD" --duration=10 --loop=100 --unique-ip "$OUT/$flood.pcap" || true
      sleep 10
    done
  done
) &
LOAD="$LOAD $!"
# Their end need not be told.
disown -a

sample() {
  local page rss
  page=$(in_ns curl -sf --max-time 5 http://127.0.0.1:9100/metrics)
  rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$LIVE/status")
  value() { awk -v name="handprint_$1" '$1 == name { print $2 }' <<<"$page"; }
  echo "$(($(date +%s) - BEGAN)),$rss,$(value packets_total),$(value kernel_drops_total),$(value open_flows),$(value \
    buffered_bytes),$(value records_written_total),$(value records_dropped_total)" | tee -a "$OUT/samples.csv"
}

BEGAN=$(date +%s)
echo 'seconds,rss_kib,packets,kernel_drops,open_flows,buffered_bytes,records_written,records_dropped' |
  tee "$OUT/samples.csv"
while [ $(($(date +%s) - BEGAN)) -lt "$SECONDS_TO_RUN" ]; do
  kill -0 "$LIVE" 2>/dev/null || { echo "soak: it has ended:" >&2; cat "$OUT/stderr" >&2; exit 1; }
  sample
  sleep 10
done
sample

for group in $LOAD; do kill -- "-$group" 2>/dev/null || true; done
LOAD=''
kill -TERM "$LIVE"
for _ in $(seq 100); do kill -0 "$LIVE" 2>/dev/null || break; sleep 0.1; done
kill -0 "$LIVE" 2>/dev/null && { echo "soak: it does not end" >&2; exit 1; }
grep -q panicked "$OUT/stderr" && { cat "$OUT/stderr" >&2; exit 1; }
LIVE=''
tail -1 "$OUT/stderr"

python3 - "$OUT/samples.csv" <<'PYTHON'
import csv, sys

rows = list(csv.DictReader(open(sys.argv[1])))
memory = [int(row["rss_kib"]) for row in rows]
quarter = max(1, len(memory) // 4)
early, late = max(memory[quarter : 2 * quarter] or memory), max(memory[-quarter:])
last = rows[-1]
print(f"{last['seconds']} s, {last['packets']} packets ({last['kernel_drops']} lost and counted), "
      f"{last['records_written']} records ({last['records_dropped']} lost and counted); "
      f"memory {early / 1024:.1f} MiB in the second quarter, {late / 1024:.1f} MiB in the last")
if late > early * 1.05 + 16 * 1024:
    sys.exit("soak: memory grows")
PYTHON
