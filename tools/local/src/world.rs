//! Local AWS as a whole: starts every part in order, runs the workers between them, waits for idle, and stops.
//!
//! The templates decide what is deployed. A user or a test changes resources through
//! [`World::clients`] (or any AWS client at [`World::endpoint`]), calls [`World::wait_until_idle`] and reads the results.

mod clients;
mod pending_work;
mod settings;
mod workers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rectify_runtime::serve::FUNCTION;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::backend::{Backend, BackendError, BackendSettings};
use crate::bus::{Bus, BusError};
use crate::engine::{Compliance, Engine, EngineError, EngineSettings, Evaluated, ResourceKey};
use crate::host::{FunctionSpec, Host, HostError};
use crate::iam::request::Place;
use crate::proxy::{Proxy, ProxyError, ProxySettings};
use crate::recorder::{self, Change, Readers, Recorder, RecorderError};
use crate::stack::{Deployment, Function, Rule, Stack, StackError};
pub use clients::Clients;
pub use pending_work::PendingWork;
pub use settings::LocalAwsConfig;
use workers::Workers;

/// The account of local AWS.
pub const ACCOUNT: &str = "111122223333";

/// Why local AWS does not start, become idle or stop.
#[derive(Debug, thiserror::Error)]
pub enum LocalAwsError {
    /// A file of the settings cannot be read or created.
    #[error("`{}`: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The emulator.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The templates.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The Lambda host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The event bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The Config engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The recorder.
    #[error(transparent)]
    Recorder(#[from] RecorderError),
    /// The clients.
    #[error("clients: {0}")]
    Clients(#[from] rectify_runtime::Error),
    /// The emulator refused to create a table of the template.
    #[error("table `{table}`: {why}")]
    Table {
        /// The table's name.
        table: String,
        /// The error with its chain of causes.
        why: String,
    },
    /// It did not become idle in time.
    #[error("not idle after {seconds} s: {pending}")]
    NotIdle {
        /// The time waited, in seconds.
        seconds: u64,
        /// What is still pending.
        pending: PendingWork,
    },
}

/// Local AWS with Rectify deployed in it. Dropping it ends its processes and servers; [`World::stop`] also waits for
/// them.
#[derive(Debug)]
pub struct World {
    settings: LocalAwsConfig,
    stack: Stack,
    clients: Clients,
    engine: Engine,
    engine_endpoint: String,
    recorder: Recorder,
    host: Host,
    bus: Arc<Bus>,
    workers: Workers,
    server: JoinHandle<()>,
    proxy: Proxy,
    backend: Backend,
}

impl World {
    /// Starts the emulator, the proxy, AWS Config and Lambda, and deploys the templates.
    ///
    /// Resource types in the rules' scopes that no reader can read are not recorded: [`unrecorded`](Self::unrecorded)
    /// lists them.
    ///
    /// # Errors
    /// The first part that does not start, by name.
    pub async fn start(settings: LocalAwsConfig) -> Result<Self, LocalAwsError> {
        let partition = settings.partition();
        let deployment = Deployment {
            account: ACCOUNT.to_owned(),
            region: settings.region.clone(),
            partition: partition.clone(),
            stack: "rectify".to_owned(),
            parameters: BTreeMap::new(),
        };
        let stack = Stack::read(&settings.templates, &deployment)?;
        std::fs::create_dir_all(&settings.logs).map_err(in_file(&settings.logs))?;

        let backend = Backend::start(&BackendSettings::new(ACCOUNT, &settings.logs.join("moto.log"))).await?;
        let (engine, outputs) = Engine::new(EngineSettings {
            account: ACCOUNT.to_owned(),
            region: settings.region.clone(),
            partition: partition.clone(),
        });
        let (server, engine_endpoint) = serve(engine.clone()).await?;
        let proxy = Proxy::start(ProxySettings {
            listen: settings.listen.clone(),
            backend: backend.endpoint().to_owned(),
            upstreams: BTreeMap::from([("config".to_owned(), engine_endpoint.clone())]),
            place: Place { partition: partition.clone(), account: ACCOUNT.to_owned(), keys: stack.partition_keys() },
        })
        .await?;
        let clients = Clients::new(&proxy, &settings.region, clients::OPERATOR)?;
        let internal = Clients::new(&proxy, &settings.region, clients::INTERNAL)?;
        let host = Host::start(settings.host(proxy.endpoint())).await?;
        let programs = settings.programs().map_err(|(program, error)| in_file(&program)(error))?;
        for function in stack.functions.iter().filter(|_| !settings.without_functions) {
            let mut environment = function.environment.clone();
            environment.insert(FUNCTION.to_owned(), function.binary.clone());
            let spec = FunctionSpec {
                name: function.name.clone(),
                arn: function.arn.clone(),
                binary: programs.of(&function.binary),
                environment,
                timeout: function.timeout,
                memory: function.memory,
                retries: function.retries,
            };
            proxy.register_caller(&spec.access_key(), &spec.name);
            if let Some(statements) = function.role.as_ref().and_then(|role| stack.roles.get(role)) {
                proxy.set_role(&spec.name, statements.clone());
            }
            host.deploy(spec)?;
        }
        for table in &stack.tables {
            clients::create_table(&internal.dynamodb, table)
                .await
                .map_err(|why| LocalAwsError::Table { table: table.name.clone(), why })?;
        }
        let bus =
            Arc::new(Bus::start(internal.events.clone(), internal.sqs.clone(), host.clone(), ACCOUNT, &stack).await?);
        let recorder = Recorder::new(
            engine.clone(),
            Readers::new(&Clients::new(&proxy, &settings.region, clients::RECORDER)?.sdk),
            &scoped_types(&stack).filter(|it| is_recorded(it)).collect::<Vec<_>>(),
        )?;
        let workers = Workers::start(outputs, &host, &bus, proxy.put_events(), dead_letter_targets(&stack));
        let defer_rules = settings.defer_rules;
        proxy.clear_calls();
        let world = Self {
            settings,
            stack,
            clients,
            engine,
            engine_endpoint,
            recorder,
            host,
            bus,
            workers,
            server,
            proxy,
            backend,
        };
        if !defer_rules {
            world.put_rules()?;
        }
        Ok(world)
    }

    /// Puts the template's Config rules; AWS Config evaluates each of them at once.
    ///
    /// # Errors
    /// A rule that AWS Config would reject.
    pub fn put_rules(&self) -> Result<(), LocalAwsError> {
        for rule in &self.stack.rules {
            self.engine.put_rule(rule.definition.clone())?;
        }
        Ok(())
    }

    /// The single endpoint of all services, AWS Config included: the value for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.proxy.endpoint()
    }

    /// The endpoint of AWS Config, bypassing the proxy.
    #[must_use]
    pub fn engine_endpoint(&self) -> &str {
        &self.engine_endpoint
    }

    /// The endpoint of the emulator, bypassing the proxy.
    #[must_use]
    pub fn backend_endpoint(&self) -> &str {
        self.backend.endpoint()
    }

    /// The settings it was started with.
    #[must_use]
    pub fn settings(&self) -> &LocalAwsConfig {
        &self.settings
    }

    /// The deployed stack.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The operator's clients; their calls are recorded as `operator`.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// AWS Config.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Lambda.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The proxy: recorded calls, faults to inject, and the answers it substitutes for the emulator's.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// EventBridge.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The resource types in each rule's scope that are not recorded here, by the rule's name: a change of such a
    /// resource does not invoke the rule, though it does in AWS.
    #[must_use]
    pub fn unrecorded(&self) -> BTreeMap<&str, Vec<&str>> {
        let unrecorded = |rule| types_of(rule).filter(|it| !is_recorded(it)).collect::<Vec<_>>();
        let rows = self.stack.rules.iter().map(|rule| (rule.name.as_str(), unrecorded(rule)));
        rows.filter(|(_, types)| !types.is_empty()).collect()
    }

    /// Takes the errors since the last call, oldest first: failed deliveries (an invocation of a function that is not
    /// deployed, an event that the backend refused), then calls that a function's role does not allow.
    #[must_use]
    pub fn take_errors(&self) -> Vec<String> {
        let mut errors = self.workers.take_errors();
        errors.extend(self.proxy.take_denied().iter().map(ToString::to_string));
        errors
    }

    /// Lets AWS Config record every resource once.
    ///
    /// # Errors
    /// A resource that cannot be read.
    pub async fn tick(&self) -> Result<Vec<Change>, LocalAwsError> {
        Ok(self.recorder.tick().await?)
    }

    /// Records changes and delivers events until local AWS is idle: every function has finished with all its attempts,
    /// every event is delivered, and recording once more finds no change.
    ///
    /// # Errors
    /// [`LocalAwsError::NotIdle`] with the pending work when [`LocalAwsConfig::patience`] is over: two controls that
    /// undo each other's fixes never become idle. Also any error in reading resources or delivering events.
    pub async fn wait_until_idle(&self) -> Result<(), LocalAwsError> {
        let start = tokio::time::Instant::now();
        loop {
            let (before, was_idle) = (self.activity(), self.pending_work().is_idle());
            let changes = self.recorder.tick().await?;
            self.wait_for_pending_work(start).await?;
            let delivered = self.bus.drain().await?;
            let idle = was_idle && changes.is_empty() && delivered == 0;
            if idle && self.pending_work().is_idle() && self.activity() == before {
                return Ok(());
            }
        }
    }

    /// One rule's results about the resources it has evaluated.
    #[must_use]
    pub fn compliance(&self, rule: &str) -> Vec<(ResourceKey, Evaluated)> {
        self.engine.results(rule)
    }

    /// One rule's result about one resource; none before its first one.
    #[must_use]
    pub fn compliance_of(&self, rule: &str, resource: &ResourceKey) -> Option<Compliance> {
        self.engine.result(rule, resource).map(|result| result.compliance)
    }

    /// Ends every process and server and waits until the emulator has ended.
    ///
    /// # Errors
    /// The operating system cannot wait for the emulator.
    pub async fn stop(self) -> Result<(), LocalAwsError> {
        self.workers.stop();
        self.server.abort();
        self.host.recycle();
        self.backend.stop().await?;
        Ok(())
    }

    /// A counter that grows with every published change and accepted event.
    fn activity(&self) -> u64 {
        self.workers.published() + self.host.accepted()
    }

    fn pending_work(&self) -> PendingWork {
        let (invocations, changes) = self.workers.waiting();
        let dead_letters = self.host.dead_letters().len().saturating_sub(self.workers.sent_to_dlq());
        PendingWork { functions: self.host.pending_by_function(), invocations, changes, dead_letters }
    }

    async fn wait_for_pending_work(&self, start: tokio::time::Instant) -> Result<(), LocalAwsError> {
        let mut pause = Duration::from_millis(2);
        loop {
            let pending = self.pending_work();
            let waited = start.elapsed();
            if waited > self.settings.patience {
                return Err(LocalAwsError::NotIdle { seconds: waited.as_secs(), pending });
            }
            if pending.is_idle() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

fn dead_letter_targets(stack: &Stack) -> workers::DeadLetterTargets {
    let target = |function: &Function| Some((function.name.clone(), function.on_failure.clone()?));
    stack.functions.iter().filter_map(target).collect()
}

/// The resource types in the rules' scopes, once per rule.
fn scoped_types(stack: &Stack) -> impl Iterator<Item = &str> {
    stack.rules.iter().flat_map(types_of)
}

fn types_of(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.definition.scope.iter().flat_map(|scope| &scope.compliance_resource_types).map(String::as_str)
}

fn is_recorded(resource_type: &str) -> bool {
    recorder::types().contains(&resource_type)
}

async fn serve(engine: Engine) -> Result<(JoinHandle<()>, String), LocalAwsError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(HostError::Listen)?;
    let endpoint = format!("http://{}", listener.local_addr().map_err(HostError::Listen)?);
    let server = tokio::spawn(async move {
        // axum retries every listener error and never returns.
        let _ended = engine.serve(listener).await;
    });
    Ok((server, endpoint))
}

fn in_file(path: &Path) -> impl FnOnce(std::io::Error) -> LocalAwsError {
    let path = path.to_owned();
    move |source| LocalAwsError::File { path, source }
}
