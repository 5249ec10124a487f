//! Events, and the client with a server over a socket.

use api::{
    Api, Client, ClientError, ConsentRule, Event, EventKind, Kind, NewQuestion, NewRule, Revoke,
    STREAMS_MAX, Token, Word, serve,
};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{broadcast, mpsc};
use tower::ServiceExt;

use crate::bench::{
    Call, bench, budget, checked, consent_log, entry, helping, holdings, imports, open, preview,
    profile, published, question, reply, revoked, rule, rules, status, token, turned_away,
    vocabulary,
};

fn happened(number: u64) -> Event {
    Event {
        number,
        at: 1,
        kind: EventKind::Question,
        question: Some("aa".into()),
        text: "drawn".into(),
    }
}

#[tokio::test]
async fn events_reach_those_who_listen_and_no_more_than_may() {
    let bench = bench();
    let mut listening = Vec::new();
    for _ in 0..STREAMS_MAX {
        let call = Call::get("/v1/events").request;
        let response = bench
            .router
            .clone()
            .oneshot(call)
            .await
            .expect("never fails");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        listening.push(response.into_body());
    }
    turned_away(&bench, Call::get("/v1/events"), 503).await;
    bench.events.send(happened(1)).expect("heard");
    for body in &mut listening {
        let frame = body.frame().await.expect("a frame").expect("whole");
        let text = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
        assert!(
            text.contains("event: question\n") && text.contains("id: 1\n"),
            "{text}"
        );
    }
    // Whoever goes away makes room.
    listening.pop();
    let call = Call::get("/v1/events").request;
    let response = bench
        .router
        .clone()
        .oneshot(call)
        .await
        .expect("never fails");
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_client_understands_the_server() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (requests, mut orders) = mpsc::channel(8);
    let (events, _) = broadcast::channel(8);
    let api = Api {
        token: token(),
        port: address.port(),
        requests,
        events: events.clone(),
    };
    tokio::spawn(serve(listener, api.router(), std::future::pending()));
    tokio::spawn(async move {
        while let Some(request) = orders.recv().await {
            reply(request);
        }
    });
    let client = Client::new(address, token());
    assert_eq!(client.status().await, Ok(status()));
    assert_eq!(client.questions().await, Ok(vec![question(), open()]));
    assert_eq!(client.question("aa").await, Ok(question()));
    assert_eq!(client.proof("aa").await, Ok(vec![1, 2, 3]));
    assert_eq!(client.publish("aa").await, Ok(question()));
    assert_eq!(client.published().await, Ok(vec![published()]));
    assert_eq!(client.helping().await, Ok(helping()));
    assert_eq!(client.inbox().await, Ok(vec![entry()]));
    assert_eq!(client.decide("bb", Word::Never).await, Ok(entry()));
    assert_eq!(client.rules().await, Ok(rules()));
    let new = NewRule {
        says: ConsentRule::No,
        asker: None,
        table: Some("t".into()),
        columns: None,
        question: None,
    };
    assert_eq!(client.add_rule(&new).await, Ok(rule(2)));
    assert_eq!(client.remove_rule(1).await, Ok(rules()));
    assert_eq!(client.set_default(ConsentRule::Yes).await, Ok(rules()));
    assert_eq!(client.consent_log(None).await, Ok(consent_log(None)));
    let from = Some(7);
    assert_eq!(client.consent_log(from).await, Ok(consent_log(from)));
    let all = Revoke {
        all: true,
        ..Revoke::default()
    };
    assert_eq!(client.revoke(&all).await, Ok(revoked()));
    assert_eq!(client.budget().await, Ok(budget()));
    assert_eq!(client.vocabulary().await, Ok(vocabulary()));
    assert_eq!(client.holdings().await, Ok(holdings()));
    assert_eq!(client.profile().await, Ok(profile(None)));
    assert_eq!(client.imports().await, Ok(imports()));
    assert_eq!(client.preview("bb").await, Ok(preview()));
    assert_eq!(client.check("aa").await, Ok(checked()));
    assert_eq!(client.set_budget(None).await, Ok(budget()));
    assert_eq!(client.leave().await, Ok(()));
    assert_eq!(client.shutdown().await, Ok(()));
    let refused = |refused| match refused {
        Err(ClientError::Refused(fault)) => fault.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(client.question("../status").await.map(drop)),
        Kind::Unknown
    );
    let new = NewQuestion {
        sql: String::new(),
        purpose: String::new(),
        consent_secs: 0,
        collect_secs: None,
    };
    assert_eq!(refused(client.ask(&new).await.map(drop)), Kind::Refused);
    assert_eq!(
        refused(client.remove_rule(9).await.map(drop)),
        Kind::Unknown
    );
    let stranger = Client::new(address, Token::new([8; 32]));
    assert_eq!(refused(stranger.status().await.map(drop)), Kind::Token);
    let mut heard = client.events().await.expect("a stream");
    for number in 1..=3 {
        events.send(happened(number)).expect("heard");
        assert_eq!(heard.next().await, Some(happened(number)));
    }
}

#[tokio::test]
async fn where_nobody_listens_no_node_is_running() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = Client::new(address, token());
    assert!(matches!(
        client.status().await,
        Err(ClientError::NotRunning(_))
    ));
}

#[tokio::test]
async fn who_is_being_answered_when_it_ends_still_hears_the_answer() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (requests, mut orders) = mpsc::channel(8);
    let api = Api {
        token: token(),
        port: address.port(),
        requests,
        events: broadcast::channel(8).0,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let serving = tokio::spawn(serve(listener, api.router(), stopped));
    let client = Client::new(address, token());
    // One listens for events, which have no end; it keeps nobody from ending.
    let _heard = client.events().await.expect("a stream");
    let told = tokio::spawn(async move { client.shutdown().await });
    let order = orders.recv().await.expect("a request");
    drop(stop);
    tokio::task::yield_now().await;
    reply(order);
    assert_eq!(told.await.expect("it ends"), Ok(()));
    serving.await.expect("it ends");
    let late = Client::new(address, token()).status().await;
    assert!(matches!(late, Err(ClientError::NotRunning(_))), "{late:?}");
}
