//! IAM on your machine: every call of a deployed function is decided by the role the template gives it.
//!
//! | module | noun |
//! |---|---|
//! | [`policy`] | statements, and what they decide about a request |
//! | [`request`] | what a call asks IAM for |
//! | [`actions`] | the actions an operation needs |
//!
//! Only roles of functions are enforced: people, tests and the machinery here are whoever deploys. What Lambda does with a
//! role itself (logs, dead letters, polling) is not a call of the function and does not come by here.

pub mod actions;
pub mod policy;
pub mod request;
mod resources;

use std::collections::{BTreeMap, BTreeSet};

use policy::{Decision, Request, Statement, decide};

/// The roles of the callers, and what they used of them.
#[derive(Debug, Default)]
pub struct Guard {
    roles: BTreeMap<String, Vec<Statement>>,
    used: BTreeMap<String, BTreeSet<String>>,
    refused: Vec<Refused>,
}

/// A call that a role does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The function.
    pub caller: String,
    /// What it asked for.
    pub request: Request,
    /// Whether a statement denies it, or none allows it.
    pub denied: bool,
}

impl Guard {
    /// From now on calls of this function are decided by these statements.
    pub fn give(&mut self, caller: &str, statements: Vec<Statement>) {
        self.roles.insert(caller.to_owned(), statements);
    }

    /// Decides a call of a caller: `None` where all that it asks for is allowed, or where the caller has no role here.
    pub fn refuse(&mut self, caller: &str, requests: Vec<Request>) -> Option<Refused> {
        let statements = self.roles.get(caller)?;
        for request in requests {
            let decision = decide(statements, &request);
            if decision == Decision::Allowed {
                self.used.entry(caller.to_owned()).or_default().insert(request.action);
                continue;
            }
            let refused = Refused { caller: caller.to_owned(), request, denied: decision == Decision::Denied };
            self.refused.push(refused.clone());
            return Some(refused);
        }
        None
    }

    /// The actions a function used, of those its role allows.
    #[must_use]
    pub fn used(&self, caller: &str) -> BTreeSet<String> {
        self.used.get(caller).cloned().unwrap_or_default()
    }

    /// The calls that a role did not allow, oldest first; each is told once.
    #[must_use]
    pub fn take_refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Request { action, resource, context } = &self.request;
        let why = if self.denied { "an explicit deny in its role" } else { "no statement of its role allows it" };
        write!(out, "{} is not authorized to perform {action} on {resource} with {context:?}: {why}", self.caller)
    }
}
