//! Lambda on your machine: starts built binaries as Lambda would and carries events to them.
//!
//! Each instance of a function is a process with its own address of the Runtime API, so that an answer always belongs to
//! the process that gave it. A crash, a hang, or a process that never starts ends as the function's error, never as a
//! hang of the host. What an event means is not known here.

mod asynchronous;
mod instance;
mod journal;
mod runtime_api;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

pub use asynchronous::DeadLetter;
use instance::Instance;
use journal::Journal;
use runtime_api::RuntimeApi;

/// Why the host itself cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// No free port for the Runtime API.
    #[error("lambda host: listen for the Runtime API: {0}")]
    Listen(std::io::Error),
    /// The folder for logs cannot be written.
    #[error("lambda host: log folder `{folder}`: {source}")]
    Logs {
        /// The folder of the settings.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no binary where the function should be.
    #[error("lambda host: function `{function}`: binary `{binary}` is not there: run `make programs`")]
    Binary {
        /// The function's name.
        function: String,
        /// The path looked at.
        binary: String,
    },
    /// Nobody added a function of this name.
    #[error("lambda host: function `{0}` is not deployed")]
    Unknown(String),
}

/// How an invocation failed, as Lambda reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// The stable type: the function's own, or `Runtime.ExitError`, `Sandbox.Timedout`, `Runtime.InvalidEntrypoint` …
    pub error_type: String,
    /// What went wrong, for people.
    pub message: String,
}

impl FunctionError {
    fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self { error_type: error_type.to_owned(), message: message.into() }
    }
}

/// A function as deployed.
#[derive(Debug, Clone)]
pub struct FunctionSpec {
    /// Its name, e.g. `rectify-restricted-ssh`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The built program.
    pub binary: PathBuf,
    /// Its own variables; they win over the host's common ones.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// MiB, as deployed; told to the function, not enforced.
    pub memory: u32,
    /// Attempts after the first for an asynchronous event, 0..=2.
    pub retries: u32,
}

impl FunctionSpec {
    /// The access key id the function is started with, so that its calls can be told from others'. Made from the name,
    /// valid only on this machine.
    #[must_use]
    pub fn access_key(&self) -> String {
        // FNV-1a: a stable spread of names over keys; nothing depends on it being hard to guess.
        let hash = self
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("LKIA{hash:016X}")
    }
}

/// What is the same for every function.
#[derive(Debug, Clone)]
pub struct HostSettings {
    /// The region functions run in.
    pub region: String,
    /// Variables every function gets, e.g. `AWS_ENDPOINT_URL`.
    pub environment: BTreeMap<String, String>,
    /// Processes one function may have at a time.
    pub instances: usize,
    /// How long a process may take until it asks for its first event. Lambda allows 10 s; a debug build on a busy
    /// machine may need more.
    pub init_timeout: Duration,
    /// The waits before the second and third attempt of an asynchronous event; Lambda waits 1 and 2 minutes.
    pub retry_waits: [Duration; 2],
    /// The folder each function's output goes to, one file each.
    pub logs: PathBuf,
}

impl HostSettings {
    /// Lambda's behaviour with waits short enough to sit through.
    #[must_use]
    pub fn new(region: &str, logs: PathBuf) -> Self {
        Self {
            region: region.to_owned(),
            environment: BTreeMap::new(),
            instances: 1,
            init_timeout: Duration::from_secs(20),
            retry_waits: [Duration::from_millis(200), Duration::from_millis(400)],
            logs,
        }
    }
}

struct Function {
    spec: FunctionSpec,
    journal: Arc<Journal>,
    slots: Semaphore,
    idle: Mutex<Vec<Instance>>,
}

struct Shared {
    settings: HostSettings,
    api: RuntimeApi,
    functions: Mutex<BTreeMap<String, Arc<Function>>>,
    dead_letters: Mutex<Vec<DeadLetter>>,
    dead_letter_count: watch::Sender<usize>,
    pending: Mutex<BTreeMap<String, usize>>,
    accepted: AtomicU64,
}

