//! [`FlowRecord`]: one handshake as it is written out. The contract other programs rely on.
//!
//! A record borrows the facts of its flow and what was derived from them, and serialises to the object that
//! `flow.schema.json` describes. What is not known is `null` or absent, never guessed.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;

use crate::findings::{Allowed, Finding, Identity, RuleSet, Severity};
pub use crate::fingerprint::HelloFingerprints;
use crate::flow::facts::{
    Carrier, DowngradeSentinel, Facts, Offer, Outcome, QuicClose, QuicFacts, SeenAlert, SeenExtension,
    SeenTransportParameter, Selection, Side,
};
use crate::labels::{Label, Labels};
use crate::policy::{self, Policy};
use crate::quic::TransportParameter;
use crate::tls::certificate::Certificate;
use crate::tls::codepoints::{
    CertificateCompressionAlgorithm, CompressionMethod, EcPointFormat, PskKeyExchangeMode, SrtpProfile, SslV2CipherSpec,
};

/// The version of the record's form. It grows when a member changes its meaning; new members do not change it.
pub const SCHEMA_VERSION: u32 = 1;

/// What follows from a ClientHello's shape alone, made once a distinct shape.
#[derive(Debug)]
pub struct HelloReading {
    /// The shape.
    pub offer: Arc<Offer>,
    /// Its fingerprints.
    pub fingerprints: Option<HelloFingerprints>,
    /// The software that may have sent it, the best supported first.
    pub labels: Vec<Arc<Label>>,
    /// That software in a few words: names without versions, two at most.
    pub software: Option<Arc<str>>,
    /// What the rules on the hello alone say.
    pub findings: Vec<Finding>,
    /// What it says of each policy, in the engine's order.
    pub policies: Vec<policy::Part>,
    /// Its `client_hello` member.
    rendered: Option<Box<RawValue>>,
    /// Its `labels` member.
    rendered_labels: Option<Box<RawValue>>,
}

impl HelloReading {
    /// Reads `offer` with these rules and labels.
    #[must_use]
    pub fn new(offer: Arc<Offer>, rules: &RuleSet, names: &Labels, policies: &[Arc<Policy>]) -> Self {
        let fingerprints = HelloFingerprints::of(&offer);
        let labels = fingerprints.as_ref().map(|prints| names.candidates(prints)).unwrap_or_default();
        let identity = fingerprints.as_ref().map(|fingerprints| Identity { fingerprints, labels: names });
        let mut findings = rules.check_offer(&offer, identity);
        let rendered = render(&ClientHelloMember(&offer));
        let rendered_labels = render_labels(&labels);
        for finding in &mut findings {
            finding.render();
        }
        let software = software_words(&labels).map(Arc::from);
        let policies = policies.iter().map(|policy| policy.check_offer(&offer)).collect();
        Self { offer, fingerprints, labels, software, findings, policies, rendered, rendered_labels }
    }

    /// About how many bytes of memory it takes up.
    pub(crate) fn weight(&self) -> usize {
        let prints = self.fingerprints.as_ref().map_or(0, |prints| {
            let texts = [prints.ja3.text(), prints.ja3n.text(), prints.ja4.raw(), prints.ja4.original_raw()];
            texts.iter().map(|text| text.len()).sum()
        });
        let findings: usize = self.findings.iter().map(Finding::weight).sum();
        size_of::<Self>()
            .saturating_add(self.offer.weight())
            .saturating_add(prints)
            .saturating_add(findings)
            .saturating_add(self.labels.len() * size_of::<Arc<Label>>())
            .saturating_add(self.software.as_ref().map_or(0, |words| words.len()))
            .saturating_add(self.policies.iter().map(policy::Part::weight).sum())
            .saturating_add(self.rendered.as_ref().map_or(0, |text| text.get().len()))
            .saturating_add(self.rendered_labels.as_ref().map_or(0, |text| text.get().len()))
    }
}

