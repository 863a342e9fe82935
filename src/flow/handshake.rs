//! [`Handshake`]: the TLS handshake as a state machine on messages, whatever carries them.
//!
//! A carrier (TCP records, DTLS, QUIC) cuts its bytes into handshake messages, alerts, ChangeCipherSpec and encrypted
//! records, says who sent each, and calls in here. What comes out is [`Facts`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::cache::{Cache, Weigh};
use super::facts::{
    Carrier, CertificateRequestFacts, Facts, HeartbeatProbe, HelloRetry, KeyExchangeFacts, KeyExchangeParameters,
    Outcome, Problem, SeenAlert, SeenExtension, Selection, Side,
};
use super::offers::{Offers, fill_hello_facts, time_of};
use super::pool::{Charge, Ledger};
use crate::cursor::ParseError;
use crate::time::Timestamp;
use crate::tls::certificate::{Certificate, CertificateList};
use crate::tls::certificate_request::CertificateRequest;
use crate::tls::codepoints::{AlertDescription, NamedGroup, ProtocolVersion};
use crate::tls::extensions::extension_type;
use crate::tls::handshake::{Heartbeat, message_type};
use crate::tls::key_exchange::{Curve, Parameters, ServerKeyExchange};
use crate::tls::record::content_type;
use crate::tls::server_hello::{DraftHelloRetryRequest, ServerHello};
use crate::tls::session_ticket::NewSessionTicket;
use crate::tls::sslv2::{Sslv2ClientHello, Sslv2ServerHello};
use crate::tls::{ClientHello, handshake};

/// Alerts kept a flow.
const ALERTS: usize = 8;
/// Problems kept a flow.
const PROBLEMS: usize = 4;
/// Certificates kept of a chain.
const CHAIN: usize = 16;
/// Bytes that the facts of one flow may hold of one kind without being counted.
const ORDINARY: usize = 1024;
/// How long a hello must have been on the wire without an answer for the server to be called silent.
const SILENCE: Duration = Duration::from_secs(1);
/// Application records followed after a handshake is complete, to see it answered and to notice a renegotiation.
const RECORDS_AFTER_FINISH: u16 = 4;
/// Length of an encrypted TLS 1.3 alert record: two bytes, the content type, a 16-byte tag (8 for CCM_8).
const ENCRYPTED_ALERT: [u16; 2] = [19, 11];

/// What the handshakes of one engine share.
pub(crate) struct Shared {
    pub(crate) offers: Offers,
    certificates: Cache<(Arc<Certificate>, Arc<Charge>)>,
    /// What the facts of open flows and the caches above hold.
    pub(crate) ledger: Ledger,
}

impl Weigh for (Arc<Certificate>, Arc<Charge>) {
    fn weight(&self) -> usize {
        self.1.bytes()
    }
}

impl Shared {
    /// Caches of at most `bytes` a generation each.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            offers: Offers::new(bytes.min(8 << 20)),
            certificates: Cache::new(2048, bytes.min(16 << 20)),
            ledger: Ledger::default(),
        }
    }
}

/// How the carrier found a ClientHello cut.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HelloCut {
    pub(crate) record_version: Option<ProtocolVersion>,
    pub(crate) records: u16,
    pub(crate) packets: u16,
    pub(crate) smallest_packet: u16,
}

/// Why a flow is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// FIN or RST, or the handshake is over and enough was seen of what follows.
    Closed,
    /// Nothing came for longer than the limit.
    TimedOut,
    /// The capture ends, or a limit gave the flow up.
    GivenUp,
}

/// One handshake in progress.
pub(crate) struct Handshake {
    pub(crate) facts: Facts,
    session_id: SmallVec<[u8; 32]>,
    /// Memory of an earlier flow's server name, for this one's.
    pub(crate) name_buffer: String,
    /// Bytes came from the server that are not TLS.
    pub(crate) server_not_tls: bool,
    /// The client sent its hello again and again over UDP, and nothing that would follow an answer.
    pub(crate) unanswered: bool,
    /// Records of application data after both sides finished.
    after_finish: u16,
    /// For what the facts hold.
    charges: SmallVec<[Arc<Charge>; 4]>,
}

