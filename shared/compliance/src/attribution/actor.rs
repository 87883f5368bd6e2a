//! Who made a call: an identity, the service it went through, and the stack it was made for.

use std::fmt;

use serde_json::Value;

use super::{printable, stack_in};
use crate::ShapeError;

/// Suffixes of the host names of AWS services, as they appear in `sourceIPAddress`.
const SERVICES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
/// Prefix of CloudFormation's host name, as it appears in `invokedBy` and `sourceIPAddress`.
const CLOUDFORMATION: &str = "cloudformation.";

/// Who made a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The identity whose credentials signed it.
    pub identity: Identity,
    /// The service that made the call with these credentials, e.g. `cloudformation.amazonaws.com`. From `invokedBy`,
    /// else from a `sourceIPAddress` that is a service. AWS writes both; a caller cannot.
    pub via: Option<String>,
    /// The CloudFormation stack that the call was made for, if the request names one.
    pub stack: Option<String>,
}

/// The identity whose credentials signed a call: `userIdentity` by its `type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// `Root`.
    Root {
        /// The account, if the record has it.
        account: Option<String>,
    },
    /// `IAMUser`.
    User {
        /// The user's name.
        name: String,
    },
    /// `AssumedRole` and `Role`: a role session. IAM Identity Center names it after the user, Lambda after the
    /// function; any other caller chooses the name.
    Role {
        /// The role's name, unique in its account.
        role: String,
        /// The role's unique id, `AROA…`, which IAM never gives to another role.
        id: Option<String>,
        /// The role's account.
        account: Option<String>,
        /// The session name, chosen by the principal that assumed the role; absent for a role without a session.
        session: Option<String>,
        /// The source identity, set once and kept through role chaining.
        source: Option<String>,
    },
    /// `FederatedUser`, `SAMLUser` and `WebIdentityUser`.
    Federated {
        /// The name from the provider.
        name: String,
        /// The issuer: the user who requested the session, or the identity provider.
        issuer: Option<String>,
    },
    /// `IdentityCenterUser`.
    Directory {
        /// The user id in the identity store.
        user: String,
    },
    /// `AWSAccount`: another account.
    Account {
        /// The account id.
        account: String,
        /// The principal id.
        principal: Option<String>,
    },
    /// `AWSService`: a service on its own behalf. The actor's `via` names the service.
    Service,
    /// `Unknown`, and every type that is not listed here.
    Other {
        /// The type.
        kind: String,
        /// Its ARN, principal id or account id.
        principal: Option<String>,
    },
}

impl Actor {
    /// Reads the actor of a record.
    ///
    /// # Errors
    /// [`ShapeError`] if the record does not identify the caller.
    pub fn read(record: &Value) -> Result<Self, ShapeError> {
        let who = record.get("userIdentity").filter(|it| it.is_object());
        let who = who.ok_or_else(|| ShapeError::missing("userIdentity", "an identity"))?;
        let address = text(record, "sourceIPAddress").filter(|it| SERVICES.iter().any(|end| it.ends_with(end)));
        let via = text(who, "invokedBy").or(address);
        let stack = record.get("requestParameters").and_then(stack_in);
        Ok(Self { identity: identity(who, via.is_some())?, via, stack })
    }

    /// The unique id and account of the role, if this is a role session and the record has them.
    pub fn role(&self) -> Option<(&str, &str)> {
        let Identity::Role { id: Some(id), account: Some(account), .. } = &self.identity else { return None };
        Some((id, account))
    }

    /// The role session name.
    pub fn session(&self) -> Option<&str> {
        let Identity::Role { session, .. } = &self.identity else { return None };
        session.as_deref()
    }

    /// Whether CloudFormation made the call.
    pub fn is_cloudformation(&self) -> bool {
        self.via.as_deref().is_some_and(|it| it.starts_with(CLOUDFORMATION))
    }
}