/// `curl`, or `OpenSSL or FreeRDP`: the names of the candidates, the best supported first.
fn software_words(labels: &[Arc<Label>]) -> Option<String> {
    const NAMED: usize = 2;
    let mut names: Vec<&str> = Vec::new();
    for label in labels {
        if !names.contains(&label.name.as_str()) {
            names.push(&label.name);
        }
    }
    let more = names.len() > NAMED;
    names.truncate(NAMED);
    (!names.is_empty()).then(|| format!("{}{}", names.join(" or "), if more { " or others" } else { "" }))
}

/// Members of a record that many flows have in common, rendered once and then copied. Each is the same text that
/// would be made from the facts; where one is missing it is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prepared<'a> {
    pub(crate) server_labels: Option<&'a RawValue>,
    pub(crate) fingerprints: Option<&'a RawValue>,
    pub(crate) server_hello: Option<&'a RawValue>,
    pub(crate) certificates: Option<&'a RawValue>,
}

/// The text of a value, to be copied into records.
fn render(value: &impl Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

/// The `fingerprints` member.
pub(crate) fn render_fingerprints(hello: Option<&HelloReading>, ja3s: Option<&str>) -> Option<Box<RawValue>> {
    render(&FingerprintsMember { hello, ja3s })
}

/// The `labels` and `server_labels` members.
pub(crate) fn render_labels(labels: &[Arc<Label>]) -> Option<Box<RawValue>> {
    (!labels.is_empty()).then(|| render(&LabelsMember(labels))).flatten()
}

/// The `server_hello` member.
pub(crate) fn render_server_hello(selection: &Selection) -> Option<Box<RawValue>> {
    render(&ServerHelloMember(selection))
}

/// The `certificates` member.
pub(crate) fn render_certificates(chain: &[Arc<Certificate>]) -> Option<Box<RawValue>> {
    render(&Chain(chain))
}

/// One handshake, ready to be written.
#[derive(Debug)]
pub struct FlowRecord<'a> {
    /// The same for the same flow in the same capture, whenever it is read: 16 hexadecimal digits.
    pub id: FlowId,
    /// The name of the capture.
    pub capture: &'a str,
    /// All that is known of the handshake.
    pub facts: &'a Facts,
    /// The ClientHello: `None` where it was not seen or is malformed.
    pub hello: Option<&'a HelloReading>,
    /// The second ClientHello, after a HelloRetryRequest.
    pub second_hello: Option<&'a HelloReading>,
    /// JA3S, in hexadecimal: of the ServerHello, or of a HelloRetryRequest that none came after.
    pub ja3s: Option<&'a str>,
    /// The software that may have sent the ServerHello, the best supported first.
    pub server_labels: &'a [Arc<Label>],
    /// Findings, the gravest first.
    pub findings: &'a [&'a Finding],
    /// Findings that an entry of the allow list covers.
    pub allowed: &'a [Allowed<'a>],
    /// What the handshake says of each policy that was asked for.
    pub policies: &'a [policy::Verdict<'a>],
    /// Text made before.
    pub(crate) prepared: Prepared<'a>,
}

impl FlowRecord<'_> {
    /// The severity of the gravest finding.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.first().map(|finding| finding.severity)
    }

    /// Corelight's Community ID, version 1, with seed 0: `1:` and a base64 SHA-1 over the ordered five-tuple.
    #[must_use]
    pub fn community_id(&self) -> String {
        ascii(&community_id(self.facts)).to_owned()
    }

    /// The negotiated ALPN protocol as text.
    #[must_use]
    pub fn alpn(&self) -> Option<String> {
        self.facts.selection.as_ref().and_then(|selection| selection.alpn.as_deref()).map(printable)
    }
}

/// The id of a flow: 64 bits of a SHA-1 over its five-tuple, its tunnel and the time its hello began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u64);

impl FlowId {
    /// The id of the flow `facts` are of.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let mut bytes: SmallVec<[u8; 64]> = SmallVec::new();
        bytes.extend_from_slice(&facts.started.as_nanos().to_be_bytes());
        bytes.extend_from_slice(&facts.encapsulations.flow_key().to_be_bytes());
        bytes.push(facts.carrier as u8);
        for address in [facts.client, facts.server] {
            push_ip(address, &mut bytes);
            bytes.extend_from_slice(&address.port().to_be_bytes());
        }
        let digest: [u8; 20] = Sha1::digest(&bytes).into();
        Self(digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }
}

