//! An AF_PACKET socket: each of the system's calls once, as a safe method.
//!
//! packet(7), and Linux' Documentation/networking/packet_mmap.rst.

use std::ffi::{CStr, CString, c_int, c_short, c_uint, c_ulong, c_ushort};
use std::io;
use std::mem;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use super::filter::Instruction;

/// `ETH_P_ALL`, in the byte order of the network.
const EVERY_PROTOCOL: u16 = 0x0003_u16.to_be();

/// A packet socket. Bound to nothing until [`bind`](Self::bind).
#[derive(Debug)]
pub(super) struct PacketSocket(OwnedFd);

/// What an interface is and does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InterfaceState {
    /// Its number.
    pub(super) index: c_int,
    /// Its `ARPHRD_` type.
    pub(super) hardware: c_ushort,
    /// Whether it is up and has a carrier.
    pub(super) running: bool,
}

impl PacketSocket {
    /// A socket that takes in nothing yet: frames with their link layer, or without where `cooked`. Needs CAP_NET_RAW.
    #[expect(unsafe_code, reason = "the system's interface")]
    pub(super) fn open(cooked: bool) -> io::Result<Self> {
        let kind = if cooked { libc::SOCK_DGRAM } else { libc::SOCK_RAW };
        // SAFETY: no pointers. What comes back is checked, and owned by nobody else.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a file descriptor that has just been opened, see above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// What the interface of that name is now, in the network namespace of the socket.
    pub(super) fn interface(&self, name: &CStr) -> io::Result<InterfaceState> {
        let flags = self.interface_request(name, libc::SIOCGIFFLAGS)?;
        let index = self.interface_request(name, libc::SIOCGIFINDEX)?;
        let hardware = self.interface_request(name, libc::SIOCGIFHWADDR)?;
        let wanted = libc::IFF_UP | libc::IFF_RUNNING;
        let flags = c_int::from(union::flags(&flags));
        Ok(InterfaceState {
            index: union::index(&index),
            hardware: union::hardware(&hardware),
            running: flags & wanted == wanted,
        })
    }

    /// Asks the interface for the time of every frame it receives. Needs CAP_NET_ADMIN, and an interface that can.
    #[expect(unsafe_code, reason = "the system's interface")]
    pub(super) fn enable_hardware_timestamps(&self, name: &CStr) -> io::Result<()> {
        let mut config = libc::hwtstamp_config {
            flags: 0,
            tx_type: c_int::try_from(libc::HWTSTAMP_TX_OFF).unwrap_or_default(),
            rx_filter: c_int::try_from(libc::HWTSTAMP_FILTER_ALL).unwrap_or_default(),
        };
        let mut request = request_for(name)?;
        request.ifr_ifru.ifru_data = (&raw mut config).cast();
        // SAFETY: the request names a configuration that lives, and is not otherwise borrowed, for the time of the
        // call, as SIOCSHWTSTAMP wants it.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCSHWTSTAMP as _, &raw mut request) };
        check(result)?;
        self.set(libc::PACKET_TIMESTAMP, &c_int::try_from(libc::SOF_TIMESTAMPING_RAW_HARDWARE).unwrap_or_default())
    }

    /// Attaches a filter, in the place of the one before.
    #[expect(unsafe_code, reason = "the system's interface")]
    pub(super) fn attach_filter(&self, program: &[Instruction]) -> io::Result<()> {
        let program = program_of(program)?;
        // SAFETY: the option takes a `sock_fprog`; its instructions live for the time of the call, and are only read.
        unsafe { self.set_any(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program) }
    }

    /// Sets the program by which the socket's fanout group chooses.
    #[expect(unsafe_code, reason = "the system's interface")]
    pub(super) fn set_fanout_program(&self, program: &[Instruction]) -> io::Result<()> {
        let program = program_of(program)?;
        // SAFETY: as in `attach_filter`.
        unsafe { self.set_any(libc::SOL_PACKET, libc::PACKET_FANOUT_DATA, &program) }
    }

    /// Asks the kernel for a ring of blocks in the layout of version 3.
    pub(super) fn request_ring(&self, block_bytes: usize, blocks: usize, timeout: Duration) -> io::Result<()> {
        let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let (block_bytes, blocks) =
            (c_uint::try_from(block_bytes).map_err(too_large)?, c_uint::try_from(blocks).map_err(too_large)?);
        self.set(libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))?;
        // Room for the VLAN tag that is put back.
        self.set(libc::PACKET_RESERVE, &4)?;
        let request = libc::tpacket_req3 {
            tp_block_size: block_bytes,
            tp_block_nr: blocks,
            // Without a meaning in version 3, but they have to agree.
            tp_frame_size: block_bytes,
            tp_frame_nr: blocks,
            tp_retire_blk_tov: c_uint::try_from(timeout.as_millis()).unwrap_or(c_uint::MAX),
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        self.set(libc::PACKET_RX_RING, &request)
    }

    /// Asks not to be given what this host sends.
    pub(super) fn ignore_outgoing(&self) -> io::Result<()> {
        self.set(libc::PACKET_IGNORE_OUTGOING, &1)
    }

    /// Begins to take in what passes an interface.
    #[expect(unsafe_code, reason = "the system's interface")]
    pub(super) fn bind(&self, index: c_int) -> io::Result<()> {
        let address = libc::sockaddr_ll { sll_protocol: EVERY_PROTOCOL, sll_ifindex: index, ..packet_address() };
        // SAFETY: the address lives for the time of the call, is only read, and its length is its own.
        check(unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), length_of::<libc::sockaddr_ll>()) })
    }

    /// The interface that the socket is bound to; negative once it is gone.
    #[expect(unsafe_code, reason = "the system's interface")]
    pub(super) fn bound_to(&self) -> io::Result<c_int> {
        let mut address = packet_address();
        let mut length = length_of::<libc::sockaddr_ll>();
        // SAFETY: address and length live, unshared, for the time of the call; the length says how much may be written.
        check(unsafe { libc::getsockname(self.0.as_raw_fd(), (&raw mut address).cast(), &raw mut length) })?;
        Ok(address.sll_ifindex)
    }

    /// Has the interface take in frames for other stations, for as long as the socket lives.
    pub(super) fn make_promiscuous(&self, index: c_int) -> io::Result<()> {
        let request = libc::packet_mreq {
            mr_ifindex: index,
            mr_type: c_ushort::try_from(libc::PACKET_MR_PROMISC).unwrap_or_default(),
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// Joins a fanout group of the network namespace; with `None` a new one. `kind` is `PACKET_FANOUT_` with its
    /// flags. The group's number comes back.
    pub(super) fn join(&self, group: Option<u16>, kind: c_uint) -> io::Result<u16> {
        let flags = if group.is_none() { libc::PACKET_FANOUT_FLAG_UNIQUEID } else { 0 };
        self.set(libc::PACKET_FANOUT, &((kind | flags) << 16 | c_uint::from(group.unwrap_or_default())))?;
        let joined: c_uint = self.get(libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok(u16::try_from(joined & 0xffff).unwrap_or_default())
    }

    /// What was received, dropped, and how often the ring was full, since this was last asked.
    pub(super) fn statistics(&self) -> io::Result<libc::tpacket_stats_v3> {
        self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)
    }

    /// The error that waits, which is taken off; `None` where there is none.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let code: c_int = self.get(libc::SOL_SOCKET, libc::SO_ERROR)?;
        Ok((code != 0).then(|| io::Error::from_raw_os_error(code)))
    }

    fn interface_request(&self, name: &CStr, code: c_ulong) -> io::Result<libc::ifreq> {
        interface_request(self.0.as_fd(), name, code)
    }

    fn set<T: Plain>(&self, option: c_int, value: &T) -> io::Result<()> {
        // SAFETY: `Plain` holds no pointers; what the option takes is in its bytes.
        #[expect(unsafe_code, reason = "the system's interface")]
        unsafe {
            self.set_any(libc::SOL_PACKET, option, value)
        }
    }

    /// # Safety
    /// Pointers in `value` must be what the option wants of them.
    #[expect(unsafe_code, reason = "the system's interface")]
    unsafe fn set_any<T>(&self, level: c_int, option: c_int, value: &T) -> io::Result<()> {
        // SAFETY: the value lives for the time of the call, is only read, and its length is its own.
        check(unsafe {
            libc::setsockopt(self.0.as_raw_fd(), level, option, (&raw const *value).cast(), length_of::<T>())
        })
    }

    #[expect(unsafe_code, reason = "the system's interface")]
    fn get<T: Plain>(&self, level: c_int, option: c_int) -> io::Result<T> {
        let mut length = length_of::<T>();
        // SAFETY: `Plain` is integers alone, for which zero is a value.
        let mut value: T = unsafe { mem::zeroed() };
        // SAFETY: value and length live, unshared, for the time of the call; the length says how much may be written,
        // and whatever is written is a value of `Plain`.
        check(unsafe {
            libc::getsockopt(self.0.as_raw_fd(), level, option, (&raw mut value).cast(), &raw mut length)
        })?;
        Ok(value)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Integers alone: every pattern of bits is a value, and there are no pointers.
///
/// # Safety
/// That is so.
#[expect(unsafe_code, reason = "says what a type is")]
unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($kind:ty),+) => {
        $(
            // SAFETY: an integer, or a structure of the kernel's interface with nothing but integers.
            #[expect(unsafe_code, reason = "says what a type is")]
            unsafe impl Plain for $kind {}
        )+
    };
}

