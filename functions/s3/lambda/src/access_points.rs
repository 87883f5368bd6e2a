//! The calls for a bucket's access points. S3 lists only those of the calling account.

use aws_sdk_s3control::operation::get_access_point::GetAccessPointOutput;
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use rectify_compliance::ShapeError;
use rectify_policy::Policy;
use rectify_runtime::AwsError;

use super::{Clients, Named, unless};
use rectify_s3::families::access::{AccessPoint, Flags, NetworkOrigin};

impl Clients {
    /// `ListAccessPoints`, all pages, each access point read completely, by name. One that is deleted in between is
    /// left out.
    pub(super) async fn access_points(&self, bucket: Named<'_>) -> Result<Vec<AccessPoint>, AwsError> {
        let mut points = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .control
                .list_access_points()
                .account_id(bucket.account.as_str())
                .bucket(bucket.name)
                .set_next_token(token.clone())
                .send()
                .await
                .map_err(|error| AwsError::call("s3control:ListAccessPoints", &error))?;
            for listed in page.access_point_list() {
                let point = self.access_point(bucket, listed.name()).await;
                points.extend(unless("NoSuchAccessPoint", point)?);
            }
            let next = page.next_token().filter(|it| !it.is_empty());
            match next {
                None => {
                    points.sort_by(|one: &AccessPoint, other| one.name.cmp(&other.name));
                    return Ok(points);
                }
                Some(next) if token.as_deref() == Some(next) => {
                    return Err(ShapeError::new("NextToken", "another token than the last", "the same").into());
                }
                Some(next) => token = Some(next.to_owned()),
            }
        }
    }

    async fn access_point(&self, bucket: Named<'_>, name: &str) -> Result<AccessPoint, AwsError> {
        let call = self.control.get_access_point().account_id(bucket.account.as_str()).name(name);
        let answer = call.send().await.map_err(|error| AwsError::call("s3control:GetAccessPoint", &error))?;
        let point = described(name, &answer)?;
        match point.network_origin {
            // Never public, whatever its policy is.
            NetworkOrigin::Vpc => Ok(point),
            NetworkOrigin::Internet => Ok(AccessPoint {
                policy: self.access_point_policy(bucket, name).await?,
                policy_is_public: self.access_point_is_public(bucket, name).await?,
                ..point
            }),
        }
    }

    async fn access_point_policy(&self, bucket: Named<'_>, name: &str) -> Result<Policy, AwsError> {
        let call = self.control.get_access_point_policy().account_id(bucket.account.as_str()).name(name);
        let answer = call.send().await.map_err(|error| AwsError::call("s3control:GetAccessPointPolicy", &error));
        let Some(answer) = unless("NoSuchAccessPointPolicy", answer)? else { return Ok(Policy::default()) };
        let text = answer.policy().ok_or_else(|| ShapeError::missing("Policy", "a policy document"))?;
        Ok(Policy::parse("Policy", text)?)
    }

    async fn access_point_is_public(&self, bucket: Named<'_>, name: &str) -> Result<bool, AwsError> {
        let call = self.control.get_access_point_policy_status().account_id(bucket.account.as_str()).name(name);
        let answer = call.send().await.map_err(|error| AwsError::call("s3control:GetAccessPointPolicyStatus", &error));
        let Some(answer) = unless("NoSuchAccessPointPolicy", answer)? else { return Ok(false) };
        let status = answer.policy_status().ok_or_else(|| ShapeError::missing("PolicyStatus", "a status"))?;
        Ok(status.is_public())
    }
}

/// The access point without its policy.
fn described(name: &str, answer: &GetAccessPointOutput) -> Result<AccessPoint, ShapeError> {
    let origin = answer.network_origin().ok_or_else(|| ShapeError::missing("NetworkOrigin", "Internet or VPC"))?;
    let arn = answer.access_point_arn().ok_or_else(|| ShapeError::missing("AccessPointArn", "an ARN"))?;
    Ok(AccessPoint {
        name: name.to_owned(),
        arn: arn.to_owned(),
        network_origin: NetworkOrigin::parse(origin.as_str())?,
        block: answer.public_access_block_configuration().map_or(Flags::NONE, flags),
        policy: Policy::default(),
        policy_is_public: false,
    })
}

/// A missing flag is off.
pub(super) fn flags(block: &PublicAccessBlockConfiguration) -> Flags {
    Flags {
        block_public_acls: block.block_public_acls().unwrap_or(false),
        ignore_public_acls: block.ignore_public_acls().unwrap_or(false),
        block_public_policy: block.block_public_policy().unwrap_or(false),
        restrict_public_buckets: block.restrict_public_buckets().unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3control::types::NetworkOrigin as Origin;

    fn answer() -> aws_sdk_s3control::operation::get_access_point::builders::GetAccessPointOutputBuilder {
        let block = PublicAccessBlockConfiguration::builder().restrict_public_buckets(true).build();
        GetAccessPointOutput::builder()
            .network_origin(Origin::Vpc)
            .access_point_arn("arn:aws:s3:eu-west-1:111122223333:accesspoint/app")
            .public_access_block_configuration(block)
    }

    #[test]
    fn an_access_point_is_read_with_its_own_block() {
        let expected = AccessPoint {
            name: "app".to_owned(),
            arn: "arn:aws:s3:eu-west-1:111122223333:accesspoint/app".to_owned(),
            network_origin: NetworkOrigin::Vpc,
            block: Flags { restrict_public_buckets: true, ..Flags::NONE },
            policy: Policy::default(),
            policy_is_public: false,
        };
        assert_eq!(described("app", &answer().build()), Ok(expected));
    }

    #[test]
    fn unknown_network_origin_is_refused() {
        assert!(described("app", &answer().network_origin(Origin::from("Moon")).build()).is_err());
        assert!(described("app", &answer().set_network_origin(None).build()).is_err());
    }
}
