//! The emulator behind every service except AWS Config: one `moto_server` as a child process.
//!
//! This module starts, resets and stops the process. It knows nothing about the calls: callers reach the emulator
//! through [`crate::proxy`], never directly.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// The environment variable that overrides the path of `moto_server`.
pub const PROGRAM_VARIABLE: &str = "RECTIFY_MOTO_SERVER";

/// Where `make` installs the emulator, relative to the working directory.
const DEFAULT_PROGRAM: &str = ".local/venv/bin/moto_server";

/// Another process can take a free port before the child binds it; then another port is tried.
const PORT_ATTEMPTS: u32 = 3;

/// The number of log lines that an error quotes.
const QUOTED_LINES: usize = 15;

/// Starts the emulator under a shell that kills it when this process's end of the pipe closes, however this process
/// ends: a dropped future, a test binary that runs no destructors, or a kill. The shell exits with the emulator's
/// status.
const GUARD: &str = r#"exec 3<&0; "$0" "$@" 0</dev/null & child=$!; (cat <&3 >/dev/null; kill "$child" 2>/dev/null) & exec 3<&-; wait "$child""#;

/// Why the emulator does not run.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The program does not exist.
    #[error("moto server: `{}` not found: run `make local` to install it, or set {PROGRAM_VARIABLE}", .0.display())]
    Missing(PathBuf),
    /// The operating system refused a port, the log file or the process.
    #[error("moto server: {what}: {source}")]
    Start {
        /// The step that failed.
        what: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The process ended before its first answer.
    #[error("moto server: ended with {status} before its first answer; its log ends with:\n{log}")]
    Ended {
        /// Its exit status.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// The process did not answer within the start timeout.
    #[error("moto server: no answer within {seconds} s; its log ends with:\n{log}")]
    Silent {
        /// The timeout, in seconds.
        seconds: u64,
        /// The last lines of its log.
        log: String,
    },
    /// The emulator did not answer a request with success.
    #[error("moto server: {request}: {answer}")]
    Refused {
        /// The request.
        request: &'static str,
        /// The status, or the transport's error.
        answer: String,
    },
}

/// How to start the emulator.
#[derive(Debug, Clone)]
pub struct BackendSettings {
    /// The `moto_server` program.
    pub program: PathBuf,
    /// The account of all resources unless a caller assumes a role in another one, 12 digits.
    pub account: String,
    /// The file for its output; overwritten at each start.
    pub log: PathBuf,
    /// How long to wait for the first answer.
    pub start_timeout: Duration,
}

impl BackendSettings {
    /// The program from [`PROGRAM_VARIABLE`] or the nearest `.local/venv` at or above the working directory, and a
    /// timeout of half a minute: a start takes 0.6 to 1.6 s on an idle machine.
    #[must_use]
    pub fn new(account: &str, log: &Path) -> Self {
        Self {
            program: default_program(),
            account: account.to_owned(),
            log: log.to_owned(),
            start_timeout: Duration::from_secs(30),
        }
    }
}

/// Tests run in their crate's folder and commands in the workspace root, so the folders above are searched too.
fn default_program() -> PathBuf {
    if let Some(named) = std::env::var_os(PROGRAM_VARIABLE) {
        return PathBuf::from(named);
    }
    let here = std::env::current_dir().unwrap_or_default();
    here.ancestors()
        .map(|folder| folder.join(DEFAULT_PROGRAM))
        .find(|program| program.is_file())
        .unwrap_or_else(|| PathBuf::from(DEFAULT_PROGRAM))
}

/// A running emulator; dropping this ends it.
#[derive(Debug)]
pub struct Backend {
    guard: Child,
    endpoint: String,
    log: PathBuf,
    http: reqwest::Client,
}

impl Backend {
    /// Starts the emulator on a free port of 127.0.0.1 and waits for its first answer.
    ///
    /// # Errors
    /// [`BackendError`]: the program is missing, ends early or does not answer; the latter two quote the end of the
    /// log.
    pub async fn start(settings: &BackendSettings) -> Result<Self, BackendError> {
        if !settings.program.is_file() {
            return Err(BackendError::Missing(settings.program.clone()));
        }
        let http = plain_client()?;
        let mut attempt = 1;
        loop {
            let port = free_port().await?;
            let mut backend = Self::spawn(settings, port, http.clone())?;
            match backend.wait_until_ready(settings.start_timeout).await {
                Err(BackendError::Ended { log, .. }) if attempt < PORT_ATTEMPTS && log.contains("in use") => {
                    attempt += 1;
                }
                Err(other) => return Err(other),
                Ok(()) => return Ok(backend),
            }
        }
    }

    /// Its endpoint, e.g. `http://127.0.0.1:40001`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The file of its output.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Deletes every resource of every account.
    ///
    /// # Errors
    /// [`BackendError::Refused`] when the emulator has ended or does not answer with success.
    pub async fn reset(&self) -> Result<(), BackendError> {
        let request = "POST /moto-api/reset";
        let answer = self.http.post(format!("{}/moto-api/reset", self.endpoint)).send().await;
        let answer = answer.map_err(|error| BackendError::Refused { request, answer: error.to_string() })?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(BackendError::Refused { request, answer: answer.status().to_string() })
        }
    }

    /// Stops the emulator and waits until it has ended.
    ///
    /// # Errors
    /// [`BackendError::Start`] when the operating system cannot wait for the process.
    pub async fn stop(mut self) -> Result<(), BackendError> {
        drop(self.guard.stdin.take());
        self.guard.wait().await.map(|_| ()).map_err(|source| start_error("wait for its end", source))
    }

    fn spawn(settings: &BackendSettings, port: u16, http: reqwest::Client) -> Result<Self, BackendError> {
        let output = File::create(&settings.log)
            .map_err(|source| start_error(&format!("open `{}`", settings.log.display()), source))?;
        let errors = output.try_clone().map_err(|source| start_error("share its log file", source))?;
        let guard = Command::new("sh")
            .args(["-c", GUARD])
            .arg(&settings.program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_ACCOUNT_ID", &settings.account)
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| start_error(&format!("start `{}`", settings.program.display()), source))?;
        Ok(Self { guard, endpoint: format!("http://127.0.0.1:{port}"), log: settings.log.clone(), http })
    }

    async fn wait_until_ready(&mut self, timeout: Duration) -> Result<(), BackendError> {
        let deadline = Instant::now() + timeout;
        let mut pause = Duration::from_millis(20);
        let url = format!("{}/moto-api/config", self.endpoint);
        loop {
            if let Some(status) = self.guard.try_wait().map_err(|source| start_error("read its exit status", source))? {
                return Err(BackendError::Ended { status: status.to_string(), log: tail(&self.log) });
            }
            if self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(BackendError::Silent { seconds: timeout.as_secs(), log: tail(&self.log) });
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }
}

/// An HTTP client for loopback: ignores the environment's proxy and follows no redirects.
pub(crate) fn plain_client() -> Result<reqwest::Client, BackendError> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| BackendError::Refused { request: "an HTTP client", answer: error.to_string() })
}

