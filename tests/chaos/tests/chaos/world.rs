//! The world of a chaos test: ledger and bus in memory, fifty vaults, the functions of six controls, and the tasks of
//! actors.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use rectify_chaos::actor::{ACTOR, Actor, ActorKind, Env, Event, Network};
use rectify_chaos::vaults::service::Vaults;
use rectify_chaos::vaults::{CONTROLS, OPEN, VAULT, Vault, id_of, vault_control};
use rectify_chaos::{ACCOUNT, REGION};
use rectify_compliance::{AccountId, Region, ResourceKey, Target, Timestamp};
use rectify_runtime::Error;
use rectify_runtime::clients::sdk_config_over;
use rectify_runtime::deadline::Deadline;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{self, Ledger, ResourcePath, StoredRequest};
use rectify_runtime::remediation::undo::{UndoRequest, Undone, undo};
use rectify_runtime::remediation::{
    Delivery, Deployed, Disposition, RemediationContext, Reverts, deployed, handle, undoable,
};
use rectify_runtime::retry::SLEEP;
use rectify_runtime::settings::{Environment, FunctionSettings, RemediationSettings};
use serde_json::{Value, json};

/// Another region, whose vaults have the same ids.
pub(super) const ELSEWHERE: &str = "eu-west-1";
/// How many plans of a control are announced individually per hour.
pub(super) const PLANS: usize = 1000;
/// Another account.
pub(super) const FOREIGN: &str = "444455556666";

/// A finding of AWS Config, as delivered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) control: u8,
    pub(super) id: String,
    pub(super) recorded_at: Timestamp,
    pub(super) region: &'static str,
    pub(super) account: &'static str,
    /// Whether it is a request of the reconciler.
    pub(super) requested: bool,
}

/// The result of a task.
#[derive(Debug)]
pub(super) enum Ended {
    Delivered(Result<Disposition, Error>),
    Undone(Result<Undone, Error>),
    Other,
}

/// A running task; its result is `None` if its actor died.
pub(super) type Task = Pin<Box<dyn Future<Output = (Arc<Actor>, Option<Ended>)>>>;

/// The world.
pub(super) struct World {
    pub(super) env: Arc<Env>,
    pub(super) vaults: Vaults,
    pub(super) ids: Vec<String>,
    pub(super) excluded: Vec<String>,
    sdk: SdkConfig,
    ledger: Ledger,
    contexts: Vec<(bool, Rc<RemediationContext>)>,
}

/// A control with its remediation's client.
fn remediation(control: u8) -> Deployed {
    let all = [
        deployed::<_, Vaults>(vault_control::<0>()),
        deployed::<_, Vaults>(vault_control::<1>()),
        deployed::<_, Vaults>(vault_control::<2>()),
        deployed::<_, Vaults>(vault_control::<3>()),
        deployed::<_, Vaults>(vault_control::<4>()),
        deployed::<_, Vaults>(vault_control::<5>()),
    ];
    all[usize::from(control)].clone()
}

/// The same with the client of its undo.
fn undo_of(control: u8) -> Deployed<dyn Reverts> {
    let all = [
        undoable::<_, Vaults>(vault_control::<0>()),
        undoable::<_, Vaults>(vault_control::<1>()),
        undoable::<_, Vaults>(vault_control::<2>()),
        undoable::<_, Vaults>(vault_control::<3>()),
        undoable::<_, Vaults>(vault_control::<4>()),
        undoable::<_, Vaults>(vault_control::<5>()),
    ];
    all[usize::from(control)].clone()
}

