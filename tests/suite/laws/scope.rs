//! Rule and remediation use the same scope: one decision says which resources a rule evaluates, for every kind of
//! event.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::gate::{Route, RuleScope, route};
use rectify_compliance::parameters::CommonParameters;
use rectify_compliance::{Declared, FromItem, Region, ResourceKey, RuleEvent};
use rectify_runtime::client::{Fix, List, ReadFacts};
use rectify_runtime::invocation::Invocation;
use rectify_runtime::remediation::Disposition;
use rectify_runtime::rule::{Rule, RuleContext, handle, on_change_and_schedule};
use rectify_runtime::settings::FunctionSettings;
use rectify_tests::controls::{GLOBAL_WIDGET_DISABLED, WIDGET, WIDGET_DISABLED, Widget};
use rectify_tests::emulator::REGION;
use rectify_tests::events::{change, finding, invocation, item, rule_event, scheduled};
use rectify_tests::fake_service::FakeService;
use rectify_tests::remediation::World;
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

/// How many generated cases rule and remediation are compared in; each has a separate ledger.
const CASES: usize = 24;

/// A resource, the parameters of its rule, and whether its control is global.
#[derive(Debug, Clone)]
struct Case {
    id: &'static str,
    name: Option<&'static str>,
    exclude: Vec<&'static str>,
    home: Option<&'static str>,
    global: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let globs = prop::sample::select(vec!["d-1", "d-*", "porch", "*-2", "PORCH", "d-?", "*"]);
    (
        prop::sample::select(vec!["d-1", "d-2", "porch"]),
        prop::option::of(prop::sample::select(vec!["porch", "cellar", "d-1"])),
        prop::collection::vec(globs, 0..3),
        prop::option::of(prop::sample::select(vec![REGION, "eu-west-1"])),
        any::<bool>(),
    )
        .prop_map(|(id, name, exclude, home, global)| Case { id, name, exclude, home, global })
}

impl Case {
    fn parameters(&self) -> Value {
        let mut parameters = json!({});
        if !self.exclude.is_empty() {
            parameters["excludeResources"] = json!(self.exclude.join(","));
        }
        if let Some(home) = self.home {
            parameters["homeRegion"] = json!(home);
        }
        parameters
    }

    fn item(&self) -> Value {
        let mut item = item(self.id, &["top"]);
        item["resourceName"] = json!(self.name);
        item
    }

    fn widget(&self) -> Widget {
        Widget { name: self.name.map(str::to_owned), ..Widget::disabled(self.id, &["top"]) }
    }
}

/// A verdict, its annotation, and whether it is about the widget or the account.
type Evaluated = (String, Option<String>, String);

/// The rule's evaluation for this message.
async fn rule(rule: Rule, case: &Case, message: &Value) -> Evaluated {
    let widgets = FakeService::with([case.widget()]);
    // A scheduled run reads the results first. It finds one of unknown age, which is reported again whatever it is.
    let result = json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
        "ConfigRuleName": "rectify-widget-disabled", "ResourceType": WIDGET, "ResourceId": case.id
    }}, "ComplianceType": "COMPLIANT"});
    let answer = || Answer::ok(&json!({"FailedEvaluations": [], "EvaluationResults": [result]}));
    let replay = Replay::of([answer(), answer()]);
    let settings = FunctionSettings { region: Region::new(REGION), home_region: None };
    let context = RuleContext::over(rule, &widgets.reached_through(&replay.sdk(REGION)), settings);
    let event = rule_event(message, &case.parameters(), "token");
    handle(&context, &event, &invocation(), &mut Invocation::start("widget", "r")).await.unwrap();
    let requests = replay.requests();
    let (_, body) = requests.iter().find(|(operation, _)| operation == "PutEvaluations").unwrap();
    let [evaluation] = body["Evaluations"].as_array().unwrap().as_slice() else { panic!("one evaluation: {body}") };
    let text = |name: &str| evaluation[name].as_str().map(str::to_owned);
    let kind = text("ComplianceResourceType").unwrap();
    (text("ComplianceType").unwrap(), text("Annotation"), kind)
}