impl Handshake {
    pub(crate) fn new(carrier: Carrier, client: SocketAddr, server: SocketAddr, started: Timestamp) -> Self {
        Self {
            facts: Facts::new(carrier, client, server, started),
            session_id: SmallVec::new(),
            name_buffer: String::new(),
            server_not_tls: false,
            unanswered: false,
            after_finish: 0,
            charges: SmallVec::new(),
        }
    }

    /// Whether its memory is worth keeping for another flow: it holds nothing out of the ordinary.
    pub(crate) fn is_light(&self) -> bool {
        let name = self.facts.hello.server_name.as_ref().unwrap_or(&self.name_buffer);
        let charged: usize = self.charges.iter().map(|charge| charge.bytes()).sum();
        name.capacity() <= ORDINARY && charged <= 16 * ORDINARY
    }

    /// Counts memory that this flow's facts alone hold.
    fn charge(&mut self, bytes: usize, shared: &Shared) {
        if bytes > ORDINARY {
            self.charges.push(shared.ledger.charge(bytes));
        }
    }

    /// Whether a ClientHello, sound or not, has been seen.
    pub(crate) fn has_hello(&self) -> bool {
        self.facts.offer.is_some() || self.facts.problems.iter().any(|problem| problem.from == Side::Client)
    }

    /// Whether anything of a handshake has been seen.
    pub(crate) fn is_begun(&self) -> bool {
        self.has_hello() || self.facts.selection.is_some() || self.facts.hello_retry.is_some()
    }

    /// Whether both sides have finished the handshake, as far as can be seen.
    pub(crate) fn is_complete(&self) -> bool {
        let Some(selection) = &self.facts.selection else { return false };
        let progress = &self.facts.progress;
        if self.facts.carrier != Carrier::Tcp && selection.version.is_tls13_family() {
            // Packet headers tell the handshake's keys from the connection's: the client uses the latter.
            let flights = progress.client_encrypted > 0 && progress.server_encrypted > 0;
            progress.client_finished && (flights || progress.server_encrypted_after_finish > 0)
        } else if selection.version.is_tls13_family() {
            // The server goes on after the client's Finished, or the client closes in order after it.
            progress.client_finished
                && (progress.server_encrypted_after_finish > 0 || progress.alert_after_finish == Some(Side::Client))
        } else if selection.version == ProtocolVersion::SSL2 {
            // CLIENT-MASTER-KEY, and the server's answer to it.
            progress.client_encrypted_bytes > 0 && progress.server_encrypted_bytes > 0
        } else {
            progress.client_ccs && progress.server_ccs && progress.client_encrypted > 0 && progress.server_encrypted > 0
        }
    }

    /// Whether so many records came after completion that no more are looked at.
    pub(crate) const fn is_followed_enough(&self) -> bool {
        self.after_finish >= RECORDS_AFTER_FINISH
    }

    /// Whether a handshake record from `from` is encrypted by now.
    pub(crate) fn is_encrypted(&self, from: Side) -> bool {
        let changed = match from {
            Side::Client => self.facts.progress.client_ccs,
            Side::Server => self.facts.progress.server_ccs,
        };
        // In TLS 1.3 ChangeCipherSpec means nothing, and encrypted records are of type application_data.
        changed && !self.facts.is_tls13() && self.facts.hello_retry.is_none()
    }

