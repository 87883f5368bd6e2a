//! Whether what is deployed is what `rectify.yaml` selects.

use rectify_compliance::{Mode, Region, Scope};
use rectify_synth::declaration::declarations;
use rectify_synth::{Selected, Settings};
use serde_json::Value;

use super::client::{Aws, Function, Rule};
use super::{Check, text};

/// Compares the rules and the remediations of this region.
pub(super) async fn checks(settings: &Settings, aws: &Aws, region: &Region) -> [Check; 2] {
    let prefix = value(settings, "prefix");
    let expected = in_region(settings, region);
    let deployed = aws.rules(&prefix).await.map_err(text);
    let functions = aws.functions(&prefix).await.map_err(text);
    [
        Check { name: "selection", result: deployed.and_then(|it| rules(&expected, &it, &prefix)) },
        Check { name: "modes", result: functions.and_then(|it| modes(&expected, &it, &prefix)) },
    ]
}

fn value(settings: &Settings, key: &str) -> String {
    declarations().get(key).map(|it| settings.value(it)).unwrap_or_default()
}

/// The controls that are deployed in this region: global ones in the home region only.
fn in_region<'a>(settings: &'a Settings, region: &Region) -> Vec<&'a Selected> {
    let home = match value(settings, "homeRegion").as_str() {
        "auto" => region.default_home_region(),
        given => Region::new(given),
    };
    settings.deployed().filter(|it| it.control.meta.scope != Scope::Global || *region == home).collect()
}

/// The differences as one sentence per kind.
fn result(differences: &[(&str, Vec<String>)], fine: String) -> Result<String, String> {
    let found: Vec<String> = differences
        .iter()
        .filter(|(_, all)| !all.is_empty())
        .map(|(what, all)| format!("{what}: {}", all.join(", ")))
        .collect();
    if found.is_empty() { Ok(fine) } else { Err(format!("{}: run `rectify synth` and deploy again", found.join("; "))) }
}

