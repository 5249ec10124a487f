//! The node that the program runs, on the network: members meet, others get nothing.

use std::sync::Arc;

use base::{Duration, Rng};
use community::{
    Community, Descriptor, DescriptorError, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use net::{Bound, Clock, Counters, HostConfig, HostHandle, Limits, MemberAdmission, Relays};
use node::{Command, Event, Node, Setup};
use question::ConsentRule;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

struct Authority {
    key: SigningKey,
    descriptor: Descriptor,
    rng: Rng,
}

impl Authority {
    fn new(number: u64) -> Self {
        let mut rng = Rng::from_number(number);
        let key = SigningKey::generate(&mut rng);
        let descriptor = Descriptor::founding("test", key.node(), 13);
        Self {
            key,
            descriptor,
            rng,
        }
    }

    fn community(&self) -> Arc<Community> {
        let signed =
            SignedDescriptor::sign(&self.descriptor, &self.key).expect("a possible community");
        Arc::new(Community::open(signed).expect("it was just signed"))
    }

    /// Certified from an hour ago on, for so long.
    fn certify(&mut self, lasting: Duration) -> Identity {
        let (key, vrf, request) = draw_keys(&self.descriptor.community, &mut self.rng);
        let from = Clock::start().now() - Duration::from_secs(3600);
        let terms = Terms {
            rights: Rights::default(),
            valid_from: from,
            valid_until: from + lasting,
        };
        let certificate = enrol(&self.key, &self.descriptor, &request, terms, &mut self.rng)
            .expect("the request proves possession");
        Identity {
            key,
            vrf,
            certificate,
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);

async fn start(
    identity: Identity,
    community: &Arc<Community>,
) -> (HostHandle<Node>, Receiver<Event>) {
    let config = HostConfig {
        key: identity.key.clone(),
        bind: ([127, 0, 0, 1], 0).into(),
        limits: Limits::default(),
        door: None,
        relays: Relays::default(),
    };
    let bound = Bound::bind(config).await.expect("loopback");
    let certificate = identity.certificate.clone();
    let setup = Setup {
        identity: Arc::new(identity),
        community: Arc::clone(community),
        addresses: vec![bound.local_addr()],
        consent: ConsentRule::Yes.into(),
        budget: None,
        journal: vec![],
        rng: Rng::from_seed([7; 32]),
    };
    let node = Node::new(bound.now(), setup).expect("this community can draw");
    bound.run(
        node,
        MemberAdmission::new(Arc::clone(community), certificate),
    )
}

async fn joins(who: &HostHandle<Node>, through: &HostHandle<Node>) {
    let told = vec![(through.node(), through.local_addr())];
    let joined = who.command(Command::Join(told)).await;
    joined.expect("the node runs");
}

async fn knows(events: &mut Receiver<Event>, nodes: usize) {
    let heard = timeout(Duration::from_secs(10), async {
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Known(known) if known == nodes) {
                return;
            }
        }
        panic!("the node has stopped");
    });
    heard.await.expect("they meet");
}

fn message_counts(host: &HostHandle<Node>) -> (u64, u64) {
    let Counters {
        messages_in,
        bytes_in,
        ..
    } = host.counters();
    (messages_in, bytes_in)
}

#[tokio::test]
async fn members_meet_and_others_get_nothing() {
    let mut here = Authority::new(1);
    let mut there = Authority::new(2);
    let revoked = here.certify(DAY);
    let expired = here.certify(Duration::from_secs(60));
    // The present descriptor revokes a member; the member goes by an earlier one.
    let earlier = here.community();
    here.descriptor.epoch = 2;
    here.descriptor.revoked = vec![revoked.node()];
    let community = here.community();

    let (first, mut first_events) = start(here.certify(DAY), &community).await;
    first.command(Command::Join(vec![])).await.unwrap();
    let (second, mut second_events) = start(here.certify(DAY), &community).await;
    joins(&second, &first).await;
    knows(&mut first_events, 2).await;
    knows(&mut second_events, 2).await;

    // Who claims to be of this community without its authority's word.
    let mut impostor = Authority::new(3);
    impostor.descriptor.community = here.descriptor.community;
    let foreign = there.certify(DAY);
    let foreign_community = there.community();
    let forged = impostor.certify(DAY);
    // Nobody takes a descriptor of it: its name and founder make another community. So it goes by ours.
    let refused = SignedDescriptor::sign(&impostor.descriptor, &impostor.key);
    assert_eq!(refused.map(|_| ()), Err(DescriptorError::Authority));
    let cases = [
        ("of another community", foreign, &foreign_community),
        ("certified by nobody", forged, &community),
        ("revoked", revoked, &earlier),
        ("expired", expired, &community),
    ];
    for (what, identity, its_community) in cases {
        let before = first.counters().refused;
        let (stranger, mut events) = start(identity, its_community).await;
        joins(&stranger, &first).await;
        let refused = timeout(Duration::from_secs(10), async {
            while first.counters().refused == before {
                sleep(Duration::from_millis(20)).await;
            }
        });
        refused
            .await
            .unwrap_or_else(|_| panic!("{what}: not refused"));
        assert_eq!(
            message_counts(&stranger),
            (0, 0),
            "{what}: was told something"
        );
        assert!(events.try_recv().is_err(), "{what}: learnt something");
        stranger.shutdown().await;
    }
    assert!(
        first_events.try_recv().is_err(),
        "the members learnt nobody new"
    );
    assert_eq!(first.counters().misbehaved, 0);
    for host in [first, second] {
        host.shutdown().await;
    }
}
