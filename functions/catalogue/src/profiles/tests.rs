#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;

fn ids(name: &str) -> Vec<&'static str> {
    profile(name).unwrap().controls().map(|it| it.meta.id).collect()
}

#[test]
fn starter_has_exactly_its_seven_controls() {
    let starter = profile("starter").unwrap();
    assert_eq!((ids("starter").len(), starter.planned(), starter.parameters().count()), (7, vec![], 0));
}

#[test]
fn profiles_of_frameworks_follow_from_the_mappings() {
    for (name, has, lacks) in [
        // EC2.13 is not in FSBP, S3.8 is.
        ("fsbp", "s3-bucket-level-public-access-prohibited", "restricted-ssh"),
        ("cis-3.0", "restricted-ssh", "rds-multi-az-support"),
        ("cis-5.0", "rds-multi-az-support", "required-tags"),
    ] {
        let ids = ids(name);
        assert!(ids.contains(&has) && !ids.contains(&lacks), "{name}: {ids:?}");
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    for (name, ending) in [("startr", ": did you mean `starter`"), ("CIS-5", ": did you mean `cis-5.0`"), ("nist", "")]
    {
        let error = profile(name).unwrap_err().to_string();
        assert_eq!(error, format!("profile `{name}`: expected starter, fsbp, cis-3.0, cis-5.0{ending}"));
    }
}

/// A control that does not exist yet cannot be checked; it is planned.
#[test]
fn every_parameter_is_one_of_a_control_of_the_profile() {
    for profile in PROFILES {
        let ids: BTreeSet<&str> = profile.controls().map(|it| it.meta.id).chain(profile.planned()).collect();
        let mut seen = BTreeSet::new();
        for preset in profile.parameters() {
            assert!(seen.insert((preset.control, preset.name)), "{}: {preset:?} twice", profile.name);
            let in_fsbp = profile.name == "fsbp" && find(preset.control).is_none();
            assert!(ids.contains(preset.control) || in_fsbp, "{}: {preset:?}: not in the profile", profile.name);
        }
        for control in profile.controls() {
            let text = profile.rule_parameters(control.meta.id);
            assert_eq!(control.check_parameters(&text), Ok(()), "{}: {}: {text}", profile.name, control.meta.id);
        }
    }
}

#[test]
fn rule_parameters_are_one_object_of_text() {
    let text = profile("cis-5.0").unwrap().rule_parameters("restricted-common-ports");
    let expected = r#"{"blockedPort1":"none","blockedPort2":"none","blockedPort4":"none","blockedPort5":"none","blockedPorts":"445","udpPorts":"22,3389"}"#;
    assert_eq!(
        (text.as_str(), profile("starter").unwrap().rule_parameters("restricted-ssh").as_str()),
        (expected, "{}")
    );
}
