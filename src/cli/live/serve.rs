//! [`Server`]: `/metrics` and `/health` over HTTP, and nothing else.
//!
//! One thread waits for all connections at once, so that a slow one holds up no other. There are at most
//! [`MOST_CONNECTIONS`]: the oldest makes room for a new one. Each asks once, in at most [`MOST_BYTES`], and is gone
//! after [`PATIENCE`].

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Connections at a time.
const MOST_CONNECTIONS: usize = 32;

/// Bytes of a request.
const MOST_BYTES: usize = 8 << 10;

/// Header fields of a request.
const MOST_FIELDS: usize = 64;

/// How long a connection may take for its question and our answer together.
const PATIENCE: Duration = Duration::from_secs(5);

/// A port that is listened on.
pub(super) struct Server {
    listener: TcpListener,
}

/// An answer.
pub(super) struct Page {
    /// Whether all is well: 200, otherwise 503.
    pub(super) is_well: bool,
    pub(super) media_type: &'static str,
    pub(super) body: String,
}

impl Server {
    /// Listens on `address`.
    pub(super) fn bind(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("cannot serve metrics on {address}"))?;
        listener.set_nonblocking(true).context("cannot serve metrics")?;
        Ok(Self { listener })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers from now on, on a thread of its own, what `answer` has for a path.
    pub(super) fn start(self, mut answer: impl FnMut(&str) -> Option<Page> + Send + 'static) -> io::Result<()> {
        thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            let mut connections: Vec<Connection> = Vec::with_capacity(MOST_CONNECTIONS);
            loop {
                self.step(&mut connections, &mut answer);
            }
        })?;
        Ok(())
    }

    /// Waits for something to do, and does it.
    fn step(&self, connections: &mut Vec<Connection>, answer: &mut dyn FnMut(&str) -> Option<Page>) {
        let mut waiting = vec![PollFd::new(&self.listener, PollFlags::IN)];
        for connection in &*connections {
            let flags = if connection.response.is_empty() { PollFlags::IN } else { PollFlags::OUT };
            waiting.push(PollFd::new(&connection.stream, flags));
        }
        let patience = Timespec { tv_sec: 1, tv_nsec: 0 };
        if poll(&mut waiting, Some(&patience)).is_err() {
            thread::sleep(Duration::from_millis(100));
        }
        drop(waiting);
        connections.retain_mut(|connection| connection.go_on(answer) && connection.since.elapsed() < PATIENCE);
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if connections.len() >= MOST_CONNECTIONS {
                        connections.remove(0);
                    }
                    if let Ok(connection) = Connection::new(stream) {
                        connections.push(connection);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Too many open files, or a client that is gone already.
                Err(_) => {
                    thread::sleep(Duration::from_millis(10));
                    break;
                }
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    since: Instant,
    request: Vec<u8>,
    /// Empty as long as the request is not whole.
    response: Vec<u8>,
    sent: usize,
}

impl Connection {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, since: Instant::now(), request: Vec::new(), response: Vec::new(), sent: 0 })
    }

    /// Reads and writes what there is; says whether there is more to come.
    fn go_on(&mut self, answer: &mut dyn FnMut(&str) -> Option<Page>) -> bool {
        while self.response.is_empty() {
            let mut bytes = [0; 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(length) => self.request.extend_from_slice(bytes.get(..length).unwrap_or_default()),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
            if let Some(response) = respond(&self.request, answer) {
                self.response = response;
            }
        }
        while let Some(rest) = self.response.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return false,
                Ok(length) => self.sent += length,
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
        false
    }
}

/// The response to a request; `None` as long as it is not whole.
fn respond(request: &[u8], answer: &mut dyn FnMut(&str) -> Option<Page>) -> Option<Vec<u8>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(request) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if request.len() < MOST_BYTES => return None,
        Ok(httparse::Status::Partial) => return Some(render("431 Request Header Fields Too Large", "", None, true)),
        Err(_) => return Some(render("400 Bad Request", "", None, true)),
    }
    let with_body = match parsed.method {
        Some("GET") => true,
        Some("HEAD") => false,
        _ => return Some(render("405 Method Not Allowed", "Allow: GET, HEAD\r\n", None, true)),
    };
    let path = parsed.path.unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Some(match answer(path) {
        Some(page) => {
            let status = if page.is_well { "200 OK" } else { "503 Service Unavailable" };
            render(status, "", Some(&page), with_body)
        }
        None => render("404 Not Found", "", None, with_body),
    })
}