impl FlowId {
    /// 16 hexadecimal digits.
    fn text(self) -> [u8; 16] {
        let mut text = [0; 16];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0.to_be_bytes()) {
            *pair = [byte >> 4, byte & 15].map(|nibble| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
        }
        text
    }
}

impl std::fmt::Display for FlowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(ascii(&self.text()))
    }
}

impl Serialize for FlowId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ascii(&self.text()))
    }
}

/// What is made of ASCII alone, as text.
fn ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

fn community_id(facts: &Facts) -> [u8; 30] {
    let protocol: u8 = match facts.carrier {
        Carrier::Tcp => 6,
        Carrier::Quic | Carrier::Dtls => 17,
    };
    let (client, server) = (facts.client, facts.server);
    let (first, second) =
        if (client.ip(), client.port()) <= (server.ip(), server.port()) { (client, server) } else { (server, client) };
    let mut bytes: SmallVec<[u8; 64]> = SmallVec::from_slice(&[0, 0]);
    for address in [first, second] {
        push_ip(address, &mut bytes);
    }
    bytes.extend_from_slice(&[protocol, 0]);
    bytes.extend_from_slice(&first.port().to_be_bytes());
    bytes.extend_from_slice(&second.port().to_be_bytes());
    let digest: [u8; 20] = Sha1::digest(&bytes).into();
    let mut text = *b"1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let (_, encoded) = text.split_at_mut(2);
    // RFC 4648 section 4. The last of the seven groups has two bytes: its fourth digit is the padding.
    for (place, group) in encoded.chunks_mut(4).zip(digest.chunks(3)) {
        let word = group.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for (position, digit) in place.iter_mut().take(group.len() + 1).enumerate() {
            *digit = base64_digit(word >> (18 - 6 * position) & 0x3f);
        }
    }
    text
}

/// The digit of RFC 4648 section 4 for a value below 64.
fn base64_digit(value: u32) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    usize::try_from(value).ok().and_then(|value| ALPHABET.get(value)).copied().unwrap_or_default()
}

/// Appends an address as it stands in a packet.
fn push_ip(address: std::net::SocketAddr, bytes: &mut SmallVec<[u8; 64]>) {
    match address.ip() {
        std::net::IpAddr::V4(v4) => bytes.extend_from_slice(&v4.octets()),
        std::net::IpAddr::V6(v6) => bytes.extend_from_slice(&v6.octets()),
    }
}

/// Bytes as text: what is not printable ASCII, and the backslash, as `\xNN`; valid UTF-8 as it is.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => {
            let mut text = String::with_capacity(bytes.len());
            for byte in bytes {
                if byte.is_ascii_graphic() && *byte != b'\\' {
                    text.push(char::from(*byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "\\x{byte:02x}");
                }
            }
            text
        }
    }
}

/// Takes the members of an object.
trait Members {
    type Error;

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Self::Error>;

    fn findings(&mut self, findings: &[&Finding]) -> Result<(), Self::Error> {
        self.member("findings", findings)
    }
}

impl<M: SerializeMap> Members for M {
    type Error = M::Error;

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Self::Error> {
        self.serialize_entry(name, value)
    }
}

/// Members as JSON text, each with a comma in front. Their names are written as they are, which takes no time to speak
/// of: they need no escaping.
struct Text<'a>(&'a mut Vec<u8>);

impl Members for Text<'_> {
    type Error = serde_json::Error;

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Self::Error> {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        serde_json::to_writer(&mut *self.0, value)
    }

    fn findings(&mut self, findings: &[&Finding]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(b",\"findings\":[");
        for (place, finding) in findings.iter().enumerate() {
            if place > 0 {
                self.0.push(b',');
            }
            finding.write_json(self.0)?;
        }
        self.0.push(b']');
        Ok(())
    }
}

