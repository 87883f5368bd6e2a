//! The names of a new control, in every spelling that code, files and AWS need.

use serde_json::{Value, json};

use super::{NewControl, ScaffoldError, Severity, refuse};

/// Names that the control's file already uses for something else.
const TAKEN: [&str; 14] = [
    "ConfigurationItem",
    "Control",
    "ResourceIdentity",
    "ResourceState",
    "NoParameters",
    "Resource",
    "ResourceKey",
    "ShapeError",
    "Tags",
    "Timestamp",
    "Verdict",
    "Deserialize",
    "Serialize",
    "Value",
];

/// The fields that every subject has, and Rust keywords: none of them can name the new field.
const NO_FIELD: [&str; 21] = [
    "resource", "tags", "as", "crate", "else", "enum", "extern", "false", "for", "if", "impl", "in", "match", "mod",
    "move", "ref", "self", "static", "true", "type", "use",
];

/// The names of a new control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ControlNames {
    pub(super) service: String,
    pub(super) id: String,
    pub(super) module: String,
    pub(super) control: String,
    pub(super) title: String,
    pub(super) why: String,
    pub(super) resource_type: String,
    pub(super) subject: String,
    pub(super) path: Vec<String>,
    pub(super) field: String,
    pub(super) wanted: bool,
    pub(super) severity: Severity,
}

impl ControlNames {
    pub(super) fn of(new: &NewControl) -> Result<Self, ScaffoldError> {
        if !is_kebab(&new.service) {
            return Err(refuse("service", "a folder under functions/", &new.service));
        }
        if !is_kebab(&new.id) || new.id.len() > 64 - 14 - "-fix".len() {
            return Err(refuse("id", "lowercase words joined by hyphens, at most 46 characters", &new.id));
        }
        if !plain(&new.title) || new.title.ends_with('.') {
            return Err(refuse("--title", "a few words without quotes, braces or a final period", &new.title));
        }
        if !plain(&new.why) {
            return Err(refuse("--why", "a sentence without quotes or braces", &new.why));
        }
        if let Some(setting) = new.setting.as_ref().filter(|it| !plain(&it.breaks)) {
            return Err(refuse("--breaks", "a sentence without quotes or braces", &setting.breaks));
        }
        let parts: Vec<&str> = new.resource_type.split("::").collect();
        let last = parts.last().copied().unwrap_or_default();
        if parts.len() != 3 || parts.iter().any(|part| !is_alphanumeric(part)) {
            return Err(refuse("--type", "an AWS Config resource type, AWS::Service::Type", &new.resource_type));
        }
        let path: Vec<String> = new.field.split('.').map(str::to_owned).collect();
        let field = snake(path.last().map_or("", String::as_str));
        if path.iter().any(|part| !is_alphanumeric(part)) || NO_FIELD.contains(&field.as_str()) {
            return Err(refuse("--field", "a key of `configuration`, with dots into nested objects", &new.field));
        }
        let control = pascal(&new.id);
        let subject = if TAKEN.contains(&last) || last == control { format!("{last}Item") } else { last.to_owned() };
        Ok(Self {
            service: new.service.clone(),
            id: new.id.clone(),
            module: new.id.replace('-', "_"),
            control,
            title: new.title.trim().to_owned(),
            why: new.why.trim().to_owned(),
            resource_type: new.resource_type.clone(),
            subject,
            path,
            field,
            wanted: new.wanted,
            severity: new.severity,
        })
    }

    /// A `configuration` with `value` at the control's path.
    pub(super) fn configuration(&self, value: Value) -> Value {
        self.path.iter().rev().fold(value, |inner, key| json!({key: inner}))
    }

    /// The JSON pointer of the control's value in `configuration`.
    pub(super) fn pointer(&self) -> String {
        format!("/{}", self.path.join("/"))
    }

    /// The last part of the path.
    pub(super) fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The title for use within a sentence; a leading abbreviation stays uppercase.
    pub(super) fn violation(&self) -> String {
        let mut chars = self.title.chars();
        let first = chars.next().map(|it| it.to_lowercase().collect::<String>()).unwrap_or_default();
        let abbreviation = chars.clone().next().is_some_and(char::is_uppercase);
        if abbreviation { self.title.clone() } else { first + chars.as_str() }
    }

