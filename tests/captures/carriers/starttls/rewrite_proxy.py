"""A meddling middlebox: forwards 192.0.2.20:LISTEN to 127.0.0.1:TO and rewrites OLD to NEW in what the server says."""
import asyncio, sys
listen, to, old, new = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode()
async def pump(r, w, sub):
    try:
        while d := await r.read(65536): w.write(d.replace(old, new) if sub else d)
    finally: w.close()
async def serve(r, w):
    ur, uw = await asyncio.open_connection("127.0.0.1", to)
    await asyncio.gather(pump(r, uw, False), pump(ur, w, True), return_exceptions=True)
async def main():
    async with await asyncio.start_server(serve, "192.0.2.20", listen) as s: await s.serve_forever()
asyncio.run(main())