/// The member an entry is written under is absent where it has no value.
fn entry<M: Members, T: Serialize>(map: &mut M, name: &'static str, value: Option<T>) -> Result<(), M::Error> {
    match value {
        Some(value) => map.member(name, &value),
        None => Ok(()),
    }
}

impl Serialize for FlowRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.members(&mut map)?;
        map.end()
    }
}

impl FlowRecord<'_> {
    /// Appends the record as JSON: what serialising it gives, in less time.
    ///
    /// # Errors
    /// None that a vector could give.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let start = out.len();
        self.members(&mut Text(out))?;
        if let Some(comma) = out.get_mut(start) {
            *comma = b'{';
        }
        out.push(b'}');
        Ok(())
    }

    fn members<M: Members>(&self, map: &mut M) -> Result<(), M::Error> {
        let facts = self.facts;
        let selection = facts.selection.as_ref();
        map.member("type", "flow")?;
        map.member("schema", &SCHEMA_VERSION)?;
        map.member("id", &self.id)?;
        map.member("community_id", ascii(&community_id(self.facts)))?;
        map.member("ts", &facts.started)?;
        let duration = facts.ended.since(facts.started);
        map.member("duration_ms", &(duration.as_nanos() as f64 / 1e6))?;
        map.member("capture", self.capture)?;
        map.member("transport", &facts.carrier)?;
        if !facts.encapsulations.is_empty() {
            map.member("encapsulation", &facts.encapsulations)?;
        }
        map.member("starttls", &facts.starttls.as_ref().map(|said| said.name()))?;
        map.member("client", &Endpoint(facts.client))?;
        map.member("server", &Endpoint(facts.server))?;
        map.member("sni", &facts.hello.server_name)?;
        map.member("version", &facts.selected_version())?;
        map.member("cipher_suite", &facts.selected_cipher_suite())?;
        map.member("group", &facts.group())?;
        map.member("alpn", &selection.and_then(|selection| selection.alpn.as_deref()).map(Name))?;
        map.member("resumed", &facts.resumed)?;
        map.member("outcome", &OutcomeMember(facts.outcome))?;
        match self.prepared.fingerprints {
            Some(text) => map.member("fingerprints", text)?,
            None => {
                map.member("fingerprints", &FingerprintsMember { hello: self.hello, ja3s: self.ja3s })?;
            }
        }
        entry(map, "labels", self.hello.and_then(|hello| hello.rendered_labels.as_ref()))?;
        match self.prepared.server_labels {
            Some(text) => map.member("server_labels", text)?,
            None if self.server_labels.is_empty() => {}
            None => map.member("server_labels", &LabelsMember(self.server_labels))?,
        }
        map.member("client_hello", &self.hello.map(|hello| &hello.rendered))?;
        if self.hello.is_some() {
            map.member("hello_transport", &HelloTransport(facts))?;
        }
        entry(map, "starttls_session", facts.starttls.as_ref())?;
        if let Some(second) = self.second_hello {
            map.member("second_client_hello", &second.rendered)?;
            map.member("second_fingerprints", &FingerprintsMember { hello: Some(second), ja3s: None })?;
        }
        entry(map, "hello_retry_request", facts.hello_retry.as_ref().map(HelloRetryMember))?;
        match self.prepared.server_hello {
            Some(text) => map.member("server_hello", text)?,
            None => map.member("server_hello", &selection.map(ServerHelloMember))?,
        }
        entry(map, "quic", facts.quic.as_deref().map(QuicMember))?;
        if facts.hello_verify {
            map.member("hello_verify_request", &true)?;
        }
        entry(map, "key_exchange", facts.key_exchange.as_ref().map(KeyExchangeMember))?;
        match self.prepared.certificates {
            Some(text) => map.member("certificates", text)?,
            None => entry(map, "certificates", facts.certificates.as_ref().map(|chain| Chain(chain)))?,
        }
        entry(map, "client_certificates", facts.client_certificates.as_ref().map(|chain| Chain(chain)))?;
        entry(map, "certificate_request", facts.certificate_request.as_ref().map(CertificateRequestMember))?;
        if facts.certificate_status {
            map.member("certificate_status", &true)?;
        }
        entry(map, "ticket_lifetime", facts.ticket_lifetime)?;
        map.member("alerts", &Alerts(&facts.alerts))?;
        if !facts.problems.is_empty() {
            map.member("problems", &Problems(facts))?;
        }
        map.findings(self.findings)?;
        if !self.allowed.is_empty() {
            map.member("allowed", self.allowed)?;
        }
        if !self.policies.is_empty() {
            map.member("policies", self.policies)?;
        }
        Ok(())
    }
}

