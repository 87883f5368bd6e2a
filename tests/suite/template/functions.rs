//! The functions: their names, code, settings and environment.

use super::*;

#[test]
fn functions_have_the_documented_names_and_code() {
    let resources = section("Resources");
    for control in controls() {
        let (id, name) = (control.meta.id, control.meta.pascal_id());
        let mut functions = vec![(format!("{name}RuleFunction"), id.to_owned(), format!("{id}/"))];
        functions.extend(
            control.remediation.map(|_| (format!("{name}Fix"), format!("{id}-fix"), format!("{id}-remediation/"))),
        );
        for (logical, deployed, folder) in functions {
            let properties = &resources[&logical]["Properties"];
            assert_eq!(tagged(&properties["FunctionName"], "Sub"), Some(format!("${{Prefix}}{deployed}")));
            assert_eq!(properties["CodeUri"].as_str(), Some(format!("../../target/lambda/{folder}").as_str()));
        }
    }
}

/// A rule that lists an account gets the maximum timeout and may continue in another invocation; a rule that evaluates
/// one resource needs neither.
#[test]
fn rules_have_timeout_and_memory_for_their_triggers() {
    let resources = section("Resources");
    for control in controls() {
        let properties = &resources[&format!("{}RuleFunction", control.meta.pascal_id())]["Properties"];
        let size = ["Timeout", "MemorySize"].map(|name| properties[name].as_u64());
        let (expected, loops) = match control.meta.frequency() {
            Some(_) => ([Some(900), Some(256)], Some("Allow")),
            None => ([Some(60), None], None),
        };
        assert_eq!((size, properties["RecursiveLoop"].as_str()), (expected, loops), "{}", control.meta.id);
    }
}

#[test]
fn remediations_get_exactly_the_settings_they_read() {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/runtime/src/settings/mod.rs"));
    let source = source.unwrap();
    let code = source.split("#[cfg(test)]").next().unwrap();
    let read: BTreeSet<&str> = [".get(\"", ".required(\"", ".parsed(\""]
        .iter()
        .flat_map(|call| code.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| !name.starts_with("AWS_"))
        .collect();
    let resources = section("Resources");
    for control in controls().filter(|control| control.remediation.is_some()) {
        let name = control.meta.pascal_id();
        let variables = &resources[&format!("{name}Fix")]["Properties"]["Environment"]["Variables"];
        let given: BTreeSet<&str> = variables.as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
        assert_eq!(given, read, "{name}Fix");
        assert_eq!(variables["MODE"].as_str(), Some("enforce"), "{name}");
        assert_eq!(tagged(&variables["RULE_NAMES"], "Ref"), Some(format!("{name}Rule")));
    }
}

#[test]
fn environment_of_a_remediation_fits_with_parameters_of_maximum_length() {
    let (resources, parameters) = (section("Resources"), parameters());
    for control in controls().filter(|control| control.remediation.is_some()) {
        let name = format!("{}Fix", control.meta.pascal_id());
        let variables = &resources[&name]["Properties"]["Environment"]["Variables"];
        let variable = |(key, value): (&Value, &Value)| {
            let key = key.as_str().unwrap();
            let value = tagged(value, "Ref").map(|it| parameters.get(&it).map_or(64, longest)).unwrap_or(8);
            key.len() + if key == "PARAMETERS" { 1_024 } else { value }
        };
        let total: usize = variables.as_mapping().unwrap().iter().map(variable).sum();
        assert!(total <= ENVIRONMENT, "{name}: {total} bytes");
    }
}
