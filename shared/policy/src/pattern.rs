//! `*` and `?` as IAM uses them in ARNs and action names.

use wildmatch::WildMatch;

/// Whether `pattern` matches the whole of `text`. A policy variable (`${…}`) is text as any other: it is not resolved here.
pub fn matches(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

/// Whether `pattern` matches the whole of `text` for some value of its policy variables.
pub fn may_match(pattern: &str, text: &str) -> bool {
    matches(&widened(pattern), text)
}

/// Whether `wide` matches everything that `narrow` matches. Sound but not complete: when in doubt, no.
///
/// The `*` of `narrow` is compared as a character, which only a `*` of `wide` can take in. A `?` could take it for one
/// character, so a `wide` with one covers nothing but itself; policy variables likewise.
pub fn covers(wide: &str, narrow: &str) -> bool {
    wide == narrow || (!wide.contains('?') && !wide.contains("${") && matches(wide, narrow))
}

/// Whether `pattern` matches `base` itself or some text that begins with `base/`: an ARN or a thing below it.
pub fn reaches(pattern: &str, base: &str) -> bool {
    let pattern = widened(pattern);
    if matches(&pattern, base) {
        return true;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let mut places = skip_stars(&pattern, vec![0]);
    for letter in base.chars().chain(['/']) {
        let next = places
            .into_iter()
            .filter_map(|place| match pattern.get(place) {
                Some('*') => Some(place),
                Some('?') => Some(place + 1),
                Some(it) if *it == letter => Some(place + 1),
                Some(_) | None => None,
            })
            .collect();
        places = skip_stars(&pattern, next);
    }
    !places.is_empty()
}

/// Adds the places after every `*`, which may also match nothing; sorted, without repeats.
fn skip_stars(pattern: &[char], places: Vec<usize>) -> Vec<usize> {
    let mut all = std::collections::BTreeSet::new();
    for mut place in places {
        all.insert(place);
        while pattern.get(place) == Some(&'*') {
            place += 1;
            all.insert(place);
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
    fn a_pattern_reaches_what_lies_at_or_below_the_base() {
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
    fn covering_is_never_claimed_in_doubt() {
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
    fn a_variable_is_text_or_anything() {
        assert!(may_match("a${x}c", "abc") && may_match("${x", "anything") && !may_match("a${x}c", "abd"));
        assert!(!matches("a${x}c", "abc") && matches("a${x}c", "a${x}c"));
    }
}
