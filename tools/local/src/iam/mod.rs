//! IAM on your machine: authorizes every call of a deployed function by the role that the template gives it.
//!
//! | module | noun |
//! |---|---|
//! | [`policy`] | policy statements and their decision about a request |
//! | [`request`] | the IAM requests of a call |
//! | [`actions`] | the IAM actions of an operation |
//!
//! Only the roles of functions are enforced: operators, tests and local AWS itself act as administrators. What Lambda
//! itself does with a role (logs, dead letters, polling) is not a call of the function and is not authorized here.

pub mod actions;
pub mod policy;
pub mod request;
mod resources;

use std::collections::{BTreeMap, BTreeSet};

use policy::{Decision, Request, Statement, decide};

/// The callers' roles, the actions they used and the calls that were denied.
#[derive(Debug, Default)]
pub struct Authorizer {
    roles: BTreeMap<String, Vec<Statement>>,
    used: BTreeMap<String, BTreeSet<String>>,
    denied: Vec<DeniedCall>,
}

/// A call that a role does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedCall {
    /// The function.
    pub caller: String,
    /// The denied request.
    pub request: Request,
    /// Whether a statement denies it explicitly; otherwise no statement allows it.
    pub explicit: bool,
}

impl Authorizer {
    /// Authorizes the calls of this function by these statements from now on.
    pub fn set_role(&mut self, caller: &str, statements: Vec<Statement>) {
        self.roles.insert(caller.to_owned(), statements);
    }

    /// Checks a call: `None` if all of its requests are allowed, or if the caller has no role here.
    pub fn denial(&mut self, caller: &str, requests: Vec<Request>) -> Option<DeniedCall> {
        let statements = self.roles.get(caller)?;
        for request in requests {
            let decision = decide(statements, &request);
            if decision == Decision::Allowed {
                self.used.entry(caller.to_owned()).or_default().insert(request.action);
                continue;
            }
            let denied = DeniedCall { caller: caller.to_owned(), request, explicit: decision == Decision::Denied };
            self.denied.push(denied.clone());
            return Some(denied);
        }
        None
    }

    /// The actions of its role that a function has used.
    #[must_use]
    pub fn used(&self, caller: &str) -> BTreeSet<String> {
        self.used.get(caller).cloned().unwrap_or_default()
    }

    /// Takes the denied calls since the last call, oldest first.
    #[must_use]
    pub fn take_denied(&mut self) -> Vec<DeniedCall> {
        std::mem::take(&mut self.denied)
    }
}

impl std::fmt::Display for DeniedCall {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Request { action, resource, context } = &self.request;
        let why = if self.explicit { "an explicit deny in its role" } else { "no statement of its role allows it" };
        write!(out, "{} is not authorized to perform {action} on {resource} with {context:?}: {why}", self.caller)
    }
}
