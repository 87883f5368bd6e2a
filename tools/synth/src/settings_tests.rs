#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn all() -> Vec<&'static Entry> {
    rectify_catalogue::controls().collect()
}

fn read(text: &str) -> Settings {
    Settings::read(text, &all()).unwrap_or_else(|error| panic!("{error}"))
}

fn of<'a>(settings: &'a Settings, id: &str) -> Option<&'a Selected> {
    settings.deployed().find(|it| it.control.meta.id == id)
}

#[test]
fn an_empty_file_plans_every_control_that_has_a_remediation_and_observes_the_others() {
    for text in ["", "{}", "# nothing\n"] {
        let settings = read(text);
        assert_eq!(settings.deployed().count(), all().len());
        for selected in settings.controls() {
            let expected = if selected.control.remediation.is_some() { Mode::Plan } else { Mode::Observe };
            assert_eq!(selected.mode, expected, "{}", selected.control.meta.id);
            assert_eq!((selected.parameters.as_str(), selected.allow_l2), ("{}", false));
            assert_eq!(selected.every, selected.control.meta.frequency());
        }
    }
}

#[test]
fn a_control_has_its_own_mode_parameters_opt_in_and_schedule() {
    let settings = read(
        "mode: off
maxFixesPerHour: 7
accountModes: { '444455556666': observe }
protectedArns: ['arn:aws:s3:::state', 'arn:aws:s3:::logs']
controls:
  restricted-ssh:
    mode: enforce
    allowL2: true
    parameters: { ports: [22, 2222] }
  ec2-ebs-encryption-by-default: { mode: plan, every: 6h }
  root-account-mfa-enabled: observe
",
    );
    let ids: Vec<&str> = settings.deployed().map(|it| it.control.meta.id).collect();
    assert_eq!(ids, ["restricted-ssh", "ec2-ebs-encryption-by-default", "root-account-mfa-enabled"]);
    let ssh = of(&settings, "restricted-ssh").unwrap();
    assert_eq!((ssh.mode, ssh.allow_l2, ssh.every), (Mode::Enforce, true, Some(Frequency::TwentyFourHours)));
    assert_eq!(ssh.parameters, r#"{"ports":"22,2222"}"#);
    assert_eq!(of(&settings, "ec2-ebs-encryption-by-default").unwrap().every, Some(Frequency::SixHours));
    let value = |key: &str| settings.value(&declarations()[key]);
    assert_eq!(value("maxFixesPerHour"), "7");
    assert_eq!(value("accountModes"), r#"{"444455556666":"observe"}"#);
    assert_eq!(value("protectedArns"), "arn:aws:s3:::state,arn:aws:s3:::logs");
    assert_eq!(value("plansPerHour"), "10", "the default");
}

#[test]
fn overrides_replace_and_add_values() {
    let text = "mode: off\ncontrols: { restricted-ssh: plan }\n";
    let overrides = [
        ("controls.restricted-ssh.allowL2", "true"),
        ("controls.restricted-common-ports.mode", "enforce"),
        ("controls.restricted-common-ports.parameters", r#"{"blockedPorts": "21"}"#),
        ("maxFixesPerHour", "9"),
    ];
    let overrides = overrides.map(|(path, value)| (path.to_owned(), value.to_owned()));
    let settings = Settings::read_with(text, &overrides, &all()).unwrap();
    let ssh = of(&settings, "restricted-ssh").unwrap();
    assert_eq!((ssh.mode, ssh.allow_l2), (Mode::Plan, true), "the short form stays the mode");
    let ports = of(&settings, "restricted-common-ports").unwrap();
    assert_eq!((ports.mode, ports.parameters.as_str()), (Mode::Enforce, r#"{"blockedPorts":"21"}"#));
    assert_eq!(settings.value(&declarations()["maxFixesPerHour"]), "9");
}

#[test]
fn a_wrong_file_is_refused_with_path_value_and_nearest_name() {
    for (text, expected) in [
        ("[a]", "expected a mapping: received `- a`"),
        ("maxFixPerHour: 7", "maxFixPerHour: unknown setting: did you mean `maxFixesPerHour`"),
        ("maxFixesPerHour: 7000", "maxFixesPerHour: expected a whole number, 0 to 1000: received `7000`"),
        ("mode: enforced", "mode: expected off, observe, plan or enforce: received `enforced`: did you mean `enforce`"),
        (
            "profile: stater",
            "profile: expected one of starter, fsbp, cis-3.0, cis-5.0, all: received `stater`: did you mean `starter`",
        ),
        ("controls: [restricted-ssh]", "controls: expected controls by their ids: received `- restricted-ssh`"),
        ("controls: {restrictd-ssh: plan}", "controls.restrictd-ssh: unknown control: did you mean `restricted-ssh`"),
        ("controls: {restricted-ssh: {moed: plan}}", "controls.restricted-ssh.moed: unknown: did you mean `mode`"),
        (
            "controls: {restricted-ssh: {mode: on}}",
            "controls.restricted-ssh.mode: expected off, observe, plan or enforce: received `on`",
        ),
        (
            "controls: {restricted-ssh: {allowL2: maybe}}",
            "controls.restricted-ssh.allowL2: expected true or false: received `maybe`",
        ),
        (
            "controls: {rds-instance-deletion-protection-enabled: {allowL2: true}}",
            "controls.rds-instance-deletion-protection-enabled.allowL2: expected false, since it has no step of level L2 that can be \
             applied: received `true`",
        ),
        (
            "controls: {cw-loggroup-retention-period-check: {every: 2h}}",
            "controls.cw-loggroup-retention-period-check.every: expected one of 1h, 3h, 6h, 12h, 24h: received `2h`",
        ),
        (
            "controls: {rds-instance-deletion-protection-enabled: {every: 6h}}",
            "controls.rds-instance-deletion-protection-enabled.every: not allowed: the rule evaluates changes only, and \
             has no schedule",
        ),
        (
            "controls: {restricted-ssh: {parameters: {prots: 22}}}",
            "controls.restricted-ssh.parameters: prots: unknown parameter: did you mean `ports`",
        ),
        (
            "controls: {restricted-ssh: {parameters: {ports: {a: b}}}}",
            "controls.restricted-ssh.parameters.ports: expected a value or a list of values: received `a: b`",
        ),
        ("metrics: some", "metrics: expected one of failures, all, none: received `some`"),
        ("kmsKey: alias/logs", "kmsKey: expected none, or the id or ARN of a KMS key: received `alias/logs`"),
        (
            "vpcSubnets: [subnet-0a, subnet-0b]",
            "vpcSecurityGroups: expected ids, since vpcSubnets and vpcSecurityGroups belong together: received none",
        ),
        ("tags: { cost-center: 42 }", "tags: expected texts by their keys: received `{\"cost-center\":42}`"),
        (
            "tags: { 'aws:team': a }",
            "tags.aws:team: expected a key of 1 to 128 letters, digits, spaces and _.:/=+-@, without aws: at its start: \
             received `aws:team`",
        ),
        (
            "tags: { team: 'a\\b' }",
            "tags.team: expected a value of at most 256 letters, digits, spaces and _.:/=+-@: received `a\\b`",
        ),
        (
            "prefix: 'a",
            "found unexpected end of stream at line 1 column 11, while scanning a quoted scalar at line 1 column 9",
        ),
    ] {
        let error = Settings::read(text, &all()).map(drop).unwrap_err().to_string();
        assert_eq!(error, format!("rectify.yaml: {expected}"), "{text}");
    }
    let long = format!("controls: {{restricted-ssh: {{parameters: {{excludeResources: '{}'}}}}}}", "sg-1,".repeat(300));
    let error = Settings::read(&long, &all()).map(drop).unwrap_err().to_string();
    assert!(error.ends_with("expected at most 1024 characters as JSON: received 1523"), "{error}");
}

#[test]
fn a_control_without_a_remediation_cannot_plan() {
    let Some(reported) = all().into_iter().find(|it| it.remediation.is_none()) else { return };
    let id = reported.meta.id;
    let error = Settings::read(&format!("controls: {{{id}: plan}}"), &all()).map(drop).unwrap_err();
    let expected = "expected off or observe, since it has no remediation: received `plan`";
    assert_eq!((error.path, error.why), (format!("controls.{id}.mode"), expected.to_owned()));
}

#[test]
fn a_profile_selects_controls_and_sets_parameters_that_the_file_overrides() {
    let settings = read("profile: starter\ncontrols:\n  required-tags: plan\n  restricted-ssh: off\n");
    let ids: Vec<&str> = settings.deployed().map(|it| it.control.meta.id).collect();
    assert_eq!(ids.len(), 7, "seven of the profile, one more, one less: {ids:?}");
    assert!(ids.contains(&"required-tags") && !ids.contains(&"restricted-ssh"), "{ids:?}");
    assert_eq!(read("profile: all").deployed().count(), all().len());

    let ports = |file: &str| {
        let settings = read(file);
        let text = of(&settings, "restricted-common-ports").unwrap().parameters.clone();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let preset = ports("profile: cis-5.0");
    assert_eq!(preset["udpPorts"], "22,3389", "{preset}");
    let own = ports("profile: cis-5.0\ncontrols: {restricted-common-ports: {parameters: {udpPorts: 53}}}");
    assert_eq!(own["udpPorts"], "53");
    assert_eq!(own["blockedPorts"], preset["blockedPorts"], "the other parameters stay");
}

#[test]
fn the_variables_of_a_remediation_follow_from_the_file() {
    let settings =
        read("prefix: sec-\nmaxFixesPerHour: 7\nhomeRegion: eu-west-1\ncontrols:\n  restricted-ssh: enforce\n");
    let variables = crate::remediation_variables(&settings, "restricted-ssh").unwrap();
    for (name, expected) in [
        ("ACCOUNT_MODES", "{}"),
        ("ALLOW_L2", "false"),
        ("EVENT_BUS", "default"),
        ("EXEMPTIONS", "ledger"),
        ("HOME_REGION", "eu-west-1"),
        ("MAX_FIXES_PER_HOUR", "7"),
        ("MODE", "enforce"),
        ("PARAMETERS", "{}"),
        ("PROTECTED_ARNS", "none"),
        ("REMEDIATE_MANAGED_STACKS", "false"),
        ("RULE_NAMES", "sec-restricted-ssh"),
    ] {
        assert_eq!(variables.get(name).map(String::as_str), Some(expected), "{name}");
    }
    assert_eq!(variables.len(), 15, "{variables:?}");
    assert_eq!(crate::remediation_variables(&settings, "nope"), None);
}
