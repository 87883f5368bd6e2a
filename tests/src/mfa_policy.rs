//! A policy that allows a user without MFA only to register a device, and the registration of a device.

use aws_sdk_iam::Client;
use serde_json::json;

/// The policy document: self-service for devices, and nothing else without MFA.
pub fn document() -> String {
    let listed = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices"];
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:CreateVirtualMFADevice", "Resource": "arn:aws:iam::*:mfa/*"},
        {"Effect": "Allow", "Action": listed[1..], "Resource": "arn:aws:iam::*:user/${aws:username}"},
        {"Effect": "Deny", "NotAction": listed, "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
    ]})
    .to_string()
}

/// Creates the policy and returns its ARN.
pub async fn create(iam: &Client, name: &str) -> String {
    let made = iam.create_policy().policy_name(name).policy_document(document()).send().await.unwrap();
    made.policy.unwrap().arn.unwrap()
}

/// Registers a virtual device for a user.
pub async fn register_device(iam: &Client, user: &str) {
    let made = iam.create_virtual_mfa_device().virtual_mfa_device_name(user).send().await.unwrap();
    let serial = made.virtual_mfa_device.unwrap().serial_number;
    let enable = iam.enable_mfa_device().user_name(user).serial_number(serial);
    enable.authentication_code1("123456").authentication_code2("654321").send().await.unwrap();
}
