//! The bucket-level public access block that ends public access: the calls, the plan, the prediction and the undo.

use rectify_compliance::{Irreversible, Level, Plan, Step, offenders};
use rectify_policy::Policy;
use serde_json::{Value, json};

use super::{Action, Params, Subject, Undo};
use crate::families::access::kind::BUCKET;
use crate::families::access::{Access, Cause, Exposure, Flags, Grantee};

/// Adds the pair of flags that each kind of cause requires to the flags already set. Level L2: the access may be in
/// use.
pub fn plan(subject: &Subject, params: &Params, access: Access) -> Plan<Action> {
    let exposure = subject.exposure(params);
    let causes = exposure.causes(access);
    let mut flags = subject.block.unwrap_or_default();
    if causes.iter().any(Cause::is_acl) {
        flags = flags.or(Flags::ACL_PAIR);
    }
    if !causes.iter().all(Cause::is_acl) {
        flags = flags.or(Flags::POLICY_PAIR);
    }
    let steps = vec![Step::call(Level::L2, put(subject, flags))];
    Plan::unless(blocker(subject, params, access, &exposure), steps)
}

/// `PutPublicAccessBlock` sets the four flags and nothing else.
///
/// The policy status stays as it was: under RestrictPublicBuckets neither status is exposure.
#[must_use]
pub fn predict(subject: Subject, action: &Action) -> Subject {
    Subject { block: Some(action.flags()), ..subject }
}

/// The four flags of the bucket; null where it has no block.
pub fn touched_fields(subject: &Subject) -> Value {
    json!(subject.block)
}

/// One call restores the previous block, however many calls were made.
///
/// # Errors
/// None: the complete previous block is known.
pub fn undo(before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
    if done.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Undo::restore(before.bucket.owned(), before.block)])
}

/// The call that sets these flags.
pub fn put(subject: &Subject, flags: Flags) -> Action {
    Action::put(subject.bucket.owned(), flags)
}

/// Why this access must not be ended automatically: the first failed precondition.
pub fn blocker(subject: &Subject, params: &Params, access: Access, exposure: &Exposure) -> Option<String> {
    let causes = exposure.causes(access);
    if let Some(tag) = params.public_tag.as_ref().filter(|tag| subject.bucket.tags.get(&tag.key) == Some(&tag.value)) {
        return Some(format!("tag `{tag}` marks the bucket as intentionally public"));
    }
    let unread = causes.iter().find(|cause| matches!(cause, Cause::AclUnread | Cause::PolicyUnread));
    if let Some(unread) = unread {
        return Some(format!("{unread}: the access that would be cut off is unknown"));
    }
    // A website serves anonymous readers. A public write-only grant serves none.
    let serves_readers =
        access == Access::Read || !causes.iter().all(Cause::is_acl) || exposure.read.iter().any(Cause::is_acl);
    match subject.website {
        Some(false) => {}
        Some(true) if !serves_readers => {}
        Some(true) => return Some("website: BucketWebsiteConfiguration is set".to_owned()),
        None => return Some("website: BucketWebsiteConfiguration was not read".to_owned()),
    }
    let points = causes.iter().filter(|cause| matches!(cause, Cause::AccessPoint(_))).map(Cause::to_string);
    let points = offenders(points);
    if !points.is_empty() {
        return Some(format!("{points}: the block of an access point cannot be changed after creation"));
    }
    if causes.contains(&Cause::PolicyUnexplained) {
        return Some(
            "GetBucketPolicyStatus disagrees: S3 reports the policy public; statement not identified".to_owned(),
        );
    }
    if causes.iter().any(|cause| matches!(cause, Cause::Policy(_))) {
        let other_principals = subject.policy.as_ref().map_or_else(Vec::new, |policy: &Policy| {
            policy.external_statements(&subject.bucket.arn, &subject.bucket.account, &BUCKET)
        });
        if !other_principals.is_empty() {
            let labels = offenders(other_principals.into_iter().map(|it| it.label.as_str()));
            return Some(format!("RestrictPublicBuckets would also cut off other principals in policy:{labels}"));
        }
    }
    let excludes_authenticated = !params.treat_authenticated_users_as_public.0;
    let grants_authenticated =
        || subject.acl.iter().flatten().any(|grant| grant.grantee == Grantee::AuthenticatedUsers);
    (excludes_authenticated && causes.iter().any(Cause::is_acl) && grants_authenticated()).then(|| {
        "IgnorePublicAcls would also cut off AuthenticatedUsers, which the parameters do not treat as public".to_owned()
    })
}

#[cfg(test)]
mod tests;