plain!(c_int, c_uint, libc::tpacket_req3, libc::tpacket_stats_v3, libc::packet_mreq);

/// Whether an interface's device merges segments it receives. Needs no rights.
#[expect(unsafe_code, reason = "the system's interface")]
pub(super) fn merges_segments(interface: &str) -> io::Result<bool> {
    /// `struct ethtool_value` of linux/ethtool.h.
    #[repr(C)]
    struct Value {
        command: u32,
        data: u32,
    }
    const GET_FLAGS: u32 = 0x25;
    const LARGE_RECEIVE_OFFLOAD: u32 = 1 << 15;

    let name = interface_name(interface).ok_or(io::ErrorKind::InvalidInput)?;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut value = Value { command: GET_FLAGS, data: 0 };
    let mut request = request_for(&name)?;
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: the request names a value that lives, and is not otherwise borrowed, for the time of the call, as
    // SIOCETHTOOL wants it for this command.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) })?;
    Ok(value.data & LARGE_RECEIVE_OFFLOAD != 0)
}

/// The name as the system wants it; `None` where no interface can have it.
pub(super) fn interface_name(name: &str) -> Option<CString> {
    let fits = !name.is_empty() && name.len() < libc::IFNAMSIZ && !name.contains('/') && name != "." && name != "..";
    if fits { CString::new(name).ok() } else { None }
}

