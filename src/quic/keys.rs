//! Initial keys, header protection and the opening of a packet (RFC 9001 section 5).

use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::AeadInOut;
use hkdf::Hkdf;
use sha2::Sha256;

use super::Version;
use super::packet::LongPacket;
use super::version::Labels;

/// Length of the authentication tag, in bytes.
const TAG: usize = 16;
/// Where the sample for header protection begins, in bytes behind the start of the packet number.
const SAMPLE_OFFSET: usize = 4;
const CLIENT_IN: &[u8] = b"\x00\x20\x0ftls13 client in\x00";
const SERVER_IN: &[u8] = b"\x00\x20\x0ftls13 server in\x00";

/// What both directions' Initial keys of a connection are made from.
#[derive(Clone)]
pub struct InitialSecret {
    secret: [u8; 32],
    labels: &'static Labels,
}

impl InitialSecret {
    /// The secret of a connection: `destination` is the destination connection id of the client's first Initial, or of
    /// the first after a Retry. `None` where the version's salt is not known.
    #[must_use]
    pub fn new(version: Version, destination: &[u8]) -> Option<Self> {
        let protection = version.protection()?;
        let (secret, _) = Hkdf::<Sha256>::extract(Some(protection.salt), destination);
        Some(Self { secret: secret.into(), labels: protection.labels })
    }

    /// The keys of what the client sends.
    #[must_use]
    pub fn client(&self) -> PacketKeys {
        self.keys(CLIENT_IN)
    }

    /// The keys of what the server sends.
    #[must_use]
    pub fn server(&self) -> PacketKeys {
        self.keys(SERVER_IN)
    }

    fn keys(&self, direction: &[u8]) -> PacketKeys {
        let mut secret = [0; 32];
        let mut keys = PacketKeys { key: [0; 16], iv: [0; 12], header_protection: [0; 16] };
        if let Ok(initial) = Hkdf::<Sha256>::from_prk(&self.secret) {
            expand(&initial, direction, &mut secret);
        }
        if let Ok(side) = Hkdf::<Sha256>::from_prk(&secret) {
            expand(&side, self.labels.key, &mut keys.key);
            expand(&side, self.labels.iv, &mut keys.iv);
            expand(&side, self.labels.header_protection, &mut keys.header_protection);
        }
        keys
    }
}

fn expand(secret: &Hkdf<Sha256>, label: &[u8], output: &mut [u8]) {
    let expanded = secret.expand(label, output);
    debug_assert!(expanded.is_ok(), "at most 32 bytes are asked for, HKDF gives 8160");
}

/// The keys of one direction. 44 bytes: the ciphers' key schedules are made for each packet, which costs less than
/// keeping them for every connection.
#[derive(Clone)]
pub struct PacketKeys {
    key: [u8; 16],
    iv: [u8; 12],
    header_protection: [u8; 16],
}

/// A packet without its protection, in the buffer it was opened into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The packet number.
    pub number: u64,
    /// Where in the buffer the frames begin.
    pub start: usize,
    /// Where in the buffer the frames end.
    pub end: usize,
    /// Whether the authentication tag was there and right. It is missing from a packet that was cut, whose payload
    /// then is what decrypting without it gives: the frames so far, or noise.
    pub authentic: bool,
}

impl Opened {
    /// The frames, in the buffer the packet was opened into.
    #[must_use]
    pub fn payload<'s>(&self, scratch: &'s [u8]) -> &'s [u8] {
        scratch.get(self.start..self.end).unwrap_or_default()
    }
}

