//! Text templates: a handwritten fragment whose placeholders are filled per control.

/// A placeholder without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled {
    /// The line that contains it.
    pub line: String,
}

impl std::fmt::Display for Unfilled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "fragment: placeholder without a value: `{}`", self.line.trim())
    }
}

impl std::error::Error for Unfilled {}

/// Fills the placeholders `{{name}}` of `fragment`.
///
/// A placeholder alone on its line is replaced by the lines of its value, each at the placeholder's indent; an empty
/// value
/// removes the line. Any other placeholder is replaced in place.
///
/// # Errors
/// [`Unfilled`] when a placeholder is left, so that a misspelled one never reaches a generated file.
pub fn fill(fragment: &str, values: &[(&str, &str)]) -> Result<String, Unfilled> {
    let mut filled = String::new();
    for line in fragment.lines() {
        let placeholder = line.trim();
        let block = values
            .iter()
            .find(|(name, _)| placeholder.strip_prefix("{{").and_then(|it| it.strip_suffix("}}")) == Some(name));
        if let Some((_, value)) = block {
            let indent = &line[..line.len() - line.trim_start().len()];
            for part in value.lines() {
                push_line(&mut filled, if part.is_empty() { "" } else { indent }, part);
            }
            continue;
        }
        let mut text = line.to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{{{name}}}}}"), value);
        }
        if has_placeholder(&text) {
            return Err(Unfilled { line: text });
        }
        push_line(&mut filled, "", &text);
    }
    Ok(filled)
}

fn push_line(text: &mut String, indent: &str, line: &str) {
    text.push_str(indent);
    text.push_str(line);
    text.push('\n');
}

/// Whether a line still contains `{{word}}`; anything else in double braces is code.
fn has_placeholder(line: &str) -> bool {
    line.split("{{").skip(1).any(|rest| {
        rest.split_once("}}")
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-'))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_alone_on_its_line_takes_many_lines_or_none() {
        let fragment = "a:\n  {{list}}\n  {{nothing}}\nb: {{word}}\n";
        let filled = fill(fragment, &[("list", "- 1\n- 2"), ("nothing", ""), ("word", "w")]).unwrap();
        assert_eq!(filled, "a:\n  - 1\n  - 2\nb: w\n");
    }

    #[test]
    fn a_placeholder_without_a_value_is_an_error() {
        let error = fill("x: {{oops}}", &[("list", "")]).unwrap_err();
        assert_eq!(error.to_string(), "fragment: placeholder without a value: `x: {{oops}}`");
        assert_eq!(fill("{ {} } {{ a b }}", &[]).unwrap(), "{ {} } {{ a b }}\n");
    }
}