impl World {
    pub(super) fn with(numbers: Range<usize>) -> Self {
        let env = Arc::new(Env::default());
        env.table.page_of(7);
        let ids: Vec<String> = numbers.map(|number| format!("v-{number:02}")).collect();
        let vaults = Vaults::with(&ids.iter().map(|id| violating(id)).collect::<Vec<_>>(), &[REGION, ELSEWHERE]);
        let environment = Environment::of([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", "http://table.test"),
            ("AWS_MAX_ATTEMPTS", "2"),
        ]);
        let sdk = sdk_config_over(&environment, &Region::new(REGION), Network(Arc::clone(&env)).http()).unwrap();
        let sdk = sdk.to_builder().sleep_impl(SharedAsyncSleep::new(env.clock.clone()));
        // A lost answer is a network error; a call that takes a minute sleeps on purpose.
        let sdk = sdk.timeout_config(TimeoutConfig::disabled());
        let sdk = sdk.stalled_stream_protection(StalledStreamProtectionConfig::disabled()).build();
        let sdk = vaults.reached_through(&sdk);
        let excluded = ids.iter().rev().take(1).cloned().collect();
        let ledger = Ledger::new(&sdk, "ledger");
        let mut world = Self { env, vaults, ids, excluded, sdk, ledger, contexts: Vec::new() };
        world.contexts = (0..CONTROLS).map(|control| (true, world.context(control, true))).collect();
        world
    }

    fn context(&self, control: u8, enforces: bool) -> Rc<RemediationContext> {
        let parameters = json!({"excludeResources": self.excluded.join(",")}).to_string();
        let environment = Environment::of([
            ("AWS_REGION", REGION),
            ("MODE", if enforces { "enforce" } else { "plan" }),
            ("EXEMPTIONS", "ledger"),
            ("MAX_FIXES_PERCENT", "100"),
            ("MAX_FIXES_PER_HOUR", "1000"),
            ("PLANS_PER_HOUR", &PLANS.to_string()),
            ("PARAMETERS", &parameters),
            ("RULE_NAMES", &rule(control)),
            ("LEDGER_TABLE", "ledger"),
            ("EVENT_BUS", "bus"),
        ]);
        let function = FunctionSettings::read(&environment).unwrap();
        let settings = RemediationSettings::read(&environment).unwrap();
        Rc::new(RemediationContext::over(remediation(control), &self.sdk, function, settings))
    }

    /// Deploys a control's function in this mode.
    pub(super) fn deploy(&mut self, control: u8, enforces: bool) {
        self.contexts[usize::from(control)] = (enforces, self.context(control, enforces));
    }

    /// Delivers an event to the function of its control.
    pub(super) fn deliver(
        &self,
        finding: &Finding,
        random: fastrand::Rng,
        last: usize,
        sleeps_at: usize,
    ) -> (usize, Task) {
        let (enforces, context) = self.contexts[usize::from(finding.control)].clone();
        let forbidden = match finding {
            it if it.region != REGION => Some("the event is of another region"),
            it if it.account != ACCOUNT => Some("the event is of another account"),
            _ if !enforces => Some("the mode is plan"),
            _ => None,
        };
        let kind = ActorKind::Delivery { control: finding.control, id: finding.id.clone(), forbidden };
        let actor = self.env.actor(kind, random, last, sleeps_at);
        let (finding, ledger) = (finding.clone(), self.ledger.clone());
        let reconciler = self.env.actor(ActorKind::Reconciler, fastrand::Rng::with_seed(0), usize::MAX, usize::MAX);
        let delivery = Delivery {
            owner: format!("delivery-{}", actor.number),
            account: Some(AccountId::new(ACCOUNT)),
            deadline: Timestamp::now() + jiff::SignedDuration::from_mins(2),
            // An actor may sleep through a read by the virtual clock; that ends its lease, and not the read.
            reads_until: Deadline::after(std::time::Duration::from_secs(3_600_000)),
        };
        let task = self.begin(&actor, async move {
            let control = finding.control;
            let request = ledger::new_id(Timestamp::now());
            if finding.requested {
                let target = target(&finding.id);
                let it = StoredRequest::new(id_of(control), &target, finding.recorded_at, Timestamp::now());
                if let Err(error) = ACTOR.scope(reconciler, ledger.store_request(&request, &it)).await {
                    return Ended::Delivered(Err(error));
                }
            }
            let event = event(&finding, &request);
            let mut line = Invocation::start(id_of(control), &delivery.owner);
            Ended::Delivered(handle(&context, &event, &delivery, &mut line).await)
        });
        (actor.number, task)
    }

