"""slixmpp: STARTTLS, log in, say hello to oneself. xmpp_client.py CA"""
import asyncio, sys, slixmpp
class C(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__("alice@example.test", "invented-password")
        self.ca_certs = sys.argv[1]
        self.add_event_handler("session_start", self.start)
        for e in ("failed_auth", "session_end"): self.add_event_handler(e, lambda *_: self.done.set())
        self.done = asyncio.Event()
    async def start(self, _):
        self.send_message(mto=self.boundjid, mbody="hello"); await asyncio.sleep(0.3); self.disconnect(); self.done.set()
async def main():
    c = C(); c.connect("192.0.2.20", 5222)
    try: await asyncio.wait_for(c.done.wait(), 6)
    except asyncio.TimeoutError: print("no end")
asyncio.run(main())
