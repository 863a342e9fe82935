//! JA4 of a ClientHello: `a_b_c`, readable counts, then the suites and the extensions hashed.

use std::fmt;

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::{HelloLists, Protocol, ascii, hex_byte, hex_digit};
use crate::cursor::ParseError;
use crate::tls::ClientHello;
use crate::tls::codepoints::{ExtensionType, is_grease};
use crate::tls::extensions::extension_type;

/// The JA4 of a ClientHello in all its forms. Displays as the hashed form.
///
/// ```
/// use handprint::fingerprint::{HelloLists, Ja4, Protocol};
/// use handprint::tls::codepoints::{CipherSuite, ProtocolVersion};
///
/// let lists = HelloLists {
///     legacy_version: ProtocolVersion::TLS10,
///     cipher_suites: [CipherSuite(0x002f), CipherSuite(0x0035)].into_iter().collect(),
///     ..HelloLists::default()
/// };
/// assert_eq!(Ja4::from_lists(&lists, Protocol::Tcp).hash(), "t10i020000_f54dd463d39b_000000000000");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ja4 {
    hash: HashForm,
    original: HashForm,
    stable: HashForm,
    raw: String,
    original_raw: String,
}

impl Ja4 {
    /// Computes it from a parsed hello.
    ///
    /// # Errors
    /// As [`HelloLists::of`].
    pub fn of(hello: &ClientHello<'_>, protocol: Protocol) -> Result<Self, ParseError> {
        Ok(Self::from_lists(&HelloLists::of(hello)?, protocol))
    }

    /// Computes it as if padding, session_ticket, pre_shared_key and early_data were not in the hello.
    ///
    /// # Errors
    /// As [`HelloLists::of`].
    pub fn stable_of(hello: &ClientHello<'_>, protocol: Protocol) -> Result<Self, ParseError> {
        let mut lists = HelloLists::of(hello)?;
        lists.extensions.retain(|each| !changes_with_resumption(*each));
        Ok(Self::from_lists(&lists, protocol))
    }

    /// Computes it from a hello's lists.
    #[must_use]
    pub fn from_lists(lists: &HelloLists, protocol: Protocol) -> Self {
        let suites = without_grease(lists.cipher_suites.iter().map(|each| each.0));
        let extensions = without_grease(lists.extensions.iter().map(|each| each.0));
        let schemes = without_grease(lists.signature_schemes.iter().map(|each| each.0));
        let prefix = prefix(lists, protocol, suites.len(), extensions.len());

        let (original_raw, original) = write(prefix, &suites, &extensions, &schemes);

        let mut sorted_suites = suites;
        sorted_suites.sort_unstable();
        let mut sorted: Values = extensions.iter().copied().filter(|each| !is_sni_or_alpn(*each)).collect();
        sorted.sort_unstable();
        let (raw, hash) = write(prefix, &sorted_suites, &sorted, &schemes);

        let changing = extensions.iter().filter(|each| changes_with_resumption(ExtensionType(**each))).count();
        let mut stable = hash;
        if changing > 0 {
            sorted.retain(|each| !changes_with_resumption(ExtensionType(*each)));
            let mut section = Vec::with_capacity(8 + 5 * (sorted.len() + schemes.len()));
            push_extensions(&mut section, &sorted, &schemes);
            stable.prefix = with_extension_count(prefix, extensions.len() - changing);
            stable.extensions = section_hash(&section);
        }
        let [hash, original, stable] = [hash, original, stable].map(Parts::join);
        Self { hash, original, stable, raw, original_raw }
    }

    /// `ja4`: the hashed form, 36 characters.
    #[must_use]
    pub fn hash(&self) -> &str {
        self.hash.as_str()
    }

    /// `ja4_r`: what was hashed.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// `ja4_o`: hashed, in wire order, with SNI and ALPN.
    #[must_use]
    pub fn original(&self) -> &str {
        self.original.as_str()
    }

    /// `ja4_ro`: what was hashed in wire order.
    #[must_use]
    pub fn original_raw(&self) -> &str {
        &self.original_raw
    }

    /// `ja4_stable`: the hashed form without what a resumed session adds or leaves out. This project's own variant.
    #[must_use]
    pub fn stable(&self) -> &str {
        self.stable.as_str()
    }
}

/// Writes the hashed form.
impl fmt::Display for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash())
    }
}

/// `a_b_c` with b and c hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct HashForm([u8; 36]);

