//! The lines that a program writes, each within a bound.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

/// Lines that wait to be taken; a program that writes more waits.
const WAITING: usize = 16;

/// What comes from a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// A line longer than the bound: its beginning.
    TooLong(Vec<u8>),
}

/// Reads lines of at most `longest` bytes in a thread. The channel closes with the stream, and after a line
/// that is too long.
pub(crate) fn lines(
    stream: impl Read + Send + 'static,
    longest: usize,
) -> io::Result<Receiver<Line>> {
    let (sender, receiver) = sync_channel(WAITING);
    thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || read(BufReader::new(stream), longest, &sender))?;
    Ok(receiver)
}

fn read(mut stream: impl BufRead, longest: usize, sender: &SyncSender<Line>) {
    loop {
        let mut line = Vec::new();
        let read = (&mut stream).take(longest as u64 + 1).read_until(b'\n', &mut line);
        let whole = line.last() == Some(&b'\n');
        let line = match read {
            Ok(0) | Err(_) => return,
            Ok(_) if whole || line.len() <= longest => {
                line.truncate(line.len() - usize::from(whole));
                Line::Whole(line)
            }
            Ok(_) => {
                line.truncate(200);
                let _ = sender.send(Line::TooLong(line));
                return;
            }
        };
        if sender.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded() {
        let got = |text: &str| -> Vec<Line> {
            lines(io::Cursor::new(text.to_owned()), 5).unwrap().iter().collect()
        };
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(got("a\n12345\n\nend"), [whole("a"), whole("12345"), whole(""), whole("end")]);
        assert_eq!(got("a\n123456\nb\n"), [whole("a"), Line::TooLong(b"123456".to_vec())]);
    }
}
