//! Programs that the kernel runs over each packet, in classic BPF: what to drop, and which source takes it.
//!
//! Invariant: [`built_in`] drops a frame only where `packet::decode` would have named it `NotIp`, `NotTcpOrUdp`,
//! `TruncatedHeader` or `MalformedHeader`; a test holds the two against each other for every EtherType and protocol.
//!
//! The kernel has taken the outermost VLAN tag off before it runs a program, and a load past the end of the packet
//! ends the program with 0. The instructions: Linux' Documentation/networking/filter.rst.

use crate::capture::LinkType;

/// One instruction, as the kernel's `struct sock_filter` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What to do, and in what mode.
    pub code: u16,
    /// Instructions to skip where a comparison holds.
    pub jump_true: u8,
    /// Instructions to skip where it does not.
    pub jump_false: u8,
    /// An operand.
    pub value: u32,
}

/// Drops everything: for the time in which a socket is being set up.
pub const NOTHING: [Instruction; 1] = [Instruction { code: op::RETURN, jump_true: 0, jump_false: 0, value: 0 }];

/// VLAN tags that [`built_in`] looks behind. What has more is passed.
const MOST_TAGS: u32 = 4;

/// MPLS labels that [`by_hosts`] looks behind. What has more comes to the first source.
const MOST_LABELS: usize = 8;

/// EtherTypes of VLAN tags.
const TAGS: [u32; 5] = [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300];

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const MPLS: [u32; 2] = [0x8847, 0x8848];
const PPPOE_SESSION: u32 = 0x8864;

/// The other EtherTypes that are opened: bridged Ethernet, PPP, 802.1ah, MACsec, FabricPath, Cisco metadata, NSH,
/// HSR, VN-Tag, 802.1BR.
const SHIMS: [u32; 10] = [0x6558, 0x880b, 0x88e7, 0x88e5, 0x8903, 0x8909, 0x894f, 0x892f, 0x8926, 0x893f];

/// IP protocols that are opened, the commonest first: TCP, UDP, IPv4, IPv6, GRE, the fragment header, ESP's sibling AH,
/// L2TPv3, EtherIP, MPLS, Ethernet, and IPv6 extension headers.
const PROTOCOLS: [u32; 17] = [6, 17, 4, 41, 47, 44, 51, 115, 97, 137, 143, 0, 43, 60, 135, 139, 140];

/// The filter that is attached where none is asked for: passes at most `snap_length` bytes of each frame that may lead
/// to a TCP segment or a UDP datagram, by its EtherType and IP protocol alone.
///
/// Whatever TCP and UDP carry is passed: a handshake may begin late in a connection (STARTTLS), and how it ends counts.
#[must_use]
pub fn built_in(link_type: LinkType, snap_length: u32) -> Vec<Instruction> {
    let mut program = Assembler::default();
    let (pass, drop, protocol) = (program.label(), program.label(), program.label());
    match link_type {
        LinkType::ETHERNET => ethernet(&mut program, pass, drop, protocol),
        LinkType::RAW => {
            let (v4, v6) = (program.label(), program.label());
            program.add(op::LOAD_BYTE, 0);
            program.add(op::SHIFT_RIGHT, 4);
            program.if_equal(4, v4);
            program.if_equal(6, v6);
            program.go(drop);
            ip(&mut program, (v4, v6), 0, protocol);
        }
        _ => program.go(pass),
    }
    program.place(protocol);
    for number in PROTOCOLS {
        program.if_equal(number, pass);
    }
    program.place(drop);
    program.add(op::RETURN, 0);
    program.place(pass);
    program.add(op::RETURN, snap_length);
    program.finish()
}

/// An Ethernet header, tags, and what may follow.
fn ethernet(program: &mut Assembler, pass: Label, drop: Label, protocol: Label) {
    for tags in 0..=MOST_TAGS {
        let payload = 14 + 4 * tags;
        let (v4, v6, tag) = (program.label(), program.label(), program.label());
        let (llc, snap) = (program.label(), program.label());
        program.add(op::LOAD_HALF, payload - 2);
        program.if_equal(IPV4, v4);
        program.if_equal(IPV6, v6);
        for number in TAGS {
            program.if_equal(number, tag);
        }
        for number in MPLS.into_iter().chain([PPPOE_SESSION]).chain(SHIMS) {
            program.if_equal(number, pass);
        }
        // Below the first EtherType it is a length, and LLC follows: SNAP, or IP's own service access point.
        program.if_at_least(0x0600, drop);
        program.go(llc);
        program.place(llc);
        program.add(op::LOAD_HALF, payload);
        program.if_equal(0xaaaa, snap);
        program.if_equal(0x0606, snap);
        program.go(drop);
        program.place(snap);
        program.add(op::LOAD_BYTE, payload + 2);
        program.if_equal(0x03, pass);
        program.go(drop);
        ip(program, (v4, v6), payload, protocol);
        program.place(tag);
    }
    program.go(pass);
}

