//! `*` and `?` as IAM uses them in ARNs and action names.

use wildmatch::WildMatch;

/// Whether `pattern` matches the whole `text`. A policy variable (`${…}`) is plain text: it is not resolved here.
pub fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// Whether `pattern` matches the whole `text` for some value of its policy variables.
pub fn may_match(pattern: &str, text: &str) -> bool {
    matches(&widened(pattern), text)
}

/// Whether `wide` matches everything that `narrow` matches. Sound but not complete: if in doubt, no.
///
/// The `*` of `narrow` is compared as a character, which should match only a `*` of `wide`. A `?` would match it too,
/// so a `wide` with `?` covers only itself; likewise one with policy variables.
pub fn covers(wide: &str, narrow: &str) -> bool {
    wide == narrow || (!wide.contains('?') && !wide.contains("${") && matches(wide, narrow))
}

/// Whether `pattern` matches `base` itself or some text that begins with `base/`: an ARN or a resource below it.
pub fn reaches(pattern: &str, base: &str) -> bool {
    let pattern = widened(pattern);
    if matches(&pattern, base) {
        return true;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let mut positions = skip_stars(&pattern, vec![0]);
    for character in base.chars().chain(['/']) {
        let next = positions
            .into_iter()
            .filter_map(|position| match pattern.get(position) {
                Some('*') => Some(position),
                Some('?') => Some(position + 1),
                Some(it) if *it == character => Some(position + 1),
                Some(_) | None => None,
            })
            .collect();
        positions = skip_stars(&pattern, next);
    }
    !positions.is_empty()
}

/// Adds the position after every `*`, which may also match nothing; sorted, without duplicates.
fn skip_stars(pattern: &[char], positions: Vec<usize>) -> Vec<usize> {
    let mut all = std::collections::BTreeSet::new();
    for mut position in positions {
        all.insert(position);
        while pattern.get(position) == Some(&'*') {
            position += 1;
            all.insert(position);
        }
    }
    all.into_iter().collect()
}

fn widened(pattern: &str) -> String {
    let mut wide = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, variable)) = rest.split_once("${") {
        wide.push_str(before);
        wide.push('*');
        rest = variable.split_once('}').map_or("", |(_, after)| after);
    }
    wide.push_str(rest);
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_reaches_the_base_and_resources_below_it() {
        for (pattern, expected) in [
            ("arn:x:s3:::pics", true),
            ("arn:x:s3:::pics/*", true),
            ("arn:x:s3:::pics/2026/a.png", true),
            ("arn:x:s3:::p*", true),
            ("arn:x:s3:::*", true),
            ("arn:x:s3:::*/*", true),
            ("arn:*:s3:::pic?/a", true),
            ("*", true),
            ("arn:x:s3:::${aws:username}/*", true),
            ("arn:x:s3:::pics-2", false),
            ("arn:x:s3:::pics-2/*", false),
            ("arn:x:s3:::pic", false),
            ("arn:y:s3:::pics/*", false),
            ("arn:x:s3:::other*", false),
            ("", false),
        ] {
            assert_eq!(reaches(pattern, "arn:x:s3:::pics"), expected, "{pattern}");
        }
    }

    #[test]
    fn a_doubtful_pattern_does_not_cover() {
        for (wide, narrow, expected) in [
            ("*", "arn:x:s3:::a/*", true),
            ("arn:x:s3:::a*", "arn:x:s3:::a/*", true),
            ("arn:x:s3:::a/*", "arn:x:s3:::a/*", true),
            ("arn:x:s3:::a/*", "arn:x:s3:::a/2026/*", true),
            ("arn:x:s3:::a/*", "arn:x:s3:::a", false),
            ("arn:x:s3:::a/2026/*", "arn:x:s3:::a/*", false),
            ("arn:x:s3:::a/?", "arn:x:s3:::a/*", false),
            ("arn:x:s3:::${aws:username}", "arn:x:s3:::*", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} covers {narrow}");
        }
    }

    #[test]
    fn a_variable_is_plain_text_or_a_wildcard() {
        assert!(may_match("a${x}c", "abc") && may_match("${x", "anything") && !may_match("a${x}c", "abd"));
        assert!(!matches("a${x}c", "abc") && matches("a${x}c", "a${x}c"));
    }
}
