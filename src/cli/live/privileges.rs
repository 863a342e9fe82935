//! What the process may do once its sockets and files are open: nearly nothing.
//!
//! Another user, no capabilities, none to be had again; then Landlock and seccomp where the kernel has them: no file
//! but those of the output, no program, no connection. All of it holds for the calling thread and those it starts: it
//! must still be the only one.

mod sandbox;

use anyhow::{Context as _, Result, bail};
use nix::unistd::{Gid, Uid, User, setgroups, setresgid, setresuid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_keep_capabilities, set_no_new_privs,
};

use super::output::Output;

/// Whom root becomes, unless told otherwise: the first of these that there is.
const USERS: [&str; 2] = ["handprint", "nobody"];

/// What is to be kept.
pub(super) struct Wanted<'a> {
    /// The user to become, where the process is root.
    pub(super) user: Option<&'a str>,
    /// Whether packet sockets must be opened again later: libpcap does where an interface comes back.
    pub(super) raw: bool,
    /// Whether seccomp and Landlock are used.
    pub(super) sandbox: bool,
}

/// Gives up what is not needed. Says in words what the process is now.
pub(super) fn drop_all(wanted: &Wanted<'_>, output: &Output) -> Result<String> {
    let user = user(wanted.user)?;
    let kept = if wanted.raw { CapabilitySet::NET_RAW } else { CapabilitySet::empty() };
    if Uid::effective().is_root() {
        // Before the user changes: the right to do so goes with it.
        for number in 0..u64::BITS {
            // There are fewer than 64.
            let _ = remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number));
        }
    }
    if let Some(user) = &user {
        output.give_to(user.uid.as_raw(), user.gid.as_raw()).context("cannot hand over the output")?;
        if wanted.raw {
            set_keep_capabilities(true).context("cannot keep the right to capture")?;
        }
        become_user(user).with_context(|| format!("cannot become the user {}", user.name))?;
    }
    let _ = clear_ambient_capability_set();
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    let has = rustix::thread::capabilities(None).context("cannot read the capabilities")?;
    let sets = CapabilitySets { effective: sets.effective & has.permitted, permitted: kept & has.permitted, ..sets };
    set_capabilities(None, sets).context("cannot give up the capabilities")?;
    set_no_new_privs(true).context("cannot give up new privileges")?;
    output.check_directory()?;
    let mut words = match &user {
        Some(user) => format!("as {}", user.name),
        None => "as who started it".to_owned(),
    };
    words.push_str(if sets.permitted.is_empty() { ", without capabilities" } else { ", with CAP_NET_RAW alone" });
    if wanted.sandbox {
        for name in sandbox::enter(output, wanted.raw)? {
            words.push_str(", ");
            words.push_str(name);
        }
    }
    Ok(words)
}

/// The user to become; none where the process is not root, or is to stay it.
fn user(wanted: Option<&str>) -> Result<Option<User>> {
    let find = |name: &str| match name.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(name),
    };
    let is_root = Uid::effective().is_root();
    let user = match wanted {
        Some(name) => match find(name).with_context(|| format!("cannot look up the user {name}"))? {
            Some(user) => user,
            None => bail!("there is no user {name}"),
        },
        None if !is_root => return Ok(None),
        None => match USERS.iter().find_map(|name| find(name).ok().flatten()) {
            Some(user) => user,
            None => bail!("there is neither a user handprint nor nobody: name one with --user"),
        },
    };
    if user.uid == Uid::effective() {
        return Ok(None);
    }
    if !is_root {
        bail!("only root can become the user {}", user.name);
    }
    Ok(Some(user))
}

fn become_user(user: &User) -> nix::Result<()> {
    let (uid, gid): (Uid, Gid) = (user.uid, user.gid);
    setgroups(&[])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)
}
