//! Captures built byte by byte, read back whole, cut, damaged and compressed.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::panic,
    reason = "tests build their own bytes"
)]

use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};

use super::endian::Endian;
use super::write::PcapWriter;
use super::*;
use crate::error::Error;

/// A frame that outlives its source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    nanos: u64,
    link_type: u16,
    bytes: Vec<u8>,
    original_length: u32,
}

struct Reading {
    frames: Vec<Owned>,
    damage: Option<Damage>,
}

fn read_all(source: &mut Source) -> Vec<Owned> {
    let mut frames = Vec::new();
    while let Some(frame) = source.next_frame().unwrap() {
        assert!(frame.original_length as usize >= frame.bytes.len());
        frames.push(Owned {
            nanos: frame.timestamp.as_nanos(),
            link_type: frame.link_type.0,
            bytes: frame.bytes.to_vec(),
            original_length: frame.original_length,
        });
    }
    assert!(source.next_frame().unwrap().is_none(), "the end is the end");
    frames
}

fn read(bytes: &[u8]) -> Reading {
    let mut source = Source::from_reader("test", Cursor::new(bytes.to_vec())).unwrap();
    let frames = read_all(&mut source);
    assert_eq!(source.bytes_read(), bytes.len() as u64 - source_left(&source, bytes));
    Reading { frames, damage: source.damage().cloned() }
}

/// Bytes a damaged file leaves unread; a whole one is read to its end.
fn source_left(source: &Source, bytes: &[u8]) -> u64 {
    if source.damage().is_some() { bytes.len() as u64 - source.bytes_read() } else { 0 }
}

fn found(bytes: &[u8]) -> String {
    match Source::from_reader("a/b.bin", Cursor::new(bytes.to_vec())) {
        Err(Error::NotACapture { path, found }) => {
            assert_eq!(path, Path::new("a/b.bin"));
            found
        }
        other => panic!("{other:?}"),
    }
}

fn damage(bytes: &[u8]) -> String {
    read(bytes).damage.map(|damage| damage.to_string()).unwrap_or_default()
}

fn put(bytes: &mut Vec<u8>, endian: Endian, words: &[u32]) {
    for word in words {
        bytes.extend(match endian {
            Endian::Big => word.to_be_bytes(),
            Endian::Little => word.to_le_bytes(),
        });
    }
}

fn pcap(endian: Endian, magic: u32, network: u32, extra_header: usize, extra_record: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let version = if endian == Endian::Big { 0x0002_0004 } else { 0x0004_0002 };
    put(&mut file, endian, &[magic, version, 0, 0, 40, network]);
    file.extend(vec![0xee; extra_header]);
    for (seconds, length) in [(1_700_000_000, 60_usize), (1_700_000_001, 0), (1_700_000_002, 100)] {
        put(&mut file, endian, &[seconds, 123_456, length as u32, 1514]);
        file.extend(vec![0xdd; extra_record]);
        file.extend((0..length).map(|index| index as u8));
    }
    file
}

struct Pcapng {
    endian: Endian,
    bytes: Vec<u8>,
}

impl Pcapng {
    fn new(endian: Endian) -> Self {
        let mut file = Self { endian, bytes: Vec::new() };
        file.section(endian);
        file
    }

    fn section(&mut self, endian: Endian) {
        self.endian = endian;
        let version = if endian == Endian::Big { 0x0001_0000 } else { 0x0000_0001 };
        let mut body = Vec::new();
        put(&mut body, endian, &[0x1a2b_3c4d, version, u32::MAX, u32::MAX]);
        self.block(0x0a0d_0d0a, &body);
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = body.len().next_multiple_of(4) + 12;
        put(&mut self.bytes, self.endian, &[kind, length as u32]);
        self.bytes.extend(body);
        self.bytes.extend(vec![0; length - 12 - body.len()]);
        put(&mut self.bytes, self.endian, &[length as u32]);
    }

