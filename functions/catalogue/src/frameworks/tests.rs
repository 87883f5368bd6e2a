#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use rectify_compliance::Framework::{Cis30, Cis50, Fsbp};

use super::*;
use crate::controls;

/// The ids that the controls declare: control, framework, id.
fn declared() -> impl Iterator<Item = (&'static ControlMeta, Framework, &'static str)> {
    let mappings = controls().flat_map(|control| control.meta.frameworks.iter().map(|mapping| (control.meta, mapping)));
    mappings.flat_map(|(meta, mapping)| mapping.ids.iter().map(move |id| (meta, mapping.framework, *id)))
}

#[test]
fn an_id_that_does_not_hold_has_a_declared_successor_or_a_reason() {
    for (control, framework, id) in declared().filter(|(_, framework, id)| !holds(*framework, id, AS_OF)) {
        let place = format!("{}: {} {id}", control.id, framework.title());
        let exception = exception(framework, id).unwrap_or_else(|| {
            panic!("{place} is not in the framework: declare its successor, or add a row to EXCEPTIONS")
        });
        match exception.instead {
            Instead::Successor(successor) => {
                assert!(covered(control, framework).contains(&successor), "{place}: declare its successor {successor}");
                assert!(holds(framework, successor, AS_OF), "{place}: its successor {successor} does not hold either");
            }
            Instead::Nothing(reason) => assert!(reason.len() > 10, "{place}: `{reason}` is not a reason"),
        }
    }
}

#[test]
fn ids_hold_between_their_dates() {
    for (id, day, expected) in [
        ("EKS.3", date(2026, 8, 9), true),
        ("EKS.3", date(2026, 8, 10), false),
        ("RDS.8", AS_OF, true),
        ("RDS.08", AS_OF, false),
        ("RDS.800", AS_OF, false),
        ("S3.4", AS_OF, false),
        ("EC2.13", date(2023, 1, 1), false),
    ] {
        assert_eq!(holds(Fsbp, id, day), expected, "{id} on {day}");
    }
    assert!(holds(Cis50, "2.2.4", AS_OF) && !holds(Cis30, "2.2.4", AS_OF) && !holds(Cis50, "2.2.5", AS_OF));
}

#[test]
fn exceptions_are_needed_and_given_once() {
    let mut ids = BTreeSet::new();
    for it in EXCEPTIONS {
        assert!(ids.insert((it.framework, it.id)), "{}: twice", it.id);
        assert!(!holds(it.framework, it.id, AS_OF) || it.since.is_some(), "{}: holds: the row says nothing", it.id);
        assert!(
            it.since.is_none_or(|since| it.until.is_none_or(|until| since < until)),
            "{}: ends before it begins",
            it.id
        );
    }
}

#[test]
fn recommendations_have_one_number_and_what_no_api_shows_has_no_control() {
    assert_eq!([Cis30, Cis50].map(|it| recommendations(it).count()), [62, 63]);
    for framework in [Cis30, Cis50] {
        let numbers: BTreeSet<&str> = recommendations(framework).map(|(number, _)| number).collect();
        assert_eq!(numbers.len(), recommendations(framework).count(), "{}", framework.title());
        for (number, it) in recommendations(framework) {
            let place = format!("{} {number}", framework.title());
            let answered = controls().any(|control| covered(control.meta, framework).contains(&number));
            match it.extent {
                Extent::Whole | Extent::Limited(_) => {
                    assert!(answered || !it.more.is_empty(), "{place}: name the control that could answer it");
                }
                Extent::Unseen(_) => assert!(!answered && it.more.is_empty(), "{place}: a control answers it"),
            }
        }
    }
}

#[test]
fn fsbp_has_the_number_of_controls_of_its_page() {
    assert_eq!(fsbp_len(), 367);
}

#[test]
fn requirement_ids_are_sorted_naturally() {
    let mut ids = ["1.10.1", "AC-10", "1.2.8", "AC-2(1)", "AC-2", "S3.2"];
    ids.sort_by_key(|id| natural(id));
    assert_eq!(ids, ["1.2.8", "1.10.1", "AC-2", "AC-2(1)", "AC-10", "S3.2"]);
}
