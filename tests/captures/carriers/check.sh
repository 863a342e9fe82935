#!/bin/bash
# Every capture has its line in MANIFEST.md, every line its capture, and none is large.
cd "$(dirname "$0")" && P=../../../pcaps bad=0
for g in quic dtls starttls proxy tunnels fragments; do
  [ -d $P/$g ] || continue
  listed=$(awk -v g="## $g " 'index($0,g)==1{on=1;next} /^## /{on=0} on' MANIFEST.md | grep -oE '^\| [A-Za-z0-9.-]+\.(pcap|pcapng) ' | tr -d '| ' | sort)
  diff <(echo "$listed") <(cd $P/$g && ls | sort) | sed "s/^/$g: /" | grep '[<>]' && bad=1
done
find $P/{quic,dtls,starttls,proxy,tunnels,fragments} -size +60k 2>/dev/null | grep . && bad=1
exit $bad