struct Endpoint(std::net::SocketAddr);

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("ip", &self.0.ip())?;
        map.serialize_entry("port", &self.0.port())?;
        map.end()
    }
}

/// A protocol name: bytes that are nearly always text.
struct Name<'a>(&'a [u8]);

impl Serialize for Name<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.chars().any(char::is_control) => serializer.serialize_str(text),
            _ => serializer.serialize_str(&printable(self.0)),
        }
    }
}

struct OutcomeMember(Outcome);

impl Serialize for OutcomeMember {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", self.0.name())?;
        match self.0 {
            Outcome::Refused { by, alert } => {
                map.serialize_entry("by", &by)?;
                map.serialize_entry("alert", &alert)?;
            }
            Outcome::Reset { by } | Outcome::Closed { by } => map.serialize_entry("by", &by)?,
            Outcome::OneWay { seen } => map.serialize_entry("seen", &seen)?,
            Outcome::Cleartext { reason } => map.serialize_entry("reason", &reason)?,
            Outcome::Incomplete | Outcome::Established | Outcome::Silent | Outcome::NotTls => {}
        }
        map.end()
    }
}

struct FingerprintsMember<'a> {
    hello: Option<&'a HelloReading>,
    ja3s: Option<&'a str>,
}

impl Serialize for FingerprintsMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(prints) = self.hello.and_then(|hello| hello.fingerprints.as_ref()) {
            map.serialize_entry("ja3", prints.ja3.hash())?;
            map.serialize_entry("ja3_string", prints.ja3.text())?;
            map.serialize_entry("ja3n", prints.ja3n.hash())?;
            map.serialize_entry("ja4", prints.ja4.hash())?;
            map.serialize_entry("ja4_r", prints.ja4.raw())?;
            map.serialize_entry("ja4_o", prints.ja4.original())?;
            map.serialize_entry("ja4_ro", prints.ja4.original_raw())?;
            map.serialize_entry("ja4_stable", prints.ja4.stable())?;
        }
        entry(&mut map, "ja3s", self.ja3s)?;
        map.end()
    }
}

/// The software a fingerprint may be of.
pub(crate) struct LabelsMember<'a>(pub(crate) &'a [Arc<Label>]);

impl Serialize for LabelsMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Member<'a> {
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            version: Option<&'a str>,
            kind: crate::labels::Kind,
            #[serde(skip_serializing_if = "Option::is_none")]
            os: Option<&'a str>,
            source: &'a str,
            captures: u32,
            by: crate::labels::Method,
        }
        serializer.collect_seq(self.0.iter().map(|label| Member {
            name: &label.name,
            version: label.version.as_deref(),
            kind: label.kind,
            os: label.os.as_deref(),
            source: label.source.as_deref().unwrap_or_default(),
            captures: label.captures,
            by: label.method,
        }))
    }
}

/// A sequence made on the way, without a list of its own.
struct Sequence<I>(I);

impl<T: Serialize, I: Iterator<Item = T> + Clone> Serialize for Sequence<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

struct ClientHelloMember<'a>(&'a Offer);

