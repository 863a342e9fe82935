//! handprint reads TLS handshakes off the wire and says what they reveal: who speaks what version, which suites in
//! which order, what is weak, and which software it is. It never decrypts and never sends a packet.
//!
//! ```text
//! capture → Frame → packet::decode → Segment | Datagram → flow (reassembly, [starttls], [quic], [dtls])
//!         → tls::{ClientHello, ServerHello, …}<'_> → Facts → fingerprint + findings → FlowRecord → output
//! ```
//!
//! Bytes move right, never left: a module imports only from those above it in this list, and a test holds this.
//!
//! ```text
//! error.rs        input and output, configuration, captures; parse errors live beside their parser
//! time.rs         Timestamp, always the packet's, never a clock's
//! cursor.rs       the only way wire bytes are read
//! stats.rs        every packet or flow given up is counted under a reason
//! capture/        where frames come from: pcap, pcapng, compressed, directories, standard input, interfaces
//! packet/         one frame to one transport payload: link layers, tunnels, IP, fragments, TCP, UDP
//! tls/            zero-copy messages, X.509, and the code points with their names and status
//! quic/           packets, Initial keys, frames, transport parameters
//! dtls/           records and fragments
//! starttls/       one file a protocol that is spoken in clear before TLS, or around it
//! flow/           reassembly, and the handshake as a state machine: packets to Facts
//! fingerprint/    one file a method: JA3, JA3N, JA3S, JA4
//! labels/         names for fingerprints: the built-in table, and files
//! findings/       the registry of rules; rules/ one file a family
//! policy/         what standards and people allow, as data, and what a handshake says of it
//! config.rs       the configuration file: severities, trust, what is allowed, policies
//! record.rs       FlowRecord: what is said of one handshake, and its JSON
//! engine.rs       Engine: push, advance, finish; composes everything above; sans-IO
//! pipeline/       captures through engines, on one core or on many, in one documented order
//! output/         one file a format; a format writes records and decides nothing
//! cli/            the command: arguments, one file a subcommand
//! ```
//!
//! The hellos of a capture, by client and fingerprint:
//!
//! ```
//! use handprint::capture::Source;
//! use handprint::engine::{Engine, EngineConfig};
//! use handprint::record::FlowRecord;
//!
//! let path = std::path::Path::new("pcaps/tls/versions/tls13-negotiated.pcap");
//! let mut source = Source::open(path)?;
//! let mut engine = Engine::new(EngineConfig::for_capture("tls13-negotiated"));
//! let mut seen = Vec::new();
//! let mut sink = |record: &FlowRecord<'_>| {
//!     let prints = record.hello.and_then(|hello| hello.fingerprints.as_ref());
//!     seen.push((record.facts.client, prints.map(|prints| prints.ja4.hash().to_owned())));
//! };
//! while let Some(frame) = source.next_frame()? {
//!     engine.push(&frame, &mut sink);
//! }
//! engine.finish(&mut sink);
//! assert!(matches!(&*seen, [(client, Some(ja4))] if client.port() > 0 && ja4.starts_with("t13d")));
//! # Ok::<(), handprint::error::Error>(())
//! ```
//!
//! A hello alone, without an engine: [`tls::ClientHello::parse`] and [`fingerprint::Ja4::of`].

pub mod capture;
pub mod config;
pub mod cursor;
pub mod dtls;
pub mod engine;
pub mod error;
pub mod findings;
pub mod fingerprint;
pub mod flow;
pub mod labels;
pub mod output;
pub mod packet;
pub mod pipeline;
pub mod policy;
pub mod quic;
pub mod record;
pub mod starttls;
pub mod stats;
pub mod time;
pub mod tls;