impl HashForm {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The part `a`.
type Prefix = [u8; 10];

type Values = SmallVec<[u16; 64]>;

/// padding, session_ticket, pre_shared_key, early_data: what tells a resumed session's hello from a first one's.
const fn changes_with_resumption(extension: ExtensionType) -> bool {
    matches!(
        extension,
        extension_type::PADDING
            | extension_type::SESSION_TICKET
            | extension_type::PRE_SHARED_KEY
            | extension_type::EARLY_DATA
    )
}

const fn is_sni_or_alpn(extension: u16) -> bool {
    matches!(ExtensionType(extension), extension_type::SERVER_NAME | extension_type::ALPN)
}

fn without_grease(values: impl Iterator<Item = u16>) -> Values {
    values.filter(|value| !is_grease(*value)).collect()
}

fn prefix(lists: &HelloLists, protocol: Protocol, suites: usize, extensions: usize) -> Prefix {
    let transport = match protocol {
        Protocol::Tcp => b't',
        Protocol::Quic => b'q',
        Protocol::Dtls => b'd',
    };
    let [version_first, version_last] = version_characters(lists, protocol);
    let sni = if lists.extensions.contains(&extension_type::SERVER_NAME) { b'd' } else { b'i' };
    let [suites_tens, suites_ones] = two_digits(suites);
    let [extensions_tens, extensions_ones] = two_digits(extensions);
    let [alpn_first, alpn_last] = alpn_characters(&lists.first_alpn);
    [
        transport,
        version_first,
        version_last,
        sni,
        suites_tens,
        suites_ones,
        extensions_tens,
        extensions_ones,
        alpn_first,
        alpn_last,
    ]
}

fn with_extension_count(prefix: Prefix, count: usize) -> Prefix {
    let [transport, version_first, version_last, sni, suites_tens, suites_ones, _, _, alpn_first, alpn_last] = prefix;
    let [tens, ones] = two_digits(count);
    [transport, version_first, version_last, sni, suites_tens, suites_ones, tens, ones, alpn_first, alpn_last]
}

fn version_characters(lists: &HelloLists, protocol: Protocol) -> [u8; 2] {
    let version = match &lists.supported_versions {
        None => Some(lists.legacy_version.0),
        Some(versions) => {
            let offered = versions.iter().map(|each| each.0).filter(|value| !is_grease(*value));
            match protocol {
                Protocol::Dtls => offered.max_by_key(|value| dtls_rank(*value)),
                Protocol::Tcp | Protocol::Quic => offered.max(),
            }
        }
    };
    match version {
        Some(0x0304) => *b"13",
        Some(0x0303) => *b"12",
        Some(0x0302) => *b"11",
        Some(0x0301) => *b"10",
        Some(0x0300) => *b"s3",
        Some(0x0002) => *b"s2",
        // Not in the specification: so Wireshark writes DTLS as it was before RFC 4347.
        Some(0x0100) => *b"s1",
        Some(0xfeff) => *b"d1",
        Some(0xfefd) => *b"d2",
        Some(0xfefc) => *b"d3",
        _ => *b"00",
    }
}

/// DTLS counts its versions down: `0xfefc` is above `0xfefd`. What is no DTLS version is below all of them.
const fn dtls_rank(version: u16) -> u16 {
    match version.to_be_bytes() {
        [0xfe, minor] => 0xff00 | (0xff - minor) as u16,
        _ => 0,
    }
}

/// A count in two digits, 99 at most.
fn two_digits(count: usize) -> [u8; 2] {
    let count = u8::try_from(count).unwrap_or(u8::MAX).min(99);
    [b'0' + count / 10, b'0' + count % 10]
}

/// First and last character of the protocol where both are letters or digits, else of its bytes in hexadecimal.
const fn alpn_characters(protocol: &[u8]) -> [u8; 2] {
    match protocol {
        [] => *b"00",
        [only] => ends(*only, *only),
        [first, .., last] => ends(*first, *last),
    }
}

const fn ends(first: u8, last: u8) -> [u8; 2] {
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        [first, last]
    } else {
        [hex_digit(first >> 4), hex_digit(last & 0x0f)]
    }
}

/// The parts of the hashed form.
#[derive(Clone, Copy)]
struct Parts {
    prefix: Prefix,
    suites: [u8; 12],
    extensions: [u8; 12],
}

impl Parts {
    fn join(self) -> HashForm {
        let mut form = [b'_'; 36];
        let parts = [&self.prefix[..], b"_", &self.suites, b"_", &self.extensions];
        for (slot, byte) in form.iter_mut().zip(parts.into_iter().flatten()) {
            *slot = *byte;
        }
        HashForm(form)
    }
}

