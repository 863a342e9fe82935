//! Landlock and seccomp: what the kernel is to refuse the process from now on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus, Scope,
};

use super::super::output::Output;

/// The latest interface of Landlock that is known here; older kernels do what they can.
const LANDLOCK: ABI = ABI::V6;

/// Enters the sandbox; says what it is made of.
pub(super) fn enter(output: &Output, raw: bool) -> Result<Vec<&'static str>> {
    let mut made_of = Vec::new();
    if landlock(output).context("cannot set up Landlock")? {
        made_of.push("Landlock");
    }
    if seccomp(raw).context("cannot set up seccomp")? {
        made_of.push("seccomp");
    }
    Ok(made_of)
}

/// No file but those of the output can be made or written, none but what the system says of interfaces be read; no port
/// be listened on, no connection made, no other process be signalled.
fn landlock(output: &Output) -> Result<bool> {
    let write = AccessFs::WriteFile
        | AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Truncate;
    let mut rules: Vec<PathBeneath<PathFd>> = Vec::new();
    let mut allow = |path: &Path, access: BitFlags<AccessFs>| {
        // What is not there need not be allowed.
        if let Ok(path) = PathFd::new(path) {
            rules.push(PathBeneath::new(path, access));
        }
    };
    allow(Path::new("/sys"), AccessFs::ReadFile | AccessFs::ReadDir);
    // For the view: the size of the terminal.
    allow(Path::new("/dev/tty"), AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev);
    if let Some(place) = output.place() {
        allow(&place, write);
    }
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(rules.into_iter().map(Ok::<_, anyhow::Error>))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// System calls that do not come up are refused: programs, connections, other processes, the system's settings.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
fn seccomp(raw: bool) -> Result<bool> {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpArgLen::Qword, SeccompCmpOp, SeccompCondition,
        SeccompFilter, SeccompRule,
    };

    let condition = |argument, length, operator, value| SeccompCondition::new(argument, length, operator, value);
    let rule = |condition| SeccompRule::new(vec![condition]);
    let number = |value: i32| u64::try_from(value).unwrap_or_default();

    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    // No memory whose contents could be run.
    let not_run = SeccompCmpOp::MaskedEq(number(libc::PROT_EXEC));
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        allowed.insert(call, vec![rule(condition(2, Dword, not_run.clone(), 0)?)?]);
    }
    if raw {
        // libpcap asks the kernel for interfaces in several ways.
        for call in [libc::SYS_socket, libc::SYS_sendto, libc::SYS_sendmsg] {
            allowed.insert(call, Vec::new());
        }
    } else {
        // Answers to who asks for metrics, to no other address.
        allowed.insert(libc::SYS_sendto, vec![rule(condition(4, Qword, SeccompCmpOp::Eq, 0)?)?]);
        allowed.insert(libc::SYS_socket, vec![rule(condition(0, Dword, SeccompCmpOp::Eq, number(libc::AF_PACKET))?)?]);
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(allowed, refuse, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
    let program: BpfProgram = filter.try_into()?;
    match seccompiler::apply_filter(&program) {
        Ok(()) => Ok(true),
        // A kernel without it.
        Err(seccompiler::Error::Seccomp(error)) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
fn seccomp(_raw: bool) -> Result<bool> {
    Ok(false)
}

/// What a process does that reads memory and sockets, writes files, and keeps threads.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
const CALLS: &[i64] = &[
    // Files.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_openat,
    libc::SYS_getdents64,
    libc::SYS_renameat2,
    #[cfg(not(target_arch = "riscv64"))]
    libc::SYS_renameat,
    libc::SYS_unlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_ioctl,
    // Sockets that are open: to wait, to set up, to answer.
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_pipe2,
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads and signals.
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_membarrier,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_prctl,
    // Time, and the rest.
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_prlimit64,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    // Older forms of the above.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
];