    fn u16s(&self, high: u16, low: u16) -> u32 {
        if self.endian == Endian::Big {
            u32::from(high) << 16 | u32::from(low)
        } else {
            u32::from(low) << 16 | u32::from(high)
        }
    }

    fn interface(&mut self, link_type: u16, snap_length: u32, options: &[(u16, &[u8])]) {
        let mut body = Vec::new();
        put(&mut body, self.endian, &[self.u16s(link_type, 0), snap_length]);
        for (code, value) in options {
            put(&mut body, self.endian, &[self.u16s(*code, value.len() as u16)]);
            body.extend(*value);
            body.extend(vec![0; value.len().next_multiple_of(4) - value.len()]);
        }
        self.block(1, &body);
    }

    fn packet(&mut self, interface: u32, time: u64, original: u32, bytes: &[u8], options: &[u8]) {
        let mut body = Vec::new();
        put(&mut body, self.endian, &[interface, (time >> 32) as u32, time as u32, bytes.len() as u32, original]);
        body.extend(bytes);
        body.extend(vec![0; bytes.len().next_multiple_of(4) - bytes.len()]);
        body.extend(options);
        self.block(6, &body);
    }

    fn simple_packet(&mut self, original: u32, bytes: &[u8]) {
        let mut body = Vec::new();
        put(&mut body, self.endian, &[original]);
        body.extend(bytes);
        self.block(3, &body);
    }

    fn obsolete_packet(&mut self, interface: u16, time: u64, bytes: &[u8]) {
        let mut body = Vec::new();
        let length = bytes.len() as u32;
        put(&mut body, self.endian, &[self.u16s(interface, 7), (time >> 32) as u32, time as u32, length, length]);
        body.extend(bytes);
        self.block(2, &body);
    }
}

/// Two sections of different byte order with every kind of block.
fn rich_pcapng() -> Vec<u8> {
    let mut file = Pcapng::new(Endian::Little);
    file.interface(1, 0, &[(2, b"eth0"), (9, &[9])]);
    file.packet(0, 1_700_000_000_123_456_789, 1514, &[1; 61], &[]);
    file.block(4, &[0; 40]);
    file.block(5, &[0xff; 12]);
    file.block(0x0000_0bad, &[1, 2, 3, 4, 5]);
    file.block(10, b"TLSK\x08\0\0\0CLIENT_R");
    file.packet(0, 1_700_000_001_000_000_000, 3, &[2; 3], &[1, 0, 2, 0, b'h', b'i', 0, 0, 0, 0, 0, 0]);
    file.section(Endian::Big);
    file.interface(101, 8, &[]);
    file.interface(113, 0, &[(9, &[0x80 | 10]), (14, &(-3600_i64).to_be_bytes())]);
    file.packet(1, 1_700_003_600 * 1024 + 512, 20, &[3; 20], &[]);
    file.simple_packet(1000, &[4; 8]);
    file.obsolete_packet(0, 1_700_000_003_000_000, &[5; 10]);
    file.bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Many frames, compressible but not trivially.
fn many_frames(count: u32) -> Vec<u8> {
    let mut file = PcapWriter::new(Vec::new(), LinkType::ETHERNET).unwrap();
    for index in 0..count {
        let bytes: Vec<u8> =
            (0..1000_u32).map(|offset| ((offset ^ index).wrapping_mul(0x9e37_79b1) >> 28) as u8).collect();
        file.write(Timestamp::from_nanos(u64::from(index) * 1_000), &bytes[..(index as usize * 37) % 1000]).unwrap();
    }
    file.finish().unwrap()
}

#[test]
fn reads_every_pcap_dialect_in_both_byte_orders() {
    for endian in [Endian::Little, Endian::Big] {
        for (magic, unit, extra_header, extra_record) in [
            (0xa1b2_c3d4, 1_000, 0, 0),
            (0xa1b2_3c4d, 1, 0, 0),
            (0xa1b2_cd34, 1_000, 0, 8),
            (0x1c00_01ac, 1_000, 4, 0),
            (0x1c00_01ab, 1_000, 4, 0),
        ] {
            let reading = read(&pcap(endian, magic, 113, extra_header, extra_record));
            assert_eq!(reading.damage, None);
            let lengths: Vec<_> = reading.frames.iter().map(|frame| frame.bytes.len()).collect();
            assert_eq!(lengths, [60, 0, 100], "the snap length of 40 is not believed");
            let first = &reading.frames[0];
            assert_eq!(first.nanos, 1_700_000_000_000_000_000 + 123_456 * unit);
            assert_eq!((first.link_type, first.original_length), (113, 1514));
            assert_eq!(first.bytes, (0..60).collect::<Vec<u8>>());
        }
    }
}

#[test]
fn ignores_the_frame_check_sequence_bits_of_the_link_type() {
    assert_eq!(read(&pcap(Endian::Little, 0xa1b2_c3d4, 0x2400_0001, 0, 0)).frames[0].link_type, 1);
}

#[test]
fn never_reports_fewer_bytes_on_the_wire_than_captured() {
    let mut file = pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0);
    file[24 + 12..24 + 16].copy_from_slice(&5_u32.to_le_bytes());
    assert_eq!(read(&file).frames[0].original_length, 60);
}

