//! Blocks on disk: one file that only grows.
//!
//! Each record is a length, eight bytes of its double SHA256, and the block. A record that a crash left unfinished fails its checksum
//! and is cut off; it was never announced, because announcements follow the sync.

use crate::error::SandboxError;
use bitcoin::hashes::{Hash as _, sha256d};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Length and checksum.
const PREFIX: usize = 12;
/// Longest record: a block of four million weight units, and then some.
const MAX_RECORD: u32 = 8_000_000;

/// Where a record's block lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    offset: u64,
    len: u32,
}

/// The open file.
pub(crate) struct BlockFile {
    file: File,
    path: PathBuf,
    end: u64,
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let hash = sha256d::Hash::hash(bytes).to_byte_array();
    hash[..8].try_into().expect("BUG: a hash has 32 bytes")
}

/// What stands in a file for a block.
pub(super) fn record(block: &[u8]) -> Vec<u8> {
    let len = u32::try_from(block.len()).ok().filter(|len| *len <= MAX_RECORD).expect("BUG: a valid block is not that large");
    let mut record = Vec::with_capacity(PREFIX + block.len());
    record.extend(len.to_le_bytes());
    record.extend(checksum(block));
    record.extend(block);
    record
}

impl BlockFile {
    /// Opens the file, hands every block to `replay` in order, and cuts off what a crash left behind.
    pub(crate) fn open(
        path: &Path,
        mut replay: impl FnMut(Place, &[u8]) -> Result<(), SandboxError>,
    ) -> Result<BlockFile, SandboxError> {
        let io = || SandboxError::io(format!("reading {}", path.display()));
        let file = File::options().read(true).append(true).create(true).open(path).map_err(io())?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut end = 0;
        let mut bytes = Vec::new();
        loop {
            let mut prefix = [0; PREFIX];
            if reader.read_exact(&mut prefix).is_err() {
                break;
            }
            let len = u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]);
            if len > MAX_RECORD {
                break;
            }
            bytes.resize(len as usize, 0);
            if reader.read_exact(&mut bytes).is_err() || checksum(&bytes) != prefix[4..] {
                break;
            }
            replay(Place { offset: end + PREFIX as u64, len }, &bytes)?;
            end += PREFIX as u64 + u64::from(len);
        }
        if file.metadata().map_err(io())?.len() > end {
            tracing::warn!("cut an unfinished record off the block file");
            file.set_len(end).map_err(io())?;
        }
        Ok(BlockFile { file, path: path.to_owned(), end })
    }

    /// Writes one block. On disk when this returns.
    pub(crate) fn append(&mut self, block: &[u8]) -> Result<Place, SandboxError> {
        let record = record(block);
        let len = (record.len() - PREFIX) as u32;
        let written = self.file.write_all(&record).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // Whatever part of it got there must not stand in the way of the next record.
            let _ = self.file.set_len(self.end);
            return Err(SandboxError::Io { what: format!("writing {}", self.path.display()), source });
        }
        let place = Place { offset: self.end + PREFIX as u64, len };
        self.end += record.len() as u64;
        Ok(place)
    }

    /// Reads the first `most` bytes of a block, or all of it.
    pub(crate) fn read(&self, place: Place, most: Option<u32>) -> Result<Vec<u8>, SandboxError> {
        let mut bytes = vec![0; place.len.min(most.unwrap_or(u32::MAX)) as usize];
        // Its own handle: two readers must not share a position. Appending does not depend on it.
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(place.offset))?;
            file.read_exact(&mut bytes)
        };
        read().map_err(SandboxError::io(format!("reading {}", self.path.display())))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopen(path: &Path) -> (BlockFile, Vec<Vec<u8>>) {
        let mut seen = Vec::new();
        let file = BlockFile::open(path, |_, bytes| {
            seen.push(bytes.to_vec());
            Ok(())
        });
        (file.expect("opens"), seen)
    }

    #[test]
    fn a_tail_cut_anywhere_loses_only_the_last_block() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("blocks");
        let (mut file, seen) = reopen(&path);
        assert!(seen.is_empty());
        file.append(b"first").expect("written");
        let whole = std::fs::metadata(&path).expect("there").len();
        let place = file.append(b"second").expect("written");
        assert_eq!(file.read(place, None).expect("read"), b"second");
        assert_eq!(file.read(place, Some(3)).expect("read"), b"sec");
        let full = std::fs::read(&path).expect("read");
        for cut in whole..full.len() as u64 {
            std::fs::write(&path, &full[..cut as usize]).expect("written");
            let (mut file, seen) = reopen(&path);
            assert_eq!(seen, [b"first".to_vec()], "cut at {cut}");
            file.append(b"third").expect("written");
            assert_eq!(reopen(&path).1, [b"first".to_vec(), b"third".to_vec()]);
        }
    }
}