fn request_for(name: &CStr) -> io::Result<libc::ifreq> {
    let mut request =
        libc::ifreq { ifr_name: [0; libc::IFNAMSIZ], ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_ifindex: 0 } };
    let bytes = name.to_bytes_with_nul();
    let place = request.ifr_name.get_mut(..bytes.len()).ok_or(io::ErrorKind::InvalidInput)?;
    for (place, byte) in place.iter_mut().zip(bytes) {
        *place = byte.cast_signed() as libc::c_char;
    }
    Ok(request)
}

#[expect(unsafe_code, reason = "the system's interface")]
fn interface_request(socket: BorrowedFd<'_>, name: &CStr, code: c_ulong) -> io::Result<libc::ifreq> {
    let mut request = request_for(name)?;
    // SAFETY: the request lives, unshared, for the time of the call, and is of the type that the three codes this is
    // called with want; none of them follows a pointer in it.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), code as _, &raw mut request) })?;
    Ok(request)
}

/// What a request came back with.
#[expect(unsafe_code, reason = "the fields of a union")]
mod union {
    use super::{c_int, c_short, c_ushort};

    pub(super) fn flags(request: &libc::ifreq) -> c_short {
        // SAFETY: integers all over: every pattern of bits is one.
        unsafe { request.ifr_ifru.ifru_flags }
    }

    pub(super) fn index(request: &libc::ifreq) -> c_int {
        // SAFETY: as above.
        unsafe { request.ifr_ifru.ifru_ifindex }
    }

    pub(super) fn hardware(request: &libc::ifreq) -> c_ushort {
        // SAFETY: as above.
        unsafe { request.ifr_ifru.ifru_hwaddr.sa_family }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a small constant")]
const fn packet_address() -> libc::sockaddr_ll {
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as c_ushort,
        sll_protocol: 0,
        sll_ifindex: 0,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    }
}

fn program_of(program: &[Instruction]) -> io::Result<libc::sock_fprog> {
    const { assert!(mem::size_of::<Instruction>() == mem::size_of::<libc::sock_filter>()) };
    let len = c_ushort::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() })
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(mem::size_of::<T>()).unwrap_or_default()
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
