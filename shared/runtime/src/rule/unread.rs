//! The resources that a periodic run could not read: all are counted, the first ones are named.

use rectify_compliance::ResourceKey;
use serde::{Deserialize, Serialize};

use crate::invocation::Invocation;
use crate::{AwsError, Error};

/// The maximum number of resources named in the log line.
const MAX_LOGGED: usize = 100;
/// The maximum number of resources named in the error.
const MAX_LISTED: usize = 5;

/// Resources without a verdict in this round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unread {
    count: usize,
    named: Vec<String>,
}

impl Unread {
    /// Adds one, counts it by the type of its error, and names it in the log line while there is room.
    pub(super) fn add(&mut self, resource: &ResourceKey, error: &AwsError, log: &mut Invocation) {
        log.count("Unreadable", "ReadError", error.name(), 1);
        self.count += 1;
        if self.named.len() < MAX_LOGGED {
            self.named.push(format!("{resource} ({})", error.brief()));
            log.note("unreadable", self.named.clone());
        }
    }

    /// The error of a run over `resources`, if any could not be read.
    pub(super) fn into_error(self, resources: usize) -> Option<Error> {
        let Self { count, named } = self;
        let more = count.saturating_sub(MAX_LISTED);
        let mut first = named.into_iter().take(MAX_LISTED).collect::<Vec<_>>().join(", ");
        if more > 0 {
            first.push_str(&format!(" +{more} more"));
        }
        (count > 0).then_some(Error::Unreadable { count, resources, first })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::CallError;

    #[test]
    fn all_are_counted_by_error_type_and_the_first_are_named() {
        let mut log = Invocation::start("door-ajar", "request");
        let mut unread = Unread::default();
        let denied =
            AwsError::Call(CallError::answered("doors:DescribeDoor", 403, "AccessDenied", "a text of any length"));
        for number in 0..MAX_LOGGED + 20 {
            unread.add(&ResourceKey::new("Door", format!("d-{number:03}")), &denied, &mut log);
        }
        let logged = &log.lines(0, 0, None)[0];
        assert_eq!((&logged["Unreadable"], &logged["ReadError"]), (&(MAX_LOGGED + 20).into(), &"AccessDenied".into()));
        let named = logged["unreadable"].as_array().unwrap();
        assert_eq!((named.len(), &named[0]), (MAX_LOGGED, &"Door d-000 (doors:DescribeDoor: AccessDenied)".into()));
        let text = unread.into_error(500).unwrap().to_string();
        assert!(
            text.starts_with("120 of 500 resources could not be read: Door d-000 (") && text.ends_with(" +115 more")
        );
        assert!(text.len() < 400, "{text}");
        assert_eq!(Unread::default().into_error(500), None);
    }
}
