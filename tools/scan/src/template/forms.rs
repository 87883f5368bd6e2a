//! The values of properties in the form of recorded items.
//!
//! CloudFormation takes `"true"` for true and `"22"` for 22 in every property, so these do too.

use serde_json::{Value, json};

/// Changes a value of a property to the one of the item.
pub(super) type Form = fn(&Value) -> Result<Value, Misfit>;

/// A value that has no form in the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is known only at deployment, and why.
    Unknown(&'static str),
    /// It is not what the property takes.
    Expected(&'static str),
}

/// The value as it is.
pub(super) fn same(value: &Value) -> Result<Value, Misfit> {
    Ok(value.clone())
}

/// Text; a number or a flag is written out.
pub(super) fn text(value: &Value) -> Result<Value, Misfit> {
    text_of(value).map(Value::from).ok_or(Misfit::Expected("text"))
}

/// True or false.
pub(super) fn flag(value: &Value) -> Result<Value, Misfit> {
    flag_of(value).map(Value::from).ok_or(Misfit::Expected("true or false"))
}

/// A whole number.
pub(super) fn number(value: &Value) -> Result<Value, Misfit> {
    number_of(value).map(Value::from).ok_or(Misfit::Expected("a whole number"))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn number_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        one => std::slice::from_ref(one),
    }
}

fn each(value: &Value, form: impl Fn(&Value) -> Result<Value, Misfit>) -> Result<Value, Misfit> {
    list(value).iter().map(form).collect()
}

/// A policy document as text, with flags and numbers as IAM reads them: as text.
pub(super) fn policy(value: &Value) -> Result<Value, Misfit> {
    match value {
        Value::Object(_) => Ok(spelled(value).to_string().into()),
        Value::String(text) => Ok(text.as_str().into()),
        _ => Err(Misfit::Expected("a policy document")),
    }
}

fn spelled(value: &Value) -> Value {
    match value {
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        Value::Array(list) => list.iter().map(spelled).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), spelled(member))).collect(),
        Value::Null | Value::String(_) => value.clone(),
    }
}

/// The versions of a managed policy with this document.
pub(super) fn versions(value: &Value) -> Result<Value, Misfit> {
    Ok(json!([{ "document": policy(value)?, "isDefaultVersion": true }]))
}

/// Inline policies.
pub(super) fn named(value: &Value) -> Result<Value, Misfit> {
    each(value, |it| {
        let name = it.get("PolicyName").and_then(text_of).ok_or(Misfit::Expected("policies with PolicyName"))?;
        Ok(json!({ "policyName": name }))
    })
}

/// Managed policies.
pub(super) fn managed(value: &Value) -> Result<Value, Misfit> {
    each(value, |it| Ok(json!({ "policyArn": text_of(it).ok_or(Misfit::Expected("ARNs of policies"))? })))
}

/// Tags, as a list of keys and values or as an object.
pub(super) fn tags(value: &Value) -> Result<Value, Misfit> {
    const EXPECTED: Misfit = Misfit::Expected("a list of keys and values");
    let pair = |it: &Value| {
        let key = it.get("Key").and_then(text_of)?;
        Some((key, Value::from(it.get("Value").and_then(text_of).unwrap_or_default())))
    };
    match value {
        Value::Array(list) => list.iter().map(|it| pair(it).ok_or(EXPECTED)).collect(),
        Value::Object(members) => {
            let text = |(key, value): (&String, &Value)| Some((key.clone(), Value::from(text_of(value)?)));
            members.iter().map(|it| text(it).ok_or(EXPECTED)).collect()
        }
        _ => Err(EXPECTED),
    }
}

/// The ingress rules of a group, each as a permission with one peer.
pub(super) fn rules(value: &Value) -> Result<Value, Misfit> {
    each(value, |rule| {
        let part = |key: &str| rule.get(key).filter(|it| !it.is_null());
        if part("SourcePrefixListId").is_some() {
            return Err(Misfit::Unknown("the entries of a prefix list"));
        }
        let protocol = part("IpProtocol").and_then(text_of).ok_or(Misfit::Expected("rules with IpProtocol"))?;
        let port = |key: &str| match part(key) {
            None => Ok(Value::Null),
            Some(port) => number(port),
        };
        let mut permission =
            json!({ "ipProtocol": protocol, "fromPort": port("FromPort")?, "toPort": port("ToPort")? });
        let peers = [
            ("CidrIp", "ipv4Ranges", "cidrIp"),
            ("CidrIpv6", "ipv6Ranges", "cidrIpv6"),
            ("SourceSecurityGroupId", "userIdGroupPairs", "groupId"),
            ("SourceSecurityGroupName", "userIdGroupPairs", "groupId"),
        ];
        for (from, to, member) in peers {
            if let (Some(peer), Value::Object(members)) = (part(from).and_then(text_of), &mut permission) {
                members.insert(to.to_owned(), json!([{ member: peer }]));
            }
        }
        Ok(permission)
    })
}