fn rules(expected: &[&Selected], deployed: &[Rule], prefix: &str) -> Result<String, String> {
    let (mut missing, mut parameters, mut schedules) = (Vec::new(), Vec::new(), Vec::new());
    for selected in expected {
        let id = selected.control.meta.id;
        let Some(rule) = deployed.iter().find(|it| it.name.strip_prefix(prefix) == Some(id)) else {
            missing.push(id.to_owned());
            continue;
        };
        if !same_json(&rule.parameters, &selected.parameters) {
            parameters.push(format!("{id} (deployed {}, selected {})", shown(&rule.parameters), selected.parameters));
        }
        let every = selected.every.map_or("", |it| it.api_name());
        if rule.frequency != every {
            schedules.push(format!("{id} (deployed {}, selected {})", shown(&rule.frequency), shown(every)));
        }
    }
    let is_selected = |id: &str| expected.iter().any(|it| it.control.meta.id == id);
    let others = deployed.iter().filter_map(|it| it.name.strip_prefix(prefix)).filter(|id| !is_selected(id));
    let others = others.map(str::to_owned).collect();
    result(
        &[
            ("not deployed", missing),
            ("deployed and not selected", others),
            ("other parameters", parameters),
            ("another schedule", schedules),
        ],
        format!("{} rules as in rectify.yaml", expected.len()),
    )
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// Whether two parameter texts are the same object; an empty text is one without members.
fn same_json(left: &str, right: &str) -> bool {
    let parsed = |text: &str| -> Option<Value> { serde_json::from_str(if text.is_empty() { "{}" } else { text }).ok() };
    parsed(left) == parsed(right)
}

fn modes(expected: &[&Selected], functions: &[Function], prefix: &str) -> Result<String, String> {
    let (mut missing, mut modes, mut opt_ins) = (Vec::new(), Vec::new(), Vec::new());
    let remediated: Vec<&&Selected> = expected.iter().filter(|it| it.mode >= Mode::Plan).collect();
    let name_of = |id: &str| format!("{prefix}{id}-fix");
    for selected in &remediated {
        let id = selected.control.meta.id;
        let Some(function) = functions.iter().find(|it| it.name == name_of(id)) else {
            missing.push(id.to_owned());
            continue;
        };
        let variable = |name: &str| function.environment.get(name).map_or("", String::as_str);
        let compare = |found: &mut Vec<String>, name: &str, selected: &str| {
            if variable(name) != selected {
                found.push(format!("{id} (deployed {}, selected {selected})", shown(variable(name))));
            }
        };
        compare(&mut modes, "MODE", selected.mode.name());
        compare(&mut opt_ins, "ALLOW_L2", if selected.allow_l2 { "true" } else { "false" });
    }
    let is_selected = |name: &str| remediated.iter().any(|it| name_of(it.control.meta.id) == name);
    let others = functions.iter().filter(|it| it.name.ends_with("-fix") && !is_selected(&it.name));
    let others = others.map(|it| it.name.clone()).collect();
    result(
        &[
            ("remediation not deployed", missing),
            ("remediation deployed and not selected", others),
            ("another mode", modes),
            ("another allowL2", opt_ins),
        ],
        format!("{} remediations in their modes", remediated.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "mode: off
controls:
  restricted-ssh: { mode: enforce, allowL2: true, parameters: { ports: [22] } }
  iam-root-access-key-check: { mode: plan, every: 24h }
";

    fn settings() -> Settings {
        super::super::settings(FILE).unwrap_or_else(|error| panic!("{error}"))
    }

    fn rule(id: &str, parameters: &str) -> Rule {
        Rule {
            name: format!("rectify-{id}"),
            parameters: parameters.to_owned(),
            frequency: "TwentyFour_Hours".to_owned(),
            ..Rule::default()
        }
    }

    fn function(id: &str, mode: &str, allow_l2: &str) -> Function {
        let environment =
            [("MODE", mode), ("ALLOW_L2", allow_l2)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Function { name: format!("rectify-{id}-fix"), environment: environment.into() }
    }

    #[test]
    fn global_controls_are_expected_at_home_only() {
        let settings = settings();
        let ids = |region: &str| -> Vec<&str> {
            in_region(&settings, &Region::new(region)).iter().map(|it| it.control.meta.id).collect()
        };
        assert_eq!(ids("us-east-1"), ["restricted-ssh", "iam-root-access-key-check"]);
        assert_eq!(ids("eu-west-1"), ["restricted-ssh"]);
    }

    #[test]
    fn every_difference_is_named_with_both_values() {
        let settings = settings();
        let expected = in_region(&settings, &Region::new("us-east-1"));
        let ssh = rule("restricted-ssh", r#"{"ports": "22"}"#);
        let both = [ssh.clone(), rule("iam-root-access-key-check", "")];
        assert_eq!(rules(&expected, &both, "rectify-"), Ok("2 rules as in rectify.yaml".to_owned()));
        let other = [rule("restricted-ssh", r#"{"ports":"23"}"#), rule("required-tags", "")];
        assert_eq!(
            rules(&expected, &other, "rectify-"),
            Err("not deployed: iam-root-access-key-check; deployed and not selected: required-tags; other parameters: \
                 restricted-ssh (deployed {\"ports\":\"23\"}, selected {\"ports\":\"22\"}): run `rectify synth` and deploy again"
                .to_owned())
        );
        let unscheduled = Rule { frequency: String::new(), ..ssh };
        let refused = rules(&expected[..1], &[unscheduled], "rectify-");
        let expected_text = "another schedule: restricted-ssh (deployed none, selected TwentyFour_Hours): run `rectify synth` and deploy again";
        assert_eq!(refused, Err(expected_text.to_owned()));
    }

    #[test]
    fn modes_are_those_of_the_functions() {
        let settings = settings();
        let expected = in_region(&settings, &Region::new("us-east-1"));
        let root = function("iam-root-access-key-check", "plan", "false");
        let fine = [function("restricted-ssh", "enforce", "true"), root.clone()];
        assert_eq!(modes(&expected, &fine, "rectify-"), Ok("2 remediations in their modes".to_owned()));
        let other = [function("restricted-ssh", "plan", "false"), function("required-tags", "plan", "false"), root];
        assert_eq!(
            modes(&expected, &other, "rectify-"),
            Err("remediation deployed and not selected: rectify-required-tags-fix; another mode: restricted-ssh (deployed \
                 plan, selected enforce); another allowL2: restricted-ssh (deployed false, selected true): run `rectify \
                 synth` and deploy again"
                .to_owned())
        );
        let absent = modes(&expected, &[function("restricted-ssh", "enforce", "true")], "rectify-");
        assert!(absent.unwrap_err().starts_with("remediation not deployed: iam-root-access-key-check"));
    }
}
