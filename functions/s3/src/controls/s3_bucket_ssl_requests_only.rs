//! Whether a bucket denies requests without TLS. Depends on no SDK; evaluates only Deny statements.

use rectify_compliance::{
    ConfigurationItem, Control, Irreversible, Level, ManagedBy, NoParameters, Permission, PhysicalId, Plan,
    Remediation, RemediationPermissions, Resource, ResourceIdentity, ResourceState, ShapeError, Step, Timestamp,
    Verdict, control,
};
use rectify_policy::{Condition, Document, Effect, Statement};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::bucket::{self, BUCKETS, Identity, OwnedBucket, TYPES};

control! {
    /// ## What it checks
    ///
    /// That the bucket policy denies all actions to everyone without TLS, on the bucket and on all its objects.
    /// A statement counts when its effect is Deny, its principal is `*` or `{"AWS": "*"}`, one of its actions is `s3:*` or `*`, and its only condition is `aws:SecureTransport` false, under `Bool` or `BoolIfExists`.
    /// The resources of all such statements together must cover the ARN of the bucket and `<bucket>/*`, literally or with a wildcard.
    /// `NotPrincipal`, `NotAction`, `NotResource`, a further condition, other operators and `s3:TlsVersion` do not count, and neither does a Deny without a condition.
    /// An Allow that is limited to TLS does not deny other requests, so it does not count.
    /// A bucket without a policy is a finding; a policy that cannot be decoded fails the invocation.
    ///
    /// ## Why it matters
    ///
    /// S3 accepts plain HTTP unless a policy denies it: an attacker on the network path can read and change objects.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
    ///  "Resource": ["arn:${AWS::Partition}:s3:::pics", "arn:${AWS::Partition}:s3:::pics/*"],
    ///  "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// The same statement with only the first of the two resources.
    /// Annotation: `No Deny for aws:SecureTransport=false on objects (bucket ARN only)`.
    ///
    /// ## Parameters
    ///
    /// None besides the common ones.
    ///
    /// ## Remediation
    ///
    /// One `PutBucketPolicy`, level L2: it adds the statement of the example with a unique `Sid` to the policy text that S3 returned, after the existing statements.
    /// Every other byte of the policy stays unchanged.
    /// What may break: clients that still use plain HTTP are denied from then on.
    /// Server access logs are not searched for such clients; check them before you opt in.
    /// It is planned and never applied when a statement names a deleted user or role (`AIDA…`, `AROA…`), since S3 then rejects the whole policy (`MalformedPolicy`): the plan names the statement, and an operator removes the principal, since only an operator can decide whether the rest of the statement is still right.
    /// It is also planned and never applied when the bucket serves a website, whose endpoint supports only HTTP, when the policy would exceed the 20480 bytes that S3 allows, and when a statement cannot be inserted without changing the rest of the text.
    /// S3 rejects the call where the policy is already public and `BlockPublicPolicy` is set: the attempt fails permanently and says so, and `s3-bucket-public-read-prohibited` or an operator must end the public access first.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the policy in between is overwritten.
    /// Undo restores the previous policy, or removes the policy where there was none, and so allows HTTP again.
    ///
    /// ## References
    ///
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-ssl-requests-only.html)
    /// - [Policy for the AWS Config rule](https://repost.aws/knowledge-center/s3-bucket-policy-for-config-rule)
    /// - [Security Hub S3.5](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-5)
    /// - [Website endpoints](https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html)
    pub S3_BUCKET_SSL_REQUESTS_ONLY: S3BucketSslRequestsOnly {
        id: "s3-bucket-ssl-requests-only",
        title: "Bucket accepts unencrypted HTTP requests",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L2,
        frameworks: {
            Cis30: ["2.1.1"],
            Cis50: ["2.1.1"],
            Fsbp: ["S3.5"],
            Nist80053r5: ["AC-17(2)", "SC-8", "SC-8(1)", "SC-13", "SC-23"],
            Pci40: ["1.2.5", "2.2.7", "4.2.1"],
        },
    }
}

/// The maximum size of a bucket policy in bytes (S3 User Guide, bucket policies: 20 KB).
const MAX_POLICY_BYTES: usize = 20_480;
/// The `Sid` of the added statement, unless the policy already has it.
const SID: &str = "DenyInsecureTransport";

/// A bucket and its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its policy; `None` where it has none.
    pub policy: Option<Document>,
    /// Whether it serves a website, whose endpoint supports only HTTP.
    pub website: bool,
}

impl ResourceState for Subject {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.bucket.identity()
    }
}

impl Resource for Subject {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self {
            bucket: Identity::of_item(item),
            policy: bucket::policy(item)?.flatten(),
            website: bucket::website(item),
        })
    }
}

impl Subject {
    fn statements(&self) -> &[Statement] {
        self.policy.as_ref().map_or(&[], |document| &document.policy().0)
    }

    /// Whether bucket and objects are each covered by statements that deny HTTP.
    fn covered(&self) -> (bool, bool) {
        let covers =
            |arn: &str| self.statements().iter().filter(|it| denies_http(it)).any(|it| it.covers_resource(arn));
        (covers(&self.bucket.arn), covers(&format!("{}/*", self.bucket.arn)))
    }

    /// The missing statement, with a `Sid` that the policy does not have.
    fn denial(&self) -> String {
        let taken = |sid: &String| self.statements().iter().any(|it| it.label == *sid);
        let numbered = (2..).map(|number| format!("{SID}{number}"));
        let sid = std::iter::once(SID.to_owned()).chain(numbered).find(|sid| !taken(sid)).unwrap_or_default();
        let text = |text: &str| Value::from(text).to_string();
        format!(
            r#"{{"Sid":{},"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":[{},{}],"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#,
            text(&sid),
            text(&self.bucket.arn),
            text(&format!("{}/*", self.bucket.arn)),
        )
    }
}

