//! Frames of one link type, one after the other, for one decoder.
//!
//! ```text
//! input = link-type:u8 (cut:u8 length:u16 bytes)*
//! ```
//! `cut` is how many bytes the snap length took, in units of 8.

use handprint::capture::{Frame, LinkType};
use handprint::packet::{Decoder, Encapsulations, FiveTuple, FragmentLimits, Packet, Transport};
use handprint::stats::{DropReason, Drops};
use handprint::time::Timestamp;

/// The link types handprint reads, and some it does not.
pub const LINK_TYPES: [u16; 16] = [1, 0, 101, 108, 113, 276, 12, 14, 228, 229, 9, 50, 51, 105, 127, 147];

/// Small, so that they are met.
const LIMITS: FragmentLimits =
    FragmentLimits { datagrams: 4, bytes: 16 << 10, age: std::time::Duration::from_secs(30) };

/// Checks what the decoder promises.
pub fn check(data: &[u8]) {
    let Some((selector, mut rest)) = data.split_first() else { return };
    let link_type = LinkType(LINK_TYPES[usize::from(*selector) % LINK_TYPES.len()]);
    let (mut first, mut second) = (Decoder::new(LIMITS), Decoder::new(LIMITS));
    let (mut drops, mut second_drops) = (Drops::default(), Drops::default());
    let mut seconds = 1_795_255_200;
    while let Some((&[cut, low, high], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([low, high])).min(after.len());
        let (bytes, after) = after.split_at(length);
        rest = after;
        seconds += u64::from(cut & 1);
        let original_length = u32::try_from(length + usize::from(cut >> 1) * 8).unwrap_or(u32::MAX);
        let frame = Frame { timestamp: Timestamp::from_seconds(seconds), link_type, bytes, original_length };
        let decoded = Decoded::of(first.decode(&frame, &mut drops));
        assert_eq!(decoded, Decoded::of(second.decode(&frame, &mut second_drops)), "decoded otherwise a second time");
        assert!(first.fragment_bytes() <= LIMITS.bytes, "{} bytes of fragments", first.fragment_bytes());
        check_cut(&frame, &decoded);
    }
    first.finish(&mut drops);
    assert_eq!(first.fragment_bytes(), 0);
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Decoded(Result<Parts, DropReason>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    tuple: FiveTuple,
    layers: Vec<handprint::packet::Encapsulation>,
    payload: Vec<u8>,
    cut: u32,
}

impl Decoded {
    fn of(result: Result<Packet<'_>, DropReason>) -> Self {
        Self(result.map(|packet| {
            assert!(packet.encapsulations.len() <= Encapsulations::LIMIT);
            let layers: Vec<_> = packet.encapsulations.iter().collect();
            assert_eq!(layers.len(), packet.encapsulations.len());
            let (payload, cut) = match packet.transport {
                Transport::Tcp(segment) => (segment.payload, segment.cut),
                Transport::Udp(datagram) => (datagram.payload, datagram.cut),
            };
            Parts { tuple: packet.tuple, layers, payload: payload.to_vec(), cut }
        }))
    }
}

/// What a snap length leaves of a whole frame is the beginning of what it carries, and says how much is gone.
fn check_cut(frame: &Frame<'_>, decoded: &Decoded) {
    let Ok(whole) = &decoded.0 else { return };
    for length in crate::client_hello::cuts(frame.bytes.len()).step_by(7) {
        let cut = Frame { bytes: &frame.bytes[..length], ..*frame };
        let mut drops = Drops::default();
        let Decoded(Ok(parts)) = Decoded::of(Decoder::new(LIMITS).decode(&cut, &mut drops)) else { continue };
        if parts.tuple != whole.tuple || parts.layers != whole.layers {
            // Cut inside a tunnel, its outside is what can still be read.
            continue;
        }
        assert!(whole.payload.starts_with(&parts.payload), "{length} of {}", frame.bytes.len());
        let (held, gone) = (parts.payload.len() as u64, u64::from(parts.cut));
        let of_whole = whole.payload.len() as u64 + u64::from(whole.cut);
        // A packet that claims more than its tunnel holds may have been cut or not: nobody can tell.
        if parts.layers.is_empty() {
            assert_eq!(held + gone, of_whole, "{length} of {}", frame.bytes.len());
        }
        assert!(held + gone <= u64::from(frame.original_length), "{length} of {}", frame.bytes.len());
    }
}