/// Loads the protocol of an IP header at `start` and goes on with it.
fn ip(program: &mut Assembler, (v4, v6): (Label, Label), start: u32, protocol: Label) {
    program.place(v4);
    program.add(op::LOAD_BYTE, start + 9);
    program.go(protocol);
    program.place(v6);
    program.add(op::LOAD_BYTE, start + 6);
    program.go(protocol);
}

/// The program that says which of several sources takes a packet: a number that is the same for both directions
/// between two hosts, by the outermost IP addresses. `seed` keeps others from foreseeing it.
///
/// What it does not look behind (pseudowires, 802.1ah, MACsec, …) gives 0: the first source takes it all. To be asked
/// by the kernel before the socket's own filter, with the packet from its network layer on; from its link layer on
/// where this host sends it.
#[must_use]
pub fn by_hosts(link_type: LinkType, seed: u32) -> Vec<Instruction> {
    let mut program = Assembler::default();
    let (v4, v6, mpls, pppoe, nothing) =
        (program.label(), program.label(), program.label(), program.label(), program.label());
    // Where the network layer begins. Offsets from the kernel's own idea of it reach less of a packet that lies in
    // pieces, thus are for link types only whose headers vary.
    let origin = if link_type == LinkType::ETHERNET {
        let (outgoing, start) = (program.label(), program.label());
        program.add(op::LOAD_WORD, ancillary::PACKET_TYPE);
        program.if_equal(ancillary::OUTGOING, outgoing);
        program.add(op::LOAD_INDEX, 0);
        program.go(start);
        program.place(outgoing);
        program.add(op::LOAD_INDEX, 14);
        program.place(start);
        0
    } else {
        program.add(op::LOAD_INDEX, 0);
        ancillary::NETWORK_LAYER
    };
    program.add(op::LOAD_WORD, ancillary::PROTOCOL);
    for _ in 0..=MOST_TAGS {
        let tag = program.label();
        program.if_equal(IPV4, v4);
        program.if_equal(IPV6, v6);
        for number in MPLS {
            program.if_equal(number, mpls);
        }
        program.if_equal(PPPOE_SESSION, pppoe);
        for number in TAGS {
            program.if_equal(number, tag);
        }
        program.go(nothing);
        program.place(tag);
        program.add(op::LOAD_HALF_INDEXED, origin.wrapping_add(2));
        program.add(op::STORE, memory::TYPE);
        program.advance(4);
        program.add(op::LOAD_MEMORY, memory::TYPE);
    }
    program.go(nothing);

    program.place(mpls);
    let bottom = program.label();
    for _ in 0..MOST_LABELS {
        let last = program.label();
        program.add(op::LOAD_BYTE_INDEXED, origin.wrapping_add(2));
        program.if_set(1, last);
        program.advance(4);
        let next = program.label();
        program.go(next);
        program.place(last);
        program.go(bottom);
        program.place(next);
    }
    program.go(nothing);
    program.place(bottom);
    program.advance(4);
    program.add(op::LOAD_BYTE_INDEXED, origin);
    program.add(op::SHIFT_RIGHT, 4);
    program.if_equal(4, v4);
    program.if_equal(6, v6);
    program.go(nothing);

    program.place(pppoe);
    program.add(op::LOAD_HALF_INDEXED, origin.wrapping_add(6));
    program.add(op::STORE, memory::TYPE);
    program.advance(8);
    program.add(op::LOAD_MEMORY, memory::TYPE);
    program.if_equal(0x0021, v4);
    program.if_equal(0x0057, v6);
    program.place(nothing);
    program.add(op::RETURN, 0);

    program.place(v4);
    let end = program.label();
    for (place, slot) in [(12, memory::SOURCE), (16, memory::DESTINATION)] {
        program.add(op::LOAD_WORD_INDEXED, origin.wrapping_add(place));
        program.mix(seed);
        program.add(op::STORE, slot);
    }
    program.go(end);
    program.place(v6);
    for (place, slot) in [(8, memory::SOURCE), (24, memory::DESTINATION)] {
        program.add(op::LOAD_WORD_INDEXED, origin.wrapping_add(place));
        program.mix(seed);
        for word in 1..4 {
            program.add(op::STORE, memory::WORD);
            program.add(op::LOAD_WORD_INDEXED, origin.wrapping_add(place + 4 * word));
            program.with(op::EXCLUSIVE_OR_INDEX, memory::WORD);
            program.mix(seed);
        }
        program.add(op::STORE, slot);
    }
    // Their sum, which does not know the order. The kernel takes the remainder by the number of sources.
    program.place(end);
    program.add(op::LOAD_MEMORY, memory::SOURCE);
    program.with(op::ADD_INDEX, memory::DESTINATION);
    program.mix(seed);
    program.add(op::RETURN_ACCUMULATOR, 0);
    program.finish()
}

