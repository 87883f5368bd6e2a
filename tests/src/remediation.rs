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

use crate::controls::{GLOBAL_WIDGET_AJAR, NAMED_WIDGET_AJAR, WIDGET, WIDGET_AJAR, Widget};
use crate::crash_point::{Life, crash_point};
use crate::emulator::{ACCOUNT, REGION, Surroundings, endpoint, http, sdk_over};
use crate::events::requested;
use crate::fake_service::FakeService;

/// One test's remediation of [`WIDGET_AJAR`].
#[derive(Debug)]
pub struct World {
    /// Table, bus and queue.
    pub around: Surroundings,
    /// The service.
    pub widgets: FakeService,
    settings: Vec<(String, String)>,
}

impl World {
    /// A world in mode `enforce` with these widgets.
    pub async fn with(widgets: impl IntoIterator<Item = Widget>) -> Self {
        let around = Surroundings::create().await;
        let settings = [
            ("AWS_REGION", REGION),
            ("MODE", "enforce"),
            ("EXEMPTIONS", "ledger"),
            // AWS Config counts no widgets.
            ("BUDGET_SHARE_PERCENT", "100"),
            ("RULE_NAMES", "rectify-widget-disabled"),
            ("LEDGER_TABLE", &around.name),
            ("EVENT_BUS", &around.name),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { around, widgets: FakeService::with(widgets), settings }
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

    /// The function as these settings make it.
    pub fn shell(&self) -> RemediationContext {
        self.shell_over(&self.around.sdk)
    }

    /// The function over another SDK configuration.
    pub fn shell_over(&self, sdk: &SdkConfig) -> RemediationContext {
        self.shell_with(deployed::<_, FakeService>(&WIDGET_AJAR), sdk)
    }

    /// The function of another control.
    pub fn shell_of<K>(&self, control: &'static Declared<K>) -> RemediationContext
    where
        K: Fix<FakeService>,
    {
        self.shell_with(deployed::<_, FakeService>(control), &self.around.sdk)
    }

    fn shell_with(&self, deployed: Deployed, sdk: &SdkConfig) -> RemediationContext {
        let environment = Environment::of(self.settings.clone());
        let function = FunctionSettings::read(&environment).unwrap();
        let settings = RemediationSettings::read(&environment).unwrap();
        RemediationContext::over(deployed, &self.widgets.reached_through(sdk), function, settings)
    }

    /// A function that dies at step `last` of its calls to AWS and to the widgets.
    pub fn mortal_shell(&self, life: &Life) -> RemediationContext {
        self.shell_over(&self.mortal_sdk(life))
    }

    /// Delivers an event to [`WIDGET_AJAR`].
    pub async fn deliver(&self, event: &Value) -> Result<Disposition, Error> {
        self.deliver_to(&WIDGET_AJAR, event).await
    }

    /// Delivers an event to another control.
    pub async fn deliver_to<K>(&self, control: &'static Declared<K>, event: &Value) -> Result<Disposition, Error>
    where
        K: Fix<FakeService>,
    {
        deliver_through(&self.shell_of(control), event, &delivery("worker")).await
    }

    /// Delivers an event to a function that has no time to repeat a call.
    pub async fn deliver_hurried(&self, event: &Value) -> Result<Disposition, Error> {
        deliver_through(&self.shell(), event, &hurried_delivery("worker")).await
    }

    /// Stores a request about a widget for [`WIDGET_AJAR`], and hands out its event.
    pub async fn requested(&self, id: &str, recorded_at: &str) -> Value {
        let (now, recorded) = (Timestamp::now(), recorded_at.parse().unwrap());
        let request = new_id(now);
        let stored = StoredRequest::new(WIDGET_AJAR.meta.id, &target(id), recorded, now);
        self.ledger().store_request(&request, &stored).await.unwrap();
        requested(id, recorded_at, Some(&request))
    }

    /// The ledger.
    pub fn ledger(&self) -> Ledger {
        Ledger::new(&self.around.sdk, &self.around.name)
    }

    /// All attempts on a widget, oldest first.
    pub async fn attempts(&self, id: &str) -> Vec<Attempt> {
        let (ledger, path) = (self.ledger(), path(id));
        let mut attempts = Vec::new();
        for control in [WIDGET_AJAR.meta.id, NAMED_WIDGET_AJAR.meta.id, GLOBAL_WIDGET_AJAR.meta.id] {
            attempts.extend(ledger.attempts(&path, control).await.unwrap());
        }
        attempts.sort_by(|left, right| left.id.cmp(&right.id));
        attempts
    }

    /// Undoes an attempt.
    pub async fn undo(&self, attempt: &str) -> Result<Undone, Error> {
        self.undo_as(&WIDGET_AJAR, attempt).await
    }

    /// Lets the time of the lease on a widget run out.
    pub async fn outlive_lease(&self, id: &str) {
        self.around.end_lease(&format!("L#{}", path(id).as_str())).await;
    }

    /// The SDK configuration of somebody who dies at the end of this life.
    pub fn mortal_sdk(&self, life: &Life) -> SdkConfig {
        let http = crash_point(http(), life);
        self.widgets.lives(life);
        sdk_over(endpoint(), http)
    }

    /// Undoes an attempt as one of another control.
    pub async fn undo_as<K>(&self, control: &'static Declared<K>, attempt: &str) -> Result<Undone, Error>
    where
        K: Fix<FakeService>,
    {
        self.undo_over(control, &self.around.sdk, attempt).await
    }

    /// Undoes an attempt over what somebody else changed since.
    pub async fn undo_overwriting(&self, attempt: &str) -> Result<Undone, Error> {
        self.undo_with(&WIDGET_AJAR, &self.around.sdk, attempt, true).await
    }

    /// Undoes an attempt over another SDK configuration.
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
        undo(&deployed, &Ledger::new(&sdk, &self.around.name), &pool, &AccountId::new(ACCOUNT), &request).await
    }
}

/// Delivers an event through this shell.
pub async fn deliver_through(
    shell: &RemediationContext,
    event: &Value,
    delivery: &Delivery,
) -> Result<Disposition, Error> {
    let mut line = Invocation::start(shell.deployed.meta.id, &delivery.owner);
    handle(shell, event, delivery, &mut line).await
}

/// A delivery to this worker, with a minute to go.
pub fn delivery(owner: &str) -> Delivery {
    delivery_until(owner, Timestamp::now() + jiff::SignedDuration::from_secs(60))
}

/// A delivery to a worker whose lease lives and whose time is too short to repeat a call.
pub fn hurried_delivery(owner: &str) -> Delivery {
    delivery_until(owner, Timestamp::now() + jiff::SignedDuration::from_secs(10))
}

/// A delivery to a worker whose lease is over as soon as it is taken: what is left of it may be taken over at once.
pub fn doomed_delivery(owner: &str) -> Delivery {
    delivery_until(owner, Timestamp::now() - jiff::SignedDuration::from_secs(31))
}

fn delivery_until(owner: &str, deadline: Timestamp) -> Delivery {
    let reads_until = Deadline::after(std::time::Duration::from_secs(60));
    Delivery { owner: owner.to_owned(), account: Some(AccountId::new(ACCOUNT)), deadline, reads_until }
}

/// Waits out the last seconds of an hour, at whose end budgets begin anew.
pub async fn early_in_the_hour() {
    let left = 3600 - Timestamp::now().as_second().rem_euclid(3600);
    if left <= 20 {
        tokio::time::sleep(std::time::Duration::from_secs(left.unsigned_abs() + 1)).await;
    }
}

/// Where a widget's attempts, lease and holds lie.
pub fn path(id: &str) -> ResourcePath {
    ResourcePath::of(&target(id))
}

/// A widget as something to call APIs about.
pub fn target(id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(WIDGET, id),
        name: None,
        arn: None,
    }
}
