//! The ring that the kernel fills with frames (TPACKET_V3), and the only place where its memory is touched.
//!
//! The ring is cut into blocks; each belongs either to the kernel or to us, as its status word says. The kernel fills
//! one after the other and hands each over when it is full, or its time is over; we give it back when we have read it.
//!
//! Invariants: a block's memory is touched only between an acquiring read of its status that says it is ours and the
//! releasing write that gives it back; what stands in a block is checked against the block's bounds.
//!
//! Linux' Documentation/networking/packet_mmap.rst.

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::socket::PacketSocket;
use crate::capture::{Frame, LinkType};
use crate::time::Timestamp;

/// Blocks that are read before a source comes back to whoever polls it.
const BLOCKS_AT_ONCE: usize = 16;

/// How the first bytes of what lies in the ring are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The link type; `None` where frames come without their link layer, and say what protocol they are.
    pub(super) kind: Option<LinkType>,
    /// Whether what this host sends comes twice: once as sent, once as received.
    pub(super) loopback: bool,
}

/// Memory shared with the kernel.
#[derive(Debug)]
pub(super) struct Ring {
    memory: NonNull<u8>,
    block_bytes: usize,
    blocks: usize,
    /// The block that the kernel hands over next.
    next: usize,
}

// SAFETY: the memory is this value's alone, on whatever thread it is.
#[expect(unsafe_code, reason = "the ring is a pointer")]
unsafe impl Send for Ring {}

impl Ring {
    /// Sets up a socket's ring.
    #[expect(unsafe_code, reason = "maps the ring")]
    pub(super) fn new(socket: &PacketSocket, block_bytes: usize, blocks: usize, timeout: Duration) -> io::Result<Self> {
        let length = block_bytes.checked_mul(blocks).ok_or(io::ErrorKind::InvalidInput)?;
        socket.request_ring(block_bytes, blocks, timeout)?;
        // SAFETY: the kernel chooses a place where nothing is; the socket's ring has this length, as it was asked for.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_fd().as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { memory, block_bytes, blocks, next: 0 })
    }

    /// Hands over the frames of the blocks that are ours, of a bounded number of them. How many frames there were.
    pub(super) fn read(&mut self, link: Link, take: &mut dyn FnMut(&Frame<'_>)) -> usize {
        let mut frames = 0;
        for _ in 0..BLOCKS_AT_ONCE {
            let index = self.next;
            let Some(block) = self.block(index) else { break };
            frames += read_block(block, link, take);
            self.status(index).store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.next = if index + 1 < self.blocks { index + 1 } else { 0 };
        }
        frames
    }

    /// How much of the ring waits to be read, from 0 to 1.
    pub(super) fn fill(&self) -> f32 {
        // What waits lies in a row from the next block on.
        let (mut low, mut high) = (0, self.blocks);
        while low < high {
            let middle = low.midpoint(high);
            if self.is_ours((self.next + middle) % self.blocks) { low = middle + 1 } else { high = middle }
        }
        #[expect(clippy::cast_precision_loss, reason = "a share, for people")]
        let fill = low as f32 / self.blocks as f32;
        fill
    }

    fn is_ours(&self, index: usize) -> bool {
        self.status(index).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// A block's memory, where it is ours.
    #[expect(unsafe_code, reason = "reaches into the ring")]
    fn block(&mut self, index: usize) -> Option<&mut [u8]> {
        if !self.is_ours(index) {
            return None;
        }
        // SAFETY: `index` is below `blocks`, so these bytes are mapped. They are ours until the status is written again,
        // which the borrow of `self` keeps from happening meanwhile, and the kernel leaves them alone until then.
        Some(unsafe { slice::from_raw_parts_mut(self.memory.add(index * self.block_bytes).as_ptr(), self.block_bytes) })
    }

    /// The word that says whose a block is.
    #[expect(unsafe_code, reason = "reaches into the ring")]
    fn status(&self, index: usize) -> &AtomicU32 {
        const STATUS: usize =
            offset_of!(libc::tpacket_block_desc, hdr) + offset_of!(libc::tpacket_hdr_v1, block_status);
        debug_assert!(index < self.blocks);
        // SAFETY: `index` is below `blocks`, so these bytes are mapped; blocks begin at pages, so they are aligned. The
        // kernel reads and writes the word whole.
        unsafe { AtomicU32::from_ptr(self.memory.add(index * self.block_bytes + STATUS).as_ptr().cast()) }
    }
}

impl Drop for Ring {
    #[expect(unsafe_code, reason = "unmaps the ring")]
    fn drop(&mut self) {
        // SAFETY: what was mapped in `new`, and nothing is borrowed of it.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.block_bytes * self.blocks) };
    }
}

/// Hands over the frames of one block.
fn read_block(block: &mut [u8], link: Link, take: &mut dyn FnMut(&Frame<'_>)) -> usize {
    const HEADER: usize = offset_of!(libc::tpacket_block_desc, hdr);
    let Some(header) = read::<libc::tpacket_hdr_v1>(block, HEADER) else { return 0 };
    let (mut start, mut frames) = (header.offset_to_first_pkt as usize, 0);
    let mut next = read::<libc::tpacket3_hdr>(block, start);
    for _ in 0..header.num_pkts {
        let Some(header) = next else { break };
        // The next frame is on its way from memory while this one is looked at.
        let following = start + header.tp_next_offset as usize;
        next = read(block, following);
        prefetch(block, following + usize::from(header.tp_mac));
        if let Some(frame) = frame(block, start, &header, link) {
            take(&frame);
            frames += 1;
        }
        start = following;
    }
    frames
}

/// Asks the processor for what it will read at `start`: headers of the link, the network and the transport.
#[inline]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "an instruction of the processor"))]
fn prefetch(block: &[u8], start: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(bytes) = block.get(start..) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing and cannot fault; every processor of this architecture has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (block, start);
}

/// The frame whose header stands at `start`.
#[inline]
fn frame<'a>(block: &'a mut [u8], start: usize, header: &libc::tpacket3_hdr, link: Link) -> Option<Frame<'a>> {
    if link.loopback && block.get(start + ADDRESS + offset_of!(libc::sockaddr_ll, sll_pkttype)) == Some(&OUTGOING) {
        return None;
    }
    let link_type = match link.kind {
        Some(kind) => kind,
        None => network_layer(block, start + ADDRESS)?,
    };
    let (mut begin, mut length, mut original) =
        (start + usize::from(header.tp_mac), header.tp_snaplen as usize, header.tp_len);
    if header.tp_status & libc::TP_STATUS_VLAN_VALID != 0 && link_type == LinkType::ETHERNET {
        put_tag_back(block, begin, header)?;
        begin -= TAG;
        length += TAG;
        original = original.saturating_add(4);
    }
    let bytes = block.get(begin..begin.checked_add(length)?)?;
    let nanos = u64::from(header.tp_sec) * 1_000_000_000 + u64::from(header.tp_nsec);
    Some(Frame { timestamp: Timestamp::from_nanos(nanos), link_type, bytes, original_length: original })
}

/// The link type of what begins with its network layer, by the protocol in the frame's address.
#[cold]
fn network_layer(block: &[u8], address: usize) -> Option<LinkType> {
    let [p0, p1] = *block.get(address + offset_of!(libc::sockaddr_ll, sll_protocol)..)?.first_chunk()?;
    match u16::from_be_bytes([p0, p1]) {
        0x0800 => Some(LinkType::IPV4),
        0x86dd => Some(LinkType::IPV6),
        0x8847 => Some(LinkType(219)),
        _ => None,
    }
}

/// Where a frame's `sockaddr_ll` is, behind its header.
const ADDRESS: usize = size_of::<libc::tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);

