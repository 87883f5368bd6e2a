//! Every gate against every later one, answered from memory.

use std::cell::RefCell;

use futures_util::FutureExt;
use rectify_compliance::exemption::{Exemption, Registered, Selector};
use rectify_compliance::{AccountId, Level, Region, ResourceKey, Step, StoredState, Tags, Target};
use serde_json::json;

use super::*;
use crate::ledger::{Hold, OpenBreaker, StopSwitch};
use crate::remediation::blocker::{Blocker, Considered, Gate, closed};
use crate::remediation::facts::Facts;
use crate::settings::{Environment, Mode, RemediationSettings};

const KIND: &str = "Test::Lamp";

struct Known {
    target: Target,
    settings: RemediationSettings,
    recorded_at: Timestamp,
    is_request: bool,
    excluded: Option<&'static str>,
    verdict: Verdict,
    plan: Plan<Value>,
    stopped_by: Option<&'static str>,
    registry: Registry,
    held_by: Option<&'static str>,
    stack: Option<&'static str>,
    failures: Option<u32>,
    /// The facts read from a service, in order.
    reads: RefCell<Vec<&'static str>>,
}

impl Known {
    fn read<T>(&self, what: &'static str, answer: T) -> Result<T, Error> {
        self.reads.borrow_mut().push(what);
        Ok(answer)
    }
}

