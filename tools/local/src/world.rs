//! All of it together: started in order, run by small pumps, asked whether it is quiet, and ended.
//!
//! What runs is what the template deploys for the parameters given. A person or a test changes resources through
//! [`World::clients`] (or any AWS client at [`World::endpoint`]), calls [`World::settle`] and reads what came of it.

mod busy;
mod clients;
mod pumps;
mod settings;

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
use crate::wiring::{Deployment, Function, Rule, Wiring, WiringError};
pub use busy::PendingWork;
pub use clients::Clients;
use pumps::Workers;
pub use settings::WorldSettings;

/// The account of every local world.
pub const ACCOUNT: &str = "111122223333";

/// Why there is no world, or it does not go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A file of the settings cannot be read or made.
    #[error("`{}`: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The emulator.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The template.
    #[error(transparent)]
    Wiring(#[from] WiringError),
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
    /// A table of the template that the emulator refuses.
    #[error("table `{table}`: {why}")]
    Table {
        /// The table's name.
        table: String,
        /// The whole chain of causes.
        why: String,
    },
    /// It did not become quiet in time.
    #[error("not quiet after {seconds} s: {busy}")]
    PendingWork {
        /// How long it was waited for, seconds.
        seconds: u64,
        /// What still went on.
        busy: PendingWork,
    },
}

/// AWS with Rectify deployed in it. Its processes and servers end when it is dropped; [`World::stop`] waits for it.
#[derive(Debug)]
pub struct World {
    settings: WorldSettings,
    wiring: Wiring,
    clients: Clients,
    engine: Engine,
    engine_endpoint: String,
    recorder: Recorder,
    host: Host,
    bus: Arc<Bus>,
    pumps: Workers,
    server: JoinHandle<()>,
    proxy: Proxy,
    backend: Backend,
}

