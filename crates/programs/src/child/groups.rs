//! The process groups of the programs that this process has started.
//!
//! Each program leads a group of its own, so that one signal ends it with all that it has started, and so
//! that Ctrl-C at the terminal reaches only this process.

use std::{
    collections::BTreeSet,
    process::{Child, Command},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Groups of programs that have not been waited for, by the number of their leader.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all programs that this process has started, with everything that they have started, for a handler
/// of signals that ends the process right afterwards.
pub fn abandon() {
    let groups = groups();
    for &leader in groups.iter() {
        kill_group(leader);
    }
    // Stays locked, so that no other thread starts a new program.
    std::mem::forget(groups);
}

/// Starts a program as the leader of a group.
pub(crate) fn start(command: &mut Command) -> std::io::Result<Child> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut groups = groups();
    let child = command.spawn()?;
    groups.insert(child.id());
    Ok(child)
}

/// Ends what is left of the group of a program and waits for the program itself.
pub(crate) fn end(child: &mut Child) -> std::io::Result<std::process::ExitStatus> {
    // The number of a process belongs to it until it is waited for.
    kill_group(child.id());
    #[cfg(not(unix))]
    let _ = child.kill();
    groups().remove(&child.id());
    child.wait()
}

/// Whether a program has ended. It is not waited for, so its number stays its own.
#[cfg(unix)]
pub(crate) fn has_ended(child: &mut Child) -> bool {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(None))
}

#[cfg(not(unix))]
pub(crate) fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

#[cfg(unix)]
fn kill_group(leader: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        // An error says that nothing is left of it.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_: u32) {}