/// `PACKET_OUTGOING` as it stands in an address.
const OUTGOING: u8 = libc::PACKET_OUTGOING;

/// Bytes of a VLAN tag.
const TAG: usize = 4;

/// Bytes of an Ethernet header's two addresses.
const ADDRESSES: usize = 12;

/// Puts the tag that the kernel took off back where it was on the wire: behind the addresses, which move to the front.
/// There is room for it, as the ring was asked for.
#[cold]
fn put_tag_back(block: &mut [u8], begin: usize, header: &libc::tpacket3_hdr) -> Option<()> {
    let front = begin.checked_sub(TAG)?;
    let room = block.get_mut(front..begin + ADDRESSES)?;
    room.copy_within(TAG.., 0);
    let kind = if header.tp_status & libc::TP_STATUS_VLAN_TPID_VALID != 0 { header.hv1.tp_vlan_tpid } else { 0x8100 };
    let tci = u16::try_from(header.hv1.tp_vlan_tci & 0xffff).unwrap_or_default();
    let tag = room.last_chunk_mut::<TAG>()?;
    let ([t0, t1], [c0, c1]) = (kind.to_be_bytes(), tci.to_be_bytes());
    *tag = [t0, t1, c0, c1];
    Some(())
}

/// A header of the kernel's at a place in a block; `None` where it would reach beyond.
#[inline]
#[expect(unsafe_code, reason = "reads the kernel's structures")]
fn read<T: Header>(block: &[u8], start: usize) -> Option<T> {
    let bytes = block.get(start..start.checked_add(size_of::<T>())?)?;
    // SAFETY: as many bytes as `T` has, wherever they are; a `Header` is made of integers, for which any bytes do.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

/// A header of the kernel's.
///
/// # Safety
/// It is integers alone: every pattern of bits is a value.
#[expect(unsafe_code, reason = "says what a type is")]
unsafe trait Header: Copy {}

// SAFETY: integers alone, but for a union whose only variant is integers alone.
#[expect(unsafe_code, reason = "says what a type is")]
unsafe impl Header for libc::tpacket3_hdr {}

// SAFETY: integers alone, but for unions of integers.
#[expect(unsafe_code, reason = "says what a type is")]
unsafe impl Header for libc::tpacket_hdr_v1 {}