fn render(status: &str, field: &str, page: Option<&Page>, with_body: bool) -> Vec<u8> {
    let (media_type, body) = page.map_or(("text/plain; charset=utf-8", status), |page| (page.media_type, &page.body));
    let end = if page.is_none() { "\n" } else { "" };
    let length = body.len() + end.len();
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n{field}Cache-Control: \
         no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    );
    if with_body {
        response.push_str(body);
        response.push_str(end);
    }
    response.into_bytes()
}

/// `9100`, `localhost:9100`, `127.0.0.1:9100`, `[::1]:9100`: a port alone is one of this machine only.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let parse = || -> Result<SocketAddr> {
        if let Ok(address) = text.parse() {
            return Ok(address);
        }
        let port = text.strip_prefix("localhost").unwrap_or(text);
        let port = port.strip_prefix(':').unwrap_or(port);
        match port.parse() {
            Ok(port) => Ok((Ipv4Addr::LOCALHOST, port).into()),
            Err(_) => bail!("neither a port nor an address with a port: 9100, 127.0.0.1:9100, [::1]:9100"),
        }
    };
    parse().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn start() -> SocketAddr {
        let server = Server::bind(address("0").unwrap()).unwrap();
        let address = server.address().unwrap();
        server
            .start(|path| match path {
                "/metrics" => Some(Page { is_well: true, media_type: "text/plain", body: "a 1\n".repeat(100_000) }),
                "/health" => Some(Page { is_well: false, media_type: "text/plain", body: "down\n".to_owned() }),
                _ => None,
            })
            .unwrap();
        address
    }

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // In two parts.
        let (head, tail) = request.split_at(request.len() / 2);
        stream.write_all(head.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(10));
        let _ = stream.write_all(tail.as_bytes());
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    #[test]
    fn answers_for_its_pages_and_nothing_else() {
        let address = start();
        let metrics = ask(address, "GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(metrics.split_once("\r\n\r\n").unwrap().1.len(), 400_000);
        let head = ask(address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(head.contains("Content-Length: 400000\r\n") && head.ends_with("\r\n\r\n"));
        assert!(ask(address, "GET /health HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 503 "));
        for path in ["/", "/metrics/", "/../etc/passwd", "*"] {
            assert!(ask(address, &format!("GET {path} HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 404 "), "{path}");
        }
        assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(ask(address, "\u{16}\u{3}\u{1} hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
        let long = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(MOST_BYTES));
        assert!(ask(address, &long).starts_with("HTTP/1.1 431 "));
    }

    #[test]
    fn is_not_held_up_by_clients_that_say_or_read_nothing() {
        let address = start();
        let mut idle = Vec::new();
        for number in 0..2 * MOST_CONNECTIONS {
            let mut stream = TcpStream::connect(address).unwrap();
            if number % 2 == 0 {
                // Never reads what it asked for.
                stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
            }
            idle.push(stream);
        }
        let began = Instant::now();
        assert!(ask(address, "GET /health HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 503 "));
        assert!(began.elapsed() < PATIENCE / 2);
    }

    #[test]
    fn listens_to_this_machine_alone_unless_told_otherwise() {
        for text in ["9100", ":9100", "localhost:9100", "127.0.0.1:9100"] {
            assert_eq!(address(text), Ok(SocketAddr::from(([127, 0, 0, 1], 9100))), "{text}");
        }
        assert!(!address("0.0.0.0:9100").unwrap().ip().is_loopback());
        assert!(address("[::1]:9100").unwrap().ip().is_loopback());
        for text in ["", "host", "host:9100", "99999", "1.2.3.4"] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
