#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::scaffold::Severity;

/// A service with one view, as the two that exist write it.
const FILES: &[(&str, &str)] = &[
    (
        "src/resources/lamp.rs",
        r#"
/// A lamp.
pub struct Lamp {
    /// `Name`.
    pub name: String,
    /// `IsOn`.
    pub is_on: bool,
    /// `Dimmed`.
    pub dimmed: bool,
}

pub const MODIFY: Operation =
    Operation { name: "ModifyLamp", resource: "LampName", permissions: &[MODIFY_LAMP] };

impl View for Lamp {
    type Resource = Self;
    type Facts = ();
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) fn lamp() -> Lamp {
        Lamp
    }
}
"#,
    ),
    ("src/arbitrary.rs", "pub(crate) fn lamps() -> impl Strategy<Value = Lamp> {\n}\n"),
    ("src/lib.rs", "pub mod resources;\n"),
    (
        "lambda/src/lib.rs",
        r#"
impl Views<Lamp> for Clients {
    async fn write(&self, id: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        modify(match member {
            "Dimmed" => call.dimmed(value_of(member, value)?),
            _ => return Err(unknown_member(member)),
        })
        .await
    }
}
"#,
    ),
];

type Change = fn(&mut NewControl, &mut NewSetting);

fn resolve(files: &[(&str, &str)], change: Change) -> Result<SettingNames, String> {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = root.path().join("functions/lamps").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut new = NewControl {
        service: "lamps".to_owned(),
        id: "lamp-on".to_owned(),
        title: "Lamp is off".to_owned(),
        why: "It is dark.".to_owned(),
        resource_type: "AWS::Test::Lamp".to_owned(),
        field: "state.isOn".to_owned(),
        wanted: true,
        severity: Severity::Low,
        setting: None,
    };
    let mut setting = NewSetting {
        view: "Lamp".to_owned(),
        breaks: "Nothing.".to_owned(),
        level: FixLevel::L1,
        member: None,
        call: None,
        argument: None,
    };
    change(&mut new, &mut setting);
    SettingNames::of(root.path(), &new, &setting).map_err(|error| error.to_string())
}

#[test]
fn a_setting_is_derived_from_the_field_and_the_view() {
    let found = resolve(FILES, |_, _| ()).unwrap();
    let values = found.values(true, "isOn");
    let value = |name| values.iter().find(|it| it.0 == name).unwrap().1.as_str();
    for (name, expected) in [
        ("view-module", "resources::lamp"),
        ("imports", "Lamp, MODIFY"),
        ("Resource", "Lamp"),
        ("member", "is_on"),
        ("stored", "isOn"),
        ("call", "ModifyLamp"),
        ("argument", "IsOn"),
        ("call-input", r#""IsOn": true, "LampName": id"#),
        ("sample", "crate::resources::lamp::tests::lamp"),
        ("generator", "crate::arbitrary::lamps"),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    assert!(found.is_item);
    let arms = "            \"Dimmed\" => call.dimmed(value_of(member, value)?),\n            \
                \"IsOn\" => call.is_on(value_of(member, value)?),\n            _ => return";
    assert!(found.client_text.as_ref().unwrap().contains(arms), "{:?}", found.client_text);
    assert_eq!(found.client, Path::new("functions/lamps/lambda/src/lib.rs"));
}

#[test]
fn a_view_with_its_own_item_is_evaluated_with_facts() {
    let [(file, text), rest @ ..] = FILES else { panic!("no files") };
    let text = text.replace("type Resource = Self;", "type Resource = RecordedLamp;");
    let files: Vec<(&str, &str)> = [(*file, text.as_str())].into_iter().chain(rest.iter().copied()).collect();
    let found = resolve(&files, |_, _| ()).unwrap();
    assert_eq!((found.resource.as_str(), found.is_item), ("RecordedLamp", false));
}

#[test]
fn a_member_that_the_client_already_sets_leaves_the_client_unchanged() {
    let found = resolve(FILES, |new, _| new.field = "dimmed".to_owned()).unwrap();
    assert_eq!(found.client_text, None);
}

#[test]
fn what_the_service_lacks_is_refused_with_what_there_is() {
    let refused: [(Change, &str); 3] = [
        (|_, it| it.view = "Bulb".to_owned(), "--view: expected a view in functions/lamps (Lamp): received `Bulb`"),
        (
            |_, it| it.member = Some("name".to_owned()),
            "--member: expected a boolean of Lamp in functions/lamps/src/resources/lamp.rs (is_on, dimmed): received \
             `name`",
        ),
        (
            |_, it| it.call = Some("PutLamp".to_owned()),
            "--call: expected an `Operation` in functions/lamps/src/resources/lamp.rs (ModifyLamp): received `PutLamp`",
        ),
    ];
    for (change, expected) in refused {
        assert_eq!(resolve(FILES, change).unwrap_err(), expected);
    }
    for (left_out, expected) in [
        ("src/arbitrary.rs", "that returns `impl Strategy<Value = Lamp>`: received `Lamp`"),
        ("lambda/src/lib.rs", "functions/lamps/lambda/src"),
        ("src/resources/lamp.rs", "--view: expected a view in functions/lamps (there is none)"),
    ] {
        let files: Vec<(&str, &str)> = FILES.iter().copied().filter(|it| it.0 != left_out).collect();
        let error = resolve(&files, |_, _| ()).unwrap_err();
        assert!(error.contains(expected), "{left_out}: {error}");
    }
}