    /// The values for the placeholders of the fragments.
    pub(super) fn values(&self) -> Vec<(&'static str, String)> {
        let not = if self.wanted { "" } else { "!" };
        vec![
            ("service", self.service.clone()),
            ("id", self.id.clone()),
            ("module", self.module.clone()),
            ("Control", self.control.clone()),
            ("CONTROL", self.module.to_uppercase()),
            ("title", self.title.clone()),
            ("violation", self.violation()),
            ("why", self.why.clone()),
            ("type", self.resource_type.clone()),
            ("Subject", self.subject.clone()),
            ("path", self.path.join(".")),
            ("pointer", self.pointer()),
            ("field", self.field.clone()),
            ("is-wanted", format!("{not}subject.{}", self.field)),
            ("wanted", self.wanted.to_string()),
            ("unwanted", (!self.wanted).to_string()),
            ("compliant", self.configuration(json!(self.wanted)).to_string()),
            ("non-compliant", self.configuration(json!(!self.wanted)).to_string()),
            ("severity", format!("{:?}", self.severity)),
        ]
    }
}

/// Whether the text can be inserted into a string and a doc comment.
fn plain(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(['"', '\\', '\n', '{', '}'])
}

fn is_kebab(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_lowercase())
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit()))
}

fn is_alphanumeric(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_alphabetic()) && text.chars().all(|it| it.is_ascii_alphanumeric())
}

fn pascal(id: &str) -> String {
    id.split('-').map(|word| word.split_at(1)).map(|(first, rest)| first.to_uppercase() + rest).collect()
}

/// Converts to snake case: `multiAZ` to `multi_az`, `dBInstanceStatus` to `d_b_instance_status`. An uppercase letter
/// starts a word if it follows or precedes a lowercase letter.
pub(super) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, char) in chars.iter().enumerate() {
        let after_lower = at > 0 && chars.get(at - 1).is_some_and(|it| !it.is_ascii_uppercase());
        let before_lower = at > 0 && chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if char.is_ascii_uppercase() && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

/// The name with its first letter in uppercase: `multiAZ` to `MultiAZ`.
pub(super) fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

/// Converts snake case to camel case, as serde does: `multi_az` to `multiAz`.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    first + &words.map(capitalized).collect::<String>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn new(change: impl FnOnce(&mut NewControl)) -> Result<ControlNames, String> {
        let mut new = NewControl {
            service: "ec2".to_owned(),
            id: "ec2-volume-unencrypted".to_owned(),
            title: "EBS volume is not encrypted".to_owned(),
            why: "Anyone with access to the disk can read the data.".to_owned(),
            resource_type: "AWS::EC2::Volume".to_owned(),
            field: "encrypted".to_owned(),
            wanted: true,
            severity: Severity::Medium,
            setting: None,
        };
        change(&mut new);
        ControlNames::of(&new).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_become_snake_case_fields() {
        for (key, field) in [
            ("encrypted", "encrypted"),
            ("multiAZ", "multi_az"),
            ("logFileValidationEnabled", "log_file_validation_enabled"),
            ("dBInstanceLocked", "d_b_instance_locked"),
        ] {
            assert_eq!(snake(key), field, "{key}");
        }
    }

    #[test]
    fn a_title_within_a_sentence_starts_lowercase_unless_with_an_abbreviation() {
        assert_eq!(new(|_| ()).unwrap().violation(), "EBS volume is not encrypted");
        assert_eq!(new(|it| it.title = "Trail is off".to_owned()).unwrap().violation(), "trail is off");
    }

    #[test]
    fn a_path_points_into_nested_objects() {
        let names = new(|it| it.field = "options.httpTokensRequired".to_owned()).unwrap();
        assert_eq!(names.field, "http_tokens_required");
        assert_eq!(names.configuration(json!(true)), json!({"options": {"httpTokensRequired": true}}));
    }

    #[test]
    fn a_type_with_a_reserved_name_gets_another_name() {
        assert_eq!(new(|it| it.resource_type = "AWS::EC2::Tags".to_owned()).unwrap().subject, "TagsItem");
        assert_eq!(new(|_| ()).unwrap().subject, "Volume");
    }

    #[test]
    fn invalid_arguments_are_refused_by_name() {
        type Spoil = fn(&mut NewControl);
        let refused: [(Spoil, &str); 6] = [
            (|it| it.service = "../ec2".to_owned(), "service: "),
            (|it| it.id = "Ec2_Volume".to_owned(), "id: "),
            (|it| it.title = "EBS volume is not encrypted.".to_owned(), "--title: "),
            (|it| it.why = String::new(), "--why: "),
            (|it| it.resource_type = "AWS::::Account".to_owned(), "--type: "),
            (|it| it.field = "options.type".to_owned(), "--field: "),
        ];
        for (change, expected) in refused {
            let error = new(change).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