#[test]
fn reads_sections_interfaces_and_every_packet_block() {
    let reading = read(&rich_pcapng());
    assert_eq!(reading.damage, None);
    let seen: Vec<_> = reading
        .frames
        .iter()
        .map(|frame| (frame.nanos, frame.link_type, frame.bytes.len(), frame.original_length))
        .collect();
    assert_eq!(
        seen,
        [
            (1_700_000_000_123_456_789, 1, 61, 1514),
            (1_700_000_001_000_000_000, 1, 3, 3),
            // Counts of 1/1024 s, one hour to be taken off.
            (1_700_000_000_500_000_000, 113, 20, 20),
            // No time of its own; cut at its interface's snap length.
            (1_700_000_000_500_000_000, 101, 8, 1000),
            (1_700_000_003_000_000_000, 101, 10, 10),
        ]
    );
    assert_eq!(reading.frames[4].bytes, [5; 10]);
}

#[test]
fn reads_every_timestamp_resolution() {
    for (resolution, count, nanos) in [
        (0, 7, 7_000_000_000),
        (3, 7, 7_000_000),
        (9, 7, 7),
        (12, 7_999, 7),
        (19, u64::MAX, 1_844_674_407),
        (28, u64::MAX, 1),
        (29, u64::MAX, 1),
        (127, u64::MAX, 1),
        (0, u64::MAX, u64::MAX),
        (0x80, 7, 7_000_000_000),
        (0x80 | 20, 1 << 19, 500_000_000),
        (0x80 | 63, 1 << 62, 500_000_000),
        (0xff, u64::MAX, 0),
    ] {
        let mut file = Pcapng::new(Endian::Big);
        file.interface(1, 0, &[(9, &[resolution])]);
        file.packet(0, count, 0, &[], &[]);
        assert_eq!(read(&file.bytes).frames[0].nanos, nanos, "resolution {resolution:#x}");
    }
}

#[test]
fn reads_timestamp_offsets_in_both_byte_orders_and_saturates() {
    for (offset, nanos) in [(5, 6_000_000_000), (-1, 0), (i64::MIN, 0), (i64::MAX, 9_223_372_037_854_775_807)] {
        for endian in [Endian::Big, Endian::Little] {
            let bytes = if endian == Endian::Big { i64::to_be_bytes(offset) } else { i64::to_le_bytes(offset) };
            let mut file = Pcapng::new(endian);
            file.interface(1, 0, &[(14, &bytes)]);
            file.packet(0, 1_000_000, 0, &[], &[]);
            let read = read(&file.bytes).frames[0].nanos;
            assert!(read == nanos || (offset == i64::MAX && read > nanos), "{offset}: {read}");
        }
    }
}

