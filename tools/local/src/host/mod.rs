//! Lambda on your machine: starts built binaries as Lambda does and delivers events to them.
//!
//! Each instance of a function is a process with its own Runtime API address, so that an answer always belongs to the
//! process that gave it. A crash, a hang or a failed start becomes the function's error and never hangs the host. This
//! module does not interpret events.

mod asynchronous;
mod function_log;
mod instance;
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
use function_log::FunctionLog;
use instance::Instance;
use runtime_api::RuntimeApi;

/// Why the host failed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The Runtime API has no port to listen on.
    #[error("lambda host: listen for the Runtime API: {0}")]
    Listen(std::io::Error),
    /// The log folder cannot be written.
    #[error("lambda host: log folder `{folder}`: {source}")]
    Logs {
        /// The folder of the settings.
        folder: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The function's binary does not exist.
    #[error("lambda host: function `{function}`: binary `{binary}` not found: run `make programs`")]
    Binary {
        /// The function's name.
        function: String,
        /// The expected path.
        binary: String,
    },
    /// No function of this name is deployed.
    #[error("lambda host: function `{0}` is not deployed")]
    Unknown(String),
}

/// How an invocation failed, as Lambda reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// The error type: the function's own, or `Runtime.ExitError`, `Sandbox.Timedout`, `Runtime.InvalidEntrypoint` …
    pub error_type: String,
    /// The error message.
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
    /// Its own variables; they override those of the host.
    pub environment: BTreeMap<String, String>,
    /// The timeout of one invocation.
    pub timeout: Duration,
    /// Memory in MiB; passed to the function, not enforced.
    pub memory: u32,
    /// Retries of an asynchronous event, 0..=2.
    pub retries: u32,
}

impl FunctionSpec {
    /// The access key id of the function's process, which identifies its calls. Derived from the name, valid only on
    /// this machine.
    #[must_use]
    pub fn access_key(&self) -> String {
        // FNV-1a: a stable hash of the name; it need not be hard to guess.
        let hash = self
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("LKIA{hash:016X}")
    }
}

/// The settings of all functions.
#[derive(Debug, Clone)]
pub struct HostSettings {
    /// The region functions run in.
    pub region: String,
    /// Variables every function gets, e.g. `AWS_ENDPOINT_URL`.
    pub environment: BTreeMap<String, String>,
    /// The maximum number of concurrent processes of one function.
    pub instances: usize,
    /// How long a process may take to request its first event. Lambda allows 10 s; a debug build on a busy machine may
    /// need more.
    pub init_timeout: Duration,
    /// The waits before the second and third attempt of an asynchronous event; Lambda waits 1 and 2 minutes.
    pub retry_waits: [Duration; 2],
    /// The folder for the functions' output, one file each.
    pub logs: PathBuf,
}

impl HostSettings {
    /// Lambda's behavior with short waits between attempts.
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
    log: Arc<FunctionLog>,
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

/// The host; clones share it. Its processes end with the last clone.
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
    /// Starts the Runtime API. A function's process starts with its first event.
    ///
    /// # Errors
    /// No free port, or the log folder cannot be created.
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

    /// Deploys a function, replacing one of the same name and ending its processes.
    ///
    /// # Errors
    /// The binary does not exist, or the log file cannot be created.
    pub fn deploy(&self, spec: FunctionSpec) -> Result<(), HostError> {
        if !spec.binary.is_file() {
            return Err(HostError::Binary { function: spec.name, binary: spec.binary.display().to_string() });
        }
        let folder = &self.shared.settings.logs;
        let log = FunctionLog::open(&folder.join(format!("{}.log", spec.name)))
            .map_err(|source| HostError::Logs { folder: folder.display().to_string(), source })?;
        let slots = Semaphore::new(self.shared.settings.instances.max(1));
        let name = spec.name.clone();
        let function = Function { spec, log: Arc::new(log), slots, idle: Mutex::default() };
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
    /// The function's own error, or Lambda's: a crash (`Runtime.ExitError`), a timeout (`Sandbox.Timedout`), a process
    /// that does not start (`Runtime.InvalidEntrypoint`), or no such function (`ResourceNotFoundException`).
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
                // It ended between two events and never took this one, so a new process gets it.
                instance::Run::NeverTaken(_) => {}
            }
        }
        let mut fresh = Instance::start(&self.shared.api, &self.shared.settings, &function.spec, &function.log)?;
        match fresh.run(&request_id, &body).await {
            instance::Run::Answered(answer) => {
                Self::keep(&function, fresh);
                answer
            }
            instance::Run::Broken(error) | instance::Run::NeverTaken(error) => Err(error),
        }
    }

    /// A function's output, line by line (the last 10,000). A line may arrive shortly after the answer.
    #[must_use]
    pub fn logs(&self, function: &str) -> Vec<String> {
        self.find(function).map(|function| function.log.lines()).unwrap_or_default()
    }

    /// Ends every process; the functions stay deployed and start again with their next event.
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

/// The host's state is consistent between any two statements, so a poisoned lock is safe to use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
