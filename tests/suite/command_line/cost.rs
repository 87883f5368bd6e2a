//! The command `cost`.

use axum::Router;

use super::*;

/// AWS Config with two pages of counts.
async fn counts(body: String) -> String {
    let request: Value = serde_json::from_str(&body).unwrap();
    let page = |kind: &str, count: u32| json!([{"resourceType": kind, "count": count}]);
    let answer = match request["nextToken"].as_str() {
        None => json!({"resourceCounts": page("AWS::EC2::SecurityGroup", 600), "nextToken": "more"}),
        Some(_) => json!({"resourceCounts": page("AWS::S3::Bucket", 500)}),
    };
    answer.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn cost_is_computed_for_what_aws_config_has_discovered() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(counts)).await });
    let environment = [
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_CONFIG_SERVICE", endpoint.as_str()),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    let ran = run(&["cost", "--json"], &environment);
    assert_eq!(ran.code, 0, "{ran:?}");
    // Several controls with a schedule evaluate each bucket and group, and nothing else.
    let again = ran.json()["home"]["again"].as_f64().unwrap();
    assert!((12_500.0..30_000.0).contains(&again), "{ran:?}");
    server.abort();
    let refused = run(&["cost", "--json"], &environment);
    assert_eq!(refused.code, 3, "{refused:?}");
}