impl Serialize for ClientHelloMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let offer = self.0;
        let names = |list: &Vec<Box<[u8]>>| list.iter().map(|name| printable(name)).collect::<Vec<_>>();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", if offer.is_sslv2_format() { "sslv2" } else { "tls" })?;
        map.serialize_entry("legacy_version", &offer.legacy_version)?;
        entry(&mut map, "versions", offer.versions.as_ref())?;
        map.serialize_entry("cipher_suites", &offer.cipher_suites)?;
        if let Some(specs) = &offer.sslv2_cipher_specs {
            map.serialize_entry("sslv2_cipher_specs", &Sequence(specs.iter().map(|spec| SslV2CipherSpec(*spec))))?;
        }
        map.serialize_entry(
            "compression_methods",
            &Sequence(offer.compression_methods.iter().map(|method| CompressionMethod(*method))),
        )?;
        map.serialize_entry(
            "extensions",
            &Sequence(offer.extensions.iter().flatten().map(|extension| extension.extension_type)),
        )?;
        let unknown: Vec<UnknownExtension> = offer
            .extensions
            .iter()
            .flatten()
            .filter(|seen| seen.extension_type.name().is_none() && !seen.extension_type.is_grease())
            .map(|seen| UnknownExtension(*seen))
            .collect();
        if !unknown.is_empty() {
            map.serialize_entry("unknown_extensions", &unknown)?;
        }
        entry(&mut map, "groups", offer.groups.as_ref())?;
        entry(
            &mut map,
            "key_shares",
            offer.key_shares.as_ref().map(|shares| Sequence(shares.iter().map(|share| share.group))),
        )?;
        entry(&mut map, "signature_schemes", offer.signature_schemes.as_ref())?;
        entry(&mut map, "signature_schemes_cert", offer.signature_schemes_cert.as_ref())?;
        entry(&mut map, "alpn", offer.alpn.as_ref().map(names))?;
        entry(
            &mut map,
            "point_formats",
            offer.point_formats.as_ref().map(|list| Sequence(list.iter().map(|format| EcPointFormat(*format)))),
        )?;
        entry(
            &mut map,
            "psk_modes",
            offer.psk_modes.as_ref().map(|list| Sequence(list.iter().map(|mode| PskKeyExchangeMode(*mode)))),
        )?;
        entry(&mut map, "psk_identities", offer.psk_identities)?;
        entry(&mut map, "session_ticket", offer.session_ticket)?;
        entry(
            &mut map,
            "certificate_compression",
            offer
                .certificate_compression
                .as_ref()
                .map(|list| Sequence(list.iter().map(|number| CertificateCompressionAlgorithm(*number)))),
        )?;
        entry(&mut map, "record_size_limit", offer.record_size_limit)?;
        entry(&mut map, "max_fragment_length", offer.max_fragment_length)?;
        entry(&mut map, "delegated_credentials", offer.delegated_credentials.as_ref())?;
        entry(
            &mut map,
            "srtp_profiles",
            offer.srtp_profiles.as_ref().map(|list| Sequence(list.iter().map(|profile| SrtpProfile(*profile)))),
        )?;
        entry(&mut map, "heartbeat_mode", offer.heartbeat_mode)?;
        entry(&mut map, "application_settings", offer.application_settings.as_ref().map(names))?;
        entry(&mut map, "token_binding", offer.token_binding.as_ref())?;
        if let Some(ech) = &offer.encrypted_client_hello {
            map.serialize_entry("ech", &EchMember { kdf: ech.kdf, aead: ech.aead })?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct EchMember {
    kdf: u16,
    aead: u16,
}

struct UnknownExtension(SeenExtension);

impl Serialize for UnknownExtension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", &self.0.extension_type)?;
        map.serialize_entry("length", &self.0.length)?;
        map.end()
    }
}

/// What of the ClientHello differs from one connection to the next.
struct HelloTransport<'a>(&'a Facts);

impl Serialize for HelloTransport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hello = &self.0.hello;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("length", &hello.length)?;
        map.serialize_entry("records", &hello.records)?;
        map.serialize_entry("packets", &hello.packets)?;
        entry(&mut map, "record_version", hello.record_version)?;
        map.serialize_entry("session_id_length", &hello.session_id_length)?;
        entry(&mut map, "ech_config_id", hello.ech_config_id)?;
        map.end()
    }
}