#[test]
fn ignores_malformed_options() {
    let mut file = Pcapng::new(Endian::Little);
    // Wrong lengths, an option that runs out of the block, one behind the end of options.
    file.interface(1, 0, &[(9, &[9, 9]), (14, &[1])]);
    file.block(1, &[1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0xff, 0xff, 3]);
    file.interface(1, 0, &[(0, &[]), (9, &[0])]);
    for interface in 0..3 {
        file.packet(interface, 1_000_000, 4, &[0; 4], &[9, 9, 0xff, 0xff]);
    }
    let reading = read(&file.bytes);
    assert_eq!(reading.damage, None);
    assert_eq!(reading.frames.iter().map(|frame| frame.nanos).collect::<Vec<_>>(), [1_000_000_000; 3]);
}

#[test]
fn reads_members_and_layers_of_compression() {
    let file = rich_pcapng();
    let whole = read(&file).frames;
    let (front, back) = file.split_at(97);
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(&file)].concat();
    for compressed in [
        gzip(&file),
        zstd(&file),
        [gzip(front), gzip(b""), gzip(back)].concat(),
        [zstd(front), zstd(b""), skippable[..11].to_vec(), zstd(back)].concat(),
        skippable,
        gzip(&gzip(&file)),
        zstd(&gzip(&file)),
        gzip(&zstd(&file)),
    ] {
        let reading = read(&compressed);
        assert_eq!(reading.damage, None);
        assert_eq!(reading.frames, whole);
    }
}

#[test]
fn rejects_a_third_layer_of_compression() {
    assert_eq!(found(&gzip(&zstd(&gzip(&rich_pcapng())))), "gzip of zstd of more compressed data");
}

#[test]
fn yields_of_every_prefix_a_prefix_of_the_frames() {
    let little = pcap(Endian::Little, 0xa1b2_3c4d, 1, 0, 0);
    let big = pcap(Endian::Big, 0xa1b2_cd34, 1, 0, 8);
    for file in [little.clone(), big, rich_pcapng(), gzip(&little), zstd(&rich_pcapng()), gzip(&zstd(&little))] {
        let whole = read(&file);
        assert_eq!(whole.damage, None);
        assert!(whole.frames.len() >= 3);
        let mut most = 0;
        for length in 0..file.len() {
            match Source::from_reader("cut", Cursor::new(file[..length].to_vec())) {
                Ok(mut source) => {
                    let frames = read_all(&mut source);
                    assert_eq!(frames, whole.frames[..frames.len()], "cut at {length}");
                    most = frames.len();
                }
                Err(Error::NotACapture { .. }) => assert_eq!(most, 0, "cut at {length}"),
                Err(error) => panic!("cut at {length}: {error}"),
            }
        }
        assert!(most + 1 >= whole.frames.len(), "the last byte belongs to one frame at most");
    }
}

#[test]
fn survives_every_flipped_byte() {
    let little = pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0);
    for file in [little.clone(), rich_pcapng(), gzip(&little), zstd(&many_frames(6))] {
        for position in 0..file.len() {
            for flip in [0x01, 0xff] {
                let mut damaged = file.clone();
                damaged[position] ^= flip;
                if let Ok(mut source) = Source::from_reader("damaged", Cursor::new(damaged)) {
                    read_all(&mut source);
                }
            }
        }
    }
}

