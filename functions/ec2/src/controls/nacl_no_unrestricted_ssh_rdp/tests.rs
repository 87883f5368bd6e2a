//! Verdicts and plans of `nacl-no-unrestricted-ssh-rdp`.
use proptest::prelude::*;
use rectify_compliance::Resource;
use rectify_testing::{Case, Cases, Laws};

use super::*;
use crate::arbitrary::item;

/// An entry of an item, `allow 6 22 0.0.0.0/0`: action, protocol, ports (`*` for none), CIDR.
fn stated(number: i32, text: &str) -> Value {
    let [action, protocol, ports, cidr]: [&str; 4] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    let range = (ports != "*").then(|| json!({"from": from.parse::<u16>().unwrap(), "to": to.parse::<u16>().unwrap()}));
    let (v4, v6) = if cidr.contains(':') { (None, Some(cidr)) } else { (Some(cidr), None) };
    json!({
        "ruleNumber": number, "egress": false, "protocol": protocol, "ruleAction": action, "portRange": range,
        "cidrBlock": v4, "ipv6CidrBlock": v6, "icmpTypeCode": null
    })
}

fn read(entries: &Value) -> Result<NetworkAcl, String> {
    let associations = json!([{"networkAclId": "acl-1", "subnetId": "subnet-1"}]);
    let configuration = json!({"networkAclId": "acl-1", "associations": associations, "entries": entries});
    NetworkAcl::from_item(&item(TYPE, "acl-1", configuration, &[("team", "net")])).map_err(|error| error.to_string())
}

/// An ACL with these entries, by number, and the final ones that every ACL has.
fn acl(entries: &[(i32, &str)]) -> NetworkAcl {
    let last = [(32767, "deny -1 * 0.0.0.0/0"), (32768, "deny -1 * ::/0")];
    read(&entries.iter().chain(&last).map(|(number, text)| stated(*number, text)).collect()).unwrap()
}

fn case<'a>(name: &'a str, entries: &[(i32, &str)]) -> Case<'a, NaclNoUnrestrictedSshRdp> {
    Cases::of(&NaclNoUnrestrictedSshRdp, acl(entries)).case(name, |_| ())
}

fn found(rules: &str) -> String {
    format!("acl-1 (used by subnet-1): {rules}")
}

