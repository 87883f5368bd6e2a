//! The world of a chaos test: ledger and bus in memory, fifty vaults, the six controls' functions, and how each act is begun.

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
use rectify_chaos::actor::{ACTOR, Actor, Env, Event, Network, Who};
use rectify_chaos::vaults::service::Vaults;
use rectify_chaos::vaults::{CONTROLS, OPEN, VAULT, Vault, id_of, watch};
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
/// How many plans of a control are announced one by one.
pub(super) const PLANS: usize = 1000;
/// Another account.
pub(super) const FOREIGN: &str = "444455556666";

/// One finding of AWS Config, as it is delivered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) control: u8,
    pub(super) id: String,
    pub(super) recorded_at: Timestamp,
    pub(super) region: &'static str,
    pub(super) account: &'static str,
    /// Whether the reconciler asks.
    pub(super) asked: bool,
}

/// How an act ended.
#[derive(Debug)]
pub(super) enum Ended {
    Delivered(Result<Disposition, Error>),
    Undone(Result<Undone, Error>),
    Other,
}

/// An act that is under way; `None` when its actor died.
pub(super) type Act = Pin<Box<dyn Future<Output = (Arc<Actor>, Option<Ended>)>>>;

/// The world.
pub(super) struct World {
    pub(super) stage: Arc<Env>,
    pub(super) vaults: Vaults,
    pub(super) ids: Vec<String>,
    pub(super) excluded: Vec<String>,
    sdk: SdkConfig,
    ledger: Ledger,
    shells: Vec<(bool, Rc<RemediationContext>)>,
}

/// What a control's function calls.
fn remedy(control: u8) -> Deployed {
    let all = [
        deployed::<_, Vaults>(watch::<0>()),
        deployed::<_, Vaults>(watch::<1>()),
        deployed::<_, Vaults>(watch::<2>()),
        deployed::<_, Vaults>(watch::<3>()),
        deployed::<_, Vaults>(watch::<4>()),
        deployed::<_, Vaults>(watch::<5>()),
    ];
    all[usize::from(control)].clone()
}

/// The same with what an undo of it calls.
fn undoer(control: u8) -> Deployed<dyn Reverts> {
    let all = [
        undoable::<_, Vaults>(watch::<0>()),
        undoable::<_, Vaults>(watch::<1>()),
        undoable::<_, Vaults>(watch::<2>()),
        undoable::<_, Vaults>(watch::<3>()),
        undoable::<_, Vaults>(watch::<4>()),
        undoable::<_, Vaults>(watch::<5>()),
    ];
    all[usize::from(control)].clone()
}

impl World {
    pub(super) fn with(numbers: Range<usize>) -> Self {
        let stage = Arc::new(Env::default());
        stage.table.page_of(7);
        let ids: Vec<String> = numbers.map(|number| format!("v-{number:02}")).collect();
        let vaults = Vaults::with(&ids.iter().map(|id| faulty(id)).collect::<Vec<_>>(), &[REGION, ELSEWHERE]);
        let environment = Environment::of([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", "http://table.test"),
            ("AWS_MAX_ATTEMPTS", "2"),
        ]);
        let sdk = sdk_config_over(&environment, &Region::new(REGION), Network(Arc::clone(&stage)).http()).unwrap();
        let sdk = sdk.to_builder().sleep_impl(SharedAsyncSleep::new(stage.clock.clone()));
        // An answer that is lost is an error of the network; a call that takes a minute has gone to sleep on purpose.
        let sdk = sdk.timeout_config(TimeoutConfig::disabled());
        let sdk = sdk.stalled_stream_protection(StalledStreamProtectionConfig::disabled()).build();
        let sdk = vaults.reached_through(&sdk);
        let excluded = ids.iter().rev().take(1).cloned().collect();
        let ledger = Ledger::new(&sdk, "ledger");
        let mut world = Self { stage, vaults, ids, excluded, sdk, ledger, shells: Vec::new() };
        world.shells = (0..CONTROLS).map(|control| (true, world.shell(control, true))).collect();
        world
    }

    fn shell(&self, control: u8, enforces: bool) -> Rc<RemediationContext> {
        let parameters = json!({"excludeResources": self.excluded.join(",")}).to_string();
        let environment = Environment::of([
            ("AWS_REGION", REGION),
            ("MODE", if enforces { "enforce" } else { "plan" }),
            ("EXEMPTIONS", "ledger"),
            ("BUDGET_SHARE_PERCENT", "100"),
            ("BUDGET_PER_HOUR", "1000"),
            ("PLANS_PER_HOUR", &PLANS.to_string()),
            ("PARAMETERS", &parameters),
            ("RULE_NAMES", &rule(control)),
            ("LEDGER_TABLE", "ledger"),
            ("EVENT_BUS", "bus"),
        ]);
        let function = FunctionSettings::read(&environment).unwrap();
        let settings = RemediationSettings::read(&environment).unwrap();
        Rc::new(RemediationContext::over(remedy(control), &self.sdk, function, settings))
    }

    /// Deploys a control's function in this mode.
    pub(super) fn deploy(&mut self, control: u8, enforces: bool) {
        self.shells[usize::from(control)] = (enforces, self.shell(control, enforces));
    }