/// The remediation's outcome as a verdict and its annotation.
async fn fix<K>(control: &'static Declared<K>, case: &Case) -> (String, Option<String>)
where
    K: Fix<FakeService>,
{
    let world = World::with([case.widget()]).await.setting("PARAMETERS", &case.parameters().to_string());
    let disposition = world.deliver_to(control, &finding(case.id, "2026-03-04T05:06:08.900Z")).await.unwrap();
    let Disposition::Ended { outcome, .. } = disposition else { panic!("{case:?}: {disposition:?}") };
    let attempt = world.attempts(case.id).await.pop().unwrap();
    match outcome.name() {
        "verified" => ("NON_COMPLIANT".to_owned(), attempt.finding),
        "not-applicable" => {
            assert_eq!(world.widgets.writes(), [], "{case:?}");
            ("NOT_APPLICABLE".to_owned(), Some(attempt.reason))
        }
        other => panic!("{case:?}: {other}: {}", attempt.reason),
    }
}

async fn compare<K>(control: &'static Declared<K>, case: &Case)
where
    K: FromItem + ReadFacts<FakeService> + List<FakeService> + Fix<FakeService>,
{
    let (verdict, annotation, _) =
        rule(on_change_and_schedule::<_, FakeService>(control), case, &change(&case.item())).await;
    let (by_schedule, annotation_by_schedule, about) =
        rule(on_change_and_schedule::<_, FakeService>(control), case, &scheduled()).await;
    assert_eq!((&by_schedule, &annotation_by_schedule), (&verdict, &annotation), "{case:?}");
    assert!(about == WIDGET || verdict == "NOT_APPLICABLE", "{case:?}: {about}");
    assert_eq!(fix(control, case).await, (verdict, annotation), "{case:?}");
}

#[tokio::test]
async fn rule_and_remediation_have_the_same_scope() {
    let mut runner = TestRunner::deterministic();
    let mut left = 0;
    for _ in 0..CASES {
        let case = cases().new_tree(&mut runner).unwrap().current();
        if case.global {
            compare(&GLOBAL_WIDGET_DISABLED, &case).await;
        } else {
            compare(&WIDGET_DISABLED, &case).await;
        }
        left += usize::from(case.exclude.is_empty());
    }
    assert!((1..CASES).contains(&left), "both kinds of case: {left}");
}

/// An event is routed to evaluation if and only if its resource is in scope.
fn routed(case: &Case, kind: &str, here: &str, event: &RuleEvent) -> Result<(), TestCaseError> {
    let parameters = CommonParameters::parse(&case.parameters().to_string()).unwrap();
    let (here, home) = (Region::new(here), Region::new(case.home.unwrap_or(REGION)));
    let meta = if case.global { &GLOBAL_WIDGET_DISABLED.meta } else { &WIDGET_DISABLED.meta };
    let scope = RuleScope { meta, parameters: &parameters, here: &here, home: &home };
    let resource = ResourceKey::new(kind, case.id);
    let out = scope.out_of_scope(&resource, case.name);
    let in_region = kind == WIDGET && (!case.global || here == home);
    let excluded = parameters
        .exclude
        .as_ref()
        .is_some_and(|globs| globs.matches(case.id) || case.name.is_some_and(|name| globs.matches(name)));
    prop_assert_eq!(out.is_none(), in_region && !excluded);
    match (route(event, &scope).unwrap(), out) {
        (Route::Judge(item), None) => prop_assert_eq!(&item.resource, &resource),
        (Route::Answer(about, verdict), Some(out)) => prop_assert_eq!((about, verdict), (resource, out)),
        (other, out) => prop_assert!(false, "{:?} for {:?}", other, out),
    }
    Ok(())
}

proptest! {
    #[test]
    fn events_are_routed_by_scope(
        case in cases(),
        kind in prop::sample::select(vec![WIDGET, "AWS::EC2::Volume"]),
        here in prop::sample::select(vec![REGION, "eu-west-1"]),
    ) {
        let mut item = case.item();
        item["resourceType"] = json!(kind);
        let event = RuleEvent::parse(&rule_event(&change(&item), &case.parameters(), "token")).unwrap();
        routed(&case, kind, here, &event)?;
    }
}