#[test]
fn says_where_a_file_ends_too_early() {
    let file = pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0);
    assert_eq!(damage(&file[..file.len() - 90]), "ends in the middle of a packet (frame 3: 10 of 100 bytes)");
    assert_eq!(damage(&file[..24 + 16 + 60 + 5]), "ends in the middle of a packet header (after frame 1)");
    assert_eq!(damage(&file[..24]), "");

    let mut file = Pcapng::new(Endian::Little);
    file.interface(1, 0, &[]);
    file.packet(0, 1, 40, &[1; 40], &[]);
    let file = file.bytes;
    assert_eq!(damage(&file[..file.len() - 30]), "ends in the middle of a packet (frame 1: 14 of 40 bytes)");
    assert_eq!(damage(&file[..file.len() - 1]), "ends in the middle of a block (after frame 1)");

    let cut = gzip(&many_frames(40));
    let reading = read(&cut[..cut.len() - 300]);
    assert!(matches!(reading.damage, Some(Damage { kind: DamageKind::Compression { .. }, frames }) if frames > 20));
}

#[test]
fn yields_what_comes_before_a_damaged_gzip_block() {
    let file = many_frames(40);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&file).unwrap();
    encoder.flush().unwrap();
    // A block of the reserved type 3 (RFC 1951 section 3.2.3).
    let compressed = [encoder.get_ref(), &[0x07, 0x00][..]].concat();
    let reading = read(&compressed);
    assert_eq!(reading.frames, read(&file).frames);
    assert!(matches!(reading.damage, Some(Damage { kind: DamageKind::Compression { .. }, frames: 40 })));
}

#[test]
fn yields_what_a_cut_zstd_window_still_holds() {
    let file = many_frames(2_000);
    let whole = read(&file).frames;
    let compressed = zstd(&file);
    let reading = read(&compressed[..compressed.len() - 10]);
    assert!(matches!(reading.damage, Some(Damage { kind: DamageKind::Compression { .. }, .. })));
    assert_eq!(reading.frames, whole[..reading.frames.len()]);
    // One block holds at most 128 KiB, some 262 frames of 500 bytes.
    assert!(reading.frames.len() > 2_000 - 300, "{} frames", reading.frames.len());
}

#[test]
fn stops_at_garbage_and_keeps_what_came_before() {
    let file = pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0);
    for zeros in [1, 16, 100, 5_000] {
        let reading = read(&[&file[..], &vec![0; zeros]].concat());
        assert_eq!(reading.frames.len(), 3);
        assert!(reading.damage.is_some(), "{zeros} zeros");
    }
    assert_eq!(
        damage(&[&file[..], &[0xff; 64]].concat()),
        "damaged at frame 4: a packet of 4294967295 bytes (limit 262144)"
    );

    let file = rich_pcapng();
    let reading = read(&[&file[..], &[0; 64]].concat());
    assert_eq!(reading.frames.len(), 5);
    assert_eq!(reading.damage.unwrap().kind, DamageKind::BlockLength { length: 0 });
    assert_eq!(
        damage(&[&file[..28], &[0; 64]].concat()),
        "damaged before the first frame: a block of 0 bytes (limit 16777216)"
    );
}

#[test]
fn accepts_an_empty_frame_at_the_epoch_among_others() {
    let mut file = PcapWriter::new(Vec::new(), LinkType::ETHERNET).unwrap();
    file.write(Timestamp::ZERO, &[]).unwrap();
    file.write(Timestamp::from_seconds(1), &[1]).unwrap();
    let reading = read(&file.finish().unwrap());
    assert_eq!((reading.frames.len(), reading.damage), (2, None));
}