/// `first`, and where it passes a frame, `second`: what both pass is passed.
///
/// `first` must not compute what it returns; what libpcap compiles does not.
#[cfg(any(target_os = "linux", test))]
pub(super) fn both(first: &[Instruction], second: &[Instruction]) -> Vec<Instruction> {
    let mut program = first.to_vec();
    let length = program.len();
    for (at, instruction) in program.iter_mut().enumerate() {
        if instruction.code == op::RETURN && instruction.value != 0 {
            let value = u32::try_from(length - at - 1).unwrap_or(u32::MAX);
            *instruction = Instruction { code: op::GO, jump_true: 0, jump_false: 0, value };
        }
    }
    program.extend_from_slice(second);
    program
}

/// Operation codes: class, size or operation, mode or operand.
mod op {
    pub(super) const LOAD_WORD: u16 = 0x20;
    pub(super) const LOAD_HALF: u16 = 0x28;
    pub(super) const LOAD_BYTE: u16 = 0x30;
    pub(super) const LOAD_WORD_INDEXED: u16 = 0x40;
    pub(super) const LOAD_HALF_INDEXED: u16 = 0x48;
    pub(super) const LOAD_BYTE_INDEXED: u16 = 0x50;
    pub(super) const LOAD_MEMORY: u16 = 0x60;
    pub(super) const LOAD_INDEX: u16 = 0x01;
    pub(super) const LOAD_INDEX_MEMORY: u16 = 0x61;
    pub(super) const STORE: u16 = 0x02;
    pub(super) const STORE_INDEX: u16 = 0x03;
    pub(super) const ADD: u16 = 0x04;
    pub(super) const ADD_INDEX: u16 = 0x0c;
    pub(super) const MULTIPLY: u16 = 0x24;
    pub(super) const SHIFT_RIGHT: u16 = 0x74;
    pub(super) const EXCLUSIVE_OR: u16 = 0xa4;
    pub(super) const EXCLUSIVE_OR_INDEX: u16 = 0xac;
    pub(super) const GO: u16 = 0x05;
    pub(super) const IF_EQUAL: u16 = 0x15;
    pub(super) const IF_AT_LEAST: u16 = 0x35;
    pub(super) const IF_SET: u16 = 0x45;
    pub(super) const RETURN: u16 = 0x06;
    pub(super) const RETURN_ACCUMULATOR: u16 = 0x16;
    pub(super) const INDEX_FROM_ACCUMULATOR: u16 = 0x07;
    pub(super) const ACCUMULATOR_FROM_INDEX: u16 = 0x87;
}

/// What Linux lets a program load beside the packet, by offsets that no packet reaches.
mod ancillary {
    /// The EtherType, without tags that were taken off.
    pub(super) const PROTOCOL: u32 = 0xffff_f000;
    /// To whom the packet is: `OUTGOING` for what this host sends.
    pub(super) const PACKET_TYPE: u32 = 0xffff_f004;
    pub(super) const OUTGOING: u32 = 4;
    /// The network layer's first byte; add to it.
    pub(super) const NETWORK_LAYER: u32 = 0xfff0_0000;
}

/// Cells of a program's memory.
mod memory {
    pub(super) const TYPE: u32 = 0;
    pub(super) const INDEX: u32 = 1;
    pub(super) const SHIFTED: u32 = 2;
    pub(super) const WORD: u32 = 3;
    pub(super) const SOURCE: u32 = 4;
    pub(super) const DESTINATION: u32 = 5;
}