/// Writes `a_b_c` unhashed, and hashes its parts.
fn write(prefix: Prefix, suites: &[u16], extensions: &[u16], schemes: &[u16]) -> (String, Parts) {
    let mut text = Vec::with_capacity(16 + 5 * (suites.len() + extensions.len() + schemes.len()));
    text.extend_from_slice(&prefix);
    text.push(b'_');
    let suites_start = text.len();
    push_list(&mut text, suites);
    let suites_hash = section_hash(text.get(suites_start..).unwrap_or_default());
    text.push(b'_');
    let extensions_start = text.len();
    push_extensions(&mut text, extensions, schemes);
    let extensions_hash = section_hash(text.get(extensions_start..).unwrap_or_default());
    (ascii(text), Parts { prefix, suites: suites_hash, extensions: extensions_hash })
}

/// Appends the part `c`. Without signature algorithms it ends with the extensions.
fn push_extensions(text: &mut Vec<u8>, extensions: &[u16], schemes: &[u16]) {
    push_list(text, extensions);
    if !schemes.is_empty() {
        text.push(b'_');
        push_list(text, schemes);
    }
}

/// Appends values as four hexadecimal digits with commas between them.
fn push_list(text: &mut Vec<u8>, values: &[u16]) {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        let [high, low] = value.to_be_bytes();
        let ([a, b], [c, d]) = (hex_byte(high), hex_byte(low));
        text.extend_from_slice(&[a, b, c, d]);
    }
}