#[test]
fn rejects_lengths_past_the_limits_without_allocating_them() {
    let mut file = pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0);
    file[24 + 8..24 + 12].copy_from_slice(&262_145_u32.to_le_bytes());
    assert_eq!(read(&file).damage.unwrap().kind, DamageKind::FrameLength { length: 262_145 });

    let mut file = Pcapng::new(Endian::Little);
    file.interface(1, 0, &[]);
    file.packet(0, 1, 4, &[1; 4], &[]);
    let before = file.bytes.len();
    file.packet(0, 1, 4, &[1; 4], &[]);
    for (offset, value, kind) in [
        (4, 11_u32, DamageKind::BlockLength { length: 11 }),
        (4, MAX_BLOCK_LENGTH + 4, DamageKind::BlockLength { length: MAX_BLOCK_LENGTH + 4 }),
        (4, 28, DamageKind::BlockLength { length: 28 }),
        (8, 1, DamageKind::NoInterface { number: 1 }),
        (20, 5, DamageKind::FrameLength { length: 5 }),
        (20, u32::MAX, DamageKind::FrameLength { length: u32::MAX }),
        (32, 40, DamageKind::BlockTrailer { length: 36 }),
    ] {
        let mut damaged = file.bytes.clone();
        damaged[before + offset..][..4].copy_from_slice(&value.to_le_bytes());
        let reading = read(&damaged);
        let frames = if offset == 32 { 2 } else { 1 };
        assert_eq!(reading.damage.unwrap().kind, kind);
        assert_eq!(reading.frames.len(), frames);
    }
}

#[test]
fn passes_over_blocks_larger_than_the_buffer() {
    let mut file = Pcapng::new(Endian::Big);
    file.interface(1, 0, &[]);
    file.block(10, &vec![7; 3 * BUFFER_LENGTH + 1]);
    file.packet(0, 1, 4, &[1; 4], &vec![0; 2 * BUFFER_LENGTH]);
    file.packet(0, 1, 4, &[2; 4], &[]);
    let reading = read(&file.bytes);
    assert_eq!((reading.frames.len(), reading.damage), (2, None));
}

#[test]
fn limits_the_interfaces_of_a_section() {
    let mut file = Pcapng::new(Endian::Big);
    for _ in 0..=MAX_INTERFACES {
        file.interface(1, 0, &[]);
    }
    assert_eq!(read(&file.bytes).damage.unwrap().kind, DamageKind::Interfaces);
}

#[test]
fn reads_frames_of_every_length_across_refills() {
    let mut file = PcapWriter::new(Vec::new(), LinkType::RAW).unwrap();
    let lengths = [0, 1, 65_535, MAX_FRAME_LENGTH, 3, MAX_FRAME_LENGTH - 1, 100_000, 0, 17];
    for (index, length) in lengths.into_iter().enumerate() {
        file.write_cut(Timestamp::from_seconds(1), &vec![index as u8; length], 300_000).unwrap();
    }
    assert!(file.write(Timestamp::ZERO, &vec![0; MAX_FRAME_LENGTH + 1]).is_err());
    let bytes = file.finish().unwrap();
    for step in [1, 7, 4096, usize::MAX] {
        let mut source = Source::from_reader("slow", Slow { bytes: Cursor::new(bytes.clone()), step }).unwrap();
        let frames = read_all(&mut source);
        assert!(source.damage().is_none());
        assert_eq!(frames.iter().map(|frame| frame.bytes.len()).collect::<Vec<_>>(), lengths);
        for (index, frame) in frames.iter().enumerate() {
            assert!(frame.bytes.iter().all(|byte| *byte == index as u8));
        }
    }
}

/// A pipe that gives a few bytes at a time.
struct Slow {
    bytes: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Slow {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let step = self.step.min(target.len());
        self.bytes.read(&mut target[..step])
    }
}

#[test]
fn yields_a_frame_before_reading_on() {
    /// Panics when it is read after its bytes are used up.
    struct Live(Cursor<Vec<u8>>);
    impl Read for Live {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(target)? {
                0 => panic!("blocked"),
                count => Ok(count),
            }
        }
    }
    let mut source = Source::from_reader("-", Live(Cursor::new(pcap(Endian::Big, 0xa1b2_c3d4, 1, 0, 0)))).unwrap();
    for _ in 0..3 {
        assert!(source.next_frame().unwrap().is_some());
    }
}

