//! Load balancers.

use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// An Application Load Balancer in two subnets of the default VPC, without deletion protection.
async fn balancer(world: &World) -> ResourceKey {
    let subnets = world.clients().ec2.describe_subnets().send().await.unwrap().subnets.unwrap();
    let subnets = subnets.into_iter().take(2).map(|it| it.subnet_id.unwrap()).collect();
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&world.clients().sdk);
    let made = elb.create_load_balancer().name("shop").set_subnets(Some(subnets)).send().await.unwrap();
    ResourceKey::new("AWS::ElasticLoadBalancingV2::LoadBalancer", made.load_balancers()[0].load_balancer_arn().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_protection_of_a_load_balancer_is_enabled_and_undone() {
    run_lifecycle("elb-deletion-protection-enabled", "{}", balancer).await;
}