/// A place in a program.
#[derive(Clone, Copy, Debug)]
struct Label(usize);

/// Puts a program together; jumps are to labels further on.
#[derive(Debug, Default)]
struct Assembler {
    program: Vec<Instruction>,
    /// Where each label is.
    places: Vec<usize>,
    /// Jumps, and where they lead.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    fn label(&mut self) -> Label {
        self.places.push(0);
        Label(self.places.len() - 1)
    }

    fn place(&mut self, label: Label) {
        if let Some(place) = self.places.get_mut(label.0) {
            *place = self.program.len();
        }
    }

    fn add(&mut self, code: u16, value: u32) {
        self.program.push(Instruction { code, jump_true: 0, jump_false: 0, value });
    }

    fn go(&mut self, label: Label) {
        self.jumps.push((self.program.len(), label));
        self.add(op::GO, 0);
    }

    /// A comparison reaches 255 instructions far, a jump reaches anywhere: over a jump, then.
    fn branch(&mut self, code: u16, value: u32, label: Label) {
        self.program.push(Instruction { code, jump_true: 0, jump_false: 1, value });
        self.go(label);
    }

    fn if_equal(&mut self, value: u32, label: Label) {
        self.branch(op::IF_EQUAL, value, label);
    }

    fn if_at_least(&mut self, value: u32, label: Label) {
        self.branch(op::IF_AT_LEAST, value, label);
    }

    fn if_set(&mut self, bits: u32, label: Label) {
        self.branch(op::IF_SET, bits, label);
    }

    /// Moves the index on, by way of the accumulator.
    fn advance(&mut self, bytes: u32) {
        self.add(op::ACCUMULATOR_FROM_INDEX, 0);
        self.add(op::ADD, bytes);
        self.add(op::INDEX_FROM_ACCUMULATOR, 0);
    }

    /// An operation with a cell of memory as its operand; the index is kept.
    fn with(&mut self, code: u16, cell: u32) {
        self.add(op::STORE_INDEX, memory::INDEX);
        self.add(op::LOAD_INDEX_MEMORY, cell);
        self.add(code, 0);
        self.add(op::LOAD_INDEX_MEMORY, memory::INDEX);
    }

    /// Mixes the accumulator's bits (multiply and fold, as in MurmurHash3's finaliser).
    fn mix(&mut self, seed: u32) {
        self.add(op::EXCLUSIVE_OR, seed);
        for (factor, shift) in [(0x85eb_ca6b, 13), (0xc2b2_ae35, 16)] {
            self.add(op::MULTIPLY, factor);
            self.add(op::STORE, memory::SHIFTED);
            self.add(op::SHIFT_RIGHT, shift);
            self.with(op::EXCLUSIVE_OR_INDEX, memory::SHIFTED);
        }
    }

    fn finish(mut self) -> Vec<Instruction> {
        for (at, label) in self.jumps {
            let target = self.places.get(label.0).copied().unwrap_or_default();
            if let Some(jump) = self.program.get_mut(at) {
                jump.value = u32::try_from(target - at - 1).unwrap_or(u32::MAX);
            }
        }
        self.program
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_stay_within_the_program() {
        let programs = [
            built_in(LinkType::ETHERNET, 65_535),
            built_in(LinkType::RAW, 65_535),
            built_in(LinkType::IEEE802_11_RADIOTAP, 65_535),
            by_hosts(LinkType::ETHERNET, 1),
            by_hosts(LinkType::RAW, 1),
            both(&built_in(LinkType::RAW, 1), &NOTHING),
        ];
        for program in programs {
            // Linux' limit.
            assert!(program.len() <= 4096);
            for (at, instruction) in program.iter().enumerate() {
                let furthest = match instruction.code {
                    op::GO => instruction.value as usize,
                    op::IF_EQUAL | op::IF_AT_LEAST | op::IF_SET => {
                        instruction.jump_true.max(instruction.jump_false).into()
                    }
                    _ => 0,
                };
                assert!(at + furthest + 1 < program.len() || furthest == 0, "{at}: {instruction:?}");
            }
            assert!(matches!(program.last().map(|last| last.code), Some(op::RETURN | op::RETURN_ACCUMULATOR)));
        }
    }
}
