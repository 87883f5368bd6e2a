//! A remediation's function, set up for one test: ledger and bus in the emulator, widgets in memory.

use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Declared, Region, ResourceKey, Target, Timestamp};
use rectify_runtime::Error;
use rectify_runtime::client::Fix;
use rectify_runtime::deadline::Deadline;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Ledger, ResourcePath, StoredRequest, new_id};
use rectify_runtime::remediation::undo::{UndoRequest, Undone, undo};
use rectify_runtime::remediation::{Delivery, Deployed, Disposition, RemediationContext, deployed, handle, undoable};
use rectify_runtime::settings::{Environment, FunctionSettings, RemediationSettings};
use serde_json::Value;

use crate::controls::{GLOBAL_WIDGET_DISABLED, NAMED_WIDGET_DISABLED, WIDGET, WIDGET_DISABLED, Widget};
use crate::crash_point::{CrashPoint, crashing};
use crate::emulator::{ACCOUNT, REGION, Sandbox};
use crate::events::requested;
use crate::fake_service::FakeService;

/// The remediation of [`WIDGET_DISABLED`] for one test.
#[derive(Debug)]
pub struct World {
    /// Table, bus and queue.
    pub sandbox: Sandbox,
    /// The service.
    pub widgets: FakeService,
    settings: Vec<(String, String)>,
}

impl World {
    /// A remediation in mode `enforce` with these widgets, its ledger and bus in memory.
    pub async fn with(widgets: impl IntoIterator<Item = Widget>) -> Self {
        Self::in_sandbox(Sandbox::in_memory(), widgets)
    }

    /// The same with ledger and bus in the emulator.
    pub async fn in_emulator(widgets: impl IntoIterator<Item = Widget>) -> Self {
        Self::in_sandbox(Sandbox::create().await, widgets)
    }