/// The interfaces of an instance with the addresses that they will have.
pub(super) fn addresses(value: &Value) -> Result<Value, Misfit> {
    each(value, |interface| match interface.get("AssociatePublicIpAddress").map(flag_of) {
        Some(Some(true)) => Ok(json!({ "association": { "publicIp": "a public IPv4 address" } })),
        Some(Some(false)) => Ok(json!({})),
        Some(None) => Err(Misfit::Expected("AssociatePublicIpAddress true or false")),
        None => Err(Misfit::Unknown("the subnet or the interface decides")),
    })
}

/// The attributes of a load balancer; deletion protection is off unless it is among them.
pub(super) fn attributes(value: &Value) -> Result<Value, Misfit> {
    const PROTECTION: &str = "deletion_protection.enabled";
    let mut attributes = Vec::new();
    for attribute in list(value) {
        let part = |key: &str| attribute.get(key).and_then(text_of);
        let key = part("Key").ok_or(Misfit::Expected("attributes with Key and Value"))?;
        attributes.push(json!({ "key": key, "value": part("Value").unwrap_or_default() }));
    }
    if !attributes.iter().any(|it| it.get("key").is_some_and(|key| key == PROTECTION)) {
        attributes.push(json!({ "key": PROTECTION, "value": "false" }));
    }
    Ok(attributes.into())
}

/// The grants of a canned ACL.
pub(super) fn acl(value: &Value) -> Result<Value, Misfit> {
    let grants: &[(&str, &str)] = match value.as_str() {
        Some("PublicRead") => &[("AllUsers", "Read")],
        Some("PublicReadWrite") => &[("AllUsers", "Read"), ("AllUsers", "Write")],
        Some("AuthenticatedRead") => &[("AuthenticatedUsers", "Read")],
        Some("LogDeliveryWrite") => &[("LogDelivery", "Write"), ("LogDelivery", "ReadAcp")],
        Some("Private" | "BucketOwnerRead" | "BucketOwnerFullControl" | "AwsExecRead") => &[],
        _ => return Err(Misfit::Expected("a canned ACL")),
    };
    let grants: Vec<Value> =
        grants.iter().map(|(grantee, permission)| json!({ "grantee": grantee, "permission": permission })).collect();
    Ok(json!({ "grantList": grants }))
}

/// The ownership of the only rule.
pub(super) fn ownership(value: &Value) -> Result<Value, Misfit> {
    let rule = list(value).first().and_then(|it| it.get("ObjectOwnership")).and_then(Value::as_str);
    match rule {
        Some(known @ ("BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter")) => Ok(known.into()),
        _ => Err(Misfit::Expected("a rule with ObjectOwnership")),
    }
}

/// Where access logs go: by default to the bucket itself.
pub(super) fn logging(value: &Value) -> Result<Value, Misfit> {
    if !value.is_object() {
        return Err(Misfit::Expected("a logging configuration"));
    }
    let part = |key: &str| value.get(key).and_then(text_of);
    Ok(json!({
        "destinationBucketName": part("DestinationBucketName").unwrap_or_else(|| "the bucket itself".to_owned()),
        "logFilePrefix": part("LogFilePrefix"),
    }))
}

/// The rules of default encryption.
pub(super) fn default_encryption(value: &Value) -> Result<Value, Misfit> {
    let rules = each(value, |rule| {
        let part = |pointer: &str| rule.pointer(pointer).filter(|it| !it.is_null());
        let algorithm = part("/ServerSideEncryptionByDefault/SSEAlgorithm").and_then(text_of);
        let bucket_key = part("/BucketKeyEnabled").map(flag).transpose()?;
        Ok(json!({
            "applyServerSideEncryptionByDefault": {
                "sseAlgorithm": algorithm.ok_or(Misfit::Expected("a rule with SSEAlgorithm"))?,
                "kmsMasterKeyID": part("/ServerSideEncryptionByDefault/KMSMasterKeyID").and_then(text_of),
            },
            "bucketKeyEnabled": bucket_key,
        }))
    })?;
    Ok(json!({ "rules": rules }))
}

/// `PointInTimeRecoveryStatus`.
pub(super) fn recovery(value: &Value) -> Result<Value, Misfit> {
    let on = flag_of(value).ok_or(Misfit::Expected("true or false"))?;
    Ok(if on { "ENABLED" } else { "DISABLED" }.into())
}

/// `KeyState`.
pub(super) fn key_state(value: &Value) -> Result<Value, Misfit> {
    let on = flag_of(value).ok_or(Misfit::Expected("true or false"))?;
    Ok(if on { "Enabled" } else { "Disabled" }.into())
}

/// The configuration of a multi-Region key: a template makes the primary one.
pub(super) fn primary(value: &Value) -> Result<Value, Misfit> {
    let on = flag_of(value).ok_or(Misfit::Expected("true or false"))?;
    Ok(if on { json!({ "multiRegionKeyType": "PRIMARY" }) } else { Value::Null })
}

/// The facts about the key of a trail: it is usable.
pub(super) fn usable_key(value: &Value) -> Result<Value, Misfit> {
    let key = text_of(value).ok_or(Misfit::Expected("text"))?;
    let known = json!({ "arn": key, "state": "Enabled", "spec": "SYMMETRIC_DEFAULT" });
    Ok(json!({ "live": null, "keys": { "current": { "known": known }, "allowed": [] } }))
}