    /// Takes a whole handshake message: its type and its body.
    pub(crate) fn message(
        &mut self,
        from: Side,
        message: handshake::Message<'_>,
        cut: HelloCut,
        now: Timestamp,
        shared: &mut Shared,
    ) {
        let body = message.body;
        let result = match (from, message.message_type) {
            (Side::Client, message_type::CLIENT_HELLO) => {
                let hello = match self.facts.carrier {
                    Carrier::Dtls => ClientHello::parse_dtls_body(body),
                    Carrier::Tcp | Carrier::Quic => ClientHello::parse_body(body),
                };
                hello.and_then(|hello| self.client_hello(&hello, body.len(), cut, now, shared))
            }
            (Side::Server, message_type::SERVER_HELLO) => {
                let extensions = body.len() / size_of::<u32>() * size_of::<SeenExtension>();
                self.charge(extensions, shared);
                ServerHello::parse_body(body).and_then(|hello| self.server_hello(&hello)).or_else(|error| {
                    self.problem(from, error, body.len());
                    self.server_hello(&ServerHello::parse_fixed_part(body)?)?;
                    if let Some(selection) = &mut self.facts.selection {
                        selection.is_partial = true;
                    }
                    Ok(())
                })
            }
            (Side::Server, message_type::HELLO_RETRY_REQUEST) => {
                DraftHelloRetryRequest::parse_body(body).and_then(|retry| {
                    self.facts.hello_retry = Some(HelloRetry {
                        version: retry.server_version,
                        cipher_suite: retry.cipher_suite.unwrap_or_default(),
                        group: retry.selected_group()?,
                        cookie: false,
                    });
                    Ok(())
                })
            }
            (_, message_type::CERTIFICATE) => self.certificate(from, body, shared),
            (Side::Server, message_type::CERTIFICATE_STATUS) => {
                self.facts.certificate_status = true;
                Ok(())
            }
            (Side::Server, message_type::SERVER_KEY_EXCHANGE) => self.server_key_exchange(body),
            (Side::Server, message_type::CERTIFICATE_REQUEST) => self.certificate_request(body),
            (Side::Server, message_type::SERVER_HELLO_DONE) => {
                self.facts.progress.server_hello_done = true;
                self.facts.resumed = Some(false);
                Ok(())
            }
            (Side::Server, message_type::NEW_SESSION_TICKET) => NewSessionTicket::parse_body(body).map(|ticket| {
                self.facts.ticket_lifetime = Some(ticket.lifetime_hint);
            }),
            (Side::Client, message_type::CLIENT_KEY_EXCHANGE) => {
                self.facts.progress.client_key_exchange = true;
                Ok(())
            }
            (Side::Client, message_type::CERTIFICATE_VERIFY) => {
                self.facts.progress.certificate_verify = true;
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = result {
            self.problem(from, error, body.len());
        }
    }

    /// A message or record that does not hold.
    pub(crate) fn problem(&mut self, from: Side, error: ParseError, length: usize) {
        if self.facts.problems.len() < PROBLEMS {
            let (structure, reason) = match error {
                ParseError::Incomplete { structure, .. } => (structure, "goes past the end of what holds it"),
                ParseError::Invalid { structure, reason } => (structure, reason),
            };
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            self.facts.problems.push(Problem { from, structure, reason, length });
        }
    }

    fn client_hello(
        &mut self,
        hello: &ClientHello<'_>,
        length: usize,
        cut: HelloCut,
        now: Timestamp,
        shared: &mut Shared,
    ) -> Result<(), ParseError> {
        let (offer, charge) = shared.offers.intern(hello, self.facts.carrier, &shared.ledger)?;
        if self.facts.offer.is_some() {
            // The answer to a HelloRetryRequest; a DTLS hello repeated with its cookie is the same offer again.
            if self.facts.hello_retry.is_some() && self.facts.second_offer.is_none() {
                self.facts.second_offer = Some(offer);
                self.charges.push(charge);
            }
            self.facts.progress.hello_acknowledged = false;
            return Ok(());
        }
        if self.facts.selection.is_none() {
            self.facts.started = now;
        }
        fill_hello_facts(&mut self.facts.hello, hello, std::mem::take(&mut self.name_buffer));
        self.facts.hello.length = u32::try_from(length.saturating_add(4)).unwrap_or(u32::MAX);
        self.facts.hello.record_version = cut.record_version;
        self.facts.hello.records = cut.records;
        self.facts.hello.packets = cut.packets;
        self.facts.hello.smallest_packet = cut.smallest_packet;
        self.facts.progress.hello_at = now;
        self.session_id = SmallVec::from_slice(hello.session_id);
        self.facts.offer = Some(offer);
        self.charges.push(charge);
        self.charge(self.facts.hello.server_name.as_ref().map_or(0, String::capacity), shared);
        Ok(())
    }

    /// An SSLv2-format CLIENT-HELLO.
    pub(crate) fn sslv2_client_hello(
        &mut self,
        hello: &Sslv2ClientHello<'_>,
        length: usize,
        cut: HelloCut,
        now: Timestamp,
        shared: &mut Shared,
    ) {
        if self.facts.offer.is_some() {
            return;
        }
        self.facts.started = now;
        self.facts.hello.length = u32::try_from(length).unwrap_or(u32::MAX);
        self.facts.hello.session_id_length = u8::try_from(hello.session_id.len()).unwrap_or(u8::MAX);
        self.facts.hello.random_time = time_of(hello.challenge);
        self.facts.hello.records = cut.records;
        self.facts.hello.packets = cut.packets;
        self.facts.hello.smallest_packet = cut.smallest_packet;
        self.facts.progress.hello_at = now;
        self.session_id = SmallVec::from_slice(hello.session_id);
        let (offer, charge) = shared.offers.intern_sslv2(hello, &shared.ledger);
        self.facts.offer = Some(offer);
        self.charges.push(charge);
    }

    /// An SSLv2 SERVER-HELLO.
    pub(crate) fn sslv2_server_hello(&mut self, hello: &Sslv2ServerHello<'_>, shared: &mut Shared) {
        if self.facts.selection.is_some() {
            return;
        }
        self.charge(hello.cipher_specs.iter().count().saturating_mul(size_of::<u32>()), shared);
        self.facts.selection = Some(Selection {
            legacy_version: hello.version,
            version: hello.version,
            sslv2: Some(hello.cipher_specs.iter().collect()),
            ..Selection::default()
        });
        self.facts.resumed = Some(hello.session_id_hit);
        if !hello.certificate.is_empty() {
            let certificate = self.intern_certificate(hello.certificate, shared);
            self.facts.certificates = Some(SmallVec::from_iter([certificate]));
        }
    }

    fn server_hello(&mut self, hello: &ServerHello<'_>) -> Result<(), ParseError> {
        let version = hello.selected_version()?;
        let key_share_group = hello.key_share()?.map(|share| share.group);
        if hello.is_hello_retry_request() {
            if self.facts.hello_retry.is_none() {
                self.facts.hello_retry = Some(HelloRetry {
                    version,
                    cipher_suite: hello.cipher_suite,
                    group: key_share_group,
                    cookie: hello.extensions.contains(extension_type::COOKIE),
                });
                self.facts.retry_hello = self.selection(hello, version, key_share_group).ok().map(Box::new);
            }
            return Ok(());
        }
        if self.facts.selection.is_some() {
            return Ok(());
        }
        let selection = self.selection(hello, version, key_share_group)?;
        if version.is_tls13_family() {
            self.facts.resumed = Some(selection.pre_shared_key);
        }
        self.facts.selection = Some(selection);
        self.facts.retry_hello = None;
        Ok(())
    }

    fn selection(
        &self,
        hello: &ServerHello<'_>,
        version: ProtocolVersion,
        key_share_group: Option<NamedGroup>,
    ) -> Result<Selection, ParseError> {
        let echoed = !hello.session_id.is_empty() && *hello.session_id == *self.session_id;
        Ok(Selection {
            legacy_version: hello.legacy_version,
            version,
            cipher_suite: Some(hello.cipher_suite),
            compression_method: hello.compression_method,
            extensions: hello.extensions.is_present().then(|| {
                let seen = |extension: crate::tls::Extension<'_>| SeenExtension {
                    extension_type: extension.extension_type,
                    length: u16::try_from(extension.data.len()).unwrap_or(u16::MAX),
                };
                hello.extensions.iter().map(seen).collect()
            }),
            key_share_group,
            pre_shared_key: hello.pre_shared_key()?.is_some(),
            alpn: hello.alpn()?.map(Box::from),
            session_id_length: u8::try_from(hello.session_id.len()).unwrap_or(u8::MAX),
            session_id_echoed: echoed,
            sentinel: hello.downgrade_sentinel(),
            random_time: time_of(hello.random),
            srtp_profile: hello.srtp_profiles()?.and_then(|profiles| profiles.iter().next()),
            is_partial: false,
            sslv2: None,
            sslv2_chosen: None,
        })
    }

    fn certificate(&mut self, from: Side, body: &[u8], shared: &mut Shared) -> Result<(), ParseError> {
        if self.facts.is_tls13() {
            return Ok(());
        }
        let list = CertificateList::parse_body(body)?;
        match from {
            Side::Server if self.facts.certificates.is_none() => {
                let chain = list.iter().take(CHAIN).map(|der| self.intern_certificate(der, shared)).collect();
                self.facts.certificates = Some(chain);
                self.facts.resumed = Some(false);
            }
            Side::Client if self.facts.client_certificates.is_none() => {
                let chain = list.iter().take(CHAIN).map(|der| self.intern_certificate(der, shared)).collect();
                self.facts.client_certificates = Some(chain);
            }
            _ => {}
        }
        Ok(())
    }

    fn intern_certificate(&mut self, der: &[u8], shared: &mut Shared) -> Arc<Certificate> {
        let ledger = &shared.ledger;
        let made = shared.certificates.get_or_make(der, || {
            let certificate = Certificate::from_der(der);
            let charge = ledger.charge(certificate.weight());
            Ok::<_, std::convert::Infallible>((Arc::new(certificate), charge))
        });
        let Ok((certificate, charge)) = made;
        self.charges.push(charge);
        certificate
    }

    fn server_key_exchange(&mut self, body: &[u8]) -> Result<(), ParseError> {
        let Some((suite, version)) =
            self.facts.selection.as_ref().and_then(|selection| Some((selection.cipher_suite?, selection.version)))
        else {
            return Ok(());
        };
        self.facts.resumed = Some(false);
        if self.facts.key_exchange.is_none() && !version.is_tls13_family() {
            let exchange = ServerKeyExchange::parse_body(body, suite, version)?;
            self.facts.key_exchange = Some(key_exchange_facts(&exchange));
        }
        Ok(())
    }

    fn certificate_request(&mut self, body: &[u8]) -> Result<(), ParseError> {
        let Some(version) = self.facts.version().filter(|version| !version.is_tls13_family()) else { return Ok(()) };
        let request = CertificateRequest::parse_body(body, version)?;
        self.facts.certificate_request = Some(CertificateRequestFacts {
            certificate_types: request.certificate_types.to_vec(),
            authorities: u16::try_from(request.authorities().count()).unwrap_or(u16::MAX),
        });
        Ok(())
    }

    /// An alert in clear.
    pub(crate) fn alert(&mut self, from: Side, level: u8, description: AlertDescription) {
        let before_server_hello = self.facts.selection.is_none();
        let after_close = self.facts.progress.fin == Some(from.peer());
        if self.facts.alerts.len() < ALERTS {
            self.facts.alerts.push(SeenAlert { from, level, description, before_server_hello, after_close });
        }
    }

    /// A ChangeCipherSpec.
    pub(crate) fn change_cipher_spec(&mut self, from: Side) {
        let tls13 = self.facts.is_tls13() || self.facts.hello_retry.is_some();
        let full = self.facts.progress.server_hello_done;
        let progress = &mut self.facts.progress;
        match from {
            Side::Client => {
                // Before its ClientKeyExchange, in a handshake known to be full, in the same stream.
                if !tls13 && full && !progress.client_key_exchange && !progress.client_ccs {
                    progress.early_ccs.get_or_insert(from);
                }
                progress.client_ccs = true;
            }
            Side::Server => {
                let mid_flight = self.facts.certificates.is_some() && !full;
                if !tls13 && mid_flight && !progress.server_ccs {
                    progress.early_ccs.get_or_insert(from);
                }
                progress.server_ccs = true;
                if !tls13 && self.facts.selection.is_some() && self.facts.resumed.is_none() {
                    // Neither Certificate nor ServerHelloDone came before it.
                    self.facts.resumed = Some(true);
                }
            }
        }
    }

    /// A record whose body is encrypted.
    pub(crate) fn encrypted_record(&mut self, from: Side, content_type: u8, length: u16) {
        let complete = self.is_complete();
        let tls13 = self.facts.is_tls13();
        let begun = self.facts.selection.is_some() || from == Side::Client;
        let progress = &mut self.facts.progress;
        if complete {
            self.after_finish = self.after_finish.saturating_add(1);
            if content_type == content_type::HANDSHAKE && !tls13 {
                progress.renegotiation.get_or_insert(from);
            }
        }
        if !begun {
            return;
        }
        let alert = ENCRYPTED_ALERT.contains(&length);
        if tls13 && alert && progress.client_finished && progress.server_encrypted_after_finish == 0 {
            progress.alert_after_finish.get_or_insert(from);
        }
        match from {
            Side::Client => {
                // A Finished is 4 bytes and a hash of at least 32; the shortest record around it has 41.
                if tls13 && length >= 41 {
                    progress.client_finished = true;
                }
                if progress.client_encrypted == 0 {
                    progress.first_client_record = length;
                }
                progress.client_encrypted = progress.client_encrypted.saturating_add(1);
                progress.client_encrypted_bytes = progress.client_encrypted_bytes.saturating_add(length.into());
            }
            Side::Server => {
                if progress.client_finished && !alert {
                    progress.server_encrypted_after_finish = progress.server_encrypted_after_finish.saturating_add(1);
                }
                progress.server_encrypted = progress.server_encrypted.saturating_add(1);
                progress.server_encrypted_bytes = progress.server_encrypted_bytes.saturating_add(length.into());
            }
        }
    }

    /// Bytes that are not records, after the hellos of an SSLv2 connection; the `first` of them are at least six.
    pub(crate) fn opaque(&mut self, from: Side, bytes: &[u8], first: bool) {
        let Some(selection) = self.facts.selection.as_mut().filter(|selection| selection.sslv2.is_some()) else {
            return;
        };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let progress = &mut self.facts.progress;
        match from {
            Side::Client => {
                if let [0x80..=0xff, _, 2, a, b, c, ..] = bytes
                    && first
                {
                    selection.sslv2_chosen.get_or_insert(u32::from_be_bytes([0, *a, *b, *c]));
                }
                progress.client_encrypted_bytes = progress.client_encrypted_bytes.saturating_add(length);
            }
            Side::Server => {
                progress.server_encrypted_bytes = progress.server_encrypted_bytes.saturating_add(length);
            }
        }
    }

    /// A heartbeat record in clear: how it starts, and how long it is.
    pub(crate) fn heartbeat(&mut self, from: Side, start: &[u8], length: u16) {
        if let Some(probe) = &mut self.facts.heartbeat_probe
            && probe.from == from.peer()
        {
            probe.answered = probe.answered.max(length);
            return;
        }
        // A sound request has its payload, 3 bytes in front of it and at least 16 of padding behind it.
        if let Ok(heartbeat) = Heartbeat::parse(start)
            && heartbeat.message_type == 1
            && heartbeat.payload_length.saturating_add(19) > length
            && self.facts.heartbeat_probe.is_none()
        {
            self.facts.heartbeat_probe =
                Some(HeartbeatProbe { from, claimed: heartbeat.payload_length, record: length, answered: 0 });
        }
    }

    /// Decides how the flow ended. `now` is the last time known: of the last packet of the capture.
    pub(crate) fn settle(&mut self, end: End, now: Timestamp) {
        let ended = self.facts.ended;
        self.facts.progress.timed_out = end == End::TimedOut;
        self.facts.progress.ended_at = if end == End::Closed { ended } else { now };
        self.facts.outcome = self.outcome(end);
    }

    fn outcome(&self, end: End) -> Outcome {
        let facts = &self.facts;
        let progress = &facts.progress;
        if self.is_complete() {
            return Outcome::Established;
        }
        let refusal = facts.alerts.iter().find(|alert| {
            // A warning goes on, except where the sender then closes; TLS 1.3 has no warnings but these.
            !alert.after_close && (alert.level == 2 || !matches!(alert.description.0, 0 | 41 | 90 | 100 | 112))
        });
        if let Some(alert) = refusal {
            return Outcome::Refused { by: alert.from, alert: Some(alert.description) };
        }
        if facts.is_tls13() {
            // What the alert says is encrypted.
            if ENCRYPTED_ALERT.contains(&progress.first_client_record) && progress.client_encrypted == 1 {
                return Outcome::Refused { by: Side::Client, alert: None };
            }
            if progress.alert_after_finish == Some(Side::Server) {
                return Outcome::Refused { by: Side::Server, alert: None };
            }
        }
        if let Some(alert) = facts.alerts.first().filter(|alert| matches!(alert.description.0, 0 | 90)) {
            return Outcome::Closed { by: alert.from };
        }
        if let Some(close) = facts.quic.as_ref().and_then(|quic| quic.close.as_ref()) {
            // NO_ERROR and APPLICATION_ERROR end a connection in order; alerts are handled above.
            let orderly = matches!(close.error_code, 0x00 | 0x0c);
            return if orderly {
                Outcome::Closed { by: close.from }
            } else {
                Outcome::Refused { by: close.from, alert: None }
            };
        }
        if self.server_not_tls {
            return Outcome::NotTls;
        }
        if let Some(by) = progress.reset {
            return Outcome::Reset { by };
        }
        let waited = progress.ended_at.since(progress.hello_at);
        if self.unanswered && waited >= SILENCE {
            return Outcome::Silent;
        }
        match (facts.coverage.client_seen, facts.coverage.server_seen) {
            (true, false) => return Outcome::OneWay { seen: Side::Client },
            (false, true) => return Outcome::OneWay { seen: Side::Server },
            _ => {}
        }
        let unanswered = facts.offer.is_some() && facts.selection.is_none() && facts.hello_retry.is_none();
        let given_up_by_client = progress.fin == Some(Side::Client) || (progress.fin.is_none() && end != End::Closed);
        if unanswered
            && progress.hello_acknowledged
            && given_up_by_client
            && waited >= SILENCE
            && facts.coverage.missing_bytes == 0
        {
            return Outcome::Silent;
        }
        match progress.fin {
            // Where bytes are missing, what was said in them is not known.
            Some(by) if facts.coverage.missing_bytes == 0 => Outcome::Closed { by },
            _ => Outcome::Incomplete,
        }
    }
}

fn key_exchange_facts(exchange: &ServerKeyExchange<'_>) -> KeyExchangeFacts {
    let parameters = match &exchange.parameters {
        Some(Parameters::Dh(dh)) => {
            let known = dh.known_group();
            KeyExchangeParameters::Dh {
                prime_bits: dh.prime_bits(),
                well_known: known.map(|group| group.name),
                common: known.is_some_and(|group| group.bits <= 1024),
                prime_sha256: dh.prime_sha256(),
            }
        }
        Some(Parameters::Ecdh(ecdh)) => match ecdh.curve {
            Curve::Named(group) => KeyExchangeParameters::Ecdh(group),
            Curve::ExplicitPrime { .. } | Curve::ExplicitChar2 { .. } => KeyExchangeParameters::EcdhExplicit,
        },
        Some(Parameters::Rsa(rsa)) => KeyExchangeParameters::RsaExport(rsa.modulus_bits()),
        Some(Parameters::Srp(_)) | None => KeyExchangeParameters::Other,
    };
    KeyExchangeFacts { parameters, signature_scheme: exchange.signature.and_then(|signature| signature.scheme) }
}
