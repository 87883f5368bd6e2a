//! The annotation of a verdict, within the limits of `PutEvaluations`.

use serde::{Deserialize, Serialize};

/// Maximum length of `Evaluation.Annotation`, in characters (`StringWithCharLimit256`, service model of 2014-11-12).
pub const MAX_CHARS: usize = 256;

/// Number of offenders that a list names before `+N more`.
const NAMED_OFFENDERS: usize = 3;

/// One sentence that states the finding or reason: 1..=256 characters, never blank, cut on a character boundary.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Annotation(String);

impl Annotation {
    /// Cuts `text` to the maximum length; a cut text ends in `…`. A blank text becomes `unspecified`, since the API
    /// rejects an empty annotation and the evaluation matters more than its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref().trim();
        if text.is_empty() {
            return Self("unspecified".to_owned());
        }
        if text.chars().count() <= MAX_CHARS {
            return Self(text.to_owned());
        }
        let mut cut: String = text.chars().take(MAX_CHARS - 1).collect();
        cut.push('…');
        Self(cut)
    }

    /// The text for `Evaluation.Annotation`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Annotation {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Annotation {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<Annotation> for String {
    fn from(annotation: Annotation) -> Self {
        annotation.0
    }
}

impl std::fmt::Display for Annotation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// Lists offenders the same way in every run: sorted, without duplicates, at most three, then `+N more`.
pub fn offenders<I>(names: I) -> String
where
    I: IntoIterator,
    I::Item: Into<String>,
{
    let names: std::collections::BTreeSet<String> = names.into_iter().map(Into::into).collect();
    let more = names.len().saturating_sub(NAMED_OFFENDERS);
    let mut text = names.into_iter().take(NAMED_OFFENDERS).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" +{more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_on_a_character_boundary_and_ends_in_an_ellipsis() {
        let annotation = Annotation::new("ä".repeat(400));
        assert_eq!(annotation.as_str(), format!("{}…", "ä".repeat(255)));
        assert_eq!(annotation.as_str().chars().count(), MAX_CHARS);
    }

    #[test]
    fn text_of_exactly_256_characters_is_kept() {
        let text = "x".repeat(MAX_CHARS);
        assert_eq!(Annotation::new(&text).as_str(), text);
    }

    #[test]
    fn a_blank_text_becomes_unspecified() {
        assert_eq!(Annotation::new(" \n ").as_str(), "unspecified");
    }

    #[test]
    fn offenders_are_sorted_deduplicated_and_bounded() {
        assert_eq!(offenders(["b", "a", "b"]), "a, b");
        assert_eq!(offenders(["d", "c", "e", "b", "a"]), "a, b, c +2 more");
        assert_eq!(offenders(Vec::<String>::new()), "");
    }
}