fn delete(number: i32) -> String {
    format!(r#"L2 DeleteNetworkAclEntry {{"Egress":false,"NetworkAclId":"acl-1","RuleNumber":{number}}}"#)
}

const ALL_OPEN: (i32, &str) = (100, "allow -1 * 0.0.0.0/0");
const SSH: (i32, &str) = (100, "allow 6 22 0.0.0.0/0");
const SSH_OPEN: &str = "rule 100 allows tcp 22 from 0.0.0.0/0";
const EVERY_PORT: &str = "rule 100 allows tcp 22,3389 and udp 22,3389 from 0.0.0.0/0";

#[test]
fn open_port_is_a_finding() {
    case("nacl-no-unrestricted-ssh-rdp/1", &[SSH]).non_compliant(&found(SSH_OPEN)).planned(&[&delete(100)]);
    case("another port", &[(100, "allow 6 443 0.0.0.0/0")]).compliant();
    case("a private CIDR", &[(100, "allow 6 22 10.0.0.0/8")]).compliant();
    let narrow = "L2 manual: narrow rule 100 of acl-1, which allows";
    case("nacl-no-unrestricted-ssh-rdp/4", &[ALL_OPEN]).non_compliant(&found(EVERY_PORT)).planned(&[&format!(
        "{narrow} all traffic from 0.0.0.0/0, or deny tcp 22,3389 and udp 22,3389 with a lower rule number"
    )]);
    case("nacl-no-unrestricted-ssh-rdp/5", &[(100, "allow 6 20-25 ::/0")])
        .non_compliant(&found("rule 100 allows tcp 22 from ::/0"))
        .planned(&[&format!("{narrow} tcp 20-25 from ::/0, or deny tcp 22 with a lower rule number")]);
    case("a range within the ports", &[(100, "allow 6 22-23 ::/0")])
        .with(r#"{"ports": "22-25"}"#)
        .non_compliant(&found("rule 100 allows tcp 22-23 from ::/0"))
        .planned(&[&delete(100)]);
    case("nacl-no-unrestricted-ssh-rdp/11", &[(100, "allow 17 3389 0.0.0.0/0")])
        .with(r#"{"protocols": "tcp"}"#)
        .compliant();
    case("udp", &[(100, "allow 17 3389 0.0.0.0/0")])
        .non_compliant(&found("rule 100 allows udp 3389 from 0.0.0.0/0"))
        .planned(&[&delete(100)]);
    case("nacl-no-unrestricted-ssh-rdp/12", &[(100, "allow 1 * 0.0.0.0/0")]).compliant();
    case("exact beside wide", &[(90, "allow 6 3389 ::/0"), (100, "allow 6 3380-3390 ::/0")])
        .non_compliant(&found("rule 90 allows tcp 3389 from ::/0; rule 100 allows tcp 3389 from ::/0"))
        .planned(&[
            &delete(90),
            &format!("{narrow} tcp 3380-3390 from ::/0, or deny tcp 3389 with a lower rule number"),
        ]);
    case("open only in combination", &[(90, "allow 6 22 0.0.0.0/1"), (100, "allow 6 22 128.0.0.0/1")])
        .non_compliant(&found("rule 90 allows tcp 22 from 0.0.0.0/1; rule 100 allows tcp 22 from 128.0.0.0/1"));
}

#[test]
fn first_entry_for_every_address_decides() {
    let deny_ssh = (90, "deny 6 22 0.0.0.0/0");
    case("nacl-no-unrestricted-ssh-rdp/2", &[deny_ssh, ALL_OPEN])
        .with(r#"{"protocols": "tcp"}"#)
        .non_compliant(&found("rule 100 allows tcp 3389 from 0.0.0.0/0"));
    case("only the denied port", &[deny_ssh, SSH]).compliant();
    case("nacl-no-unrestricted-ssh-rdp/3", &[SSH, (110, "deny 6 22 0.0.0.0/0")]).non_compliant(&found(SSH_OPEN));
    case("nacl-no-unrestricted-ssh-rdp/7", &[(100, "deny -1 * 0.0.0.0/0")]).compliant();
    case("nacl-no-unrestricted-ssh-rdp/10", &[(90, "deny 6 22 10.0.0.0/8"), SSH]).non_compliant(&found(SSH_OPEN));
    case("a deny of the other family", &[(90, "deny -1 * ::/0"), SSH]).non_compliant(&found(SSH_OPEN));
    let unsorted = read(&json!([stated(100, SSH.1), stated(90, deny_ssh.1)])).unwrap();
    Cases::of(&NaclNoUnrestrictedSshRdp, unsorted).case("nacl-no-unrestricted-ssh-rdp/8", |_| ()).compliant();
    let mut egress = stated(100, SSH.1);
    egress["egress"] = json!(true);
    Cases::of(&NaclNoUnrestrictedSshRdp, read(&json!([egress])).unwrap())
        .case("nacl-no-unrestricted-ssh-rdp/9", |_| ())
        .compliant();
}

#[test]
fn default_acl_is_not_changed() {
    let cases = Cases::of(&NaclNoUnrestrictedSshRdp, NetworkAcl { is_default: true, ..acl(&[SSH]) });
    let case = || cases.case("nacl-no-unrestricted-ssh-rdp/6", |_| ());
    case().not_applicable("default network ACL");
    let blocked = "blocked: every subnet without another network ACL uses the default one";
    let evaluated = case().with(r#"{"skipDefault": "false"}"#);
    evaluated.non_compliant(&found(SSH_OPEN)).planned(&[blocked, &delete(100)]);
    let unused = NetworkAcl { subnets: BTreeSet::new(), ..acl(&[SSH]) };
    let unused = Cases::of(&NaclNoUnrestrictedSshRdp, unused).case("unused", |_| ());
    unused.non_compliant(&format!("acl-1 (used by no subnet): {SSH_OPEN}"));
}

/// `nacl-no-unrestricted-ssh-rdp/13`
#[test]
fn plan_adds_no_entry_to_a_full_acl() {
    let entries: Vec<(i32, &str)> = (1..=20).map(|number| (number, "allow 6 20-25 0.0.0.0/0")).collect();
    let plan = NaclNoUnrestrictedSshRdp.plan(&acl(&entries), &Default::default(), rectify_testing::NOW);
    assert_eq!((plan.calls().len(), plan.steps().len()), (0, 20));
    let finding = "rule 1 allows tcp 22 from 0.0.0.0/0; rule 2 allows tcp 22 from 0.0.0.0/0; \
                   rule 3 allows tcp 22 from 0.0.0.0/0 +17 more";
    case("many", &entries).non_compliant(&found(finding));
}

#[test]
fn unreadable_entry_is_an_error() {
    let changed = |key: &str, value: Value| {
        let mut entry = stated(100, "deny 6 22 0.0.0.0/0");
        entry[key] = value;
        read(&json!([entry])).unwrap_err()
    };
    for (key, value, expected) in [
        ("ruleAction", json!("log"), "configuration.entries.ruleAction: expected allow or deny: received `log`"),
        ("ruleNumber", Value::Null, "configuration.entries.ruleNumber: expected a number"),
        ("egress", Value::Null, "configuration.entries.egress: expected a boolean"),
        ("protocol", Value::Null, "configuration.entries.protocol: expected a protocol"),
        ("cidrBlock", json!("everywhere"), "configuration.entries.cidrBlock: expected a CIDR"),
        ("cidrBlock", Value::Null, "configuration.entries.cidrBlock: expected a CIDR"),
        ("portRange", json!({"from": 23, "to": 22}), "configuration.entries.portRange: expected two ports"),
        ("portRange", json!({"from": null, "to": null}), "configuration.entries.portRange: expected two ports"),
    ] {
        let error = changed(key, value);
        assert!(error.starts_with(expected), "{error}");
    }
    let missing = item(TYPE, "acl-1", json!({}), &[]);
    let error = NetworkAcl::from_item(&missing).unwrap_err().to_string();
    assert!(error.starts_with("configuration.entries: expected a list"), "{error}");
}

#[test]
fn undo_creates_the_recorded_entry() {
    let before = acl(&[(100, "allow 17 3389 ::/0")]);
    let plan = NaclNoUnrestrictedSshRdp.plan(&before, &Default::default(), rectify_testing::NOW);
    let done: Vec<AclAction> = plan.calls().into_iter().cloned().collect();
    let undo = NaclNoUnrestrictedSshRdp.undo(&before, &done).unwrap();
    let expected = r#"CreateNetworkAclEntry {"Egress":false,"Ipv6CidrBlock":"::/0","NetworkAclId":"acl-1","PortRange":{"From":3389,"To":3389},"Protocol":"17","RuleAction":"allow","RuleNumber":100}"#;
    assert_eq!(undo.iter().map(rectify_compliance::plan::call_text).collect::<Vec<_>>(), [expected]);
    let error = NaclNoUnrestrictedSshRdp.undo(&acl(&[]), &done).unwrap_err().to_string();
    assert!(error.ends_with("the prior state has no entry 100 of tcp or udp"), "{error}");
}

/// The ACL after an undo call.
fn apply(_: &NaclNoUnrestrictedSshRdp, mut acl: NetworkAcl, call: &AclUndo) -> NetworkAcl {
    let AclUndo::CreateNetworkAclEntry { rule_number, protocol, rule_action, port_range, .. } = call;
    let AclUndo::CreateNetworkAclEntry { cidr_block, ipv6_cidr_block, .. } = call;
    acl.entries.push(AclEntry {
        rule_number: *rule_number,
        action: *rule_action,
        protocol: Protocol::from(protocol.clone()),
        from_port: port_range.from,
        to_port: port_range.to,
        source: cidr_block.map(IpNet::V4).or(ipv6_cidr_block.map(IpNet::V6)).unwrap(),
    });
    acl.entries.sort();
    acl
}

#[test]
fn laws() {
    let action = prop::sample::select(vec!["allow", "allow", "deny"]);
    let traffic = prop::sample::select(vec!["6 22", "6 22", "6 3389", "17 3389", "6 443", "6 20-25", "-1 *", "1 *"]);
    let source = prop::sample::select(vec!["0.0.0.0/0", "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8"]);
    let entry = (action, traffic, source).prop_map(|(action, traffic, source)| format!("{action} {traffic} {source}"));
    let acls = (prop::collection::vec(entry, 0..4), prop::bool::weighted(0.2)).prop_map(|(entries, is_default)| {
        let numbered: Vec<(i32, &str)> = (1..).zip(entries.iter().map(String::as_str)).collect();
        NetworkAcl { is_default, ..acl(&numbered) }
    });
    let params = any::<[bool; 2]>().prop_map(|[tcp, skip]| NaclNoUnrestrictedSshRdpParameters {
        protocols: if tcp { Protocols::Tcp } else { Protocols::TcpUdp },
        skip_default: Flag(skip),
        ..Default::default()
    });
    Laws::of(&NaclNoUnrestrictedSshRdp, &["/entries"], apply)
        .never(|before, after| after.entries.iter().any(|entry| !before.entries.contains(entry)))
        .restores_full_state()
        .meeting(&[("of calls only", |plan| plan.blocker(true).is_none())])
        .hold((acls, params));
}