impl Facts for Known {
    fn control(&self) -> &str {
        "lamp-off"
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    fn settings(&self) -> &RemediationSettings {
        &self.settings
    }

    fn out_of_scope(&self, name: Option<&str>) -> Option<Verdict> {
        (name == self.excluded && name.is_some()).then(|| Verdict::not_applicable("excluded"))
    }

    async fn stops(&self) -> Result<Vec<StopSwitch>, Error> {
        let stop = |by: &str| StopSwitch {
            scope: "*".to_owned(),
            by: by.to_owned(),
            reason: "drill".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        self.read("stop", self.stopped_by.map(stop).into_iter().collect())
    }

    async fn registry(&self) -> Result<Registry, Error> {
        self.read("registry", self.registry.clone())
    }

    async fn hold(&self, now: Timestamp) -> Result<Option<Hold>, Error> {
        let hold = |by: &str| Hold {
            control: "lamp-off".to_owned(),
            by: by.to_owned(),
            reason: "sleep".to_owned(),
            until: now.saturating_add(jiff::SignedDuration::from_hours(1)).unwrap(),
        };
        self.read("hold", self.held_by.map(hold))
    }

    async fn stack(&self, _live: &IdentifiedState, _plan: &Plan<Value>) -> Result<Option<String>, Error> {
        self.read("stack", self.stack.map(str::to_owned))
    }

    async fn breaker(&self, own: Option<&str>, _now: Timestamp) -> Result<Option<OpenBreaker>, Error> {
        let open = |failures| OpenBreaker::Failing { failures, until: Timestamp::MAX };
        self.read("breaker", self.failures.filter(|_| own.is_none()).map(open))
    }
}

impl Delivered for Known {
    fn is_request(&self) -> bool {
        self.is_request
    }

    fn evaluate(&self, _live: &IdentifiedState, _now: Timestamp) -> Result<Verdict, Error> {
        Ok(self.verdict.clone())
    }

    fn plan(&self, _live: &IdentifiedState, _now: Timestamp) -> Result<Plan<Value>, Error> {
        Ok(self.plan.clone())
    }
}

/// A finding and its earlier deliveries.
struct Case {
    known: Known,
    previous: Option<Finding>,
    begun: Option<&'static str>,
    live: Option<IdentifiedState>,
}

/// A finding that every gate lets pass.
fn open() -> Case {
    let environment = Environment::of([
        ("MODE", "enforce"),
        ("ALLOW_TAG_MODE", "true"),
        ("EXEMPTIONS", "ledger"),
        ("RULE_NAMES", "rectify-lamp-off"),
        ("LEDGER_TABLE", "ledger"),
        ("EVENT_BUS", "bus"),
    ]);
    let resource = ResourceKey::new(KIND, "l-1");
    let known = Known {
        target: Target {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            resource: resource.clone(),
            name: Some("desk".to_owned()),
            arn: None,
        },
        settings: RemediationSettings::read(&environment).unwrap(),
        recorded_at: Timestamp::UNIX_EPOCH,
        is_request: false,
        excluded: None,
        verdict: Verdict::non_compliant("l-1 is off"),
        plan: steps(Level::L1),
        stopped_by: None,
        registry: Registry::default(),
        held_by: None,
        stack: None,
        failures: None,
        reads: RefCell::default(),
    };
    let live = IdentifiedState {
        resource,
        name: Some("bedside".to_owned()),
        arn: Some("arn:aws:lamps:eu-west-1:111122223333:lamp/l-1".to_owned()),
        tags: Tags::new(),
        image: StoredState { version: 1, subject: json!({ "on": false }) },
    };
    Case { known, previous: None, begun: None, live: Some(live) }
}

fn steps(level: Level) -> Plan<Value> {
    Plan::steps_in_order(vec![Step::call(level, json!("SwitchOn"))])
}

fn exempt(resource: &str) -> Registry {
    let exemption = Exemption {
        id: "01J".to_owned(),
        control: "*".to_owned(),
        account: "*".to_owned(),
        selector: Selector::Resource(resource.to_owned()),
        reason: "night".to_owned(),
        approver: "jane".to_owned(),
        ticket: "SEC-1".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        until: Timestamp::MAX,
        ended: None,
    };
    let mut registry = Registry::default();
    registry.entries.push(Registered::Valid(exemption));
    registry
}

fn tag(case: &mut Case, key: &str, value: &str) {
    if let Some(live) = &mut case.live {
        live.tags.insert(key.to_owned(), value.to_owned());
    }
}

fn handled(outcome: Outcome) -> Option<Finding> {
    Some(Finding { attempt: "01A".to_owned(), outcome, reason: "done".to_owned() })
}

type Close = fn(&mut Case);

/// The gates in their order: the decision of each, and how to close it.
const GATES: [(&str, Close); 17] = [
    ("stop: stopped by jane", |case| case.known.stopped_by = Some("jane")),
    ("leave, unread", |case| case.known.excluded = Some("desk")),
    ("exempt", |case| case.known.registry = exempt("l-1")),
    ("acknowledge", |case| case.previous = handled(Outcome::Verified)),
    ("gone: the resource is gone", |case| case.live = None),
    ("leave, read", |case| case.known.excluded = Some("bedside")),
    ("already-compliant: already compliant", |case| case.known.verdict = Verdict::COMPLIANT),
    ("exempt with finding", |case| case.known.registry = exempt("bedside")),
    ("planned with finding: held by jane", |case| case.known.held_by = Some("jane")),
    ("planned with finding: protected by the stack's ProtectedArns", |case| {
        case.known.settings.protected_arns = Some("arn:aws:lamps:*".parse().unwrap());
    }),
    ("planned with finding: a step of level L2", |case| case.known.plan = steps(Level::L2)),
    ("planned with finding: managed by CloudFormation stack `home`", |case| {
        tag(case, "aws:cloudformation:stack-name", "home");
    }),
    ("planned with finding: mode plan", |case| case.known.settings.mode = Mode::Plan),
    ("planned with finding: grace until", |case| {
        case.known.settings.grace_minutes = "60".parse().unwrap();
        case.known.recorded_at = Timestamp::now();
    }),
    ("planned with finding: managed by CloudFormation stack `light`", |case| case.known.stack = Some("light")),
    ("fail: the control finds a violation and plans no fix", |case| case.known.plan = Plan::Noop),
    ("breaker-open with finding: breaker open until", |case| case.known.failures = Some(3)),
];

/// The decision of the gates, as text.
fn decided(case: &Case) -> String {
    let gates = async {
        let registry = before_live_read(&case.known, case.previous.as_ref(), case.begun.is_some()).await?;
        let live = after_live_read(&case.known, case.live.clone())?;
        after_plan(&case.known, &registry, live, case.begun).await
    };
    let decision = match gates.now_or_never().unwrap() {
        Ok(passed) => {
            assert_eq!(passed.plan, case.known.plan);
            return "passed".to_owned();
        }
        Err(Halt::Error(error)) => panic!("{error}"),
        Err(Halt::Decided(decision)) => *decision,
    };
    match decision {
        Decision::Stop(stop) => format!("stop: {stop}"),
        Decision::Leave(_, live) => format!("leave, {}", if live.is_some() { "read" } else { "unread" }),
        Decision::Acknowledge(_) => "acknowledge".to_owned(),
        Decision::Fail(reason, _) => format!("fail: {reason}"),
        Decision::End(outcome, reason, seen) => {
            assert!(seen.live.is_some() || matches!(outcome, Outcome::Gone | Outcome::Exempt));
            let found = if seen.finding.is_some() { " with finding" } else { "" };
            assert_eq!(seen.plan, if seen.finding.is_some() { case.known.plan.clone() } else { Plan::Noop });
            match outcome {
                Outcome::Exempt => format!("exempt{found}"),
                _ => format!("{}{found}: {reason}", outcome.name()),
            }
        }
    }
}

#[test]
fn each_gate_decides_before_every_later_one() {
    assert_eq!(decided(&open()), "passed");
    for (number, (expected, close)) in GATES.iter().enumerate() {
        for (_, close_later) in GATES.iter().skip(number) {
            let mut case = open();
            // The later one first: if both depend on the same fact, the earlier gate's value is kept.
            close_later(&mut case);
            close(&mut case);
            let decided = decided(&case);
            let is_exact = expected.starts_with("exempt") || expected.starts_with("leave");
            assert!(
                if is_exact { decided == *expected } else { decided.starts_with(expected) },
                "{expected}: {decided}"
            );
        }
    }
}

/// The closed gates of a finding, without the budget.
fn closed_gates(case: &Case) -> Vec<Blocker> {
    let Case { known, live, .. } = case;
    let considered = Considered { registry: &known.registry, plan: &known.plan, live: live.as_ref().unwrap() };
    let closed = |gate| closed(gate, known, considered, Timestamp::now()).now_or_never().unwrap().unwrap();
    Gate::ORDER.into_iter().flat_map(closed).collect()
}

/// An operator sees every closed gate, the one that decides first.
#[test]
fn all_closed_gates_are_listed_in_the_order_of_the_decision() {
    // The rows of the gates from the stop switch to the breaker.
    let rows = [0, 5, 7, 8, 9, 10, 11, 12, 13, 14, 16].map(|row| GATES[row]);
    assert_eq!(closed_gates(&open()), []);
    for first in 0..rows.len() {
        let mut case = open();
        for (_, close) in &rows[first..] {
            close(&mut case);
        }
        let closed = closed_gates(&case);
        assert_eq!(closed.iter().map(|it| it.gate).collect::<Vec<_>>(), Gate::ORDER[first..rows.len()]);
        let decided = decided(&case);
        assert!(decided.starts_with(rows[first].0), "{first}: {decided}");
        // Both read the clock.
        let timeless = |text: &str| text.split(" until ").next().map(str::to_owned);
        let (_, reason) = decided.split_once(": ").unwrap_or(("", &closed[0].reason));
        assert_eq!(timeless(reason), timeless(&closed[0].reason));
    }
}

#[test]
fn every_exemption_is_listed_and_a_closed_gate_names_what_opens_it() {
    let mut case = open();
    case.known.registry = exempt("l-1");
    case.known.registry.entries.extend(exempt("bedside").entries);
    let keys = |case: &Case| closed_gates(case).into_iter().map(|it| it.key.unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(keys(&case), ["01J", "01J"]);
    let rows: [(Close, &str); 5] = [
        (GATES[0].1, "*"),
        (GATES[11].1, "home"),
        (GATES[12].1, "mode"),
        (|case| tag(case, "rectify:mode", "plan"), "rectify:mode"),
        (|case| case.known.settings.account_modes = "{\"*\": \"plan\"}".parse().unwrap(), "accountModes"),
    ];
    for (close, key) in rows {
        let mut case = open();
        close(&mut case);
        assert_eq!(keys(&case), [key]);
    }
}

#[test]
fn attempt_in_progress_passes_the_gates_for_new_attempts_and_its_own_breaker() {
    for close in [GATES[2].1, GATES[3].1, GATES[16].1] {
        let mut case = Case { begun: Some("01A"), ..open() };
        close(&mut case);
        let decided = decided(&case);
        assert!(["passed", "exempt with finding"].contains(&decided.as_str()), "{decided}");
    }
}

#[test]
fn failed_finding_is_retried_on_request_only() {
    for (is_request, outcome, expected) in [
        (false, Outcome::Failed, "acknowledge"),
        (true, Outcome::Failed, "passed"),
        (true, Outcome::Verified, "acknowledge"),
        (false, Outcome::Planned, "passed"),
        (false, Outcome::OverBudget, "passed"),
    ] {
        let mut case = Case { previous: handled(outcome), ..open() };
        case.known.is_request = is_request;
        assert_eq!(decided(&case), expected, "{is_request} {outcome:?}");
    }
}

#[test]
fn facts_are_read_in_gate_order_only_when_needed() {
    let reads = |close: Close| {
        let mut case = open();
        close(&mut case);
        decided(&case);
        case.known.reads.into_inner()
    };
    assert_eq!(reads(GATES[0].1), ["stop"]);
    assert_eq!(reads(GATES[1].1), ["stop"]);
    assert_eq!(reads(GATES[6].1), ["stop", "registry"]);
    assert_eq!(reads(GATES[12].1), ["stop", "registry", "hold"]);
    assert_eq!(
        reads(|case| case.known.settings.remediate_managed_stacks = true),
        ["stop", "registry", "hold", "breaker"]
    );
    assert_eq!(reads(|_| {}), ["stop", "registry", "hold", "stack", "breaker"]);
}