impl PacketKeys {
    /// Opens a packet into `scratch`, which is overwritten. `largest` is the largest packet number opened before in
    /// this direction. `None` where the tag is wrong or the packet too short to have one.
    pub fn open(&self, packet: &LongPacket<'_>, largest: Option<u64>, scratch: &mut Vec<u8>) -> Option<Opened> {
        scratch.clear();
        scratch.extend_from_slice(packet.bytes);
        let sample_start = packet.number_offset.checked_add(SAMPLE_OFFSET)?;
        let mask = self.mask(packet.bytes.get(sample_start..)?.first_chunk::<16>()?);
        let [mask_first, mask_number @ ..] = mask;
        let first = scratch.first_mut()?;
        *first ^= mask_first & 0x0f;
        let number_length = usize::from(*first & 3).saturating_add(1);
        let header_length = packet.number_offset.checked_add(number_length)?;
        let mut truncated = 0_u64;
        for (byte, mask) in scratch.get_mut(packet.number_offset..header_length)?.iter_mut().zip(mask_number) {
            *byte ^= mask;
            truncated = truncated << 8 | u64::from(*byte);
        }
        let number = full_number(truncated, number_length, largest);
        let nonce = self.nonce(number);
        let (header, body) = scratch.split_at_mut_checked(header_length)?;
        if packet.cut > 0 {
            let kept = body.len();
            self.decrypt_unchecked(&nonce, body);
            // What was captured may reach into the tag.
            let length = kept.min(kept.saturating_add(packet.cut).saturating_sub(TAG));
            let end = header_length.saturating_add(length);
            return Some(Opened { number, start: header_length, end, authentic: false });
        }
        let (payload, tag) = body.split_last_chunk_mut::<TAG>()?;
        Aes128Gcm::new(&self.key.into())
            .decrypt_inout_detached(&nonce.into(), header, (&mut *payload).into(), (&*tag).into())
            .ok()?;
        let end = header_length.saturating_add(payload.len());
        Some(Opened { number, start: header_length, end, authentic: true })
    }

    /// The mask of header protection (RFC 9001 section 5.4.3): of the first byte and of the packet number.
    fn mask(&self, sample: &[u8; 16]) -> [u8; 5] {
        let mut block = (*sample).into();
        Aes128Enc::new(&self.header_protection.into()).encrypt_block(&mut block);
        let [first, a, b, c, d, ..]: [u8; 16] = block.into();
        [first, a, b, c, d]
    }

    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, number) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        nonce
    }

    /// Decrypts in counter mode without a tag: for a packet whose end was not captured.
    fn decrypt_unchecked(&self, nonce: &[u8; 12], body: &mut [u8]) {
        let cipher = Aes128Enc::new(&self.key.into());
        // The first counter value is the tag's.
        for (counter, chunk) in (2_u32..).zip(body.chunks_mut(16)) {
            let mut block = [0; 16];
            if let Some((start, end)) = block.split_first_chunk_mut::<12>() {
                *start = *nonce;
                end.copy_from_slice(&counter.to_be_bytes());
            }
            let mut block = block.into();
            cipher.encrypt_block(&mut block);
            for (byte, key) in chunk.iter_mut().zip(block) {
                *byte ^= key;
            }
        }
    }

    /// Protects a packet: the other way round, to make packets for tests and fuzzing. `header` ends with a packet
    /// number of four bytes, and its first byte says so.
    #[cfg(any(test, fuzzing))]
    #[must_use]
    pub fn seal(&self, header: &[u8], number: u32, payload: &[u8]) -> Option<Vec<u8>> {
        let mut body = payload.to_vec();
        let nonce = self.nonce(number.into());
        let tag = Aes128Gcm::new(&self.key.into())
            .encrypt_inout_detached(&nonce.into(), header, body.as_mut_slice().into())
            .ok()?;
        body.extend_from_slice(&tag);
        let [mask_first, mask_number @ ..] = self.mask(body.first_chunk::<16>()?);
        let mut packet = header.to_vec();
        *packet.first_mut()? ^= mask_first & 0x0f;
        let number_at = packet.len().checked_sub(4)?;
        for (byte, mask) in packet.get_mut(number_at..)?.iter_mut().zip(mask_number) {
            *byte ^= mask;
        }
        packet.extend_from_slice(&body);
        Some(packet)
    }
}

/// The packet number of which the low `length` bytes were sent (RFC 9000 appendix A.3).
fn full_number(truncated: u64, length: usize, largest: Option<u64>) -> u64 {
    let Some(largest) = largest else { return truncated };
    let bits = 8 * u32::try_from(length).unwrap_or(4).min(4);
    let window = 1_u64 << bits;
    let expected = largest.saturating_add(1);
    let candidate = expected & !(window - 1) | truncated;
    if candidate.saturating_add(window / 2) <= expected && candidate < (1 << 62) - window {
        candidate + window
    } else if candidate > expected.saturating_add(window / 2) && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}
