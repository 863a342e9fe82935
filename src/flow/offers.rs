//! [`Offers`]: the distinct ClientHello shapes seen.
//!
//! The same hello shapes come by the million. What depends on the shape alone is extracted once a shape; a hello of a
//! known shape costs the writing of its key, one look-up and no allocation.

use std::sync::Arc;

use super::cache::{Cache, Weigh};
use super::facts::{Carrier, HelloFacts, Offer, SeenEch, SeenExtension, SeenKeyShare};
use super::pool::{Charge, Ledger};
use crate::cursor::ParseError;
use crate::tls::ClientHello;
use crate::tls::client_hello::{EncryptedClientHello, ServerName};
use crate::tls::codepoints::{CipherSuite, ExtensionType, SuiteClasses};
use crate::tls::extensions::extension_type as ext;
use crate::tls::sslv2::Sslv2ClientHello;

/// Distinct shapes remembered a generation. A browser that shuffles its extensions makes a new one every time.
const SHAPES: usize = 4096;

/// Extensions whose body differs by connection: their presence is part of the shape, their body and length are not.
const PER_CONNECTION: [ExtensionType; 10] = [
    ext::SERVER_NAME,
    ext::PADDING,
    ext::SESSION_TICKET,
    ext::PRE_SHARED_KEY,
    ext::COOKIE,
    ext::KEY_SHARE,
    ext::ENCRYPTED_CLIENT_HELLO,
    ext::QUIC_TRANSPORT_PARAMETERS,
    ext::QUIC_TRANSPORT_PARAMETERS_DRAFT,
    ext::CONNECTION_ID,
];

/// Turns ClientHellos into [`Offer`]s, each distinct one once.
pub(crate) struct Offers {
    cache: Cache<(Arc<Offer>, Arc<Charge>)>,
    key: Vec<u8>,
}

impl Weigh for (Arc<Offer>, Arc<Charge>) {
    fn weight(&self) -> usize {
        self.1.bytes()
    }
}

impl Offers {
    /// Remembers at most `bytes` of shapes a generation, their keys with them.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { cache: Cache::new(SHAPES, bytes), key: Vec::with_capacity(2048) }
    }

    /// The offer of `hello`, and its charge, to be held as long.
    ///
    /// # Errors
    /// An extension that handprint reads contradicts itself.
    pub(crate) fn intern(
        &mut self,
        hello: &ClientHello<'_>,
        carrier: Carrier,
        ledger: &Ledger,
    ) -> Result<(Arc<Offer>, Arc<Charge>), ParseError> {
        hello.check_extensions()?;
        self.key.clear();
        write_key(&mut self.key, hello, carrier)?;
        self.cache.get_or_make(&self.key, || offer(hello, carrier).map(|offer| charged(offer, ledger)))
    }

    /// The offer of an SSLv2-format hello.
    pub(crate) fn intern_sslv2(&mut self, hello: &Sslv2ClientHello<'_>, ledger: &Ledger) -> (Arc<Offer>, Arc<Charge>) {
        self.key.clear();
        self.key.push(u8::MAX);
        self.key.extend_from_slice(&hello.version.0.to_be_bytes());
        for spec in hello.cipher_specs.iter() {
            self.key.extend_from_slice(&spec.to_be_bytes());
        }
        let make = || Ok::<_, std::convert::Infallible>(charged(sslv2_offer(hello), ledger));
        let made = self.cache.get_or_make(&self.key, make);
        match made {
            Ok(offer) => offer,
        }
    }
}

fn charged(offer: Offer, ledger: &Ledger) -> (Arc<Offer>, Arc<Charge>) {
    let charge = ledger.charge(offer.weight());
    (Arc::new(offer), charge)
}

fn write_key(key: &mut Vec<u8>, hello: &ClientHello<'_>, carrier: Carrier) -> Result<(), ParseError> {
    key.push(carrier as u8);
    key.extend_from_slice(&hello.legacy_version.0.to_be_bytes());
    key.extend_from_slice(&length(hello.cipher_suites.as_bytes()).to_be_bytes());
    key.extend_from_slice(hello.cipher_suites.as_bytes());
    key.extend_from_slice(&length(hello.compression_methods).to_be_bytes());
    key.extend_from_slice(hello.compression_methods);
    key.push(u8::from(hello.extensions.is_present()));
    for share in hello.key_shares()?.iter().flat_map(|shares| shares.iter()) {
        key.extend_from_slice(&share.group.0.to_be_bytes());
        key.extend_from_slice(&length(share.key_exchange).to_be_bytes());
    }
    key.extend_from_slice(&[0xff; 4]);
    key.extend_from_slice(&hello.pre_shared_key()?.map_or(0, |offered| offered.identities).to_be_bytes());
    let ech = seen_ech(hello)?;
    key.push(u8::from(ech.is_some()));
    for number in ech.iter().flat_map(|ech| [ech.kdf, ech.aead]) {
        key.extend_from_slice(&number.to_be_bytes());
    }
    for extension in hello.extensions.iter() {
        key.extend_from_slice(&extension.extension_type.0.to_be_bytes());
        match extension.extension_type {
            ext::SESSION_TICKET => key.push(u8::from(!extension.data.is_empty())),
            other if PER_CONNECTION.contains(&other) => {}
            other => {
                key.extend_from_slice(&length(extension.data).to_be_bytes());
                if other.name().is_some() {
                    key.extend_from_slice(extension.data);
                }
            }
        }
    }
    Ok(())
}