impl World {
    /// Starts the emulator, the proxy, AWS Config and Lambda, and deploys what the template says.
    ///
    /// Types that the rules name and nobody can read here are left out of what is recorded: [`unrecorded`](Self::unrecorded)
    /// names them.
    ///
    /// # Errors
    /// The first part that does not start, by name.
    pub async fn start(settings: WorldSettings) -> Result<Self, WorldError> {
        let template = std::fs::read_to_string(&settings.template).map_err(in_file(&settings.template))?;
        let partition = settings.partition();
        let deployment = Deployment {
            account: ACCOUNT.to_owned(),
            region: settings.region.clone(),
            partition: partition.clone(),
            stack: "rectify".to_owned(),
            parameters: settings.parameters.clone(),
            others_off: settings.others_off,
        };
        let wiring = Wiring::read(&template, &deployment)?;
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
            place: Place { partition: partition.clone(), account: ACCOUNT.to_owned(), keys: wiring.partition_keys() },
        })
        .await?;
        let clients = Clients::new(&proxy, &settings.region, clients::PERSON)?;
        let ours = Clients::new(&proxy, &settings.region, clients::MACHINERY)?;
        let host = Host::start(settings.host(proxy.endpoint())).await?;
        let programs = settings.programs().map_err(|(program, error)| in_file(&program)(error))?;
        for function in &wiring.functions {
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
            if let Some(statements) = function.role.as_ref().and_then(|role| wiring.roles.get(role)) {
                proxy.give_role(&spec.name, statements.clone());
            }
            host.deploy(spec)?;
        }
        for table in &wiring.tables {
            clients::create_table(&ours.dynamodb, table)
                .await
                .map_err(|why| WorldError::Table { table: table.name.clone(), why })?;
        }
        let bus = Arc::new(Bus::start(ours.events.clone(), ours.sqs.clone(), host.clone(), ACCOUNT, &wiring).await?);
        let recorder = Recorder::new(
            engine.clone(),
            Readers::new(&Clients::new(&proxy, &settings.region, clients::RECORDER)?.sdk),
            &wanted_types(&wiring).filter(|it| is_recorded(it)).collect::<Vec<_>>(),
        )?;
        let pumps = Workers::start(outputs, &host, &bus, proxy.put_events(), graves(&wiring));
        let rules_later = settings.rules_later;
        proxy.clear_calls();
        let world = Self {
            settings,
            wiring,
            clients,
            engine,
            engine_endpoint,
            recorder,
            host,
            bus,
            pumps,
            server,
            proxy,
            backend,
        };
        if !rules_later {
            world.put_rules()?;
        }
        Ok(world)
    }

    /// Puts the template's Config rules: AWS Config evaluates each at once.
    ///
    /// # Errors
    /// A rule that AWS Config would refuse.
    pub fn put_rules(&self) -> Result<(), WorldError> {
        for rule in &self.wiring.rules {
            self.engine.put_rule(rule.definition.clone())?;
        }
        Ok(())
    }

    /// The one address of everything, AWS Config included: what `AWS_ENDPOINT_URL` is set to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.proxy.endpoint()
    }

    /// AWS Config's own address, past the proxy.
    #[must_use]
    pub fn engine_endpoint(&self) -> &str {
        &self.engine_endpoint
    }

    /// The emulator's own address, past the proxy.
    #[must_use]
    pub fn backend_endpoint(&self) -> &str {
        self.backend.endpoint()
    }

    /// What it was started with.
    #[must_use]
    pub fn settings(&self) -> &WorldSettings {
        &self.settings
    }

    /// What is deployed.
    #[must_use]
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Clients of the person at the keyboard, recorded as `person`.
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

    /// The proxy: calls made, faults to inject, what is answered in the emulator's place.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// EventBridge.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The types each rule wants to hear of and nobody reads here, by the rule's name: no change of such a resource is
    /// noticed in this world, though it would be deployed.
    #[must_use]
    pub fn unrecorded(&self) -> BTreeMap<&str, Vec<&str>> {
        let unread = |rule| types_of(rule).filter(|it| !is_recorded(it)).collect::<Vec<_>>();
        let rows = self.wiring.rules.iter().map(|rule| (rule.name.as_str(), unread(rule)));
        rows.filter(|(_, types)| !types.is_empty()).collect()
    }

    /// What could not be carried where it belongs, oldest first: an invocation of a function that is not deployed, an
    /// event the backend refused; and every call that a function's role does not allow. Each is said once.
    #[must_use]
    pub fn take_errors(&self) -> Vec<String> {
        let mut complaints = self.pumps.take_errors();
        complaints.extend(self.proxy.take_refused().iter().map(ToString::to_string));
        complaints
    }

    /// Lets AWS Config look at every resource once.
    ///
    /// # Errors
    /// A resource that cannot be read.
    pub async fn tick(&self) -> Result<Vec<Change>, WorldError> {
        Ok(self.recorder.tick().await?)
    }

    /// Records and carries until nothing changes any more: every function has ended (attempts included), every event is
    /// carried, and a last look finds every resource as it was.
    ///
    /// # Errors
    /// [`WorldError::PendingWork`] after the patience of the settings, with what still goes on: two controls that undo each
    /// other's work never become quiet. Else what keeps resources from being read or events from being carried.
    pub async fn settle(&self) -> Result<(), WorldError> {
        let start = tokio::time::Instant::now();
        loop {
            let (before, was_quiet) = (self.activity(), self.busy().is_quiet());
            let changes = self.recorder.tick().await?;
            self.wait_until_idle(start).await?;
            let carried = self.bus.drain().await?;
            let quiet = was_quiet && changes.is_empty() && carried == 0;
            if quiet && self.busy().is_quiet() && self.activity() == before {
                return Ok(());
            }
        }
    }

    /// What one rule says about the resources it has judged.
    #[must_use]
    pub fn compliance(&self, rule: &str) -> Vec<(ResourceKey, Evaluated)> {
        self.engine.results(rule)
    }

    /// What one rule says about one resource; none before its first result.
    #[must_use]
    pub fn compliance_of(&self, rule: &str, resource: &ResourceKey) -> Option<Compliance> {
        self.engine.result(rule, resource).map(|result| result.compliance)
    }

    /// Ends every process and server and waits for the emulator's end.
    ///
    /// # Errors
    /// The emulator cannot be waited for.
    pub async fn stop(self) -> Result<(), WorldError> {
        self.pumps.stop();
        self.server.abort();
        self.host.recycle();
        self.backend.stop().await?;
        Ok(())
    }

    /// Grows with everything that happens.
    fn activity(&self) -> u64 {
        self.pumps.published() + self.host.accepted()
    }

    fn busy(&self) -> PendingWork {
        let (invocations, changes) = self.pumps.waiting();
        let letters = self.host.dead_letters().len().saturating_sub(self.pumps.sent_to_dlq());
        PendingWork { functions: self.host.busy(), invocations, changes, letters }
    }

    async fn wait_until_idle(&self, start: tokio::time::Instant) -> Result<(), WorldError> {
        let mut pause = Duration::from_millis(2);
        loop {
            let busy = self.busy();
            let waited = start.elapsed();
            if waited > self.settings.patience {
                return Err(WorldError::PendingWork { seconds: waited.as_secs(), busy });
            }
            if busy.is_quiet() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

fn graves(wiring: &Wiring) -> pumps::DeadLetterTargets {
    let grave = |function: &Function| Some((function.name.clone(), function.on_failure.clone()?));
    wiring.functions.iter().filter_map(grave).collect()
}

/// The types the rules want to hear of, as often as they do.
fn wanted_types(wiring: &Wiring) -> impl Iterator<Item = &str> {
    wiring.rules.iter().flat_map(types_of)
}

fn types_of(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.definition.scope.iter().flat_map(|scope| &scope.compliance_resource_types).map(String::as_str)
}

fn is_recorded(resource_type: &str) -> bool {
    recorder::types().contains(&resource_type)
}

async fn serve(engine: Engine) -> Result<(JoinHandle<()>, String), WorldError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(HostError::Listen)?;
    let endpoint = format!("http://{}", listener.local_addr().map_err(HostError::Listen)?);
    let server = tokio::spawn(async move {
        // axum retries what a listener can fail with and never returns.
        let _ended = engine.serve(listener).await;
    });
    Ok((server, endpoint))
}

fn in_file(path: &Path) -> impl FnOnce(std::io::Error) -> WorldError {
    let path = path.to_owned();
    move |source| WorldError::File { path, source }
}
