//! The work that local AWS has not finished.

use std::collections::BTreeMap;
use std::fmt;

/// Unfinished work; idle means that all of it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingWork {
    /// Asynchronous events by function: queued, running, or waiting for their next attempt.
    pub functions: BTreeMap<String, usize>,
    /// Invocations by AWS Config that Lambda has not accepted.
    pub invocations: usize,
    /// Compliance changes that are not on the bus.
    pub changes: usize,
    /// Dead letters that are not yet in the queue of their function.
    pub dead_letters: usize,
}

impl PendingWork {
    /// Whether nothing is pending.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.functions.is_empty() && self.invocations + self.changes + self.dead_letters == 0
    }
}

impl fmt::Display for PendingWork {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.functions.iter().map(|(name, events)| format!("`{name}` has {events} events")).collect();
        if self.invocations > 0 {
            parts.push(format!("{} invocations are waiting", self.invocations));
        }
        if self.changes > 0 {
            parts.push(format!("{} compliance changes are not on the bus", self.changes));
        }
        if self.dead_letters > 0 {
            parts.push(format!("{} dead letters are not delivered", self.dead_letters));
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
    fn pending_work_is_listed() {
        let pending = PendingWork {
            functions: BTreeMap::from([("rectify-a".to_owned(), 2)]),
            invocations: 1,
            ..PendingWork::default()
        };
        assert_eq!(pending.to_string(), "`rectify-a` has 2 events, 1 invocations are waiting");
        assert!(!pending.is_idle());
        assert_eq!(PendingWork::default().to_string(), "resources keep changing");
    }
}
