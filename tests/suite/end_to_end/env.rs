//! One local AWS for all tests of this module, one test at a time: it takes longer to start than most tests run.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, Ipv6Range};
use rectify_compliance::{AccountId, Region, Target};
use rectify_local::engine::{Compliance, ComplianceChange, ResourceKey};
use rectify_local::proxy::{Fault, FaultKind};
use rectify_local::world::{ACCOUNT, LocalAwsConfig, World};
use rectify_runtime::ledger::{Attempt, Ledger, ResourcePath};
use rectify_tests::binaries;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// The rule's function.
pub(super) const RULE: &str = "rectify-restricted-ssh";
/// The remediation's function.
pub(super) const FIX: &str = "rectify-restricted-ssh-fix";
/// The type of its resources.
const GROUP: &str = "AWS::EC2::SecurityGroup";
/// The rule and the queue that collect AWS Config's own events.
const RECEIVED: &str = "received";

/// The tasks of a world end with the runtime that started them, so no single test may own the runtime.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static ENV: Mutex<Option<Env>> = Mutex::const_new(None);

/// A running world and the queue that collects AWS Config's events.
#[derive(Debug)]
pub(super) struct Env {
    pub(super) world: World,
    received: String,
}

/// Runs a test in the environment. All controls enforce, and the hourly budget is never reached.
pub(super) fn run(test: impl AsyncFnOnce(&Env)) {
    RUNTIME.block_on(async {
        let mut guard = ENV.lock().await;
        if guard.is_none() {
            *guard = Some(Env::start().await);
        }
        let env = guard.as_ref().unwrap();
        env.world.proxy().clear_faults();
        env.wait_until_idle().await;
        env.world.proxy().clear_calls();
        test(env).await;
    });
}

/// The settings of a world for these tests.
pub(super) fn settings(logs: &Path, mode: &str) -> LocalAwsConfig {
    let deployed = rectify_local::demo::SETTINGS.replace("mode: enforce", &format!("mode: {mode}"));
    let templates = rectify_synth::synth(&deployed, &[("maxFixesPerHour".to_owned(), "100".to_owned())]).unwrap();
    LocalAwsConfig::new(templates, binaries::folder(), logs)
}

impl Env {
    async fn start() -> Self {
        let logs = std::env::temp_dir().join(format!("rectify-end-to-end-{}", std::process::id()));
        // Two processes per function, so that an event can overtake one that hangs.
        let settings = LocalAwsConfig { instances: 2, ..settings(&logs, "enforce") };
        let region = settings.region.clone();
        let world = World::start(settings).await.unwrap();
        let clients = world.clients();
        let received = clients.sqs.create_queue().queue_name(RECEIVED).send().await.unwrap().queue_url.unwrap();
        let pattern = r#"{"source": ["aws.config"]}"#;
        clients.events.put_rule().name(RECEIVED).event_pattern(pattern).send().await.unwrap();
        let arn = format!("arn:aws:sqs:{region}:{ACCOUNT}:{RECEIVED}");
        let target = aws_sdk_eventbridge::types::Target::builder().id(RECEIVED).arn(arn).build().unwrap();
        clients.events.put_targets().rule(RECEIVED).targets(target).send().await.unwrap();
        Self { world, received }
    }

    pub(super) async fn wait_until_idle(&self) {
        self.world.wait_until_idle().await.unwrap();
        assert_eq!(self.world.take_errors(), Vec::<String>::new());
    }

    /// A group with these ingress rules: TCP ports and CIDR.
    pub(super) async fn group(&self, name: &str, rules: &[(i32, i32, &str)]) -> ResourceKey {
        let ec2 = &self.world.clients().ec2;
        let made = ec2.create_security_group().group_name(name).description(name).send().await.unwrap();
        let id = made.group_id.unwrap();
        authorize(ec2, &id, rules).await;
        ResourceKey::new(GROUP, id)
    }

    /// A group that opens SSH and a web port to the internet.
    pub(super) async fn open_group(&self, name: &str) -> ResourceKey {
        self.group(name, &[(22, 22, "0.0.0.0/0"), (443, 443, "0.0.0.0/0")]).await
    }

    /// Revokes the SSH rule by hand.
    pub(super) async fn close(&self, group: &ResourceKey) {
        let revoke = self.world.clients().ec2.revoke_security_group_ingress().group_id(&group.resource_id);
        revoke.ip_permissions(permission((22, 22, "0.0.0.0/0"))).send().await.unwrap();
    }

    /// The group's ingress rules, e.g. `443-443 0.0.0.0/0`.
    pub(super) async fn ingress(&self, group: &ResourceKey) -> BTreeSet<String> {
        ingress(&self.world.clients().ec2, &group.resource_id).await.into_iter().map(|(_, rule)| rule).collect()
    }

    /// The announcements about the resource, oldest first: detail type and detail.
    pub(super) fn announcements(&self, resource: &ResourceKey) -> Vec<(String, Value)> {
        let all = self.world.bus().announcements().into_iter();
        let about = all.filter(|it| it.detail["resourceId"] == resource.resource_id.as_str());
        about.map(|it| (it.detail_type, it.detail)).collect()
    }

    /// The announced outcomes of the resource, oldest first.
    pub(super) fn outcomes(&self, resource: &ResourceKey) -> Vec<String> {
        self.announcements(resource).iter().map(|(_, detail)| detail["outcome"].as_str().unwrap().to_owned()).collect()
    }

