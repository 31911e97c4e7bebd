//! Brings what was written to the disk, in the background.

use std::{
    fs::File,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// The shortest time between two syncs.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct State {
    /// Something was written since the last sync.
    dirty: bool,
    stop: bool,
    error: Option<io::Error>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that syncs the file at once after a write, but at most once a second.
#[derive(Debug)]
pub(crate) struct Syncer {
    shared: Arc<Shared>,
    file: Arc<File>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let file = Arc::new(file);
        let (theirs, their_file) = (Arc::clone(&shared), Arc::clone(&file));
        let thread = thread::Builder::new()
            .name("store sync".to_owned())
            .spawn(move || run(&theirs, &their_file))?;
        Ok(Self { shared, file, thread: Some(thread) })
    }

    /// Says that something was written. Returns the error of a sync in the background, once.
    pub(crate) fn written(&self) -> io::Result<()> {
        let mut state = self.shared.state();
        if !state.dirty {
            state.dirty = true;
            self.shared.changed.notify_one();
        }
        state.error.take().map_or(Ok(()), Err)
    }

    /// Syncs now.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let earlier = {
            let mut state = self.shared.state();
            state.dirty = false;
            state.error.take()
        };
        self.file.sync_data()?;
        earlier.map_or(Ok(()), Err)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, file: &File) {
    let mut state = shared.state();
    loop {
        while !state.dirty && !state.stop {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.dirty {
            state.dirty = false;
            drop(state);
            let result = file.sync_data();
            state = shared.state();
            state.error = result.err().or(state.error.take());
        }
        if state.stop {
            return;
        }
        let waited = shared.changed.wait_timeout_while(state, PAUSE, |state| !state.stop);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_write_is_synced_soon_and_an_error_is_told_once() {
        let syncer = Syncer::new(tempfile::tempfile().unwrap()).unwrap();
        syncer.written().unwrap();
        let begin = Instant::now();
        while syncer.shared.state().dirty {
            assert!(begin.elapsed() < Duration::from_mins(1));
            thread::sleep(Duration::from_millis(1));
        }
        syncer.shared.state().error = Some(io::Error::other("broken disk"));
        assert_eq!(syncer.written().unwrap_err().to_string(), "broken disk");
        syncer.written().unwrap();
        syncer.sync().unwrap();
        assert!(!syncer.shared.state().dirty);
    }
}
