//! What a function writes: kept for questions, and in a file for people.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::lock;

/// Lines kept in memory; the file has them all.
const LINES_KEPT: usize = 10_000;

#[derive(Debug)]
pub(super) struct Journal {
    kept: Mutex<(VecDeque<String>, File)>,
}

impl Journal {
    /// Starts a new file; what an earlier run wrote there is gone.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { kept: Mutex::new((VecDeque::new(), File::create(path)?)) })
    }

    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.kept).0.iter().cloned().collect()
    }

    pub(super) fn write(&self, line: String) {
        let mut kept = lock(&self.kept);
        if let Err(unwritten) = writeln!(kept.1, "{line}") {
            // A full disk must not stop the function, and its cause must not be lost.
            kept.0.push_back(format!("[log file: {unwritten}]"));
        }
        kept.0.push_back(line);
        while kept.0.len() > LINES_KEPT {
            kept.0.pop_front();
        }
    }

    /// Takes over one stream of a process until it ends; bytes that are no UTF-8 are replaced.
    pub(super) async fn follow(&self, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match reader.read_until(b'\n', &mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => self.write(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()),
            }
        }
    }
}