/// Whether the statement denies all actions to everyone without TLS, on its resources.
fn denies_http(statement: &Statement) -> bool {
    statement.effect == Effect::Deny
        && statement.actions.any(|it| it == "*" || it.eq_ignore_ascii_case("s3:*"))
        && statement.is_for_everyone()
        && matches!(statement.conditions.as_slice(), [only] if is_without_tls(only))
}

fn is_without_tls(condition: &Condition) -> bool {
    let operator = condition.operator.to_lowercase();
    matches!(operator.as_str(), "bool" | "boolifexists")
        && condition.key.eq_ignore_ascii_case("aws:SecureTransport")
        && matches!(condition.values.as_slice(), [only] if only == "false")
}

impl Control for S3BucketSslRequestsOnly {
    type Params = NoParameters;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, _params: &NoParameters, _now: Timestamp) -> Verdict {
        let uncovered = match subject.covered() {
            (true, true) => return Verdict::COMPLIANT,
            (true, false) => "objects (bucket ARN only)",
            (false, true) => "the bucket (objects only)",
            (false, false) if subject.policy.is_none() => "bucket and objects (no policy)",
            (false, false) => "bucket and objects",
        };
        Verdict::non_compliant(format!("No Deny for aws:SecureTransport=false on {uncovered}"))
    }
}

/// Input of `PutBucketPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketPolicy {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: OwnedBucket,
    /// `Policy`, complete.
    pub policy: Document,
}

/// The calls of the fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Puts the policy with the added statement.
    PutBucketPolicy(BucketPolicy),
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undo {
    /// Restores the previous policy.
    PutBucketPolicy(BucketPolicy),
    /// Removes the policy, where there was none.
    DeleteBucketPolicy(OwnedBucket),
}

impl Remediation for S3BucketSslRequestsOnly {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    Permission::on("s3:GetBucketPolicy", BUCKETS),
                    Permission::on("s3:GetBucketTagging", BUCKETS),
                    Permission::on("s3:GetBucketWebsite", BUCKETS),
                ],
                fix: &[Permission::on("s3:PutBucketPolicy", BUCKETS)],
                undo: &[
                    Permission::on("s3:PutBucketPolicy", BUCKETS),
                    Permission::on("s3:DeleteBucketPolicy", BUCKETS),
                ],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup(
            "the name of the bucket, which is the physical id of a bucket policy too, in its region and in the home region",
        )
    }

    fn stack_resources(&self, live: &Subject, _action: &Action) -> Vec<PhysicalId> {
        let Identity { name, region, .. } = &live.bucket;
        let home = region.default_home_region();
        let mut resources = vec![PhysicalId::here(name)];
        // Only a template in the home region may set the policy of a bucket in another region.
        if home != *region {
            resources.push(PhysicalId { id: name.clone(), region: Some(home) });
        }
        resources
    }

    fn fix(&self, live: &Subject, _params: &NoParameters, _now: Timestamp) -> Plan<Action> {
        let denial = live.denial();
        let extended = match &live.policy {
            Some(policy) => policy.with(&denial),
            None => new_policy(&denial),
        };
        let Some(policy) = extended else {
            let instruction = format!("add to the statements of the bucket policy: {denial}");
            return Plan::blocked(
                "policy: a statement cannot be inserted without changing the rest of the text",
                vec![Step::manual(Level::L2, instruction)],
            );
        };
        let size = policy.text().len();
        let steps = vec![Step::call(Level::L2, Action::PutBucketPolicy(put(live, policy)))];
        let blocker = match live.policy.as_ref().and_then(deleted_principals) {
            Some(reason) => Some(reason),
            None if live.website => {
                Some("website: BucketWebsiteConfiguration is set, and a website endpoint supports only HTTP".to_owned())
            }
            None => (size > MAX_POLICY_BYTES)
                .then(|| format!("policy: {size} bytes with the statement, and S3 allows {MAX_POLICY_BYTES}")),
        };
        Plan::unless(blocker, steps)
    }

    fn predict(&self, live: Subject, action: &Action) -> Subject {
        let Action::PutBucketPolicy(put) = action;
        if put.bucket.name != live.bucket.name {
            return live;
        }
        Subject { policy: Some(put.policy.clone()), ..live }
    }

    /// The policy in canonical form: S3 may return it in another form than it was put.
    fn touched_fields(&self, subject: &Subject, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "Policy": subject.policy.as_ref().map(Document::canonical) }) }
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        if done.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![match &before.policy {
            Some(policy) => Undo::PutBucketPolicy(put(before, policy.clone())),
            None => Undo::DeleteBucketPolicy(before.bucket.owned()),
        }])
    }
}

/// Why S3 would reject the existing policy, with or without the added statement.
fn deleted_principals(policy: &Document) -> Option<String> {
    let named = policy.deleted_principals();
    let named: Vec<String> = named.iter().map(|it| format!("statement `{}` names {}", it.statement, it.id)).collect();
    let (kind, them) = if named.len() == 1 { ("a deleted principal", "it") } else { ("deleted principals", "them") };
    (!named.is_empty()).then(|| {
        let named = named.join(", ");
        format!("policy: {named}, {kind}, and S3 rejects a policy that names one: remove {them} from the policy")
    })
}

fn new_policy(denial: &str) -> Option<Document> {
    Document::parse("Policy", &format!(r#"{{"Version":"2012-10-17","Statement":[{denial}]}}"#)).ok()
}

fn put(subject: &Subject, policy: Document) -> BucketPolicy {
    BucketPolicy { bucket: subject.bucket.owned(), policy }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;
