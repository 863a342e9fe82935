#!/usr/bin/env bash
# Processor time a packet of `handprint live`, beside `tcpdump -w /dev/null`, on the same packets in one run.
#
#   benches/live.sh [CAPTURE…]        as root; needs ip, tcpdump, tcpreplay
#
# Without a CAPTURE there are four: a workload without handshakes (benches/workload, which is built first), the captures
# of pcaps/tls made one, both mixed (a frame of the latter after ten of the former), and a workload of handshakes alone.
# Each is replayed as fast as tcpreplay can, with other addresses each time, over a pair of interfaces in a network
# namespace, where both programs capture it. Measured is the time of user and system of each process, all its threads,
# from before the first packet to after the last.
#
# HANDPRINT   the program (default target/release/handprint)
# PACKETS     how many packets to replay at least, of each capture (default 2000000)
# OPTIONS     further options of handprint live
# MBPS        megabits a second to replay at, instead of as fast as can be
# LIMIT       fail where handprint takes more than so many times what tcpdump takes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

HANDPRINT=${HANDPRINT:-target/release/handprint}
PACKETS=${PACKETS:-2000000}
NAMESPACE=handprint-bench-$$
WORK=$(mktemp -d)
SPEED=(-t)
[ -z "${MBPS:-}" ] || SPEED=("--mbps=$MBPS")
[ "$(id -u)" = 0 ] || { echo "run as root" >&2; exit 2; }

cleanup() {
  local process
  for process in $(ip netns pids "$NAMESPACE" 2>/dev/null); do kill "$process" 2>/dev/null || true; done
  ip netns del "$NAMESPACE" 2>/dev/null || true
  rm -rf "$WORK"
}
trap cleanup EXIT

inside() { ip netns exec "$NAMESPACE" "$@"; }

# Nanoseconds that the threads of a process have run.
ran() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

measure() {
  local capture=$1 count loops
  count=$(tcpdump -r "$capture" --count 2>/dev/null | awk '{ print $1 }')
  loops=$(((PACKETS + count - 1) / count))

  ip netns exec "$NAMESPACE" tcpdump -i span -B 65536 -w /dev/null 2>"$WORK/tcpdump" &
  local tcpdump=$!
  # shellcheck disable=SC2086
  ip netns exec "$NAMESPACE" "$HANDPRINT" live -i span -f ndjson -o /dev/null --ring 64MiB ${OPTIONS:-} \
    2>"$WORK/handprint" &
  local handprint=$!
  sleep 2
  local before=("$(ran "$tcpdump")" "$(ran "$handprint")")
  inside tcpreplay -q "${SPEED[@]}" -K --unique-ip --loop="$loops" -i feed "$capture" >"$WORK/tcpreplay" 2>&1 || true
  sleep 1
  local after=("$(ran "$tcpdump")" "$(ran "$handprint")")
  kill -INT "$tcpdump" "$handprint"
  wait
  # What each of them captured: what is lost costs nothing.
  local captured=("$(awk '/packets captured/ { print $1 }' "$WORK/tcpdump")"
    "$(sed -n 's/.*done: .* in \([0-9,]*\) packets.*/\1/p' "$WORK/handprint" | tr -d ,)")
  awk -v name="$(basename "$capture")" -v limit="${LIMIT:-0}" \
    -v t=$(((after[0] - before[0]) / captured[0])) -v h=$(((after[1] - before[1]) / captured[1])) \
    'BEGIN {
       printf "%-16s a packet: tcpdump %4d ns, handprint %4d ns, %.2f times\n", name, t, h, h / t
       exit limit > 0 && h > limit * t
     }' || failed=1
  awk '/Actual|Rated/ { print "    " $0 }' "$WORK/tcpreplay"
  sed 's/^/    tcpdump: /' "$WORK/tcpdump" | grep -E 'captured|received|dropped' || true
  sed 's/^/    /' "$WORK/handprint"
}

ip netns add "$NAMESPACE"
inside sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true
inside ip link add name feed mtu 65535 type veth peer name span mtu 65535
inside ip link set feed up
inside ip link set span up

if [ $# -eq 0 ]; then
  cargo build --release --example workload
  target/release/examples/workload bulk 300000000 "$WORK/bulk.pcap"
  target/release/examples/workload flows 20000 "$WORK/handshakes.pcap"
  python3 - "$WORK" <<'PYTHON'
import pathlib, struct, sys
work = pathlib.Path(sys.argv[1])
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)

def frames(path):
    """Those of a classic capture of Ethernet, as they stand in a file."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    if len(data) < 24 or struct.unpack(order + "I", data[20:24])[0] & 0xFFFF != 1:
        return
    at = 24
    while at + 16 <= len(data):
        seconds, _, length, original = struct.unpack(order + "IIII", data[at:at + 16])
        if length < 60000:
            yield struct.pack("<IIII", seconds, 0, length, original) + data[at + 16:at + 16 + length]
        at += 16 + length

real = [frame for path in sorted(pathlib.Path("pcaps/tls").rglob("*.pcap")) for frame in frames(path)]
bulk = list(frames(work / "bulk.pcap"))
(work / "captures.pcap").write_bytes(HEADER + b"".join(real))
mixed = (part for at, frame in enumerate(real) for part in (*bulk[10 * at:10 * at + 10], frame))
(work / "mixed.pcap").write_bytes(HEADER + b"".join(mixed))
PYTHON
  set -- "$WORK/bulk.pcap" "$WORK/mixed.pcap" "$WORK/captures.pcap" "$WORK/handshakes.pcap"
fi

failed=0
for capture; do measure "$capture"; done
exit $failed
