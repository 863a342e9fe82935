// tls.connect with the defaults of old Node versions (0.8 and up)
var tls = require('tls');
var s = tls.connect(443, '192.0.2.20', { servername: 'www.example.org', rejectUnauthorized: false }, function () { s.write('ping\n'); });
s.on('error', function (e) { console.log(e.message); });
setTimeout(function () { process.exit(); }, 400);