async fn free_port() -> Result<u16, BackendError> {
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).await.map_err(|source| start_error("find a free port", source))?;
    listener.local_addr().map(|address| address.port()).map_err(|source| start_error("find a free port", source))
}

fn start_error(what: &str, source: std::io::Error) -> BackendError {
    BackendError::Start { what: what.to_owned(), source }
}

/// The last lines of a log, or the error in reading them: this becomes part of another error.
fn tail(log: &Path) -> String {
    match std::fs::read(log) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            lines.get(lines.len().saturating_sub(QUOTED_LINES)..).unwrap_or_default().join("\n")
        }
        Err(unreadable) => format!("`{}`: {unreadable}", log.display()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn settings(folder: &Path, script: &str, start_timeout: Duration) -> BackendSettings {
        let program = folder.join("moto_server");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::process::Command::new("chmod").arg("+x").arg(&program).status().unwrap();
        BackendSettings { program, account: "111122223333".to_owned(), log: folder.join("moto.log"), start_timeout }
    }

    #[tokio::test]
    async fn missing_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut absent = settings(folder.path(), "", Duration::from_secs(1));
        absent.program = folder.path().join("absent");
        let error = Backend::start(&absent).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "moto server: `{}` not found: run `make local` to install it, or set RECTIFY_MOTO_SERVER",
                absent.program.display()
            )
        );
    }

    #[tokio::test]
    async fn early_end_quotes_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let broken = settings(folder.path(), "echo no module named moto >&2; exit 3", Duration::from_secs(20));
        let error = Backend::start(&broken).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "moto server: ended with exit status: 3 before its first answer; its log ends with:\nno module named moto"
        );
    }

    #[tokio::test]
    async fn silent_program_times_out() {
        let folder = tempfile::tempdir().unwrap();
        let silent = settings(folder.path(), "echo starting; exec sleep 60", Duration::from_millis(300));
        let error = Backend::start(&silent).await.unwrap_err();
        assert_eq!(error.to_string(), "moto server: no answer within 0 s; its log ends with:\nstarting");
    }
}