/// The first twelve digits of the SHA-256 of a part; zeros for an empty one.
fn section_hash(section: &[u8]) -> [u8; 12] {
    let mut digits = [b'0'; 12];
    if !section.is_empty() {
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(Sha256::digest(section)) {
            *pair = hex_byte(byte);
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::codepoints::{CipherSuite, ProtocolVersion, SignatureScheme};

    const CHROME_SUITES: [u16; 16] = [
        0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    const CHROME_EXTENSIONS: [u16; 18] = [
        0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
        0x000b, 0x000a, 0x0015, 0xfafa,
    ];
    const CHROME_SCHEMES: [u16; 9] = [0x4a4a, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

    fn chrome() -> HelloLists {
        HelloLists {
            legacy_version: ProtocolVersion::TLS12,
            supported_versions: Some([0x3a3a, 0x0304, 0x0303].map(ProtocolVersion).into_iter().collect()),
            cipher_suites: CHROME_SUITES.map(CipherSuite).into_iter().collect(),
            extensions: CHROME_EXTENSIONS.map(ExtensionType).into_iter().collect(),
            signature_schemes: CHROME_SCHEMES.map(SignatureScheme).into_iter().collect(),
            first_alpn: SmallVec::from_slice(b"h2"),
            ..HelloLists::default()
        }
    }

    fn a(lists: &HelloLists, protocol: Protocol) -> String {
        Ja4::from_lists(lists, protocol).hash().chars().take(10).collect()
    }

    #[test]
    fn matches_the_worked_values_of_chrome() {
        let ja4 = Ja4::from_lists(&chrome(), Protocol::Tcp);
        assert_eq!(ja4.hash(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(
            ja4.raw(),
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_\
             0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_\
             0403,0804,0401,0503,0805,0501,0806,0601"
        );
        assert_eq!(
            ja4.original_raw(),
            "t13d1516h2_1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035_\
             001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015_\
             0403,0804,0401,0503,0805,0501,0806,0601"
        );
        assert_eq!(ja4.original().len(), 36);
        assert_eq!(ja4.to_string(), ja4.hash());
    }

    #[test]
    fn leaves_no_underscore_without_signature_algorithms() {
        for schemes in [&[][..], &[0x0a0a, 0x1a1a]] {
            let mut lists = chrome();
            lists.signature_schemes = schemes.iter().map(|each| SignatureScheme(*each)).collect();
            assert!(Ja4::from_lists(&lists, Protocol::Tcp).hash().ends_with("_6d807ffa2a79"));
        }
    }

    #[test]
    fn writes_zeros_for_empty_lists() {
        let mut lists = HelloLists {
            legacy_version: ProtocolVersion::TLS10,
            cipher_suites: [CipherSuite(0x002f), CipherSuite(0x0035)].into_iter().collect(),
            ..HelloLists::default()
        };
        let ja4 = Ja4::from_lists(&lists, Protocol::Tcp);
        assert_eq!((ja4.hash(), ja4.raw()), ("t10i020000_f54dd463d39b_000000000000", "t10i020000_002f,0035_"));
        lists.cipher_suites.clear();
        let ja4 = Ja4::from_lists(&lists, Protocol::Tcp);
        assert_eq!((ja4.hash(), ja4.raw()), ("t10i000000_000000000000_000000000000", "t10i000000__"));
        lists.extensions = [extension_type::SERVER_NAME, extension_type::ALPN].into_iter().collect();
        assert_eq!(Ja4::from_lists(&lists, Protocol::Tcp).hash(), "t10d000200_000000000000_000000000000");
    }

    #[test]
    fn takes_the_highest_version_and_never_grease() {
        let version = |versions: Option<&[u16]>, protocol| {
            let mut lists = chrome();
            lists.legacy_version = ProtocolVersion::TLS11;
            lists.supported_versions = versions.map(|list| list.iter().map(|each| ProtocolVersion(*each)).collect());
            a(&lists, protocol).get(1..3).map(str::to_owned)
        };
        let tcp = |versions: &[u16]| version(Some(versions), Protocol::Tcp);
        assert_eq!(version(None, Protocol::Tcp).as_deref(), Some("11"));
        assert_eq!(tcp(&[0x0a0a, 0x0303, 0x0304]).as_deref(), Some("13"));
        assert_eq!(tcp(&[0x0a0a]).as_deref(), Some("00"));
        assert_eq!(tcp(&[]).as_deref(), Some("00"));
        assert_eq!(tcp(&[0x7f1c, 0x0303]).as_deref(), Some("00"));
        assert_eq!(tcp(&[0x0300]).as_deref(), Some("s3"));
        assert_eq!(tcp(&[0x0002]).as_deref(), Some("s2"));
        let dtls = |versions: &[u16]| version(Some(versions), Protocol::Dtls);
        assert_eq!(dtls(&[0xfefd, 0xfefc]).as_deref(), Some("d3"));
        assert_eq!(dtls(&[0x0100]).as_deref(), Some("s1"));
        assert_eq!(dtls(&[0xfeff, 0xfefd]).as_deref(), Some("d2"));
        assert_eq!(dtls(&[0xfeff, 0x0304]).as_deref(), Some("d1"));
    }

    #[test]
    fn writes_alpn_by_its_ends() {
        let cases: [(&[u8], &str); 16] = [
            (b"", "00"),
            (b"h2", "h2"),
            (b"http/1.1", "h1"),
            (b"b", "bb"),
            (&[0xab], "ab"),
            (&[0x20], "20"),
            (&[0xab, 0xcd], "ad"),
            (&[0x20, 0x61], "21"),
            (&[0x30, 0xab], "3b"),
            (&[0x61, 0x20], "60"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
            (&[0x0a, 0x0a], "0a"),
            (b"h3", "h3"),
            (b"-x-", "2d"),
            (b"Z9", "Z9"),
        ];
        for (protocol, expected) in cases {
            let mut lists = chrome();
            lists.first_alpn = SmallVec::from_slice(protocol);
            assert_eq!(a(&lists, Protocol::Tcp).get(8..), Some(expected), "{protocol:02x?}");
        }
    }

    #[test]
    fn counts_scsvs_and_duplicates_up_to_99() {
        let mut lists = chrome();
        lists.cipher_suites = [0x00ff, 0x5600, 0x0a0a, 0x0a1a].map(CipherSuite).into_iter().collect();
        lists.extensions = std::iter::repeat_n(ExtensionType(0x1234), 120).collect();
        assert_eq!(a(&lists, Protocol::Quic), "q13i0399h2");
    }

    #[test]
    fn is_the_same_for_a_resumed_session_in_its_stable_form() {
        let first = chrome();
        let mut resumed = first.clone();
        resumed.extensions.retain(|each| *each != extension_type::PADDING && *each != extension_type::SESSION_TICKET);
        resumed.extensions.extend([extension_type::EARLY_DATA, extension_type::PRE_SHARED_KEY]);
        let (first, resumed) = (Ja4::from_lists(&first, Protocol::Tcp), Ja4::from_lists(&resumed, Protocol::Tcp));
        assert_ne!(first.hash(), resumed.hash());
        assert_eq!(first.stable(), resumed.stable());
        assert!(first.stable().starts_with("t13d1514h2_8daaf6152771_"));

        let mut bare = chrome();
        bare.extensions.retain(|each| !changes_with_resumption(*each));
        let bare = Ja4::from_lists(&bare, Protocol::Tcp);
        assert_eq!((bare.hash(), bare.stable()), (first.stable(), first.stable()));
    }
}
