//! The last words of a program: the end of its standard error, within bounds.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// Bytes that are kept.
const KEPT: usize = 4096;
/// Lines that are shown.
const LINES: usize = 12;

/// Reads a stream to its end and keeps the last bytes.
#[derive(Debug)]
pub(crate) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    ended: Receiver<()>,
}

impl Tail {
    /// Begins to read in a thread, which ends with the stream.
    pub(crate) fn new(stream: impl Read + Send + 'static) -> io::Result<Self> {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let (running, ended) = mpsc::channel::<()>();
        let theirs = Arc::clone(&kept);
        thread::Builder::new().name("tail".to_owned()).spawn(move || {
            keep(stream, &theirs);
            drop(running);
        })?;
        Ok(Self { kept, ended })
    }

    /// Waits at most `time` for the end of the stream; whether it has ended.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        self.ended.recv_timeout(time) == Err(RecvTimeoutError::Disconnected)
    }

    /// The last lines so far.
    pub(crate) fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

fn keep(mut stream: impl Read, kept: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; KEPT];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let surplus = (kept.len() + n).saturating_sub(KEPT).min(kept.len());
                kept.drain(..surplus);
                kept.extend(&buffer[..n]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept() {
        let mut long = vec![b'x'; 100_000];
        long.extend_from_slice(b"\nlast but one\nlast\n\n");
        let tail = Tail::new(io::Cursor::new(long)).unwrap();
        assert!(tail.wait(Duration::from_mins(1)));
        assert!(tail.text().ends_with("x\nlast but one\nlast"));
        assert!(tail.text().len() <= KEPT);
        let many: Vec<String> = (0..100).map(|i| i.to_string()).collect();
        let tail = Tail::new(io::Cursor::new(many.join("\n"))).unwrap();
        assert!(tail.wait(Duration::from_mins(1)));
        assert!(tail.text().starts_with("88\n"));
    }
}
