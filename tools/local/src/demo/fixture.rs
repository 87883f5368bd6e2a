//! Creates the resources of the demo's scenarios.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, TagSpecification};
use aws_sdk_s3::error::DisplayErrorContext;
use serde_json::json;

use crate::engine::ResourceKey;
use crate::world::{ACCOUNT, Clients};

/// The ACL group that every caller belongs to, anonymous ones included.
const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

/// A resource to create, named after what is or is not wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fixture {
    SshOverIpv6,
    SshMixed,
    AllTcpOpen,
    SshFromOffice,
    BucketByPolicy,
    BucketByAcl { permission: &'static str },
    TrailWithoutValidation,
    EbsEncryptionOff,
    RootAccessKey,
}

impl Fixture {
    /// Creates the resource, as a user with an AWS client would.
    pub(super) async fn create(self, clients: &Clients) -> Result<ResourceKey, String> {
        match self {
            Self::SshOverIpv6 => {
                let ssh = tcp(22, 22).ipv6_ranges(v6("::/0", "temporary"));
                security_group(clients, "over-ipv6", vec![ssh.build(), web()]).await
            }
            Self::SshMixed => {
                let ssh = tcp(22, 22).ip_ranges(v4("0.0.0.0/0", "debugging")).ip_ranges(v4("10.1.23.2/32", "bastion"));
                security_group(clients, "mixed", vec![ssh.build(), web()]).await
            }
            Self::AllTcpOpen => {
                let all = tcp(0, 65535).ip_ranges(v4("0.0.0.0/0", "everything"));
                security_group(clients, "all-tcp", vec![all.build()]).await
            }
            Self::SshFromOffice => {
                let ssh = tcp(22, 22).ip_ranges(v4("203.0.113.0/24", "office"));
                security_group(clients, "office", vec![ssh.build(), web()]).await
            }
            Self::BucketByPolicy => {
                let name = "rectify-demo-by-policy";
                bucket(clients, name).await?;
                let resource = format!("arn:{}:s3:::{name}/*", partition(clients));
                let policy = json!({"Version": "2012-10-17", "Statement": [
                    {"Sid": "AllowAll", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
                ]});
                let put = clients.s3.put_bucket_policy().bucket(name).policy(policy.to_string());
                put.send().await.map_err(text)?;
                Ok(ResourceKey::new("AWS::S3::Bucket", name))
            }
            Self::BucketByAcl { permission } => {
                let name = format!("rectify-demo-{}-by-acl", permission.to_lowercase());
                bucket(clients, &name).await?;
                let grantee = format!("uri=\"{ALL_USERS}\"");
                let put = clients.s3.put_bucket_acl().bucket(&name);
                let put = if permission == "READ" { put.grant_read(grantee) } else { put.grant_write(grantee) };
                put.send().await.map_err(text)?;
                Ok(ResourceKey::new("AWS::S3::Bucket", name))
            }
            Self::TrailWithoutValidation => {
                bucket(clients, "rectify-demo-logs").await?;
                let create = clients.cloudtrail.create_trail().name("main").s3_bucket_name("rectify-demo-logs");
                create.s3_key_prefix("audit").is_multi_region_trail(true).send().await.map_err(text)?;
                Ok(ResourceKey::new("AWS::CloudTrail::Trail", "main"))
            }
            // A new account has encryption by default off, and the proxy already reports a root access key.
            Self::EbsEncryptionOff | Self::RootAccessKey => Ok(ResourceKey::new("AWS::::Account", ACCOUNT)),
        }
    }
}

async fn security_group(clients: &Clients, name: &str, permissions: Vec<IpPermission>) -> Result<ResourceKey, String> {
    let create = clients.ec2.create_security_group().group_name(name).description("Rectify demo");
    let id = create.send().await.map_err(text)?.group_id.ok_or("CreateSecurityGroup: no GroupId")?;
    let authorize = clients.ec2.authorize_security_group_ingress().group_id(&id);
    authorize.set_ip_permissions(Some(permissions)).send().await.map_err(text)?;
    Ok(ResourceKey::new("AWS::EC2::SecurityGroup", id))
}

/// Creates a group without ingress rules, with these tags.
pub(super) async fn security_group_with(
    clients: &Clients,
    name: &str,
    tags: Option<TagSpecification>,
) -> Result<ResourceKey, String> {
    let create = clients.ec2.create_security_group().group_name(name).description("Rectify demo");
    let created = create.set_tag_specifications(tags.map(|it| vec![it])).send().await.map_err(text)?;
    Ok(ResourceKey::new("AWS::EC2::SecurityGroup", created.group_id.ok_or("CreateSecurityGroup: no GroupId")?))
}

/// Opens SSH to the internet in a security group.
pub(super) async fn open_ssh(clients: &Clients, group: &str) -> Result<(), String> {
    let ssh = tcp(22, 22).ip_ranges(v4("0.0.0.0/0", "again")).build();
    let authorize = clients.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(ssh);
    authorize.send().await.map(drop).map_err(text)
}

async fn bucket(clients: &Clients, name: &str) -> Result<(), String> {
    clients.s3.create_bucket().bucket(name).send().await.map(drop).map_err(text)
}

fn partition(clients: &Clients) -> String {
    let region = clients.sdk.region().map_or("us-east-1", AsRef::as_ref);
    rectify_compliance::Region::new(region).partition().as_str().to_owned()
}

fn tcp(from: i32, to: i32) -> aws_sdk_ec2::types::builders::IpPermissionBuilder {
    IpPermission::builder().ip_protocol("tcp").from_port(from).to_port(to)
}

fn web() -> IpPermission {
    tcp(443, 443).ip_ranges(v4("0.0.0.0/0", "web")).build()
}

fn v4(cidr: &str, description: &str) -> IpRange {
    IpRange::builder().cidr_ip(cidr).description(description).build()
}

fn v6(cidr: &str, description: &str) -> Ipv6Range {
    Ipv6Range::builder().cidr_ipv6(cidr).description(description).build()
}

pub(super) fn text(error: impl std::error::Error) -> String {
    DisplayErrorContext(&error).to_string()
}
