//! One process of a function: starts it, passes events to it, ends it.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::function_log::FunctionLog;
use super::runtime_api::{Answer, Job, Registration, RuntimeApi};
use super::{FunctionError, FunctionSpec, HostSettings};

/// How long to wait for the last lines of a process that has ended.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The result of an event in a process.
pub(super) enum Run {
    /// The process answered and can take another event.
    Answered(Answer),
    /// The process ended or was killed; the error for the caller.
    Broken(FunctionError),
    /// The process ended before it took the event; for a new process this is its error.
    NeverTaken(FunctionError),
}

pub(super) struct Instance {
    process: Child,
    registration: Registration,
    arn: String,
    timeout: Duration,
    init_timeout: Duration,
    readers: Vec<JoinHandle<()>>,
}

impl Instance {
    /// Starts the process, which then requests its first event.
    pub(super) fn start(
        api: &RuntimeApi,
        settings: &HostSettings,
        spec: &FunctionSpec,
        log: &Arc<FunctionLog>,
    ) -> Result<Self, FunctionError> {
        let (registration, base) = api.register();
        let mut process = Command::new(&spec.binary)
            .env_clear()
            .envs(lambda_environment(settings, spec))
            .envs(&settings.environment)
            .envs(&spec.environment)
            .env("AWS_LAMBDA_RUNTIME_API", base)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                FunctionError::new("Runtime.InvalidEntrypoint", format!("`{}`: {error}", spec.binary.display()))
            })?;
        let mut readers = Vec::new();
        if let Some(stream) = process.stdout.take() {
            let log = Arc::clone(log);
            readers.push(tokio::spawn(async move { log.follow(stream).await }));
        }
        if let Some(stream) = process.stderr.take() {
            let log = Arc::clone(log);
            readers.push(tokio::spawn(async move { log.follow(stream).await }));
        }
        Ok(Self {
            process,
            registration,
            arn: spec.arn.clone(),
            timeout: spec.timeout,
            init_timeout: settings.init_timeout,
            readers,
        })
    }

    /// Whether the process runs; if its status cannot be read, it counts as ended.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Passes one event to the process and waits for its answer, its end or the deadline.
    pub(super) async fn run(&mut self, request_id: &str, body: &str) -> Run {
        let (taken, was_taken) = oneshot::channel();
        let (answer, mut answered) = oneshot::channel();
        let job = Job {
            request_id: request_id.to_owned(),
            body: body.to_owned(),
            arn: self.arn.clone(),
            timeout: self.timeout,
            taken,
            answer,
        };
        if let Err(error) = self.registration.queue.put(job) {
            return Run::NeverTaken(error);
        }
        let init_deadline = Instant::now() + self.init_timeout;
        let deadline = tokio::select! {
            biased;
            Ok(deadline) = was_taken => deadline,
            status = self.process.wait() => return Run::NeverTaken(self.start_error(request_id, status).await),
            () = sleep_until(init_deadline) => {
                self.end().await;
                let seconds = self.init_timeout.as_secs_f64();
                return Run::NeverTaken(FunctionError::new("Sandbox.Timedout", format!("RequestId: {request_id} Error: Init timed out after {seconds:.2} seconds")));
            }
        };
        tokio::select! {
            biased;
            Ok(answer) = &mut answered => Run::Answered(answer),
            status = self.process.wait() => {
                self.last_lines().await;
                // It may have answered just before it ended.
                match answered.try_recv() {
                    Ok(answer) => Run::Answered(answer),
                    Err(_) => Run::Broken(exit_error(request_id, status)),
                }
            }
            () = sleep_until(deadline) => {
                self.end().await;
                let seconds = self.timeout.as_secs_f64();
                Run::Broken(FunctionError::new("Sandbox.Timedout", format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds")))
            }
        }
    }

    /// The init error that the process reported, else its exit status.
    async fn start_error(
        &mut self,
        request_id: &str,
        status: std::io::Result<std::process::ExitStatus>,
    ) -> FunctionError {
        self.last_lines().await;
        self.registration.queue.init_error().unwrap_or_else(|| exit_error(request_id, status))
    }

    async fn end(&mut self) {
        // Fails only if it has ended already.
        let _ended = self.process.kill().await;
        self.last_lines().await;
    }

    async fn last_lines(&mut self) {
        for reader in self.readers.drain(..) {
            // A grandchild may keep the pipe open forever; its lines are not waited for.
            let _unread = timeout(LAST_LINES, reader).await;
        }
    }
}

/// Lambda's error for a process that ended without an answer.
fn exit_error(request_id: &str, status: std::io::Result<std::process::ExitStatus>) -> FunctionError {
    let how = match status {
        Ok(status) => status.to_string().replace("exit status:", "exit status"),
        Err(unknown) => format!("unknown status: {unknown}"),
    };
    FunctionError::new("Runtime.ExitError", format!("RequestId: {request_id} Error: Runtime exited with error: {how}"))
}

/// The variables that Lambda sets for every function; the credentials identify the function and work nowhere else.
fn lambda_environment(settings: &HostSettings, spec: &FunctionSpec) -> Vec<(&'static str, String)> {
    let folder = spec.binary.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    vec![
        ("AWS_LAMBDA_FUNCTION_NAME", spec.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", spec.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", spec.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local/[$LATEST]".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_REGION", settings.region.clone()),
        ("AWS_DEFAULT_REGION", settings.region.clone()),
        ("AWS_ACCESS_KEY_ID", spec.access_key()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_SESSION_TOKEN", "local".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LAMBDA_TASK_ROOT", folder),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
    ]
}