struct HelloRetryMember<'a>(&'a crate::flow::facts::HelloRetry);

impl Serialize for HelloRetryMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &self.0.version)?;
        map.serialize_entry("cipher_suite", &self.0.cipher_suite)?;
        map.serialize_entry("group", &self.0.group)?;
        map.serialize_entry("cookie", &self.0.cookie)?;
        map.end()
    }
}

struct ServerHelloMember<'a>(&'a Selection);

impl Serialize for ServerHelloMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let selection = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("legacy_version", &selection.legacy_version)?;
        map.serialize_entry("version", &selection.version)?;
        map.serialize_entry("cipher_suite", &selection.cipher_suite)?;
        map.serialize_entry("compression_method", &CompressionMethod(selection.compression_method))?;
        map.serialize_entry(
            "extensions",
            &Sequence(selection.extensions.iter().flatten().map(|extension| extension.extension_type)),
        )?;
        entry(&mut map, "key_share", selection.key_share_group)?;
        if selection.pre_shared_key {
            map.serialize_entry("pre_shared_key", &true)?;
        }
        map.serialize_entry("session_id_length", &selection.session_id_length)?;
        entry(&mut map, "srtp_profile", selection.srtp_profile.map(SrtpProfile))?;
        entry(&mut map, "downgrade_sentinel", selection.sentinel.map(sentinel_name))?;
        if let Some(specs) = &selection.sslv2 {
            map.serialize_entry("sslv2_cipher_specs", &Sequence(specs.iter().map(|spec| SslV2CipherSpec(*spec))))?;
        }
        entry(&mut map, "sslv2_cipher_spec", selection.sslv2_chosen.map(SslV2CipherSpec))?;
        map.end()
    }
}

const fn sentinel_name(sentinel: DowngradeSentinel) -> &'static str {
    match sentinel {
        DowngradeSentinel::Tls12 => "DOWNGRD01",
        DowngradeSentinel::Tls11OrBelow => "DOWNGRD00",
    }
}

struct KeyExchangeMember<'a>(&'a crate::flow::facts::KeyExchangeFacts);

impl Serialize for KeyExchangeMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use crate::flow::facts::KeyExchangeParameters as Parameters;
        let mut map = serializer.serialize_map(None)?;
        match &self.0.parameters {
            Parameters::Dh { prime_bits, well_known, .. } => {
                map.serialize_entry("type", "dh")?;
                map.serialize_entry("bits", prime_bits)?;
                entry(&mut map, "prime", *well_known)?;
            }
            Parameters::Ecdh(group) => {
                map.serialize_entry("type", "ecdh")?;
                map.serialize_entry("group", group)?;
            }
            Parameters::EcdhExplicit => map.serialize_entry("type", "ecdh_explicit")?,
            Parameters::RsaExport(bits) => {
                map.serialize_entry("type", "rsa_export")?;
                map.serialize_entry("bits", bits)?;
            }
            Parameters::Other => map.serialize_entry("type", "other")?,
        }
        entry(&mut map, "signature_scheme", self.0.signature_scheme)?;
        map.end()
    }
}

struct Chain<'a>(&'a [Arc<Certificate>]);

impl Serialize for Chain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for certificate in self.0 {
            list.serialize_element(&CertificateMember(certificate))?;
        }
        list.end()
    }
}

struct CertificateMember<'a>(&'a Certificate);

impl Serialize for CertificateMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let certificate = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("subject", &certificate.subject)?;
        map.serialize_entry("issuer", &certificate.issuer)?;
        map.serialize_entry("serial", &certificate.serial)?;
        map.serialize_entry("names", &certificate.names)?;
        map.serialize_entry("not_before", &certificate.not_before)?;
        map.serialize_entry("not_after", &certificate.not_after)?;
        map.serialize_entry("key", &certificate.key.to_string())?;
        map.serialize_entry("signature", &certificate.signature)?;
        map.serialize_entry("sha256", &certificate.sha256)?;
        map.end()
    }
}