fn offer(hello: &ClientHello<'_>, carrier: Carrier) -> Result<Offer, ParseError> {
    let mut offer = Offer {
        carrier,
        legacy_version: hello.legacy_version,
        versions: hello.supported_versions()?.map(|list| list.iter().collect()),
        cipher_suites: hello.cipher_suites.iter().collect(),
        compression_methods: hello.compression_methods.to_vec(),
        extensions: hello.extensions.is_present().then(|| {
            let seen = |extension: crate::tls::Extension<'_>| SeenExtension {
                extension_type: extension.extension_type,
                length: if PER_CONNECTION.contains(&extension.extension_type) { 0 } else { length(extension.data) },
            };
            hello.extensions.iter().map(seen).collect()
        }),
        groups: hello.supported_groups()?.map(|list| list.iter().collect()),
        key_shares: hello.key_shares()?.map(|shares| {
            shares.iter().map(|share| SeenKeyShare { group: share.group, length: length(share.key_exchange) }).collect()
        }),
        point_formats: hello.ec_point_formats()?.map(<[u8]>::to_vec),
        signature_schemes: hello.signature_algorithms()?.map(|list| list.iter().collect()),
        signature_schemes_cert: hello.signature_algorithms_cert()?.map(|list| list.iter().collect()),
        alpn: hello.alpn()?.map(|names| names.iter().map(Box::from).collect()),
        psk_modes: hello.psk_key_exchange_modes()?.map(<[u8]>::to_vec),
        psk_identities: hello.pre_shared_key()?.map(|offered| offered.identities),
        certificate_compression: hello.compress_certificate()?.map(|list| list.iter().collect()),
        record_size_limit: hello.record_size_limit()?,
        delegated_credentials: hello.delegated_credentials()?.map(|list| list.iter().collect()),
        srtp_profiles: hello.srtp_profiles()?.map(|list| list.iter().collect()),
        max_fragment_length: hello.max_fragment_length()?,
        heartbeat_mode: hello.heartbeat_mode()?,
        application_settings: hello.application_settings()?.map(|names| names.iter().map(Box::from).collect()),
        token_binding: hello.token_binding()?.map(|binding| binding.key_parameters.to_vec()),
        encrypted_client_hello: seen_ech(hello)?,
        session_ticket: hello.session_ticket_length().map(|length| length > 0),
        ..Offer::default()
    };
    offer.suite_classes = classes(&offer);
    Ok(offer)
}

fn sslv2_offer(hello: &Sslv2ClientHello<'_>) -> Offer {
    let mut offer = Offer {
        carrier: Carrier::Tcp,
        legacy_version: hello.version,
        cipher_suites: hello.cipher_specs.iter().filter_map(|spec| u16::try_from(spec).ok().map(CipherSuite)).collect(),
        sslv2_cipher_specs: Some(hello.cipher_specs.iter().collect()),
        compression_methods: vec![0],
        ..Offer::default()
    };
    offer.suite_classes = classes(&offer);
    offer
}

fn classes(offer: &Offer) -> SuiteClasses {
    offer.real_suites().fold(SuiteClasses::default(), |classes, suite| classes.union(suite.classes()))
}

fn seen_ech(hello: &ClientHello<'_>) -> Result<Option<SeenEch>, ParseError> {
    Ok(match hello.encrypted_client_hello()? {
        Some(EncryptedClientHello::Outer { kdf, aead, .. }) => Some(SeenEch { kdf, aead }),
        _ => None,
    })
}

/// Fills in what differs by connection. `buffer` is memory for the server name.
pub(crate) fn fill_hello_facts(facts: &mut HelloFacts, hello: &ClientHello<'_>, mut buffer: String) {
    facts.session_id_length = u8::try_from(hello.session_id.len()).unwrap_or(u8::MAX);
    facts.random_time = time_of(hello.random);
    facts.ech_config_id = match hello.encrypted_client_hello() {
        Ok(Some(EncryptedClientHello::Outer { config_id, .. })) => Some(config_id),
        _ => None,
    };
    if let Ok(Some(name)) = hello.server_name() {
        facts.server_name_is_odd = name.ip_literal().is_some() || !name.is_host_name();
        buffer.clear();
        write_name(&mut buffer, name);
        facts.server_name = Some(buffer);
    } else {
        facts.server_name = None;
        facts.server_name_is_odd = false;
    }
}

/// The first four bytes of a random.
pub(crate) fn time_of(random: &[u8]) -> u32 {
    random.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn write_name(text: &mut String, name: ServerName<'_>) {
    use std::fmt::Write;
    match name.as_str() {
        Some(name) if !name.chars().any(char::is_control) => text.push_str(name),
        _ => {
            for byte in name.as_bytes() {
                if byte.is_ascii_graphic() && *byte != b'\\' {
                    text.push(char::from(*byte));
                } else {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "\\x{byte:02x}");
                }
            }
        }
    }
}

fn length(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}