    /// An undo by an operator.
    pub(super) fn undo(&self, control: u8, id: &str, attempt: &str, random: fastrand::Rng, last: usize) -> Task {
        let kind = ActorKind::Undo { control, id: id.to_owned(), attempt: attempt.to_owned() };
        let actor = self.env.actor(kind, random, last, usize::MAX);
        let (ledger, undoable) = (self.ledger.clone(), undo_of(control));
        let pool = undoable.pool(&self.sdk, &Region::new(REGION));
        let request =
            UndoRequest { attempt: attempt.to_owned(), by: "jane".to_owned(), hold_days: 7, overwrite: false };
        self.begin(&actor, async move {
            let own = AccountId::new(ACCOUNT);
            Ended::Undone(undo(&undoable, &ledger, &pool, &own, &request).await)
        })
    }

    /// Another actor's work on the ledger.
    pub(super) fn task(
        &self,
        kind: ActorKind,
        random: fastrand::Rng,
        work: impl AsyncFnOnce(Ledger) + 'static,
    ) -> Task {
        let actor = self.env.actor(kind, random, usize::MAX, usize::MAX);
        let ledger = self.ledger.clone();
        self.begin(&actor, async move {
            work(ledger).await;
            Ended::Other
        })
    }

    /// An operator's change to the vaults, at once.
    pub(super) fn by_hand(&self, kind: ActorKind, work: impl FnOnce(&Vaults)) {
        let actor = self.env.actor(kind, fastrand::Rng::with_seed(0), usize::MAX, usize::MAX);
        ACTOR.sync_scope(actor, || work(&self.vaults));
    }

    fn begin(&self, actor: &Arc<Actor>, work: impl Future<Output = Ended> + 'static) -> Task {
        let sleep = SharedAsyncSleep::new(self.env.clock.clone());
        let mut work = Box::pin(ACTOR.scope(Arc::clone(actor), SLEEP.scope(sleep, work)));
        let actor = Arc::clone(actor);
        Box::pin(std::future::poll_fn(move |context| {
            let polled = work.as_mut().poll(context);
            if actor.has_died() {
                return Poll::Ready((Arc::clone(&actor), None));
            }
            polled.map(|ended| {
                actor.record(Event::Ended(format!("{ended:?}")));
                (Arc::clone(&actor), Some(ended))
            })
        }))
    }
}

fn rule(control: u8) -> String {
    format!("rectify-{}", id_of(control))
}

/// A vault that violates all six controls.
fn violating(id: &str) -> Vault {
    let named = |names: [&str; 3], on| names.iter().map(|name| ((*name).to_owned(), on)).collect();
    let policy = [OPEN, "allow-auditor"].iter().map(|it| (*it).to_owned()).collect();
    let (bolts, keys) = (named(["bottom", "middle", "top"], true), named(["old-1", "old-2", "young"], true));
    Vault { id: id.to_owned(), bolts, policy, retention: 1, keys, ..Vault::default() }
}

/// A resource as the target of API calls.
pub(super) fn target(id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(VAULT, id),
        name: None,
        arn: None,
    }
}

/// Its path in the ledger.
pub(super) fn path(id: &str) -> ResourcePath {
    ResourcePath::of(&target(id))
}

fn event(finding: &Finding, request: &str) -> Value {
    let Finding { control, id, recorded_at, region, account, requested } = finding;
    let rule = rule(*control);
    let (source, kind, detail) = if *requested {
        let detail = json!({
            "configRuleName": rule, "awsAccountId": account, "awsRegion": region, "resourceType": VAULT, "resourceId": id,
            "resultRecordedTime": recorded_at.to_string(), "requestId": request,
        });
        ("rectify", "Rectify Remediation Requested", detail)
    } else {
        let detail = json!({
            "resourceId": id, "resourceType": VAULT, "awsRegion": region, "awsAccountId": account,
            "configRuleName": rule, "messageType": "ComplianceChangeNotification",
            "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": recorded_at.to_string()},
        });
        ("aws.config", "Config Rules Compliance Change", detail)
    };
    json!({
        "version": "0", "id": "0a1b2c3d-0000-4000-8000-000000000000", "detail-type": kind, "source": source,
        "account": account, "time": "2026-03-04T05:06:10Z", "region": region, "resources": [], "detail": detail,
    })
}