    fn in_sandbox(sandbox: Sandbox, widgets: impl IntoIterator<Item = Widget>) -> Self {
        let settings = [
            ("AWS_REGION", REGION),
            ("MODE", "enforce"),
            ("EXEMPTIONS", "ledger"),
            // AWS Config does not count widgets.
            ("MAX_FIXES_PERCENT", "100"),
            ("RULE_NAMES", "rectify-widget-disabled"),
            ("LEDGER_TABLE", &sandbox.name),
            ("EVENT_BUS", &sandbox.name),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { sandbox, widgets: FakeService::with(widgets), settings }
    }

    /// The same with another value of an environment variable.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Sets an environment variable of the function.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// The function with these settings.
    pub fn context(&self) -> RemediationContext {
        self.context_over(&self.sandbox.sdk)
    }

    /// The function with another SDK configuration.
    pub fn context_over(&self, sdk: &SdkConfig) -> RemediationContext {
        self.context_with(deployed::<_, FakeService>(&WIDGET_DISABLED), sdk)
    }

    /// The function of another control.
    pub fn context_of<K>(&self, control: &'static Declared<K>) -> RemediationContext
    where
        K: Fix<FakeService>,
    {
        self.context_with(deployed::<_, FakeService>(control), &self.sandbox.sdk)
    }

    fn context_with(&self, deployed: Deployed, sdk: &SdkConfig) -> RemediationContext {
        let environment = Environment::of(self.settings.clone());
        let function = FunctionSettings::read(&environment).unwrap();
        let settings = RemediationSettings::read(&environment).unwrap();
        RemediationContext::over(deployed, &self.widgets.reached_through(sdk), function, settings)
    }

    /// A function that crashes at a step of its calls to AWS and to the widgets.
    pub fn crashing_context(&self, crash_point: &CrashPoint) -> RemediationContext {
        self.context_over(&self.crashing_sdk(crash_point))
    }

    /// Delivers an event to [`WIDGET_DISABLED`].
    pub async fn deliver(&self, event: &Value) -> Result<Disposition, Error> {
        self.deliver_to(&WIDGET_DISABLED, event).await
    }

    /// Delivers an event to another control.
    pub async fn deliver_to<K>(&self, control: &'static Declared<K>, event: &Value) -> Result<Disposition, Error>
    where
        K: Fix<FakeService>,
    {
        deliver_through(&self.context_of(control), event, &delivery("worker")).await
    }

    /// Delivers an event to a function that has no time to repeat a call.
    pub async fn deliver_hurried(&self, event: &Value) -> Result<Disposition, Error> {
        deliver_through(&self.context(), event, &hurried_delivery("worker")).await
    }

    /// Stores a request about a widget for [`WIDGET_DISABLED`], and returns its event.
    pub async fn requested(&self, id: &str, recorded_at: &str) -> Value {
        let (now, recorded) = (Timestamp::now(), recorded_at.parse().unwrap());
        let request = new_id(now);
        let stored = StoredRequest::new(WIDGET_DISABLED.meta.id, &target(id), recorded, now);
        self.ledger().store_request(&request, &stored).await.unwrap();
        requested(id, recorded_at, Some(&request))
    }

    /// The ledger.
    pub fn ledger(&self) -> Ledger {
        Ledger::new(&self.sandbox.sdk, &self.sandbox.name)
    }

    /// All attempts on a widget, oldest first.
    pub async fn attempts(&self, id: &str) -> Vec<Attempt> {
        let (ledger, path) = (self.ledger(), path(id));
        let mut attempts = Vec::new();
        for control in [WIDGET_DISABLED.meta.id, NAMED_WIDGET_DISABLED.meta.id, GLOBAL_WIDGET_DISABLED.meta.id] {
            attempts.extend(ledger.attempts(&path, control).await.unwrap());
        }
        attempts.sort_by(|left, right| left.id.cmp(&right.id));
        attempts
    }

    /// Undoes an attempt.
    pub async fn undo(&self, attempt: &str) -> Result<Undone, Error> {
        self.undo_as(&WIDGET_DISABLED, attempt).await
    }

    /// Ends the lease on a widget, as time does.
    pub async fn end_lease(&self, id: &str) {
        self.sandbox.end_lease(&format!("L#{}", path(id).as_str())).await;
    }

    /// An SDK configuration whose caller crashes at this point.
    pub fn crashing_sdk(&self, crash_point: &CrashPoint) -> SdkConfig {
        let http = crashing(self.sandbox.http(), crash_point);
        self.widgets.crash_at(crash_point);
        self.sandbox.sdk_over(http)
    }

    /// Undoes an attempt as one of another control.
    pub async fn undo_as<K>(&self, control: &'static Declared<K>, attempt: &str) -> Result<Undone, Error>
    where
        K: Fix<FakeService>,
    {
        self.undo_over(control, &self.sandbox.sdk, attempt).await
    }

    /// Undoes an attempt and overwrites later changes.
    pub async fn undo_overwriting(&self, attempt: &str) -> Result<Undone, Error> {
        self.undo_with(&WIDGET_DISABLED, &self.sandbox.sdk, attempt, true).await
    }

    /// Undoes an attempt with another SDK configuration.
    pub async fn undo_over<K>(
        &self,
        control: &'static Declared<K>,
        sdk: &SdkConfig,
        attempt: &str,
    ) -> Result<Undone, Error>
    where
        K: Fix<FakeService>,
    {
        self.undo_with(control, sdk, attempt, false).await
    }

    async fn undo_with<K>(
        &self,
        control: &'static Declared<K>,
        sdk: &SdkConfig,
        attempt: &str,
        overwrite: bool,
    ) -> Result<Undone, Error>
    where
        K: Fix<FakeService>,
    {
        let sdk = self.widgets.reached_through(sdk);
        let deployed = undoable::<_, FakeService>(control);
        let pool = deployed.pool(&sdk, &Region::new(REGION));
        let request = UndoRequest { attempt: attempt.to_owned(), by: "jane".to_owned(), hold_days: 7, overwrite };
        undo(&deployed, &Ledger::new(&sdk, &self.sandbox.name), &pool, &AccountId::new(ACCOUNT), &request).await
    }
}

/// Delivers an event to this function.
pub async fn deliver_through(
    context: &RemediationContext,
    event: &Value,
    delivery: &Delivery,
) -> Result<Disposition, Error> {
    let mut line = Invocation::start(context.deployed.meta.id, &delivery.owner);
    handle(context, event, delivery, &mut line).await
}

/// A delivery to this worker, with a minute left.
pub fn delivery(owner: &str) -> Delivery {
    delivery_until(owner, Timestamp::now() + jiff::SignedDuration::from_secs(60))
}

/// A delivery to a worker with a valid lease and too little time to repeat a call.
pub fn hurried_delivery(owner: &str) -> Delivery {
    delivery_until(owner, Timestamp::now() + jiff::SignedDuration::from_secs(10))
}

/// A delivery to a worker whose lease ends as soon as it is taken, so that another worker can resume at once.
pub fn doomed_delivery(owner: &str) -> Delivery {
    delivery_until(owner, Timestamp::now() - jiff::SignedDuration::from_secs(31))
}

fn delivery_until(owner: &str, deadline: Timestamp) -> Delivery {
    let reads_until = Deadline::after(std::time::Duration::from_secs(60));
    Delivery { owner: owner.to_owned(), account: Some(AccountId::new(ACCOUNT)), deadline, reads_until }
}

/// Waits for the next hour if the current one is about to end, since budgets are counted per hour.
pub async fn early_in_the_hour() {
    let left = 3600 - Timestamp::now().as_second().rem_euclid(3600);
    if left <= 20 {
        tokio::time::sleep(std::time::Duration::from_secs(left.unsigned_abs() + 1)).await;
    }
}

/// The path of a widget's attempts, lease and holds.
pub fn path(id: &str) -> ResourcePath {
    ResourcePath::of(&target(id))
}

/// A widget as the target of API calls.
pub fn target(id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(WIDGET, id),
        name: None,
        arn: None,
    }
}
