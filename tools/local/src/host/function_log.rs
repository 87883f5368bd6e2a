//! A function's output: the last lines in memory, all lines in a file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::lock;

/// Lines kept in memory; the file has all of them.
const MAX_LINES: usize = 10_000;

#[derive(Debug)]
pub(super) struct FunctionLog {
    kept: Mutex<(VecDeque<String>, File)>,
}

impl FunctionLog {
    /// Creates the file, replacing that of an earlier run.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { kept: Mutex::new((VecDeque::new(), File::create(path)?)) })
    }

    pub(super) fn lines(&self) -> Vec<String> {
        lock(&self.kept).0.iter().cloned().collect()
    }

    pub(super) fn write(&self, line: String) {
        let mut kept = lock(&self.kept);
        if let Err(unwritten) = writeln!(kept.1, "{line}") {
            // A full disk must not stop the function; the error is kept as a line.
            kept.0.push_back(format!("[log file: {unwritten}]"));
        }
        kept.0.push_back(line);
        while kept.0.len() > MAX_LINES {
            kept.0.pop_front();
        }
    }

    /// Reads one stream of a process to its end; bytes that are not UTF-8 are replaced.
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
