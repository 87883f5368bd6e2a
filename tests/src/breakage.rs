//! The remediation of `restricted-ssh`, broken on purpose: what the demo and the shell must notice.
//!
//! Each breakage is the true control with one thing wrong. Everything else (declaration, judgement, live read, model) is
//! delegated, so that nothing but the one fault can be what is noticed.

use std::fmt::Debug;
use std::marker::PhantomData;

use rectify_compliance::{
    Control, Declared, Irreversible, Permission, Plan, Remediation, Step, Target, Timestamp, Verdict, Work,
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

/// What is wrong. Without a method of its own a breakage changes nothing.
pub trait Breakage: Debug + Send + Sync + 'static {
    /// What becomes of the right plan.
    fn plan(_live: &Subject, right: Plan<Revoke>) -> Plan<Revoke> {
        right
    }

    /// What is sent in place of the right call, and what becomes of its answer.
    fn apply(clients: &Clients, target: &Target, action: &Revoke) -> impl Future<Output = Result<(), AwsError>> + Send {
        RESTRICTED_SSH.logic.apply(clients, target, action)
    }
}

/// Finds the fault and plans nothing against it.
#[derive(Debug)]
pub struct IdlePlan;

impl Breakage for IdlePlan {
    fn plan(_live: &Subject, _right: Plan<Revoke>) -> Plan<Revoke> {
        Plan::Noop
    }
}

/// Revokes every ingress rule of a group in which one is wrong.
#[derive(Debug)]
pub struct GreedyPlan;

impl Breakage for GreedyPlan {
    fn plan(live: &Subject, mut right: Plan<Revoke>) -> Plan<Revoke> {
        if let Plan::Apply { steps } = &mut right {
            let every: Vec<String> = live.group.ingress().filter_map(|rule| rule.id.clone()).collect();
            for Step { work, .. } in steps {
                if let Work::Api(Revoke::RevokeSecurityGroupIngress(input)) = work {
                    input.security_group_rule_ids.clone_from(&every);
                }
            }
        }
        right
    }
}

/// Asks EC2 for something it refuses, and takes the refusal for a success.
#[derive(Debug)]
pub struct SwallowedError;

impl Breakage for SwallowedError {
    async fn apply(clients: &Clients, target: &Target, action: &Revoke) -> Result<(), AwsError> {
        let security_group_rule_ids = action.input().security_group_rule_ids.clone();
        let group_id = "sg-00000000000000000".to_owned();
        let elsewhere = Revoke::RevokeSecurityGroupIngress(Revocation { group_id, security_group_rule_ids });
        let _swallowed = RESTRICTED_SSH.logic.apply(clients, target, &elsewhere).await;
        Ok(())
    }
}

/// `restricted-ssh` with one breakage; by its id nobody can tell it from the right one.
#[derive(Debug)]
pub struct Broken<B>(PhantomData<B>);

/// `restricted-ssh` with [`IdlePlan`].
pub static BROKEN_IDLE_PLAN: Declared<Broken<IdlePlan>> = broken();
/// `restricted-ssh` with [`GreedyPlan`].
pub static BROKEN_GREEDY_PLAN: Declared<Broken<GreedyPlan>> = broken();
/// `restricted-ssh` with [`SwallowedError`].
pub static BROKEN_SWALLOWED_ERROR: Declared<Broken<SwallowedError>> = broken();

const fn broken<B>() -> Declared<Broken<B>> {
    Declared { meta: RESTRICTED_SSH.meta, logic: Broken(PhantomData) }
}

impl<B: Breakage> Control for Broken<B> {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, now: Timestamp) -> Verdict {
        RESTRICTED_SSH.logic.evaluate(subject, params, now)
    }
}

impl<B: Breakage> Remediation for Broken<B> {
    type Action = Revoke;
    type Undo = Authorize;
    fn read_permissions(&self) -> &'static [Permission] {
        RESTRICTED_SSH.logic.read_permissions()
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        RESTRICTED_SSH.logic.fix_permissions()
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        RESTRICTED_SSH.logic.undo_permissions()
    }

    fn fix(&self, live: &Subject, params: &Params, now: Timestamp) -> Plan<Revoke> {
        B::plan(live, RESTRICTED_SSH.logic.plan(live, params, now))
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

impl<B: Breakage> Fix<Clients> for Broken<B> {
    async fn live(&self, clients: &Clients, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        RESTRICTED_SSH.logic.live(clients, target, params).await
    }

    async fn apply(&self, clients: &Clients, target: &Target, action: &Revoke) -> Result<(), AwsError> {
        B::apply(clients, target, action).await
    }
}