/// The host; a clone is the same host. Its processes end with the last clone.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Host").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl Host {
    /// Opens the Runtime API. No process is started before its first event.
    ///
    /// # Errors
    /// No free port, or the log folder cannot be made.
    pub async fn start(settings: HostSettings) -> Result<Self, HostError> {
        std::fs::create_dir_all(&settings.logs)
            .map_err(|source| HostError::Logs { folder: settings.logs.display().to_string(), source })?;
        let api = RuntimeApi::start().await.map_err(HostError::Listen)?;
        let shared = Shared {
            settings,
            api,
            functions: Mutex::default(),
            dead_letters: Mutex::default(),
            dead_letter_count: watch::Sender::new(0),
            pending: Mutex::default(),
            accepted: AtomicU64::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Deploys a function; one of the same name is replaced, and its processes end.
    ///
    /// # Errors
    /// The binary is not there, or its log file cannot be opened.
    pub fn deploy(&self, spec: FunctionSpec) -> Result<(), HostError> {
        if !spec.binary.is_file() {
            return Err(HostError::Binary { function: spec.name, binary: spec.binary.display().to_string() });
        }
        let folder = &self.shared.settings.logs;
        let journal = Journal::open(&folder.join(format!("{}.log", spec.name)))
            .map_err(|source| HostError::Logs { folder: folder.display().to_string(), source })?;
        let slots = Semaphore::new(self.shared.settings.instances.max(1));
        let name = spec.name.clone();
        let function = Function { spec, journal: Arc::new(journal), slots, idle: Mutex::default() };
        lock(&self.shared.functions).insert(name, Arc::new(function));
        Ok(())
    }

    /// The names of the deployed functions, sorted.
    #[must_use]
    pub fn functions(&self) -> Vec<String> {
        lock(&self.shared.functions).keys().cloned().collect()
    }

    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// What the function or Lambda reports: its own error, a crash (`Runtime.ExitError`), a passed deadline
    /// (`Sandbox.Timedout`), a process that does not start (`Runtime.InvalidEntrypoint`), or no such function
    /// (`ResourceNotFoundException`).
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, FunctionError> {
        let function = self
            .find(function)
            .map_err(|unknown| FunctionError::new("ResourceNotFoundException", unknown.to_string()))?;
        // The permit is held for the whole invocation; the semaphore is never closed.
        let Ok(_slot) = function.slots.acquire().await else {
            return Err(FunctionError::new("ServiceException", "the host is shutting down"));
        };
        let request_id = crate::request_id::next();
        let body = payload.to_string();
        if let Some(mut warm) = Self::warm(&function) {
            match warm.run(&request_id, &body).await {
                instance::Run::Answered(answer) => {
                    Self::keep(&function, warm);
                    return answer;
                }
                instance::Run::Broken(error) => return Err(error),
                // It died between two events: nobody saw this one yet, so a new process gets it.
                instance::Run::NeverTaken(_) => {}
            }
        }
        let mut fresh = Instance::start(&self.shared.api, &self.shared.settings, &function.spec, &function.journal)?;
        match fresh.run(&request_id, &body).await {
            instance::Run::Answered(answer) => {
                Self::keep(&function, fresh);
                answer
            }
            instance::Run::Broken(error) | instance::Run::NeverTaken(error) => Err(error),
        }
    }

    /// What a function wrote so far, line by line (the last 10 000). A line may arrive shortly after the answer.
    #[must_use]
    pub fn logs(&self, function: &str) -> Vec<String> {
        self.find(function).map(|function| function.journal.lines()).unwrap_or_default()
    }

    /// Ends every process; the functions stay deployed and start again at their next event.
    pub fn recycle(&self) {
        let functions: Vec<Arc<Function>> = lock(&self.shared.functions).values().cloned().collect();
        for function in functions {
            lock(&function.idle).clear();
        }
    }

    fn find(&self, function: &str) -> Result<Arc<Function>, HostError> {
        lock(&self.shared.functions).get(function).cloned().ok_or_else(|| HostError::Unknown(function.to_owned()))
    }

    fn warm(function: &Function) -> Option<Instance> {
        let mut idle = lock(&function.idle);
        while let Some(mut instance) = idle.pop() {
            if instance.is_alive() {
                return Some(instance);
            }
        }
        None
    }

    fn keep(function: &Function, instance: Instance) {
        lock(&function.idle).push(instance);
    }
}

/// The host's state is whole between any two statements, so a poisoned lock is as good as another.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