    /// One event to the function of its control.
    pub(super) fn deliver(
        &self,
        finding: &Finding,
        luck: fastrand::Rng,
        last: usize,
        sleeps_at: usize,
    ) -> (usize, Act) {
        let (enforces, shell) = self.shells[usize::from(finding.control)].clone();
        let forbidden = match finding {
            it if it.region != REGION => Some("the event is of another region"),
            it if it.account != ACCOUNT => Some("the event is of another account"),
            _ if !enforces => Some("the mode is plan"),
            _ => None,
        };
        let who = Who::Delivery { control: finding.control, id: finding.id.clone(), forbidden };
        let actor = self.stage.actor(who, luck, last, sleeps_at);
        let (finding, ledger) = (finding.clone(), self.ledger.clone());
        let reconciler = self.stage.actor(Who::Reconciler, fastrand::Rng::with_seed(0), usize::MAX, usize::MAX);
        let delivery = Delivery {
            owner: format!("delivery-{}", actor.number),
            account: Some(AccountId::new(ACCOUNT)),
            deadline: Timestamp::now() + jiff::SignedDuration::from_mins(2),
            // By the stage's own clock an actor may sleep through a read; that ends its lease, and not the read.
            reads_until: Deadline::after(std::time::Duration::from_secs(3_600_000)),
        };
        let act = self.begin(&actor, async move {
            let control = finding.control;
            let request = ledger::new_id(Timestamp::now());
            if finding.asked {
                let target = target(&finding.id);
                let it = StoredRequest::new(id_of(control), &target, finding.recorded_at, Timestamp::now());
                if let Err(fault) = ACTOR.scope(reconciler, ledger.store_request(&request, &it)).await {
                    return Ended::Delivered(Err(fault));
                }
            }
            let event = event(&finding, &request);
            let mut line = Invocation::start(id_of(control), &delivery.owner);
            Ended::Delivered(handle(&shell, &event, &delivery, &mut line).await)
        });
        (actor.number, act)
    }

    /// An undo by a person.
    pub(super) fn undo(&self, control: u8, id: &str, attempt: &str, luck: fastrand::Rng, last: usize) -> Act {
        let who = Who::Undo { control, id: id.to_owned(), attempt: attempt.to_owned() };
        let actor = self.stage.actor(who, luck, last, usize::MAX);
        let (ledger, undoable) = (self.ledger.clone(), undoer(control));
        let pool = undoable.pool(&self.sdk, &Region::new(REGION));
        let request =
            UndoRequest { attempt: attempt.to_owned(), by: "jane".to_owned(), hold_days: 7, overwrite: false };
        self.begin(&actor, async move {
            let own = AccountId::new(ACCOUNT);
            Ended::Undone(undo(&undoable, &ledger, &pool, &own, &request).await)
        })
    }

    /// What somebody else does with the ledger.
    pub(super) fn act(&self, who: Who, luck: fastrand::Rng, work: impl AsyncFnOnce(Ledger) + 'static) -> Act {
        let actor = self.stage.actor(who, luck, usize::MAX, usize::MAX);
        let ledger = self.ledger.clone();
        self.begin(&actor, async move {
            work(ledger).await;
            Ended::Other
        })
    }

    /// What a person does with a vault, at once.
    pub(super) fn by_hand(&self, who: Who, work: impl FnOnce(&Vaults)) {
        let actor = self.stage.actor(who, fastrand::Rng::with_seed(0), usize::MAX, usize::MAX);
        ACTOR.sync_scope(actor, || work(&self.vaults));
    }

    fn begin(&self, actor: &Arc<Actor>, work: impl Future<Output = Ended> + 'static) -> Act {
        let sleep = SharedAsyncSleep::new(self.stage.clock.clone());
        let mut work = Box::pin(ACTOR.scope(Arc::clone(actor), SLEEP.scope(sleep, work)));
        let actor = Arc::clone(actor);
        Box::pin(std::future::poll_fn(move |context| {
            let polled = work.as_mut().poll(context);
            if actor.is_over() {
                return Poll::Ready((Arc::clone(&actor), None));
            }
            polled.map(|ended| {
                actor.tell(Event::Ended(format!("{ended:?}")));
                (Arc::clone(&actor), Some(ended))
            })
        }))
    }
}

fn rule(control: u8) -> String {
    format!("rectify-{}", id_of(control))
}

/// A vault that violates all six controls.
fn faulty(id: &str) -> Vault {
    let named = |names: [&str; 3], on| names.iter().map(|name| ((*name).to_owned(), on)).collect();
    let policy = [OPEN, "allow-auditor"].iter().map(|it| (*it).to_owned()).collect();
    let (bolts, keys) = (named(["bottom", "middle", "top"], true), named(["old-1", "old-2", "young"], true));
    Vault { id: id.to_owned(), bolts, policy, retention: 1, keys, ..Vault::default() }
}

/// A resource as something to call APIs about.
pub(super) fn target(id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(VAULT, id),
        name: None,
        arn: None,
    }
}

/// Where it lies in the ledger.
pub(super) fn path(id: &str) -> ResourcePath {
    ResourcePath::of(&target(id))
}

fn event(finding: &Finding, request: &str) -> Value {
    let Finding { control, id, recorded_at, region, account, asked } = finding;
    let rule = rule(*control);
    let (source, kind, detail) = if *asked {
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
