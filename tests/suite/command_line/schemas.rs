//! Every output of `--json` in this suite against `docs/schemas/commands.v1.schema.json`.

use std::sync::LazyLock;

use super::examples::helps;
use super::*;

/// Commands whose JSON has a schema of its own, and one that shares a definition.
const ELSEWHERE: [&str; 1] = ["scan"];
const SHARED: [(&str, &str); 1] = [("plan", "check")];
/// Commands that print a script or write pages, for a shell and not for a program.
const WITHOUT: [&str; 2] = ["completions", "man"];

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("docs/schemas/commands.v1.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
});

/// The definition of a command.
fn of_command(command: &str) -> Option<&'static Value> {
    let shared = SHARED.iter().find(|(name, _)| *name == command);
    SCHEMA["$defs"].get(shared.map_or(command, |(_, definition)| definition))
}

/// Checks the output of a run with `--json`; that of a command of another schema only if it failed.
pub(super) fn check(arguments: &[&str], ran: &Ran) {
    let own = || arguments.iter().take_while(|it| **it != "--");
    if !own().any(|it| *it == "--json") || own().any(|it| *it == "--help" || *it == "--version") {
        return;
    }
    let output: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ran:?}"));
    let command = own().find(|it| !it.starts_with('-')).copied().unwrap_or_default();
    let schema = if output.get("error").is_some() { SCHEMA["$defs"].get("error") } else { of_command(command) };
    if let Some(schema) = schema {
        assert!(matches(schema, &output), "{arguments:?}: docs/schemas/commands.v1.schema.json: {output:#}");
    } else {
        let is_elsewhere = ELSEWHERE.contains(&command) || WITHOUT.contains(&command);
        assert!(is_elsewhere, "{arguments:?}: docs/schemas/commands.v1.schema.json lacks {command}");
    }
}

/// Whether a value matches a schema, for the keywords that the schema of the commands has.
fn matches(schema: &Value, value: &Value) -> bool {
    let Some(rules) = schema.as_object() else { return schema == true };
    let property = |key: &str| rules.get("properties").and_then(|it| it.get(key));
    rules.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$ref" => matches(SCHEMA.pointer(&rule.as_str().unwrap()[1..]).unwrap(), value),
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "type" => rule.as_array().map_or_else(|| is(rule, value), |types| types.iter().any(|it| is(it, value))),
        "format" => value.as_str().is_none_or(|text| text.parse::<Timestamp>().is_ok()),
        "required" => value
            .as_object()
            .is_none_or(|it| rule.as_array().unwrap().iter().all(|key| it.contains_key(key.as_str().unwrap()))),
        "properties" => value
            .as_object()
            .is_none_or(|it| it.iter().all(|(key, member)| property(key).is_none_or(|rule| matches(rule, member)))),
        "additionalProperties" => {
            value.as_object().is_none_or(|it| rule != false || it.keys().all(|key| property(key).is_some()))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| matches(rule, item))),
        "anyOf" => rule.as_array().unwrap().iter().any(|it| matches(it, value)),
        "minimum" => value.as_f64().is_none_or(|it| it >= rule.as_f64().unwrap()),
        "description" => true,
        other => panic!("{other}: a keyword that this test does not know"),
    })
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("{other}: a type that this test does not know"),
    }
}

#[test]
fn every_command_has_a_schema_and_every_schema_a_command() {
    let helps = helps(&[], "200");
    let commands: Vec<&str> =
        helps.iter().filter_map(|(name, _)| name.strip_prefix("rectify ")?.split(' ').next()).collect();
    for command in &commands {
        let is_elsewhere = ELSEWHERE.contains(command) || WITHOUT.contains(command);
        assert_eq!(of_command(command).is_none(), is_elsewhere, "{command}");
    }
    for (name, definition) in SCHEMA["$defs"].as_object().unwrap() {
        let description = definition["description"].as_str().unwrap_or_default();
        let is_command = description.starts_with("`rectify ");
        assert_eq!(is_command, commands.contains(&name.as_str()), "{name}: {description}");
    }
}

#[test]
fn an_output_with_another_field_or_without_one_does_not_match() {
    let act = json!({ "at": "2026-03-04T05:06:07Z", "by": "ada", "by_arn": null, "what": "stop", "why": "" });
    let audit = json!({ "schema_version": 1, "since": "2026-03-04T05:06:07Z", "acts": [act] });
    let schema = of_command("audit").unwrap();
    assert!(matches(schema, &audit));
    let broken = [
        ("/schema_version", json!(2)),
        ("/since", json!("yesterday")),
        ("/acts/0/by_arn", json!(1)),
        ("/acts/0", json!({ "at": "2026-03-04T05:06:07Z" })),
        ("/acts", json!({})),
    ];
    for (pointer, wrong) in broken {
        let mut audit = audit.clone();
        *audit.pointer_mut(pointer).unwrap() = wrong;
        assert!(!matches(schema, &audit), "{pointer}");
    }
    let mut more = audit;
    more["acts"][0]["host"] = json!("x");
    assert!(!matches(schema, &more));
}
