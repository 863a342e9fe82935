// TLS client or server with Node's own OpenSSL.
//   node nodepeer.js server PORT GROUPS [ALPN [SESSION-SECONDS]]
//      node nodepeer.js client PORT [GROUPS] [ALPN]
const tls = require('tls'), fs = require('fs');
const [role, port, groups, alpn, timeout] = process.argv.slice(2);
const pki = process.env.PKI;
if (role === 'server') {
  tls.createServer({
    cert: fs.readFileSync(pki + '/leaf-rsa2048.full'), key: fs.readFileSync(pki + '/leaf-rsa2048.key'),
    ecdhCurve: groups, ALPNProtocols: alpn ? alpn.split(',') : undefined,
    sessionTimeout: timeout ? +timeout : undefined,
  }, s => { s.on('error', () => {}); s.once('data', () => s.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')); })
    .on('tlsClientError', e => console.log(e.message)).listen(+port, '0.0.0.0');
} else {
  const o = { host: '192.0.2.20', port: +port, servername: 'www.example.org', ca: fs.readFileSync(pki + '/roots.pem') };
  if (groups) o.ecdhCurve = groups;
  if (alpn) o.ALPNProtocols = alpn.split(',');
  const s = tls.connect(o, () => { console.log(s.getProtocol(), s.getCipher().name); s.write('ping\n'); });
  s.on('data', () => s.end());
  s.on('error', e => console.log(e.message));
  setTimeout(() => process.exit(), 1500);
}