#[test]
fn reports_errors_of_the_file_and_yields_what_came_before() {
    struct Failing(Cursor<Vec<u8>>);
    impl Read for Failing {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(target)? {
                0 => Err(std::io::Error::other("disk on fire")),
                count => Ok(count),
            }
        }
    }
    let file = pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0);
    for bytes in [file.clone(), gzip(&file), zstd(&file)] {
        let mut source = Source::from_reader("nfs/x", Failing(Cursor::new(bytes))).unwrap();
        for _ in 0..3 {
            assert!(source.next_frame().unwrap().is_some());
        }
        let error = source.next_frame().unwrap_err();
        assert!(matches!(error, Error::Read { .. }));
        assert!(error.to_string().starts_with("nfs/x: "), "{error}");
        assert!(source.next_frame().unwrap().is_none());
        assert!(source.damage().is_none());
    }
    assert!(matches!(Source::from_reader("x", Failing(Cursor::default())), Err(Error::Read { .. })));
}

#[test]
fn names_what_is_no_capture() {
    assert_eq!(found(b""), "an empty file");
    assert_eq!(found(b"\xa1"), "starts with a1");
    assert_eq!(found(b"id,bidirectional_packets\n"), "plain text: \"id,bidirectional_packets\"");
    assert_eq!(found(&gzip(b"hello")), "gzip of plain text: \"hello\"");
    let long = [b"line\n".repeat(1000), vec![0xff; 100]].concat();
    assert_eq!(found(&long), "plain text: \"line\"", "by its beginning alone, however it comes");
    assert_eq!(found(&zstd(b"")), "zstd of an empty file");
    assert_eq!(found(&pcap(Endian::Big, 0xa1b2_c3d4, 1, 0, 0)[..10]), "a pcap file header cut after 10 bytes");
    assert_eq!(found(&rich_pcapng()[..10]), "a pcapng section header cut short");
    assert!(found(&[0x1f, 0x8b, 0xff, 0xff, 0xff]).starts_with("gzip of data that cannot be decompressed: "));
    assert!(found(&[0x28, 0xb5, 0x2f, 0xfd, 0xff]).starts_with("zstd of data that cannot be decompressed: "));
    let mut file = rich_pcapng();
    file[8] ^= 1;
    assert_eq!(found(&file), "a damaged pcapng section header");
}

#[test]
fn rejects_a_zstd_window_past_the_limit() {
    // A frame header that asks for a window of 256 MiB (exponent 18).
    assert!(found(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 1, 0, 0]).contains("zstd of data"));
}

#[test]
fn notices_a_zstd_checksum_that_does_not_match() {
    let mut file = zstd(&pcap(Endian::Little, 0xa1b2_c3d4, 1, 0, 0));
    assert_eq!(damage(&file), "");
    *file.last_mut().unwrap() ^= 1;
    assert_eq!(damage(&file), "cannot be decompressed any further (after frame 3): zstd checksum does not match");
}

/// The same packets as `pcap-parser` reads, where it reads the file at all.
#[test]
fn agrees_with_pcap_parser() {
    use pcap_parser::traits::PcapNGPacketBlock as _;
    use pcap_parser::{Block, PcapBlockOwned, PcapError};

    fn oracle(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = pcap_parser::create_reader(1 << 20, Cursor::new(bytes.to_vec())).unwrap();
        let mut packets = Vec::new();
        loop {
            match reader.next() {
                Ok((offset, block)) => {
                    match block {
                        PcapBlockOwned::Legacy(packet) => packets.push(packet.data.to_vec()),
                        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                            packets.push(packet.packet_data().to_vec())
                        }
                        _ => {}
                    }
                    reader.consume(offset);
                }
                Err(PcapError::Eof) => return packets,
                Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
                Err(error) => panic!("pcap-parser: {:.80}", format!("{error:?}")),
            }
        }
    }

    let mut pcapng = Pcapng::new(Endian::Big);
    pcapng.interface(1, 0, &[(9, &[9])]);
    pcapng.interface(113, 96, &[]);
    for index in 0..200_u32 {
        pcapng.packet(index % 2, u64::from(index), 2_000, &vec![index as u8; index as usize * 7], &[]);
        pcapng.block(0x1234_5678, &vec![0; index as usize]);
    }
    for file in [
        many_frames(500),
        pcap(Endian::Big, 0xa1b2_c3d4, 1, 0, 0),
        pcap(Endian::Little, 0xa1b2_cd34, 1, 0, 8),
        pcapng.bytes,
    ] {
        let packets: Vec<_> = read(&file).frames.into_iter().map(|frame| frame.bytes).collect();
        assert!(!packets.is_empty());
        assert_eq!(packets, oracle(&file));
    }
}