fn identity(who: &Value, invoked: bool) -> Result<Identity, ShapeError> {
    let missing = |member: &str| ShapeError::missing(format!("userIdentity.{member}"), "a string");
    let account = text(who, "accountId");
    let Some(kind) = text(who, "type") else {
        // An `AwsServiceEvent` names the service and has no type.
        return if invoked { Ok(Identity::Service) } else { Err(missing("type")) };
    };
    let arn = text(who, "arn");
    let principal = text(who, "principalId");
    let issuer = who.get("sessionContext").and_then(|it| it.get("sessionIssuer"));
    Ok(match kind.as_str() {
        "Root" => Identity::Root { account },
        "IAMUser" => {
            let name = text(who, "userName").or_else(|| last(arn.as_deref()?, ":user/")).or(principal);
            Identity::User { name: name.ok_or_else(|| missing("userName"))? }
        }
        "AssumedRole" | "Role" => role(who, arn.as_deref(), principal.as_deref(), account)?,
        "FederatedUser" => {
            let name = arn.as_deref().and_then(|it| last(it, ":federated-user/"));
            let name = name.or_else(|| after_colon(principal.as_deref()?)).or_else(|| text(who, "userName"));
            let issuer = issuer.and_then(|it| text(it, "userName"));
            Identity::Federated { name: name.ok_or_else(|| missing("arn"))?, issuer }
        }
        "SAMLUser" | "WebIdentityUser" => {
            let name = text(who, "userName").or_else(|| after_colon(principal.as_deref()?)).or(principal);
            Identity::Federated {
                name: name.ok_or_else(|| missing("userName"))?,
                issuer: text(who, "identityProvider"),
            }
        }
        "IdentityCenterUser" => {
            let user = who.get("onBehalfOf").and_then(|it| text(it, "userId")).or(principal);
            Identity::Directory { user: user.ok_or_else(|| missing("onBehalfOf.userId"))? }
        }
        "AWSAccount" => Identity::Account { account: account.ok_or_else(|| missing("accountId"))?, principal },
        "AWSService" if invoked => Identity::Service,
        "AWSService" => return Err(missing("invokedBy")),
        _ => Identity::Other { kind, principal: arn.or(principal).or(account) },
    })
}

/// `arn:<partition>:sts::<account>:assumed-role/<role>/<session>` names role and session. If the ARN does not name the
/// role, the session issuer does.
fn role(
    who: &Value,
    arn: Option<&str>,
    principal: Option<&str>,
    account: Option<String>,
) -> Result<Identity, ShapeError> {
    let context = who.get("sessionContext");
    let issuer = context.and_then(|it| it.get("sessionIssuer"));
    let assumed = arn.and_then(|it| it.split_once(":assumed-role/")).map(|(_, rest)| rest);
    let (role, session) = match assumed.map(|it| it.split_once('/').unwrap_or((it, ""))) {
        Some((role, session)) => (printable(role), printable(session)),
        None => {
            let named = issuer.and_then(|it| text(it, "userName"));
            let named = named.or_else(|| last(arn?, ":role/"));
            let named = named.or_else(|| last(&issuer.and_then(|it| text(it, "arn"))?, ":role/"));
            (named, principal.and_then(after_colon))
        }
    };
    let role = role.ok_or_else(|| ShapeError::missing("userIdentity.arn", "the ARN of a role session"))?;
    let source = context.and_then(|it| text(it, "sourceIdentity"));
    let id = issuer.and_then(|it| text(it, "principalId"));
    let id = id.or_else(|| printable(principal?.split(':').next()?));
    // The role's account, not the resource's: a role of another account may act here.
    let account = issuer.and_then(|it| text(it, "accountId")).or(account);
    Ok(Identity::Role { role, id, account, session, source })
}

fn text(of: &Value, member: &str) -> Option<String> {
    of.get(member).and_then(Value::as_str).and_then(printable)
}

/// The last segment of an ARN's path after `mark`: names have no path.
fn last(arn: &str, mark: &str) -> Option<String> {
    let (_, path) = arn.split_once(mark)?;
    path.rsplit('/').next().and_then(printable)
}

/// `AROA…:<session>`.
fn after_colon(principal: &str) -> Option<String> {
    principal.split_once(':').and_then(|(_, name)| printable(name))
}

/// As shown in a ticket: `jane@corp via AWSReservedSSO_x`, `CloudFormation stack web for deployer via CfnRole`.
impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = match (&self.via, &self.stack) {
            (Some(_), Some(stack)) if self.is_cloudformation() => Some(format!("CloudFormation stack {stack}")),
            (via, _) => via.clone(),
        };
        match (service, &self.identity) {
            (Some(service), Identity::Service) => out.write_str(&service),
            (Some(service), identity) => write!(out, "{service} for {identity}"),
            (None, identity) => identity.fmt(out),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |out: &mut fmt::Formatter<'_>, text: &Option<String>| match text {
            Some(text) => write!(out, " ({text})"),
            None => Ok(()),
        };
        match self {
            Self::Root { account: Some(account) } => write!(out, "root user of {account}"),
            Self::Root { account: None } => out.write_str("root user"),
            Self::User { name } => write!(out, "IAM user {name}"),
            Self::Role { role, session, source, .. } => {
                match session {
                    Some(session) => write!(out, "{session} via {role}")?,
                    None => write!(out, "role {role}")?,
                }
                bracketed(out, &source.as_ref().map(|source| format!("source identity {source}")))
            }
            Self::Federated { name, issuer: Some(issuer) } => write!(out, "{name} via {issuer}"),
            Self::Federated { name, issuer: None } => write!(out, "federated user {name}"),
            Self::Directory { user } => write!(out, "IAM Identity Center user {user}"),
            Self::Account { account, principal } => {
                write!(out, "account {account}")?;
                bracketed(out, principal)
            }
            Self::Service => out.write_str("AWS service"),
            Self::Other { kind, principal } => {
                write!(out, "identity of type {kind}")?;
                bracketed(out, principal)
            }
        }
    }
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
