use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::{AccountId, Region, ResourceKey};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_600_000 + second).unwrap()
}

fn attempted(recorded: i64, id: &str, outcome: &str) -> Fact {
    Fact::Attempted(Attempted {
        recorded_at: at(recorded),
        id: id.to_owned(),
        updated_at: at(recorded + 1),
        outcome: outcome.to_owned(),
        exempt: outcome == "exempt",
        reason: "mode plan".to_owned(),
        annotation: Some("open".to_owned()),
        plan: Vec::new(),
        hold: None,
    })
}

fn attributed(recorded: i64, second: Option<i64>) -> Fact {
    let change = |second| Change {
        at: at(second),
        call: "ec2:Open".to_owned(),
        actor: "jane".to_owned(),
        event_id: format!("e-{second}"),
    };
    let changes: Vec<Change> = second.map(change).into_iter().collect();
    Fact::Attributed(Attributed {
        recorded_at: at(recorded),
        attempt: "01A".to_owned(),
        actor: if changes.is_empty() { "unknown" } else { "jane" }.to_owned(),
        changes,
    })
}

fn history(facts: &[Fact]) -> History {
    facts.iter().cloned().fold(History::default(), History::with)
}

#[test]
fn the_lifecycle_follows_from_the_times_of_the_facts() {
    use Fact::{Resolved, Violated};
    use Lifecycle::{Exempt, Open, Reopened, Updated};
    for (facts, expected) in [
        (vec![], None),
        (vec![Resolved(at(5))], None),
        (vec![Violated(at(1))], Some(Open)),
        (vec![Violated(at(1)), attempted(1, "01A", "planned")], Some(Updated)),
        // The event that opened it is lost.
        (vec![attempted(1, "01A", "planned")], Some(Updated)),
        (vec![Violated(at(1)), attributed(1, Some(0))], Some(Updated)),
        (vec![Violated(at(1)), attempted(1, "01A", "exempt")], Some(Exempt)),
        // The exemption ended.
        (vec![attempted(1, "01A", "exempt"), attempted(1, "01B", "planned")], Some(Updated)),
        (vec![Violated(at(1)), Resolved(at(2))], Some(Lifecycle::Resolved)),
        // A late plan does not open it again.
        (vec![Violated(at(1)), Resolved(at(2)), attempted(1, "01A", "planned")], Some(Lifecycle::Resolved)),
        (vec![Violated(at(1)), Resolved(at(2)), Violated(at(3))], Some(Reopened)),
        // The plan and the exemption of the first time say nothing about the second.
        (vec![attempted(1, "01A", "exempt"), Resolved(at(2)), Violated(at(3))], Some(Reopened)),
        (vec![Violated(at(1)), Resolved(at(2)), attempted(3, "01B", "planned")], Some(Updated)),
        // Unknown is never safe.
        (vec![Violated(at(1)), Resolved(at(1))], Some(Open)),
    ] {
        assert_eq!(history(&facts).lifecycle(), expected, "{facts:?}");
    }
}

#[test]
fn a_later_lookup_that_finds_a_newer_change_replaces_an_earlier_one() {
    let named = history(&[attributed(10, None), attributed(10, Some(2)), attributed(10, Some(5))]);
    let changes = named.attributed().map(|it| it.changes.clone()).unwrap();
    assert_eq!(changes[0].event_id, "e-5");
    assert_eq!(history(&[attributed(10, Some(5)), attributed(10, None)]), history(&[attributed(10, Some(5))]));
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let second = 0..12_i64;
    prop_oneof![
        second.clone().prop_map(|it| Fact::Violated(at(it))),
        second.clone().prop_map(|it| Fact::Resolved(at(it))),
        (second.clone(), "01[A-C]", prop_oneof!["planned", "exempt", "pending", "verified"])
            .prop_map(|(recorded, id, outcome)| attempted(recorded, &id, &outcome)),
        (second.clone(), proptest::option::of(second)).prop_map(|(recorded, change)| attributed(recorded, change)),
    ]
}

proptest! {
    #[test]
    fn late_repeated_and_reordered_facts_lead_to_the_same_history(
        facts in proptest::collection::vec(any_fact(), 0..12),
        moves in proptest::collection::vec((any::<Index>(), any::<Index>()), 0..24),
        repeated in proptest::collection::vec(any::<Index>(), 0..6),
    ) {
        let mut other = facts.clone();
        if !facts.is_empty() {
            other.extend(repeated.iter().map(|it| it.get(&facts).clone()));
            let length = other.len();
            for (from, to) in moves {
                other.swap(from.index(length), to.index(length));
            }
        }
        let (one, other) = (history(&facts), history(&other));
        prop_assert_eq!(one.lifecycle(), other.lifecycle());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn names_of_any_characters_come_through_as_text(id in "\\PC*|[\\x00-\\x1f<>&\"'=+@{}\u{fffe}\u{ffff}\u{202e}]{1,40}") {
        let target = target(&id);
        let ticket = history(&[Fact::Violated(at(1)), attempted(1, "01A", "planned")]);
        let ticket = ticket.ticket(&crate::control::test_control::REGIONAL, &target, 1).unwrap();
        let text = ticket.json().unwrap();
        prop_assert!(text.chars().all(|it| it >= ' ' && it != '\u{fffe}' && it != '\u{ffff}'), "{:?}", text);
        prop_assert_eq!(serde_json::from_str::<Ticket>(&text).unwrap().resource_id, id);
    }
}

fn target(id: &str) -> Target {
    Target {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
        resource: ResourceKey::new("AWS::EC2::SecurityGroup", id),
        name: None,
        arn: None,
    }
}

#[test]
fn ids_are_stable_and_differ_between_findings() {
    assert_eq!(id_of("restricted-ssh", &target("sg-0")).len(), 32);
    assert_eq!(id_of("restricted-ssh", &target("sg-0")), id_of("restricted-ssh", &target("sg-0")));
    assert_ne!(id(["a", "1", "r", "ab", "c"]), id(["a", "1", "r", "a", "bc"]));
}

#[test]
fn long_texts_and_plans_are_bounded() {
    let call = serde_json::json!({"PutBucketPolicy": {"Policy": "ä".repeat(30_000)}});
    let steps = vec![crate::Step::call(crate::Level::L2, call); 40];
    let steps = TicketStep::of_plan(&crate::Plan::steps_in_order(steps));
    assert_eq!(steps.len(), 20);
    assert!(steps.iter().all(|it| it.text.chars().count() == 1_001 && it.text.ends_with('…')));
}
