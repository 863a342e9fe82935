"""One aiortc peer. webrtc.py offer|answer DIR [relay]  (the descriptions are exchanged through files in DIR)"""
import asyncio, json, os, sys
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection, RTCSessionDescription
role, where = sys.argv[1], sys.argv[2]
cfg = RTCConfiguration(iceServers=[])
if "relay" in sys.argv and role == "offer":
    cfg = RTCConfiguration(iceServers=[RTCIceServer("turn:192.0.2.20:3478", "alice", "invented")])
    cfg.iceTransportPolicy = RTCIceTransportPolicy.RELAY
def put(n, d): open(f"{where}/{n}.tmp", "w").write(json.dumps({"sdp": d.sdp, "type": d.type})); os.rename(f"{where}/{n}.tmp", f"{where}/{n}")
async def get(n):
    while not os.path.exists(f"{where}/{n}"): await asyncio.sleep(0.1)
    return RTCSessionDescription(**json.load(open(f"{where}/{n}")))
async def main():
    pc = RTCPeerConnection(cfg); done = asyncio.Event()
    if role == "offer":
        ch = pc.createDataChannel("chat")
        ch.on("open", lambda: ch.send("hello"))
        ch.on("message", lambda m: done.set())
        await pc.setLocalDescription(await pc.createOffer()); put("offer", pc.localDescription)
        await pc.setRemoteDescription(await get("answer"))
    else:
        @pc.on("datachannel")
        def _(ch): ch.on("message", lambda m: ch.send("hello back"))
        await pc.setRemoteDescription(await get("offer"))
        await pc.setLocalDescription(await pc.createAnswer()); put("answer", pc.localDescription)
    try: await asyncio.wait_for(done.wait(), 8)
    except asyncio.TimeoutError: print("no message")
    await pc.close()
asyncio.run(main())
