"""QUIC client and server over aioquic, every knob the captures need.

  quic_aio.py server --cert F --key F [--alpn h3] [--retry] [--versions 1,2] [--host ::]
  quic_aio.py client --ca F [--host H] [--sni NAME] [--versions …] [--original V] [--tickets N] …

Works with aioquic 0.9.25 (drafts 29 to 32) and 1.x (versions 1 and 2).
"""
import argparse, asyncio, ssl, sys
from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration

p = argparse.ArgumentParser()
p.add_argument("role"); p.add_argument("--host", default="192.0.2.20")
p.add_argument("--port", type=int, default=443)
p.add_argument("--cert"); p.add_argument("--key"); p.add_argument("--ca")
p.add_argument("--sni", default="server.example.test")
p.add_argument("--alpn", default="h3")
p.add_argument("--versions"); p.add_argument("--original")
p.add_argument("--retry", action="store_true")
p.add_argument("--early", action="store_true", help="connect twice, the second time with 0-RTT")
p.add_argument("--big", action="store_true", help="quantum_readiness_test: hello larger than one datagram")
p.add_argument("--cid", type=int, default=8)
p.add_argument("--datagram", type=int)
p.add_argument("--bind", default=None)
a = p.parse_args()

conf = QuicConfiguration(is_client=a.role == "client", alpn_protocols=a.alpn.split(",") if a.alpn else None)
conf.connection_id_length = a.cid
conf.idle_timeout = 4
if a.versions: conf.supported_versions = [int(v, 0) for v in a.versions.split(",")]
if a.original: conf.original_version = int(a.original, 0)
if a.big: conf.quantum_readiness_test = True
if a.datagram: conf.max_datagram_size = a.datagram
if a.cert: conf.load_cert_chain(a.cert, a.key)

async def server():
    store = {}
    async def echo(reader, writer):
        await reader.read(); writer.write(b"hello back\n"); writer.write_eof()
    await serve(a.host, a.port, configuration=conf, retry=a.retry,
                session_ticket_fetcher=lambda t: store.pop(t, None),
                session_ticket_handler=lambda t: store.__setitem__(t.ticket, t),
                stream_handler=lambda r, w: asyncio.ensure_future(echo(r, w)))
    await asyncio.Future()

async def once(ticket=None):
    got = []
    conf.session_ticket = ticket
    if a.sni: conf.server_name = a.sni
    async with connect(a.host, a.port, configuration=conf, session_ticket_handler=got.append,
                       wait_connected=ticket is None) as q:
        r, w = await q.create_stream()
        w.write(b"hello\n"); w.write_eof()
        print(await asyncio.wait_for(r.read(), 5))
        await asyncio.sleep(0.2)
    return got

async def client():
    if a.ca: conf.load_verify_locations(a.ca)
    got = await once()
    if a.early: await once(got[0])

try:
    asyncio.run(server() if a.role == "server" else client())
except (ConnectionError, asyncio.TimeoutError, ssl.SSLError) as e:
    print("failed:", repr(e)); sys.exit(1)
