//! What a periodic run found and could not read: all of it is counted, the first of it is named.

use rectify_compliance::ResourceKey;
use serde::{Deserialize, Serialize};

use crate::invocation::Invocation;
use crate::{AwsError, Error};

/// The most resources that the log line names.
const LOGGED: usize = 100;
/// The most resources that the fault names.
const NAMED: usize = 5;

/// Resources without a verdict in this round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unread {
    count: usize,
    named: Vec<String>,
}

impl Unread {
    /// Adds one, counts it by the type of its error, and names it in the log line while there is room.
    pub(super) fn add(&mut self, resource: &ResourceKey, error: &AwsError, line: &mut Invocation) {
        line.count("Unreadable", "ReadError", error.name(), 1);
        self.count += 1;
        if self.named.len() < LOGGED {
            self.named.push(format!("{resource} ({})", error.brief()));
            line.note("unreadable", self.named.clone());
        }
    }

    /// What the run ends with, where anything was not read of so many resources.
    pub(super) fn fault(self, resources: usize) -> Option<Error> {
        let Self { count, named } = self;
        let more = count.saturating_sub(NAMED);
        let mut first = named.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
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
    fn all_are_counted_by_the_type_of_their_error_and_the_first_are_named() {
        let mut line = Invocation::start("door-ajar", "request");
        let mut unread = Unread::default();
        let denied =
            AwsError::Call(CallError::answered("doors:DescribeDoor", 403, "AccessDenied", "a text of any length"));
        for number in 0..LOGGED + 20 {
            unread.add(&ResourceKey::new("Door", format!("d-{number:03}")), &denied, &mut line);
        }
        let logged = &line.lines(0, 0, None)[0];
        assert_eq!((&logged["Unreadable"], &logged["ReadError"]), (&(LOGGED + 20).into(), &"AccessDenied".into()));
        let named = logged["unreadable"].as_array().unwrap();
        assert_eq!((named.len(), &named[0]), (LOGGED, &"Door d-000 (doors:DescribeDoor: AccessDenied)".into()));
        let text = unread.fault(500).unwrap().to_string();
        assert!(
            text.starts_with("120 of 500 resources could not be read: Door d-000 (") && text.ends_with(" +115 more")
        );
        assert!(text.len() < 400, "{text}");
        assert_eq!(Unread::default().fault(500), None);
    }
}