    /// The results of the remediation's invocations about the resource, from its log: an outcome, or the error's type.
    pub(super) async fn ended(&self, resource: &ResourceKey, count: usize) -> Vec<String> {
        let mut ended = Vec::new();
        // A log line may arrive shortly after the answer.
        for _try in 0..100 {
            let lines = self.world.host().logs(FIX);
            let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let about = lines.filter(|line| line["resource_id"] == resource.resource_id.as_str());
            ended = about
                .filter_map(|line| Some(line.get("outcome").or_else(|| line.get("ErrorType"))?.as_str()?.to_owned()))
                .collect();
            if ended.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ended
    }

    /// The statuses of the remediation's revocations since the test began.
    pub(super) fn revocations(&self) -> Vec<u16> {
        let calls = self.world.proxy().calls().into_iter();
        calls
            .filter(|call| call.caller == FIX && call.operation == "RevokeSecurityGroupIngress")
            .map(|call| call.status)
            .collect()
    }

    /// The rule's verdict on the resource.
    pub(super) fn verdict(&self, rule: &str, resource: &ResourceKey) -> Option<Compliance> {
        self.world.compliance_of(rule, resource)
    }

    /// The compliance changes of the resource that AWS Config sent since the last call, oldest first.
    pub(super) async fn received(&self, resource: &ResourceKey) -> Vec<Value> {
        let sqs = &self.world.clients().sqs;
        let mut received = Vec::new();
        loop {
            let answer =
                sqs.receive_message().queue_url(&self.received).max_number_of_messages(10).send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return received;
            }
            for message in messages {
                let event: Value = serde_json::from_str(message.body().unwrap()).unwrap();
                if event["detail"]["resourceId"] == resource.resource_id.as_str() {
                    received.push(event["detail"].clone());
                }
                let receipt = message.receipt_handle().unwrap();
                sqs.delete_message().queue_url(&self.received).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }

    /// Delivers a compliance change once more.
    pub(super) async fn deliver(&self, detail: &Value) {
        let bus = self.world.bus();
        bus.put_event(ComplianceChange::SOURCE, ComplianceChange::DETAIL_TYPE, detail).await.unwrap();
    }

    /// Injects a fault into the next calls of one caller.
    pub(super) fn inject(&self, caller: &str, call: (&str, &str), times: u32, kind: FaultKind) {
        let fault = Fault::new(call.0, call.1, times, kind);
        self.world.proxy().inject(Fault { caller: Some(caller.to_owned()), ..fault });
    }

    /// Waits until every injected fault has hit.
    pub(super) async fn until_hit(&self) {
        until("the fault hits", async || self.world.proxy().pending_faults().is_empty()).await;
    }

    /// The attempts on a group, from the ledger.
    pub(super) async fn attempts(&self, group: &ResourceKey) -> Vec<Attempt> {
        let ledger = Ledger::new(&self.world.clients().sdk, self.table());
        ledger.attempts(&self.path(group), "restricted-ssh").await.unwrap()
    }

    /// Ends the lease on a group, as happens some time after its owner dies.
    pub(super) async fn end_lease(&self, group: &ResourceKey) {
        use aws_sdk_dynamodb::types::AttributeValue::{N, S};
        let update = self.world.clients().dynamodb.update_item().table_name(self.table());
        update
            .key("pk", S(format!("L#{}", self.path(group).as_str())))
            .key("sk", S("LEASE".to_owned()))
            .update_expression("SET #until = :past")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":past", N("0".to_owned()))
            .send()
            .await
            .unwrap();
    }

    fn table(&self) -> String {
        self.world.stack().tables[0].name.clone()
    }

    fn path(&self, group: &ResourceKey) -> ResourcePath {
        ResourcePath::of(&Target {
            account: AccountId::new(ACCOUNT),
            region: Region::new(self.world.settings().region.as_str()),
            resource: rectify_compliance::ResourceKey::new(&group.resource_type, &group.resource_id),
            name: None,
            arn: None,
        })
    }
}

/// Waits at most ten seconds for a condition.
pub(super) async fn until(condition: &str, mut is_true: impl AsyncFnMut() -> bool) {
    for _try in 0..500 {
        if is_true().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{condition}: not within ten seconds");
}

/// Adds ingress rules: TCP ports and CIDR.
pub(super) async fn authorize(ec2: &aws_sdk_ec2::Client, group: &str, rules: &[(i32, i32, &str)]) {
    let permissions = rules.iter().copied().map(permission).collect();
    let authorize = ec2.authorize_security_group_ingress().group_id(group).set_ip_permissions(Some(permissions));
    authorize.send().await.unwrap();
}

fn permission((from, to, cidr): (i32, i32, &str)) -> IpPermission {
    let permission = IpPermission::builder().ip_protocol("tcp").from_port(from).to_port(to);
    let permission = if cidr.contains(':') {
        permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).build())
    } else {
        permission.ip_ranges(IpRange::builder().cidr_ip(cidr).build())
    };
    permission.build()
}

/// A group's ingress rules: id and text, e.g. `443-443 0.0.0.0/0`.
pub(super) async fn ingress(ec2: &aws_sdk_ec2::Client, group: &str) -> Vec<(String, String)> {
    let filter = Filter::builder().name("group-id").values(group).build();
    let rules = ec2.describe_security_group_rules().filters(filter).send().await.unwrap().security_group_rules.unwrap();
    let ingress = rules.into_iter().filter(|rule| rule.is_egress() == Some(false));
    ingress
        .map(|rule| {
            let peer = rule.cidr_ipv4().or(rule.cidr_ipv6()).unwrap();
            let text = format!("{}-{} {peer}", rule.from_port().unwrap(), rule.to_port().unwrap());
            (rule.security_group_rule_id.unwrap(), text)
        })
        .collect()
}