#[test]
fn moves_between_threads() {
    fn assert_send<T: Send>() {}
    assert_send::<Source>();
}

/// A directory that goes when the test does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("handprint-capture-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn walked(paths: &[PathBuf], root: &Path) -> Vec<String> {
    inputs(paths)
        .into_iter()
        .map(|input| match input {
            Ok(input) => {
                let path = input.path.strip_prefix(root).unwrap_or(&input.path).display().to_string();
                input.size.map_or(path.clone(), |size| format!("{path} {size}"))
            }
            Err(error) => error.to_string().replace(&root.display().to_string(), "ROOT"),
        })
        .collect()
}

#[test]
fn walks_directories_by_name_without_dotfiles() {
    let scratch = Scratch::new("walk");
    let root = &scratch.0;
    for (name, content) in
        [("b.pcap", "12"), ("a/z.pcap", "1"), ("a/y/x.bin", ""), ("a-b.pcap", "123"), (".hidden", ""), ("a/.git/x", "")]
    {
        std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
        std::fs::write(root.join(name), content).unwrap();
    }
    assert_eq!(walked(std::slice::from_ref(root), root), ["a/y/x.bin 0", "a/z.pcap 1", "a-b.pcap 3", "b.pcap 2"]);
    assert_eq!(
        walked(&[root.join(".hidden"), "-".into(), root.join("missing"), root.join("b.pcap")], root),
        [".hidden 0", "-", "ROOT/missing: No such file or directory (os error 2)", "b.pcap 2"]
    );
}

#[cfg(unix)]
#[test]
fn walks_symbolic_links_once() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new("links");
    let root = &scratch.0;
    std::fs::create_dir_all(root.join("d/e")).unwrap();
    std::fs::write(root.join("d/e/x.pcap"), "1").unwrap();
    symlink("..", root.join("d/e/up")).unwrap();
    symlink("d", root.join("again")).unwrap();
    symlink("nowhere", root.join("z-broken")).unwrap();
    symlink("d/e/x.pcap", root.join("y.pcap")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    assert_eq!(
        walked(std::slice::from_ref(root), root),
        ["again/e/x.pcap 1", "y.pcap 1", "ROOT/z-broken: No such file or directory (os error 2)"]
    );
}

#[test]
fn opens_files_and_names_those_it_cannot() {
    let scratch = Scratch::new("open");
    let path = scratch.0.join("x.txt");
    std::fs::write(&path, gzip(&pcap(Endian::Big, 0xa1b2_c3d4, 1, 0, 0))).unwrap();
    let input = inputs(std::slice::from_ref(&path)).remove(0).unwrap();
    let mut source = input.open().unwrap();
    assert_eq!(read_all(&mut source).len(), 3);
    assert_eq!(Some(source.bytes_read()), input.size);
    assert_eq!((source.name(), source.frames()), (path.as_path(), 3));
    assert!(matches!(Source::open(&scratch.0), Err(Error::Read { path, .. }) if path == scratch.0));
    assert!(matches!(Source::open(&scratch.0.join("none")), Err(Error::Read { .. })));
}