struct CertificateRequestMember<'a>(&'a crate::flow::facts::CertificateRequestFacts);

impl Serialize for CertificateRequestMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(
            "types",
            &Sequence(self.0.certificate_types.iter().map(|kind| crate::tls::codepoints::ClientCertificateType(*kind))),
        )?;
        map.serialize_entry("authorities", &self.0.authorities)?;
        map.end()
    }
}

struct QuicMember<'a>(&'a QuicFacts);

impl Serialize for QuicMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let quic = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &quic.version)?;
        if quic.google_crypto {
            map.serialize_entry("handshake", "google")?;
        }
        entry(&mut map, "negotiated_version", quic.negotiated)?;
        entry(&mut map, "refused_version", quic.refused)?;
        entry(&mut map, "server_versions", quic.offered_by_server.as_ref())?;
        entry(&mut map, "available_versions", quic.available.as_ref())?;
        map.serialize_entry("destination_id_length", &quic.destination_id_length)?;
        map.serialize_entry("client_id_length", &quic.client_id_length)?;
        entry(&mut map, "server_id_length", quic.server_id_length)?;
        map.serialize_entry("retry", &quic.retry)?;
        map.serialize_entry("token_length", &quic.token_length)?;
        entry(&mut map, "user_agent", quic.user_agent.as_ref())?;
        map.serialize_entry("transport_parameters", &TransportParametersMember(&quic.transport_parameters))?;
        map.serialize_entry("first_datagram", &quic.first_datagram)?;
        map.serialize_entry("client_initials", &quic.client_initials)?;
        map.serialize_entry("server_initials", &quic.server_initials)?;
        map.serialize_entry("crypto_frames", &quic.crypto_frames)?;
        map.serialize_entry("reordered", &quic.reordered)?;
        if quic.early_data_packets > 0 {
            map.serialize_entry("early_data_packets", &quic.early_data_packets)?;
        }
        if quic.undecryptable > 0 {
            map.serialize_entry("undecryptable", &quic.undecryptable)?;
        }
        entry(&mut map, "close", quic.close.as_ref().map(QuicCloseMember))?;
        map.end()
    }
}

struct QuicCloseMember<'a>(&'a QuicClose);

impl Serialize for QuicCloseMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("from", &self.0.from)?;
        map.serialize_entry("error_code", &self.0.error_code)?;
        map.serialize_entry("reason", &self.0.reason)?;
        map.end()
    }
}

/// Transport parameters by their names, in wire order: a number, `true` where the value is empty, else its length.
struct TransportParametersMember<'a>(&'a [SeenTransportParameter]);

impl Serialize for TransportParametersMember<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Opaque {
            length: u16,
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for seen in self.0 {
            let name = match TransportParameter::name_of(seen.id) {
                Some(name) => std::borrow::Cow::Borrowed(name),
                None if TransportParameter::is_grease(seen.id) => format!("GREASE(0x{:x})", seen.id).into(),
                None => format!("0x{:x}", seen.id).into(),
            };
            match (seen.integer, seen.length) {
                (Some(value), _) => map.serialize_entry(&name, &value)?,
                (None, 0) => map.serialize_entry(&name, &true)?,
                (None, length) => map.serialize_entry(&name, &Opaque { length })?,
            }
        }
        map.end()
    }
}

struct Alerts<'a>(&'a [SeenAlert]);

impl Serialize for Alerts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for alert in self.0 {
            list.serialize_element(&AlertMember {
                from: alert.from,
                level: if alert.level == 1 { "warning" } else { "fatal" },
                description: alert.description,
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct AlertMember {
    from: Side,
    level: &'static str,
    description: crate::tls::codepoints::AlertDescription,
}

struct Problems<'a>(&'a Facts);

impl Serialize for Problems<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Member {
            from: Side,
            structure: &'static str,
            reason: &'static str,
        }
        serializer.collect_seq(self.0.problems.iter().map(|problem| Member {
            from: problem.from,
            structure: problem.structure,
            reason: problem.reason,
        }))
    }
}
