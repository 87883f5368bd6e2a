//! What a world is still busy with.

use std::collections::BTreeMap;
use std::fmt;

/// Work that is not done; everything empty means quiet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingWork {
    /// Asynchronous events by function: queued, running, or waiting for their next attempt.
    pub functions: BTreeMap<String, usize>,
    /// Invocations AWS Config asked for that Lambda has not taken.
    pub invocations: usize,
    /// Compliance changes that are not on the bus.
    pub changes: usize,
    /// Dead letters that are not where their function's deployment sends them.
    pub letters: usize,
}

impl PendingWork {
    /// Nothing goes on.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.functions.is_empty() && self.invocations + self.changes + self.letters == 0
    }
}

impl fmt::Display for PendingWork {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.functions.iter().map(|(name, events)| format!("`{name}` has {events} events")).collect();
        if self.invocations > 0 {
            parts.push(format!("{} invocations wait", self.invocations));
        }
        if self.changes > 0 {
            parts.push(format!("{} compliance changes are not on the bus", self.changes));
        }
        if self.letters > 0 {
            parts.push(format!("{} dead letters are not delivered", self.letters));
        }
        if parts.is_empty() {
            parts.push("resources keep changing".to_owned());
        }
        out.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said() {
        let busy = PendingWork {
            functions: BTreeMap::from([("rectify-a".to_owned(), 2)]),
            invocations: 1,
            ..PendingWork::default()
        };
        assert_eq!(busy.to_string(), "`rectify-a` has 2 events, 1 invocations wait");
        assert!(!busy.is_quiet());
        assert_eq!(PendingWork::default().to_string(), "resources keep changing");
    }
}
