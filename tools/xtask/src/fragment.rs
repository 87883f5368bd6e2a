//! Text with holes: a fragment written by hand, filled per control.

/// A fragment that names a hole nobody fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfilled {
    /// The line that has it.
    pub line: String,
}

impl std::fmt::Display for Unfilled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "fragment: a hole without a value: `{}`", self.line.trim())
    }
}

impl std::error::Error for Unfilled {}

/// Fills the holes `{{name}}` of `fragment`.
///
/// A hole that is a line of its own takes as many lines as its value has, each at the hole's indent, and none when the
/// value is empty. Any other hole is replaced where it stands.
///
/// # Errors
/// [`Unfilled`] when a hole is left, so that a misspelt one never reaches a generated file.
pub fn fill(fragment: &str, values: &[(&str, &str)]) -> Result<String, Unfilled> {
    let mut filled = String::new();
    for line in fragment.lines() {
        let hole = line.trim();
        let block =
            values.iter().find(|(name, _)| hole.strip_prefix("{{").and_then(|it| it.strip_suffix("}}")) == Some(name));
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
        if has_hole(&text) {
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

/// Whether a line still holds `{{word}}`; what is not a word in double braces is code.
fn has_hole(line: &str) -> bool {
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
    fn a_line_of_its_own_takes_many_lines_and_none() {
        let fragment = "a:\n  {{list}}\n  {{nothing}}\nb: {{word}}\n";
        let filled = fill(fragment, &[("list", "- 1\n- 2"), ("nothing", ""), ("word", "w")]).unwrap();
        assert_eq!(filled, "a:\n  - 1\n  - 2\nb: w\n");
    }

    #[test]
    fn a_hole_without_a_value_is_an_error() {
        let error = fill("x: {{oops}}", &[("list", "")]).unwrap_err();
        assert_eq!(error.to_string(), "fragment: a hole without a value: `x: {{oops}}`");
        assert_eq!(fill("{ {} } {{ a b }}", &[]).unwrap(), "{ {} } {{ a b }}\n");
    }
}
