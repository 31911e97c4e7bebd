//! Appending whole frames to a file: all of a frame or nothing of it.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
};

/// A file that can be appended to and cut.
pub(crate) trait Disk {
    /// Writes some of `bytes` at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Cuts the file, and goes on at its new end.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Disk for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}

/// Appends whole frames.
#[derive(Debug)]
pub(crate) struct Appender<D> {
    disk: D,
    /// The end of the last whole frame.
    length: u64,
    /// Whether there may be a part of a frame behind `length`.
    ragged: bool,
}

impl<D: Disk> Appender<D> {
    /// Cuts `disk` to `length` and appends there.
    pub(crate) fn new(mut disk: D, length: u64) -> io::Result<Self> {
        disk.cut(length)?;
        Ok(Self { disk, length, ragged: false })
    }

    /// The end of the last whole frame.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends `bytes`, which are frames with these `ends`. Returns how many whole frames are in the file
    /// now, and the error that kept out the others.
    pub(crate) fn append(&mut self, bytes: &[u8], ends: &[usize]) -> (usize, io::Result<()>) {
        if self.ragged {
            if let Err(error) = self.disk.cut(self.length) {
                return (0, Err(error));
            }
            self.ragged = false;
        }
        let mut written = 0;
        let mut result = Ok(());
        while written < bytes.len() {
            match self.disk.write(&bytes[written..]) {
                Ok(0) => result = Err(io::ErrorKind::StorageFull.into()),
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => result = Err(error),
            }
            if result.is_err() {
                break;
            }
        }
        let whole = ends.partition_point(|&end| end <= written);
        let end = if whole == 0 { 0 } else { ends[whole - 1] };
        self.length += end as u64;
        if written > end {
            // If this fails too, it is tried again before the next frame.
            self.ragged = self.disk.cut(self.length).is_err();
        }
        (whole, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that takes at most three bytes at a time and is full at some length.
    struct Small {
        bytes: Vec<u8>,
        space: usize,
        cuts_fail: bool,
    }

    impl Disk for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(3).min(self.space - self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..n]);
            if n == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(n) }
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.cuts_fail {
                return Err(io::Error::other("no"));
            }
            self.bytes.truncate(length as usize);
            Ok(())
        }
    }

    #[test]
    fn on_a_full_disk_whole_frames_stay_and_the_rest_goes() {
        for space in 0..20 {
            let disk = Small { bytes: b"..".to_vec(), space: space + 2, cuts_fail: false };
            let mut appender = Appender::new(disk, 2).unwrap();
            let (whole, result) = appender.append(b"aaaaabbbbbcccccddddd", &[5, 10, 15, 20]);
            assert_eq!(
                (whole, result.unwrap_err().kind()),
                (space / 5, io::ErrorKind::StorageFull)
            );
            assert_eq!(appender.disk.bytes.len(), 2 + space / 5 * 5);
            assert_eq!(appender.length(), appender.disk.bytes.len() as u64);
            // With space again, it goes on.
            appender.disk.space = 100;
            assert!(matches!(appender.append(b"eeeee", &[5]), (1, Ok(()))));
            assert!(appender.disk.bytes.ends_with(b"eeeee"));
        }
    }

    #[test]
    fn a_part_that_could_not_be_cut_is_cut_later() {
        let mut appender =
            Appender::new(Small { bytes: Vec::new(), space: 7, cuts_fail: false }, 0).unwrap();
        appender.disk.cuts_fail = true;
        assert!(matches!(appender.append(b"aaaaabbbbb", &[5, 10]), (1, Err(_))));
        assert_eq!(appender.disk.bytes, b"aaaaabb");
        assert!(matches!(appender.append(b"ccccc", &[5]), (0, Err(_))));
        appender.disk.cuts_fail = false;
        appender.disk.space = 100;
        assert!(matches!(appender.append(b"ccccc", &[5]), (1, Ok(()))));
        assert_eq!(appender.disk.bytes, b"aaaaaccccc");
    }
}
