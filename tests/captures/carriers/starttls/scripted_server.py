"""Servers for protocols (or behaviours) for which no program was at hand.
scripted_server.py PORT KIND [CERT KEY]: a list of (what the client must say, what we answer), then TLS or nothing.
"""
import asyncio, ssl, sys
port, kind = int(sys.argv[1]), sys.argv[2]
TLS = object()
KINDS = {   # greeting, {first word(s) in the client's line: answer}; TLS as second of a pair starts the handshake
    "imap-preauth": ("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] example server ready\r\n",
        {"CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n", "STARTTLS": "{tag} BAD already authenticated\r\n", "LOGOUT": "* BYE\r\n{tag} OK\r\n"}),
    "nntp": ("200 example.test ready\r\n", {"CAPABILITIES": "101 list\r\nVERSION 2\r\nREADER\r\nSTARTTLS\r\n.\r\n", "STARTTLS": ("382 continue\r\n", TLS), "QUIT": "205 bye\r\n"}),
    "nntp-refused": ("200 example.test ready\r\n", {"CAPABILITIES": "101 list\r\nVERSION 2\r\nREADER\r\n.\r\n", "STARTTLS": "580 can not start TLS\r\n", "AUTHINFO USER": "381 password\r\n", "AUTHINFO PASS": "281 ok\r\n", "QUIT": "205 bye\r\n"}),
    "irc": ("", {"CAP LS": ":server.example.test CAP * LS :multi-prefix tls\r\n", "STARTTLS": (":server.example.test 670 * :STARTTLS successful, proceed with TLS handshake\r\n", TLS), "QUIT": "ERROR :bye\r\n"}),
    "irc-refused": ("", {"STARTTLS": ":server.example.test 691 * :STARTTLS failure\r\n", "PASS": "", "NICK": "", "USER": ":server.example.test 001 alice :Welcome\r\n", "QUIT": "ERROR :bye\r\n"}),
}
greeting, answers = KINDS[kind]
async def serve(r, w):
    w.write(greeting.encode())
    while line := (await r.readline()).decode(errors="replace").strip():
        tag, _, rest = line.partition(" ")
        for word, a in answers.items():
            if line.startswith(word) or rest.startswith(word):
                text, then = a if isinstance(a, tuple) else (a, None)
                w.write(text.replace("{tag}", tag).encode()); await w.drain()
                if then is TLS:
                    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); ctx.load_cert_chain(sys.argv[3], sys.argv[4])
                    await w.start_tls(ctx)
                break
        if rest.startswith("LOGOUT") or tag == "QUIT": break
    w.close()
async def main():
    async with await asyncio.start_server(serve, "192.0.2.20", port) as s: await s.serve_forever()
asyncio.run(main())
