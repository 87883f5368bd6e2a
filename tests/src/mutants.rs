//! The remediation of `restricted-ssh`, broken on purpose: the demo must detect each mutant.
//!
//! Each mutant is the real control with one mutation. Everything else (declaration, evaluation, live read, model) is
//! delegated, so that only the mutation can be detected.

use std::fmt::Debug;
use std::marker::PhantomData;

use rectify_compliance::{
    Control, Declared, Irreversible, Plan, Remediation, RemediationPermissions, Step, Target, Timestamp, Verdict, Work,
};
use rectify_ec2::RESTRICTED_SSH;
use rectify_ec2::controls::restricted_ssh::RestrictedSshParameters as Params;
use rectify_ec2::families::authorization::Authorize;
use rectify_ec2::families::revocation::{Revocation, Revoke};
use rectify_ec2::resources::security_group::GroupInNetwork as Subject;
use rectify_ec2_lambda::Clients;
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;
use serde_json::Value;

/// A mutation; the default methods change nothing.
pub trait Mutation: Debug + Send + Sync + 'static {
    /// Replaces the correct plan.
    fn plan(_live: &Subject, correct: Plan<Revoke>) -> Plan<Revoke> {
        correct
    }

    /// Replaces the correct call or its result.
    fn apply(clients: &Clients, target: &Target, action: &Revoke) -> impl Future<Output = Result<(), AwsError>> + Send {
        RESTRICTED_SSH.logic.apply(clients, target, action)
    }
}

/// Has no plan for a violation.
#[derive(Debug)]
pub struct IdlePlan;

impl Mutation for IdlePlan {
    fn plan(_live: &Subject, _correct: Plan<Revoke>) -> Plan<Revoke> {
        Plan::Noop
    }
}

/// Revokes every ingress rule of a violating group.
#[derive(Debug)]
pub struct GreedyPlan;

impl Mutation for GreedyPlan {
    fn plan(live: &Subject, mut correct: Plan<Revoke>) -> Plan<Revoke> {
        if let Plan::Apply { steps } = &mut correct {
            let every: Vec<String> = live.group.ingress().filter_map(|rule| rule.id.clone()).collect();
            for Step { work, .. } in steps {
                if let Work::Api(Revoke::RevokeSecurityGroupIngress(input)) = work {
                    input.security_group_rule_ids.clone_from(&every);
                }
            }
        }
        correct
    }
}

/// Makes a call that EC2 refuses, and ignores the refusal.
#[derive(Debug)]
pub struct SwallowedError;

impl Mutation for SwallowedError {
    async fn apply(clients: &Clients, target: &Target, action: &Revoke) -> Result<(), AwsError> {
        let security_group_rule_ids = action.input().security_group_rule_ids.clone();
        let group_id = "sg-00000000000000000".to_owned();
        let elsewhere = Revoke::RevokeSecurityGroupIngress(Revocation { group_id, security_group_rule_ids });
        let _swallowed = RESTRICTED_SSH.logic.apply(clients, target, &elsewhere).await;
        Ok(())
    }
}

/// `restricted-ssh` with one mutation and the same id.
#[derive(Debug)]
pub struct Mutant<M>(PhantomData<M>);

/// `restricted-ssh` with [`IdlePlan`].
pub static BROKEN_IDLE_PLAN: Declared<Mutant<IdlePlan>> = mutant();
/// `restricted-ssh` with [`GreedyPlan`].
pub static BROKEN_GREEDY_PLAN: Declared<Mutant<GreedyPlan>> = mutant();
/// `restricted-ssh` with [`SwallowedError`].
pub static BROKEN_SWALLOWED_ERROR: Declared<Mutant<SwallowedError>> = mutant();

const fn mutant<M>() -> Declared<Mutant<M>> {
    Declared { meta: RESTRICTED_SSH.meta, logic: Mutant(PhantomData) }
}

impl<M: Mutation> Control for Mutant<M> {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, now: Timestamp) -> Verdict {
        RESTRICTED_SSH.logic.evaluate(subject, params, now)
    }
}

impl<M: Mutation> Remediation for Mutant<M> {
    type Action = Revoke;
    type Undo = Authorize;

    fn permissions(&self) -> RemediationPermissions {
        RESTRICTED_SSH.logic.permissions()
    }

    fn fix(&self, live: &Subject, params: &Params, now: Timestamp) -> Plan<Revoke> {
        M::plan(live, RESTRICTED_SSH.logic.plan(live, params, now))
    }

    fn predict(&self, live: Subject, action: &Revoke) -> Subject {
        RESTRICTED_SSH.logic.predict(live, action)
    }

    fn touched_fields(&self, subject: &Subject, done: &[Revoke]) -> Value {
        RESTRICTED_SSH.logic.touched_fields(subject, done)
    }

    fn undo(&self, before: &Subject, done: &[Revoke]) -> Result<Vec<Self::Undo>, Irreversible> {
        RESTRICTED_SSH.logic.undo(before, done)
    }
}

impl<M: Mutation> Fix<Clients> for Mutant<M> {
    async fn live(&self, clients: &Clients, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        RESTRICTED_SSH.logic.live(clients, target, params).await
    }

    async fn apply(&self, clients: &Clients, target: &Target, action: &Revoke) -> Result<(), AwsError> {
        M::apply(clients, target, action).await
    }
}
