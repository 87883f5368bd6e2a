//! The built function, as the template deploys it: events reach it through the bus and its queue.

use rectify_compliance::finding::{Lifecycle, Ticket};
use rectify_local::world::{LocalAwsConfig, World};
use rectify_tests::binaries::folder;
use rectify_tests::deployment::templates;
use serde_json::{Value, json};

/// The tickets in the queue, in order.
async fn tickets(world: &World) -> Vec<Value> {
    let sqs = &world.clients().sqs;
    let url = sqs.get_queue_url().queue_name("rectify-TicketQueue.fifo").send().await.unwrap().queue_url.unwrap();
    let mut tickets = Vec::new();
    loop {
        let received = sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.unwrap();
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return tickets;
        }
        for message in messages {
            tickets.push(serde_json::from_str(message.body().unwrap()).unwrap());
            let receipt = message.receipt_handle().unwrap();
            sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
        }
    }
}

/// The example of the docs, with the values that differ between runs replaced.
fn documented() -> Value {
    let page = include_str!("../../../docs/findings.md");
    let example = page.split("```json\n").nth(1).unwrap().split("\n```").next().unwrap();
    comparable(serde_json::from_str(example).unwrap())
}

fn comparable(mut ticket: Value) -> Value {
    let group = ticket["resourceId"].as_str().unwrap().to_owned();
    for name in ["id", "firstFoundAt", "lastFoundAt", "attempt"] {
        ticket[name] = json!(name);
    }
    let mut text = ticket.to_string().replace(&group, "sg-1");
    if let Some(start) = text.find("sgr-") {
        let end = start + text[start..].find(['"', '\\']).unwrap();
        text.replace_range(start..end, "sgr-1");
    }
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_a_ticket_from_the_call_to_the_fix() {
    let logs = tempfile::tempdir().unwrap();
    let templates =
        templates(&[("controls.restricted-ssh.mode", "plan"), ("attribution", "false"), ("tickets", "queue")]);
    let world = World::start(LocalAwsConfig::new(templates, folder(), logs.path())).await.unwrap();
    let ec2 = &world.clients().ec2;
    let made = ec2.create_security_group().group_name("open").description("open").send().await.unwrap();
    let group = made.group_id.unwrap();
    let open = ec2.authorize_security_group_ingress().group_id(&group).ip_protocol("tcp").from_port(22).to_port(22);
    open.cidr_ip("0.0.0.0/0").send().await.unwrap();
    world.wait_until_idle().await.unwrap();
    let found = tickets(&world).await;
    let router_logs = world.host().logs("rectify-router");
    let planned = found.last().unwrap_or_else(|| panic!("no ticket: {router_logs:#?}"));
    assert_eq!(comparable(planned.clone()), documented(), "{planned:#}");

    let close = ec2.revoke_security_group_ingress().group_id(&group).ip_protocol("tcp").from_port(22).to_port(22);
    close.cidr_ip("0.0.0.0/0").send().await.unwrap();
    world.wait_until_idle().await.unwrap();
    let closed: Ticket = serde_json::from_value(tickets(&world).await.pop().unwrap()).unwrap();
    assert_eq!((closed.state, &closed.id), (Lifecycle::Resolved, &planned["id"].as_str().unwrap().to_owned()));
    assert!(closed.resolved_at > Some(closed.last_found_at));
    assert_eq!(world.take_errors(), Vec::<String>::new());
    world.stop().await.unwrap();
}
